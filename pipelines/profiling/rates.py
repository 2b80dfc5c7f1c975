"""The time of a stage as a function of what it has to do, measured on the units of a profile.

CPU seconds are modelled, because what a worker waited for another's processor is no cost. Extraction has two rates, told apart by the
clock inside it: reading, for a byte of the archive, and what is done to pages that may be Japanese, for a byte of those. Of a crawl one
page in twenty pays the second, of samples/ one in two. Every other stage costs by the unit, and by the byte that a unit of an archive
was made from, or else by the record; of fewer than three units only this second rate is told. What the first unit of a worker takes
beyond that, to start its child, load its models and compile, is `start`, paid once a worker.

Not taken: rates for a page. Each of the ten archives of a larger pack predicted from the others, the second rate is off by 30 % in the
median and 70 % at worst when it goes by bytes, by 43 % and 209 % when it goes by pages; both at once fit no better, and swing from one
choice of archives to the next (two AMD EPYC cores, 2026-11-26). Nor rates for a document: those of annotate are off by 44 % in the
median there, for a byte of documents by 29 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from seiryu.pipelines.profiling.fitting import Floats, cold, fit
from seiryu.pipelines.profiling.profile import Spent, StageProfile
from seiryu.pipelines.profiling.snapshot import OF_ARCHIVES

STARTS = ("start", "child.start")
# Parts of extraction that every page pays, whether it is extracted or not.
READING = ("read", "records", "page", "kana")
_NOTICED = 0.05  # seconds of a start
_LEAST = 3  # units that a price for each can be told from


@dataclass(frozen=True, slots=True)
class Rates:
    """CPU seconds. `reading`: for a byte of an archive; `extracting`: for a byte of what is extracted of it; `unit`, `amount`: of any
    other stage, for a unit and for what `Measured.by` names; `start`: for a worker.
    """

    reading: float = 0.0
    extracting: float = 0.0
    unit: float = 0.0
    amount: float = 0.0
    start: float = 0.0

    def of_archive(self, size: float, extracted_bytes: float) -> float:
        return self.reading * size + self.extracting * extracted_bytes

    def of_stage(self, units: float, amount: float) -> float:
        return self.unit * units + self.amount * amount


class Measured:
    """A stage whose units have CPU seconds, ready to be asked for its rates by any choice of its units.

    `by`: the figure of a unit that its time grows with.
    """

    def __init__(self, stage: StageProfile) -> None:
        self.stage = stage
        self.by = "bytes_in" if stage.stage in OF_ARCHIVES and stage.bytes_in else "records"
        self._names = [unit.unit for unit in stage.units]
        cpu = _array(unit.cpu_seconds or 0.0 for unit in stage.units)
        starting = np.minimum(cpu, _array(sum(unit.times.get(name, 0.0) for name in STARTS) for unit in stage.units))
        self._work = work = cpu - starting
        amount = _array(getattr(unit, self.by) or 0 for unit in stage.units)
        if stage.stage == "extract":
            reading = work * _array(_reading_share(unit) for unit in stage.units)
            of_those = _array(unit.extracted_bytes for unit in stage.units)
            size = _array(unit.bytes_in or 0 for unit in stage.units)
            self._wanted = [(size[:, None], reading), (of_those[:, None], work - reading)]
        elif len(work) >= _LEAST or not amount.any():
            self._wanted = [(np.stack([np.ones(len(work)), amount], 1), work)]
        else:
            self._wanted = [(np.stack([np.zeros(len(work)), amount], 1), work)]
        self._warm = ~np.any([cold(columns, seconds) for columns, seconds in self._wanted], axis=0)
        first = starting > _NOTICED
        self._start = (float(starting[first].mean()) if first.any() else 0.0) + self._beyond()

    def rates(self, weights: Mapping[str, float] | None = None) -> Rates:
        """`weights`: how often each unit counts, by name; each once if not given."""
        chosen = np.ones(len(self._names)) if weights is None else _array(weights.get(name, 0.0) for name in self._names)
        found = [self._fitted(columns, seconds, chosen) for columns, seconds in self._wanted]
        if self.stage.stage == "extract":
            return Rates(float(found[0][0]), float(found[1][0]), start=self._start)
        return Rates(unit=float(found[0][0]), amount=float(found[0][1]), start=self._start)

    def _told(self) -> Floats:
        """CPU seconds of every unit, as the warm ones say."""
        everyone = np.ones(len(self._names))
        each = [columns @ self._fitted(columns, seconds, everyone) for columns, seconds in self._wanted]
        return np.asarray(np.sum(each, axis=0))

    def _fitted(self, columns: Floats, seconds: Floats, weights: Floats) -> Floats:
        """By the warm units. One rate is the ratio of the sums, which gives the measured units back what they took together."""
        weights = np.where(self._warm, weights, 0.0)
        if columns.shape[1] > 1:
            return fit(columns, seconds, weights)
        held = weights @ columns[:, 0]
        return np.array([weights @ seconds / held if held else 0.0])

    def _beyond(self) -> float:
        """What a cold unit took beyond what the others say of it, in the mean."""
        if self._warm.all():
            return 0.0
        return max(0.0, float((self._work - self._told())[~self._warm].mean()))


def _reading_share(unit: Spent) -> float:
    """Of the work of a unit of extraction what is reading; none of it where the unit does not tell."""
    busy = {name: seconds for name, seconds in unit.times.items() if name not in ("wait", *STARTS)}
    whole = sum(busy.values())
    return sum(busy.get(name, 0.0) for name in READING) / whole if whole else 0.0


def _array(values: Iterable[float]) -> Floats:
    return np.array(list(values), np.float64)
