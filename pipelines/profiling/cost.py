"""What a snapshot of N archives would take on a cluster: CPU hours, wall hours, money, disk, memory, from one measured profile.

Each stage is its measured rates (rates.py) times what a snapshot holds (snapshot.py); deduplication is dedup_plan.py's, whose constants
were measured on half a million documents. Stages follow each other, and each uses no more cores than it has units. The interval is
a bootstrap over archives: which archives were measured is drawn anew, always with the same seed, and all stages with them. It says
how far another choice of archives would have told otherwise, not whether the model holds; that is `MODEL_ERROR`, measured by
`python -m benchmarks cost_model`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seiryu.pipelines.config import Config
from seiryu.pipelines.dedup_plan import LETTERS, MEETING, Step
from seiryu.pipelines.dedup_plan import steps as dedup_steps
from seiryu.pipelines.profiling.profile import Profile, StageProfile
from seiryu.pipelines.profiling.rates import Measured
from seiryu.pipelines.profiling.snapshot import OF_ARCHIVES, Snapshot, download_seconds, extracting, snapshot, sums, units_of

DRAWS = 400


@dataclass(frozen=True, slots=True)
class Cluster:
    """`cores`: of each node."""

    nodes: int
    cores: int

    @property
    def all_cores(self) -> int:
        return self.nodes * self.cores


@dataclass(frozen=True, slots=True)
class Range:
    """A figure and where it lies with 95 % as far as the choice of archives goes."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class StageCost:
    """`growth`: how many times as much as in the profile it has to do; `memory`: bytes of a unit; `measured`: units behind the figure,
    0 where it is dedup_plan.py's.
    """

    stage: str
    units: int
    measured: int
    growth: float
    cpu_hours: Range
    wall_hours: float
    disk: int
    memory: int


@dataclass(frozen=True, slots=True)
class Cost:
    """`download_hours`: what the budget of `fetch` leaves; `money`: None if no price is given; `node_memory`: with a unit on each core;
    `sample`: archives that were measured.
    """

    archives: int
    nodes: int
    cores: int
    snapshot: Snapshot
    stages: tuple[StageCost, ...]
    cpu_hours: Range
    wall_hours: Range
    download_hours: float
    money: Range | None
    currency: str
    disk: int
    memory: int
    node_memory: int
    sample: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def cost(profile: Profile, config: Config, archives: int, cluster: Cluster, draws: int = DRAWS) -> Cost:
    """ValueError where a stage of the profile has no CPU seconds, or nothing was extracted: there is nothing to reckon with."""
    if lacking := [stage.stage for stage in profile.stages if stage.unmeasured]:
        raise ValueError(f"CPU seconds of {', '.join(lacking)} were not recorded")
    if not sums(extracted := profile.stage("extract"), "kept"):
        raise ValueError("no document was extracted")
    if not sums(extracted, "bytes_in"):
        raise ValueError("the size of the archives is not known")
    model = _Model(profile, config, archives, cluster)
    point, others = model.cpu_seconds(), [model.cpu_seconds(weights) for weights in _draws(profile, draws)]
    cpu = _range([sum(spent.values()) / 3600 for spent in (point, *others)])
    wall = _range([sum(model.wall_seconds(spent).values()) / 3600 for spent in (point, *others)])
    found = tuple(model.stage(stage, point, others) for stage in profile.stages)
    memory = max(each.memory for each in found)
    return Cost(
        archives, cluster.nodes, cluster.cores, model.wanted, found, cpu, wall, model.download / 3600, _money(wall, model),
        config.prices.currency, sum(each.disk for each in found), memory, memory * cluster.cores, len(_archives(profile)),
    )  # fmt: skip


class _Model:
    """The rates of every stage, and what the snapshot holds."""

    def __init__(self, profile: Profile, config: Config, archives: int, cluster: Cluster) -> None:
        self.profile, self.config, self.archives, self.cluster = profile, config, archives, cluster
        self.wanted = snapshot(profile, config, archives)
        self.dedup = {step.stage: step for step in _dedup(profile, config, self.wanted)}
        self._rates = {stage.stage: Measured(stage) for stage in profile.stages if stage.stage not in self.dedup}
        self.units = {
            stage.stage: self.dedup[stage.stage].units
            if stage.stage in self.dedup
            else units_of(stage, profile, config, self.wanted)
            for stage in profile.stages
        }
        self.download = download_seconds(self.wanted, config.fetch)

    def cpu_seconds(self, weights: Mapping[str, float] | None = None) -> dict[str, float]:
        """By stage; `weights`: how often each archive of the profile counts."""
        drawn = snapshot(self.profile, self.config, self.archives, weights) if weights else self.wanted
        spent = {name: step.seconds for name, step in self.dedup.items() if name in self.units}
        for name, measured in self._rates.items():
            counted, mean = (weights, drawn) if name in OF_ARCHIVES else (None, self.wanted)
            rates = measured.rates(counted)
            spent[name] = rates.start * min(self.units[name], self.cluster.all_cores)
            if name == "extract":
                spent[name] += rates.of_archive(mean.archive.bytes, mean.archive.extracted_bytes) * self.archives
            else:
                spent[name] += rates.of_stage(self.units[name], sums(measured.stage, measured.by, counted) * mean.growth(name))
        return spent

    def wall_seconds(self, spent: Mapping[str, float]) -> dict[str, float]:
        """Each stage on all cores for which it has units; extraction on no more than connections, and not before its archives have
        come."""
        walls = {name: seconds / min(self.units[name], self.cluster.all_cores) for name, seconds in spent.items()}
        extract = spent["extract"] / extracting(self.wanted, self.config, self.cluster.all_cores)
        return walls | {"extract": max(extract, self.download)}

    def stage(self, stage: StageProfile, point: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> StageCost:
        name, step = stage.stage, self.dedup.get(stage.stage)
        growth = self.wanted.growth("clean" if step else name)
        cpu = _range([spent[name] / 3600 for spent in (point, *others)])
        wall = self.wall_seconds(point)[name] / 3600
        if step:
            return StageCost(name, step.units, 0, growth, cpu, wall, step.disk, step.memory)
        disk = stage.bytes_out * (self.wanted.growth_by("documents") if name == "extract" else growth)
        return StageCost(name, self.units[name], len(stage.units), growth, cpu, wall, round(disk), stage.memory or 0)


def _dedup(profile: Profile, config: Config, wanted: Snapshot) -> Sequence[Step]:
    """Deduplication of what passes the rules, one file an archive."""
    seen = profile.stage("fingerprints")
    letters = round(sums(seen, "letters") / seen.records) if seen and sums(seen, "letters") else LETTERS
    return dedup_steps(config, round(wanted.archives * wanted.archive.passing), wanted.archives, letters, MEETING)


def _archives(profile: Profile) -> list[str]:
    extracted = profile.stage("extract")
    return [unit.unit for unit in extracted.units] if extracted else []


def _draws(profile: Profile, number: int) -> list[dict[str, float]]:
    """How often each archive counts, `number` times over: as many are drawn as there are, with replacement. Those draws are left out
    in which no document was extracted."""
    names = _archives(profile)
    seed = int.from_bytes(hashlib.blake2b("\n".join(names).encode(), digest_size=8).digest(), "big")
    drawn = np.random.default_rng(seed).multinomial(len(names), [1 / len(names)] * len(names), size=number)
    found = [{name: float(times) for name, times in zip(names, row, strict=True)} for row in drawn]
    return [weights for weights in found if sums(profile.stage("extract"), "kept", weights)]


def _range(values: Sequence[float]) -> Range:
    """The first value, between the 2.5th and 97.5th percentile of the others."""
    if len(values) == 1:
        return Range(values[0], values[0], values[0])
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return Range(values[0], min(values[0], float(low)), max(values[0], float(high)))


def _money(wall: Range, model: _Model) -> Range | None:
    """All cores for as long as the run lasts, whether a stage has work for them or not, and what is fetched; None without a price."""
    prices, archive = model.config.prices, model.wanted.archive
    if not prices.core_hour:
        return None
    fetched = model.archives * (archive.bytes / 1e9 * prices.gigabyte + archive.requests / 1e3 * prices.thousand_requests)
    cores = model.cluster.all_cores * prices.core_hour
    return Range(*(cores * hours + fetched for hours in (wall.value, wall.low, wall.high)))
