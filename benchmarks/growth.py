"""Twice the input, twice the time, the same memory: whole runs over 1, 2, 4 and 8 times the archives (growing_input.py), 2 workers.

A run is a start that does not depend on the input, and a rest that does. The start is told in two ways: what a run takes that finds
all done, and where the straight line through all sizes begins. Ratios are of times less the latter, which is the stricter; 0.91 says
that 1.1 times what is linear was needed. Stage by stage it is the seconds of processors that units took, so that a stage that grows
faster than its input is named while it is still small. Memory is the peak of the largest process of each kind.

SEIRYU_GROWTH_TIMES (1,2,4,8), SEIRYU_GROWTH_ROUNDS (1): each size so often in turn, the median counts.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.growing_input import Source
from benchmarks.inputs import Inputs
from benchmarks.timing import Figure
from benchmarks.watched_run import Watched, Work, watched_run, work

_WORKERS = "engine.workers=2"
_LEAST = 0.5  # seconds of processors below which a stage's growth is noise
_FASTER = 1.1  # times its share of the input


@dataclass
class Size:
    """Runs over so many times the input."""

    times: int
    runs: list[Watched] = field(default_factory=list)
    works: list[dict[str, Work]] = field(default_factory=list)

    def seconds(self, what: Callable[[Watched], float] = lambda run: run.seconds) -> float:
        return median(what(run) for run in self.runs)

    def spent(self, stage: str) -> float:
        return median(each[stage].cpu_seconds if stage in each else 0.0 for each in self.works)

    def peak(self, role: str) -> float:
        """MB."""
        seen = [run.peak.get(role, 0) for run in self.runs]
        told = [done.peak for each in self.works for done in each.values()] if role == "worker" else []
        return max(seen + told) / (1 << 20)


def figures(inputs: Inputs) -> Iterator[Figure]:
    wanted = [int(number) for number in os.environ.get("SEIRYU_GROWTH_TIMES", "1,2,4,8").split(",")]
    rounds = int(os.environ.get("SEIRYU_GROWTH_ROUNDS", 1))
    sizes = [Size(times) for times in sorted(wanted)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = make_input(inputs, folder / "input", max(wanted))
        for _round in range(rounds):
            for size in sizes:
                shutil.rmtree(folder / "run", ignore_errors=True)
                paths = f"source.paths=[{','.join(str(path) for copy in made[: size.times] for path in copy)}]"
                size.runs.append(watched_run(folder / "run", paths, _WORKERS))
                size.works.append(work(folder / "run"))
        again = watched_run(folder / "run", paths, _WORKERS).seconds
    yield from in_time(sizes, again)
    yield from by_stage(sizes)
    yield from in_memory(sizes)
    yield from what_is_kept(sizes)


def make_input(inputs: Inputs, folder: Path, copies: int) -> list[list[Path]]:
    source = Source.read(inputs.archives)
    return [source.write(folder, copy) for copy in range(1, copies + 1)]


def in_time(sizes: list[Size], again: float) -> Iterator[Figure]:
    _, start = np.polyfit([size.times for size in sizes], [size.seconds() for size in sizes], 1)
    start = max(float(start), 0.0)
    yield Figure("the start: where the line through all sizes begins", start, "s", against="all done", other=again)
    for before, size in zip([None, *sizes], sizes, strict=False):
        runs = [run.seconds for run in size.runs]
        what = f"{size.times} times the input, whole run"
        yield Figure(what, median(runs), "s", min(runs), max(runs))
        if before:
            factor = size.times / before.times
            linear = (before.seconds() - start) * factor
            yield _against(f"{what} less the start", size.seconds() - start, "s", f"{factor:g} x {before.times} times", linear)
    first, last = sizes[0], sizes[-1]
    linear = (first.seconds() - start) * last.times / first.times
    worst = max((size.seconds() - start) / size.times / ((before.seconds() - start) / before.times)
                for before, size in pairwise(sizes))  # fmt: skip
    yield _against(
        f"{last.times} times, less the start", last.seconds() - start, "s", f"{last.times / first.times:g} x 1", linear
    )
    yield Figure("time to linear, the worst step", worst, "")
    yield Figure("after the last stage (Ray's end, report)", last.seconds(lambda run: run.end), "s", against=f"{first.times} times",
                 other=first.seconds(lambda run: run.end))  # fmt: skip


def by_stage(sizes: list[Size]) -> Iterator[Figure]:
    """The largest input against the smallest, in seconds of processors of the units."""
    first, last = sizes[0], sizes[-1]
    factor, faster = last.times / first.times, []
    for stage in last.works[0]:
        ours, linear = last.spent(stage), first.spent(stage) * factor
        if ours >= _LEAST or linear >= _LEAST:
            yield _against(f"{stage}, {last.times} times", ours, "CPU s", f"{factor:g} x {first.times}", linear)
        if ours > max(_FASTER * linear, _LEAST):
            faster.append(stage)
    yield Figure(f"stages that grow faster than the input: {', '.join(faster) or 'none'}", len(faster), "")


def in_memory(sizes: list[Size]) -> Iterator[Figure]:
    first, last = sizes[0], sizes[-1]
    for role, name in (
        ("driver", "the driver"),
        ("worker", "a worker"),
        ("child", "a child"),
        ("Ray's own", "a process of Ray's"),
    ):
        yield _against(f"peak of {name}, {last.times} times", last.peak(role), "MB", f"{first.times} times", first.peak(role))


def what_is_kept(sizes: list[Size]) -> Iterator[Figure]:
    """That the input grew by what is as it was: as many documents of each copy are kept, and none for being like another copy's."""
    first, last = sizes[0], sizes[-1]
    factor = last.times / first.times
    ours, theirs = (size.works[0]["clean"].kept for size in (last, first))
    against = f"{factor:g} x {first.times}"
    yield _against(f"documents kept, {last.times} times", ours, "", against, theirs * factor)
    ours, theirs = (sum(size.works[0]["select"].rejected.values()) for size in (last, first))
    yield _against(f"duplicates, {last.times} times", ours, "", against, theirs * factor)


def _against(what: str, ours: float, unit: str, against: str, theirs: float) -> Figure:
    return Figure(what, ours, unit, against=against, other=theirs, ratio=theirs / ours if ours else None)
