"""What a run spent, stage by stage and inside extraction, added up from the sidecars of its units.

A unit that was made before CPU seconds were recorded is counted in `unmeasured`, and a stage with such a unit has none: part of a
sum is no sum. Rates are for a second of a core's work, so they can be compared between machines that are busy with other things.
Inside extraction there are two processes: the worker's parts add up to its seconds (what no part has is `other`), those of the
child, whose names begin with `child.`, are of the same seconds once more, for the child works while the worker reads on or waits.
"""

from __future__ import annotations

from calendar import timegm
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import strptime
from typing import Any

from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Sidecar, Stage

CHILD = "child."
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Spent:
    """One unit. `cpu_seconds`: None if that was not recorded; `pages`: web pages with a body, of extraction; `extracted`: of these what
    the child was asked about; `bytes_in`: of all that it was made from, as far as known, None if of nothing; `ended`: by the clock.
    """

    unit: str
    seconds: float
    cpu_seconds: float | None
    records: int
    kept: int
    pages: int
    extracted: int
    letters: int
    tokens: int
    requests: int
    bytes_in: int | None
    bytes_out: int
    memory: int
    ended: float
    times: Mapping[str, float]

    @property
    def extracted_bytes(self) -> float:
        """Compressed bytes of the pages that were extracted, if all have as many."""
        return (self.bytes_in or 0) * self.extracted / self.pages if self.pages else 0.0


@dataclass(frozen=True)
class StageProfile:
    """The units of one stage, and their sums."""

    stage: str
    what: str
    units: tuple[Spent, ...]

    @property
    def seconds(self) -> float:
        return sum(unit.seconds for unit in self.units)

    @property
    def unmeasured(self) -> int:
        """Units whose CPU seconds were not recorded."""
        return sum(unit.cpu_seconds is None for unit in self.units)

    @property
    def cpu_seconds(self) -> float | None:
        return None if self.unmeasured else sum(unit.cpu_seconds or 0.0 for unit in self.units)

    @property
    def records(self) -> int:
        return sum(unit.records for unit in self.units)

    @property
    def pages(self) -> int:
        return sum(unit.pages for unit in self.units)

    @property
    def bytes_in(self) -> int | None:
        known = [unit.bytes_in for unit in self.units if unit.bytes_in is not None]
        return sum(known) if len(known) == len(self.units) else None

    @property
    def bytes_out(self) -> int:
        return sum(unit.bytes_out for unit in self.units)

    @property
    def memory(self) -> int | None:
        """Bytes of the unit that held most."""
        return max(unit.memory for unit in self.units) or None if self.units else None

    @property
    def wall_seconds(self) -> float:
        """Seconds in which at least one unit was being made; ends are known to the second."""
        total, until = 0.0, 0.0
        for begin, end in sorted((unit.ended - unit.seconds, unit.ended) for unit in self.units):
            total += max(0.0, end - max(begin, until))
            until = max(until, end)
        return total

    @property
    def parts(self) -> dict[str, float]:
        """Seconds by what they were spent on; empty unless every unit tells."""
        if not self.units or not all(unit.times for unit in self.units):
            return {}
        found: Counter[str] = Counter()
        for unit in self.units:
            found.update(unit.times)
        told = sum(seconds for name, seconds in found.items() if not name.startswith(CHILD))
        return dict(found) | {OTHER: max(0.0, self.seconds - told)}

    def as_json(self, all_seconds: float) -> dict[str, Any]:
        """The same keys for every stage; None where a figure is not known. `all_seconds`: of all stages."""
        cpu = self.cpu_seconds
        return {
            "stage": self.stage, "what": self.what, "units": len(self.units), "unmeasured": self.unmeasured,
            "worker_seconds": _rounded(self.seconds), "cpu_seconds": _rounded(cpu),
            "share": _rounded(_over(self.seconds, all_seconds)), "wall_seconds": _rounded(self.wall_seconds),
            "records": self.records, "records_a_second": _rounded(_over(self.records, cpu)),
            "pages": self.pages, "pages_a_second": _rounded(_over(self.pages, cpu)) if self.pages else None,
            "bytes_in": self.bytes_in, "bytes_in_a_second": _rounded(_over(self.bytes_in, cpu)), "bytes_out": self.bytes_out,
            "peak_memory": self.memory,
            "parts": {name: {"seconds": _rounded(seconds), "share": _rounded(_over(seconds, self.seconds))}
                      for name, seconds in sorted(self.parts.items(), key=lambda part: -part[1])},
        }  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """A run. `made_with`: versions, config and date, of run.json."""

    run: str
    stages: tuple[StageProfile, ...]
    made_with: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)

    @property
    def cpu_seconds(self) -> float | None:
        known = [stage.cpu_seconds for stage in self.stages if stage.cpu_seconds is not None]
        return sum(known) if len(known) == len(self.stages) else None

    def stage(self, name: str) -> StageProfile | None:
        return next((stage for stage in self.stages if stage.stage == name), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "run": self.run, **self.made_with, "worker_seconds": _rounded(self.seconds), "cpu_seconds": _rounded(self.cpu_seconds),
            "stages": [stage.as_json(self.seconds) for stage in self.stages],
        }  # fmt: skip


def profile(state: State) -> Profile:
    """Of all that a run has done and is still valid."""
    sizes = _sizes(state)
    stages = []
    for stage in CHAIN:
        if done := state.completed(stage.name):
            units = tuple(_spent(stage, sidecar, sizes) for sidecar in done.values())
            stages.append(StageProfile(stage.name, stage.what, units))
    record = state.store.read_json("run.json")
    made_with = {key: record.get(key) for key in ("seiryu", "python", "libraries", "config_sha256", "written")}
    return Profile(state.store.root, tuple(stages), made_with)


def compared(mine: Profile, other: Profile) -> dict[str, dict[str, float | None]]:
    """For each stage of both runs, and for `all` of these: how many times as long as the other's a record takes in CPU seconds
    (`cpu_a_record`) and by worker seconds (`seconds_a_record`); None where one of them is not known or zero.
    """
    found: dict[str, dict[str, float | None]] = {}
    both = [(stage, there) for stage in mine.stages if (there := other.stage(stage.stage))]
    for stage, there in both:
        cpu, seconds = (
            _over(_over(a, stage.records), _over(b, there.records))
            for a, b in ((stage.cpu_seconds, there.cpu_seconds), (stage.seconds, there.seconds))
        )
        found[stage.stage] = {"cpu_a_record": _rounded(cpu), "seconds_a_record": _rounded(seconds)}
    return found


def _spent(stage: Stage, sidecar: Sidecar, sizes: Mapping[str, int]) -> Spent:
    counts, measured = sidecar.counts, bool(sidecar.cpu_seconds or sidecar.peak_memory)
    inputs = sidecar.made_of["inputs"]
    if stage.name == "extract":
        known = [size for size in (inputs.get("size"), counts.extra.get("bytes_fetched")) if size is not None][:1]
    else:
        known = [sizes[value] for value in inputs.values() if isinstance(value, str) and value in sizes]
    child = counts.kept + sum(counts.rejected[name] for name in ("quick_screen", "no_text", "not_japanese"))
    return Spent(
        sidecar.unit, sidecar.seconds, sidecar.cpu_seconds if measured else None, counts.records, counts.kept, counts.extra["pages"],
        child if stage.name == "extract" else 0, counts.letters["kept"], counts.extra["tokens"], counts.extra["requests"],
        sum(known) if known else None, sum(output.size for output in sidecar.outputs), sidecar.peak_memory,
        timegm(strptime(sidecar.finished, "%Y-%m-%dT%H:%M:%SZ")), sidecar.times,
    )  # fmt: skip


def _sizes(state: State) -> dict[str, int]:
    """Bytes of what units are made from, by all the hashes that inputs are known by: of a file, a unit, a whole stage."""
    found: dict[str, int] = {}
    for stage in CHAIN:
        done = state.completed(stage.name)
        for sidecar in done.values():
            found |= {output.sha256: output.size for output in sidecar.outputs}
            found[sidecar.digest] = sum(output.size for output in sidecar.outputs)
        if done:
            found[identity(done)] = sum(output.size for sidecar in done.values() for output in sidecar.outputs)
    return found


def _over(number: float | None, by: float | None) -> float | None:
    return None if number is None or not by else number / by


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)
