"""Times to be compared: tasks in turn, round after round, so that a busy moment of the machine hits them all.

A figure is the median of its rounds, with the lowest and highest beside it. The ratio of two tasks is the median of the ratios of
their rounds and not the ratio of their medians: on a shared machine the first stays where the second wanders. Every task
runs once before the clock does, for what is compiled, imported or cached at first use.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `ratio`: how many times as fast as `against` it is; `other`: the figure of `against`, in `unit`."""

    what: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    against: str = ""
    other: float | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Rounds:
    """Seconds of each task by name, one a round."""

    seconds: dict[str, list[float]]

    def median(self, task: str) -> float:
        return median(self.seconds[task])

    def ratio(self, task: str, against: str) -> float:
        """How many times as fast as `against` the task is."""
        pairs = zip(self.seconds[task], self.seconds[against], strict=True)
        return median(theirs / ours for ours, theirs in pairs)

    def figure(self, what: str, task: str, unit: str, convert: Callable[[float], float], against: str = "") -> Figure:
        """A line of the table; `convert` makes seconds of a round into the unit."""
        values = [convert(seconds) for seconds in self.seconds[task]]
        if not against:
            return Figure(what, median(values), unit, min(values), max(values))
        other = median(convert(seconds) for seconds in self.seconds[against])
        return Figure(what, median(values), unit, min(values), max(values), against, other, self.ratio(task, against))


def rate(amount: float) -> Callable[[float], float]:
    """Seconds into amount a second."""
    return lambda seconds: amount / seconds


def each(number: int, scale: float = 1e3) -> Callable[[float], float]:
    """Seconds into the time for one of `number`, in ms or what `scale` makes of a second."""
    return lambda seconds: seconds / number * scale


def alternate(tasks: dict[str, Callable[[], Any]], rounds: int = 5) -> Rounds:
    """Time the tasks in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(-1, rounds):
        for name, task in tasks.items():
            gc.collect()
            begin = time.perf_counter()
            task()
            if number >= 0:
                seconds[name].append(time.perf_counter() - begin)
    return Rounds(seconds)
