"""One `seiryu run` in a process of its own, watched from outside: when each stage ended, and what its processes take.

Its lines on stderr tell when stages end; /proc tells of the driver and of all that descends from it, by role: the driver, Ray's
workers, the children in which they parse, and Ray's own processes. Looked at every 0.1 s, which takes 1 % of a core; what a process
does after the last look at it is not counted. The peak of a process is the kernel's own (VmHWM); a worker begins anew with each unit,
so what is short and high may be missed here and stands in the sidecars.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from benchmarks.inputs import ROOT

CONFIG = "configs/sample.yaml"
_LOOK = 0.1
_STAGE = re.compile(r"^([a-z]+): [\d,]+ units in ([\d,.]+) s")
_PEAK = re.compile(r"VmHWM:\s*(\d+) kB")
_ROLES = (("child_main", "child"), ("ray::", "worker"), ("default_worker.py", "worker"))
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Watched:
    """Seconds by the clock: of the whole, before the first stage, of each stage (with what the driver does before the next), and after.

    `cpu`: seconds of processors by role; `peak`: bytes that the largest process of each role has held at most.
    """

    seconds: float = 0.0
    start: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    end: float = 0.0
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    peak: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def in_stages(self) -> float:
        return sum(self.stages.values())


def watched_run(folder: Path, *changes: str, cores: Collection[int] = ()) -> Watched:
    """Run CONFIG with the changes into a folder. `cores`: the only ones it may use. SystemExit if it does not end well."""
    command = [sys.executable, "-m", "seiryu.pipelines", "run", CONFIG]
    for change in (f"run={folder}", *changes):
        command += ["--set", change]
    where = ["taskset", "-c", ",".join(map(str, sorted(cores)))] if cores else []
    begin = time.perf_counter()
    run = subprocess.Popen(where + command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    ends: list[tuple[float, str]] = []
    reader = Thread(target=lambda: ends.extend((time.perf_counter() - begin, line) for line in run.stderr or ()))
    reader.start()
    family = _Family(run.pid)
    while run.poll() is None:
        family.look()
        time.sleep(_LOOK)
    seconds = time.perf_counter() - begin
    reader.join()
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {run.returncode}:\n{''.join(line for _, line in ends)}")
    return _told(seconds, ends, family.watched)


def _told(seconds: float, ends: list[tuple[float, str]], watched: Watched) -> Watched:
    watched.seconds = watched.start = seconds
    last = 0.0
    for at, line in ends:
        if stage := _STAGE.match(line):
            if not watched.stages:
                watched.start = last = at - float(stage[2].replace(",", ""))
            watched.stages[stage[1]], last = at - last, at
    watched.end = seconds - last if watched.stages else 0.0
    return watched


class _Family:
    """A process and all that descends from it."""

    def __init__(self, driver: int) -> None:
        self.watched = Watched()
        self._driver, self._known, self._spent = driver, {driver}, dict[int, float]()

    def look(self) -> None:
        parents: dict[int, int] = {}
        spent: dict[int, float] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended
                fields, pid = (entry / "stat").read_text().rpartition(")")[2].split(), int(entry.name)
                parents[pid], spent[pid] = int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS
        while born := {pid for pid, parent in parents.items() if parent in self._known} - self._known:
            self._known |= born
        for pid in self._known & parents.keys():
            with suppress(OSError):
                role = self._role(pid)
                peak = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
                self.watched.peak[role] = max(self.watched.peak[role], int(peak[1]) << 10 if peak else 0)
                self.watched.cpu[role] += spent[pid] - self._spent.get(pid, 0.0)
                self._spent[pid] = spent[pid]

    def _role(self, pid: int) -> str:
        if pid == self._driver:
            return "driver"
        command = Path(f"/proc/{pid}/cmdline").read_text()
        return next((role for sign, role in _ROLES if sign in command), "Ray's own")


@dataclass
class Work:
    """What the sidecars of a stage tell: units, their seconds by the clock and of processors, the most that a worker held."""

    units: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak: int = 0
    longest: float = 0.0
    kept: int = 0
    rejected: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def work(folder: Path) -> dict[str, Work]:
    """By stage, all its units together."""
    found: dict[str, Work] = defaultdict(Work)
    for sidecar in _sidecars(folder):
        done = found[sidecar["stage"]]
        done.units += 1
        done.seconds += sidecar["seconds"]
        done.longest = max(done.longest, sidecar["seconds"])
        done.cpu_seconds += sidecar["cpu_seconds"]
        done.peak = max(done.peak, sidecar["peak_memory"])
        done.kept += sidecar["counts"]["kept"]
        for reason, number in sidecar["counts"]["rejected"].items():
            done.rejected[reason] += number
    return dict(found)


def _sidecars(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("units/*/*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))
