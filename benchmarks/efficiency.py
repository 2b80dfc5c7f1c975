"""What a second worker is worth, and where the rest of it is lost.

Whole runs of configs/sample.yaml as a person starts them, with one worker and with two in turn: on samples/ as it is, and on COPIES of
it (growing_input.py), where archives are of one size, as in a crawl, and the start weighs less. The slope between the two is what a
run of any length gains: what each further second of one worker's run costs two. A worker of extract is two processes, itself and its
child, that work at the same time; so one worker takes more than one core, and with two workers on two cores extract cannot be twice
as fast. What a core gains is told by one worker that is kept on one core.

The ceiling is what the machine itself gives to two processes that know nothing of each other, against one alone: pure arithmetic, and
extraction as the stage does it, each kept on a core of its own. Other guests of the machine, caches and memory take their part there.

SEIRYU_EFFICIENCY_ROUNDS (3), SEIRYU_EFFICIENCY_COPIES (4).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.growing_input import Source
from benchmarks.inputs import ROOT, SAMPLES, Inputs
from benchmarks.timing import Figure
from benchmarks.watched_run import Watched, Work, watched_run, work

_SHOWN = 0.02  # of the time of one worker's stages: stages below are told together
_CEILING_ROUNDS = 3


@dataclass(frozen=True)
class Way:
    """A way to run: what is asked for, and the only cores that it may use."""

    name: str
    changes: tuple[str, ...]
    cores: tuple[int, ...] = ()


@dataclass
class Seen:
    """Runs of one way over one input, a round each."""

    runs: list[Watched] = field(default_factory=list)
    works: list[dict[str, Work]] = field(default_factory=list)

    def of(self, what: Callable[[Watched], float]) -> list[float]:
        return [what(run) for run in self.runs]

    def of_stages(self, names: Collection[str]) -> list[float]:
        return [sum(run.stages.get(name, 0.0) for name in names) for run in self.runs]

    def unit_seconds(self) -> float:
        return median(sum(done.seconds for done in each.values()) for each in self.works)


def figures(_: Inputs) -> Iterator[Figure]:
    rounds, copies = int(os.environ.get("SEIRYU_EFFICIENCY_ROUNDS", 3)), int(os.environ.get("SEIRYU_EFFICIENCY_COPIES", 4))
    core = min(os.sched_getaffinity(0))
    one, two = Way("1 worker", ("engine.workers=1",)), Way("2 workers", ("engine.workers=2",))
    core_one = Way("1 worker on 1 core", one.changes, (core,))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = Source.read(sorted(SAMPLES.glob("*.warc.gz")))
        for copy in range(1, copies + 1):
            source.write(folder / "input", copy)
        del source
        larger = f"source.paths=[{folder}/input/*.warc.gz]"
        small = {way: Seen() for way in (one, two, core_one)}
        large = {way: Seen() for way in (one, two, core_one)}
        for _round in range(rounds):
            for seen, change in ((small, ()), (large, (larger,))):
                for way in seen:
                    shutil.rmtree(folder / "run", ignore_errors=True)
                    seen[way].runs.append(watched_run(folder / "run", *change, *way.changes, cores=way.cores))
                    seen[way].works.append(work(folder / "run"))
        again = watched_run(folder / "run", larger)
        yield Figure("all done, the same again", again.seconds, "s", against="2 workers", other=median(large[two].of(_whole)))
    yield from compared("samples/", small[two], small[one], "1 worker")
    yield from compared("samples/", small[two], small[core_one], core_one.name)
    times = f"samples/ {copies} times"
    yield from compared(times, large[two], large[one], "1 worker")
    yield from compared(times, large[two], large[core_one], core_one.name)
    for against in (one, core_one):
        gained = [pair[1] - pair[0] for pair in zip(small[against].of(_whole), large[against].of(_whole), strict=True)]
        spent = [pair[1] - pair[0] for pair in zip(small[two].of(_whole), large[two].of(_whole), strict=True)]
        yield _figure(f"from 1 to {copies} times, what is added", spent, against.name, gained)
    yield from lost(times, large[two], large[one])
    yield from by_stage(times, large[two], large[one])
    yield from ceiling()


def compared(what: str, ours: Seen, theirs: Seen, against: str) -> Iterator[Figure]:
    yield _figure(f"{what}, whole run, 2 workers", ours.of(_whole), against, theirs.of(_whole))
    yield _figure(f"{what}, its stages alone", ours.of(_stages), against, theirs.of(_stages))


def lost(what: str, two: Seen, one: Seen) -> Iterator[Figure]:
    """Where the time of two workers goes that is not half of one's."""
    for part, of in (("before the first stage", _start), ("after the last stage", _end)):
        yield _figure(f"{what}, 2 workers, {part}", two.of(of), "1 worker", one.of(of))
    yield _figure(f"{what}, processors, all processes", two.of(_cpu), "1 worker", one.of(_cpu))
    ours, theirs = two.unit_seconds(), one.unit_seconds()
    yield Figure(f"{what}, 2 workers, seconds of all units", ours, "s", against="1 worker", other=theirs, ratio=theirs / ours)
    for seen, workers in ((two, 2), (one, 1)):
        idle = 1 - seen.unit_seconds() / workers / median(seen.of(_stages))
        yield Figure(f"{what}, {workers} worker{'s' * (workers > 1)}, share of the stages without a unit", 100 * idle, "%")


def by_stage(what: str, two: Seen, one: Seen) -> Iterator[Figure]:
    names, whole = list(one.runs[0].stages), median(one.of(_stages))
    large = [name for name in names if median(one.of_stages([name])) >= _SHOWN * whole]
    for name in large:
        ours = two.of_stages([name])
        yield _figure(f"{what}, {name}, 2 workers", ours, "1 worker", one.of_stages([name]))
        longest = median(each[name].longest for each in two.works)
        if longest > median(ours) / 2:
            yield Figure(f"{what}, {name}: its longest unit", longest, "s")
    others = [name for name in names if name not in large]
    yield _figure(f"{what}, the {len(others)} others, 2 workers", two.of_stages(others), "1 worker", one.of_stages(others))


def ceiling() -> Iterator[Figure]:
    """Twice the work by two processes at once, against one."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    for task in ("arithmetic", "extraction"):
        alone, both = [], []
        for _round in range(_CEILING_ROUNDS):
            alone.append(2 * max(_at_once(task, cores[:1])))
            both.append(max(_at_once(task, cores)))
        yield _figure(f"ceiling: {task} by 2 processes", both, "1 process", alone)


def _at_once(task: str, cores: list[int]) -> list[float]:
    """Seconds that a process on each of the cores takes for the task, all begun at the same time once they are warm."""
    command = [sys.executable, "-m", "benchmarks.efficiency", task]
    there = [
        subprocess.Popen(
            ["taskset", "-c", str(core), *command], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for core in cores
    ]
    for process in there:
        assert process.stdout
        if process.stdout.readline() != "warm\n":
            raise SystemExit(f"{task} failed")
    for process in there:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    return [float(process.communicate()[0]) for process in there]


def run(task: str) -> None:
    """In a process of its own: the task once to warm up, and once more when a line comes in."""
    from seiryu.pipelines.isolation.isolated import close_kept

    tasks = {"arithmetic": _arithmetic, "extraction": _extraction}
    tasks[task]()
    print("warm", flush=True)
    sys.stdin.readline()
    begin = time.perf_counter()
    tasks[task]()
    print(time.perf_counter() - begin, flush=True)
    close_kept()


def _arithmetic() -> int:
    return sum(number * number % 7 for number in range(30_000_000))


def _extraction() -> None:
    from seiryu.corpus.storage import Store
    from seiryu.pipelines.config_file import load_config
    from seiryu.pipelines.stages import extract

    with tempfile.TemporaryDirectory() as folder:
        config = load_config(str(ROOT / "configs" / "sample.yaml"), (f"run={folder}",))
        for unit in extract.units_of_files([str(path) for path in sorted(SAMPLES.glob("*.warc.gz"))], config):
            extract.STAGE.work(unit, config, Store(config.run))


def _figure(what: str, ours: list[float], against: str, theirs: list[float]) -> Figure:
    """A line of the table; the ratio is the median of the rounds' ratios."""
    ratio = median(their / our for our, their in zip(ours, theirs, strict=True))
    return Figure(what, median(ours), "s", min(ours), max(ours), against, median(theirs), ratio)


def _whole(run: Watched) -> float:
    return run.seconds


def _stages(run: Watched) -> float:
    return run.in_stages


def _start(run: Watched) -> float:
    return run.start


def _end(run: Watched) -> float:
    return run.end


def _cpu(run: Watched) -> float:
    return sum(run.cpu.values())


if __name__ == "__main__":
    run(sys.argv[1])
