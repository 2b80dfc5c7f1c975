"""One run under everything that befalls a cluster, by a seed: it must end with the bytes of a run in peace.

SIGKILL to workers, raylets (the head's too, and with it all of Ray) and the driver, workers that stop for a while, clocks that jump by
minutes or days in the driver, and a store that cuts connections, answers late or not at all. A driver that died, or gave up, is
started again with the same command, as a person or a job scheduler would.
"""

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cluster import Victims, until
from commandline import ROOT, command
from faults import always, cut, never, refuse, reset, seeded, slow
from proxy import FaultProxy

LIBFAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
EVENTS = 6  # in one run at most; then there is peace
RESTARTS = 25
PATIENCE = 300.0  # seconds that one start of the driver may take
KINDS = ("worker", "worker", "raylet", "raylet", "head", "driver", "driver", "stop", "jump", "storage", "storage")


@dataclass
class Story:
    """What befell a run. `starts`: of the driver; `codes`: how those ended."""

    seed: int
    store: str
    events: Counter = field(default_factory=Counter)
    codes: list[int] = field(default_factory=list)
    seconds: float = 0.0
    wrong: str = ""

    def line(self) -> str:
        befell = ", ".join(f"{number} {kind}" for kind, number in sorted(self.events.items())) or "nothing"
        return (
            f"seed {self.seed}: {self.wrong or 'same bytes'}; {self.store}, {self.seconds:.0f} s, driver started {len(self.codes)} times "
            f"(ended {', '.join(map(str, self.codes))}); {befell}"
        )


class Chaos:
    """A run, those who make it, and what is done to them."""

    def __init__(
        self, seed: int, config: Path, run: str, victims: Victims, proxy: FaultProxy, environment: dict[str, str]
    ) -> None:
        self._random = random.Random(seed)
        self._config, self._run, self._victims, self._proxy, self._environment = config, run, victims, proxy, environment
        self._clock = config.with_name(f"clock-{seed}")
        self.story = Story(seed, run.partition("://")[0] if "://" in run else "disk")

    def tell(self) -> Story:
        """Make the run, however often it takes."""
        begin, left = time.monotonic(), self._random.randint(1, EVENTS)
        self._clock.write_text("+0")
        for _ in range(RESTARTS):
            self._victims.mend()
            left, code, said = self._start(left)
            self.story.codes.append(code)
            if code == 0:
                break
        else:
            self.story.wrong = f"not ended after {RESTARTS} starts: {said[-2000:]}"
        self.story.seconds = time.monotonic() - begin
        self._clock.unlink()
        return self.story

    def _start(self, left: int) -> tuple[int, int, str]:
        """One start of the driver. Returns the events that are left, its exit code (negative: the signal), and what it said."""
        faked = {"LD_PRELOAD": str(LIBFAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self._clock), "FAKETIME_NO_CACHE": "1",
                 "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"} if LIBFAKETIME else {}  # fmt: skip
        arguments = ("run", self._config, "--set", f"run={self._run}", "--set", f"engine.address={self._victims.address}")
        log = self._config.with_name(f"driver-{self.story.seed}.log")
        with log.open("wb") as out:
            driver = subprocess.Popen(
                command(*arguments), cwd=ROOT, stdout=out, stderr=out, env=os.environ | self._environment | faked
            )
        end = time.monotonic() + PATIENCE
        while driver.poll() is None:
            for _ in until(self._random.uniform(0.2, 2.0)):
                if driver.poll() is not None:
                    break
            if driver.poll() is None and left:
                left -= self._do(self._random.choice(KINDS), driver)
            elif not left:
                self._proxy.misbehave(never)
                self._victims.mend()
            if time.monotonic() > end:
                driver.kill()
                self.story.wrong = f"the driver hung: {log.read_text()[-2000:]}"
                return 0, driver.wait(), log.read_text()
        return left, driver.wait(), log.read_text()

    def _do(self, kind: str, driver: subprocess.Popen) -> int:
        """One event; how many it counts for."""
        done = getattr(self, f"_{kind}")(driver)
        self.story.events[kind] += done
        return done

    def _worker(self, _: subprocess.Popen) -> int:
        found = self._victims.workers()
        if found:
            with suppress(ProcessLookupError):
                os.kill(self._random.choice(found), signal.SIGKILL)
                return 1
        return 0

    def _stop(self, _: subprocess.Popen) -> int:
        """A worker that hangs for a while, and goes on."""
        found = self._victims.workers()
        if found:
            pid = self._random.choice(found)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(self._random.uniform(0.5, 3))
                os.kill(pid, signal.SIGCONT)
                return 1
        return 0

    def _raylet(self, _: subprocess.Popen) -> int:
        done = bool(self._victims.others) and self._victims.kill_raylet(self._random.choice(self._victims.others))
        self._victims.mend()
        return done

    def _head(self, _: subprocess.Popen) -> int:
        return self._victims.kill_raylet("head")

    def _driver(self, driver: subprocess.Popen) -> int:
        driver.kill()
        return 1

    def _jump(self, _: subprocess.Popen) -> int:
        """The driver's clock of the day, forwards or backwards by a minute to three days."""
        if not LIBFAKETIME:
            return 0
        by = self._random.choice((-1, 1)) * int(10 ** self._random.uniform(1.8, 5.4))
        self._clock.write_text(f"{by:+d}")
        return 1

    def _storage(self, _: subprocess.Popen) -> int:
        if self.story.store == "disk":
            return 0
        faults = [reset(), reset(500), cut(), refuse(503, "1"), refuse(500), slow(2)]
        plan = always(reset()) if self._random.random() < 0.2 else seeded(self._random.randrange(2**32), 0.3, faults)
        self._proxy.misbehave(plan)
        time.sleep(self._random.uniform(0.5, 4))
        self._proxy.misbehave(never)
        return 1


def report(stories: list[Story]) -> str:
    """The figures of many runs."""
    events = sum((story.events for story in stories), Counter())
    starts = sum(len(story.codes) for story in stories)
    died = sum(code != 0 for story in stories for code in story.codes)
    seconds = sorted(story.seconds for story in stories)
    lines = {
        "runs": len(stories), "same bytes": sum(not story.wrong for story in stories), "starts of the driver": starts,
        "of which died or gave up": died, "events": dict(sorted(events.items())),
        "seconds of a run": f"{seconds[len(seconds) // 2]:.0f} ({seconds[0]:.0f} - {seconds[-1]:.0f})",
        "on disk / in an object store": f"{sum(s.store == 'disk' for s in stories)} / {sum(s.store == 's3' for s in stories)}",
        "seeds": f"{stories[0].seed} to {stories[-1].seed}",
    }  # fmt: skip
    return json.dumps(lines, indent=1)
