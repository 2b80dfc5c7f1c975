"""How far a run has come, stage by stage, how fast it goes, and how long that will take: from the store alone, without the cluster.

What there is comes from sidecars and run.json. Rates come from the times at which units were finished, by their workers' clocks.
Clocks may jump and differ: where a time lies in the future, or a stretch is too short to divide by, a rate is None, "unknown",
rather than a number that means nothing.

The rate of now is that of a window before now, in which every worker has ended some units: `_WINDOW`, or a few times what the longest
unit took. Where nothing was finished in it the run has stopped, or its clocks cannot be believed; there is no remaining time then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from seiryu.corpus.errors import InputError
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.engine.lease import held as is_held
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar, Stage

_T = TypeVar("_T")
_WINDOW = 600.0  # seconds
_UNITS_LONG = 3.0  # windows are at least so many times as long as the longest unit
_SKEW = timedelta(seconds=5)  # by which clocks of a cluster may differ
_LEAST = 10.0  # seconds that a rate must be of: times are written in whole ones


@dataclass(frozen=True, slots=True)
class Rate:
    """Units and records a second, over so many seconds."""

    units: float
    records: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Pace:
    """A stage as it stands. `planned`: units that there will be, and `left`: those to come; None while nobody knows. `begun`: whether
    the run has come to it.

    `now`: the rate in the window before now, of the stage that a run is at; `overall`: since the run began with it, until its last
    unit; None if unknown. `last`: when the last unit was finished; None if none was, or if that cannot be true.
    """

    stage: str
    planned: int | None
    done: int
    set_aside: int
    left: int | None
    begun: bool
    now: Rate | None = None
    overall: Rate | None = None
    last: datetime | None = None

    @property
    def remaining_seconds(self) -> float | None:
        """None if unknown."""
        if not self.left:
            return None if self.left is None else 0.0
        return self.left / self.now.units if self.now else None

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage, "planned": self.planned, "done": self.done, "set_aside": self.set_aside,
            **_named(self.now, ""), **_named(self.overall, "_overall"),
            "remaining_seconds": _rounded(self.remaining_seconds),
            "last_finished": self.last and f"{self.last:%Y-%m-%dT%H:%M:%SZ}",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Course:
    """A run as it goes. `at`: the stage that it is or was at; `ended`: whether it came to its end; `held`: whether a run has the lease
    of the directory, and so is at work, or was killed on another machine.
    """

    stages: list[Pace]
    at: str
    ended: bool
    held: bool

    @property
    def last(self) -> datetime | None:
        """When the last unit of all was finished; None if there is none, or if times cannot be believed."""
        times = [pace.last for pace in self.stages if pace.done]
        return None if None in times else max((time for time in times if time), default=None)


def course(state: State, set_aside: Mapping[str, int], now: datetime | None = None) -> Course:
    """How a run stands now. `set_aside`: stage -> units that were given up."""
    now = now or datetime.now(UTC)
    record = _record(state)
    at, ended, held = str(record.get("at") or ""), record.get("wall_seconds") is not None, is_held(state.store)
    begun, to_make = _told(record, "begun", str), _told(record, "to_make", int)
    stages: list[Pace] = []
    for stage, planned in _planned(state, set_aside, _told(record, "planned", int), at, ended):
        done, going = list(state.completed(stage.name).values()), held and stage.name == at
        aside = set_aside.get(stage.name, 0)
        # What was set aside is tried again by the next run, which says at the end what was set aside anew.
        left = None if planned is None else max(0, planned - len(done) - (0 if going else aside))
        pace = Pace(stage.name, planned, len(done), aside, left, bool(done or aside or stage.name in begun))
        pace = _paced(pace, done, moment(begun.get(stage.name)), now, to_make.get(stage.name, 0) if going else 0)
        stages.append(pace if going else replace(pace, now=None))
    return Course(stages, at, ended, held)


def moment(text: Any) -> datetime | None:
    """A time as sidecars write it; None if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def _record(state: State) -> dict[str, Any]:
    try:
        return dict(state.store.read_json("run.json"))
    except (FileNotFoundError, InputError, TypeError, ValueError):  # it is being written again
        return {}


def _told(record: dict[str, Any], what: str, kind: type[_T]) -> dict[str, _T]:
    """What run.json says of each stage."""
    found = record.get(what)
    return {stage: value for stage, value in found.items() if isinstance(value, kind)} if isinstance(found, dict) else {}


def _planned(
    state: State, set_aside: Mapping[str, int], told: Mapping[str, int], at: str, ended: bool
) -> Iterator[tuple[Stage, int | None]]:
    """The stages of a run with their units: as the run has told; all that there are, of those that it has passed; as they follow from
    the stages before, once all of these are through.
    """
    wanted = [stage for stage in CHAIN if stage.wanted(state.config)]
    names = [stage.name for stage in wanted]
    behind = names[: names.index(at)] if at in names else names if ended else []
    through = True  # whether all units of the stages before are known and done
    for stage in wanted:
        there = len(state.completed(stage.name)) + set_aside.get(stage.name, 0)
        planned: int | None = told.get(stage.name)
        if planned is None and stage.name in behind and there:
            planned = there
        if planned is None and through and not stage.outside:
            planned = state.planned(stage.name)
        through = through and planned is not None and there >= planned
        yield stage, planned


def _paced(pace: Pace, done: list[Sidecar], begun: datetime | None, now: datetime, to_make: int) -> Pace:
    """With rates, as far as the times can be believed. `to_make`: units that the run found to make when it began with the stage."""
    times = [moment(sidecar.finished) for sidecar in done]
    finished = [(time, sidecar) for time, sidecar in zip(times, done, strict=True) if time]
    if not finished or len(finished) < len(done):
        return pace
    first, last = min(finished, key=lambda each: each[0]), max(time for time, _ in finished)
    if max(last, begun or last) > now + _SKEW:
        return pace
    begun = begun or first[0] - timedelta(seconds=first[1].seconds)
    window = timedelta(seconds=max(_WINDOW, _UNITS_LONG * max(sidecar.seconds for sidecar in done)))
    left = pace.left
    if left is not None and to_make:  # units that are made again have a sidecar until they are
        left = max(left, to_make - sum(time >= begun for time, _ in finished))
    overall, lately = _rate(finished, begun, last), _rate(finished, max(begun, now - window), now)
    return replace(pace, left=left, overall=overall, now=lately, last=last)


def _rate(done: list[tuple[datetime, Sidecar]], begin: datetime, end: datetime) -> Rate | None:
    """What was finished from `begin` on, over the time until `end`; None if nothing was, or if the time is too short to tell."""
    seconds = (end - begin).total_seconds()
    counted = [sidecar for time, sidecar in done if time >= begin]
    if seconds < _LEAST or not counted:
        return None
    return Rate(len(counted) / seconds, sum(sidecar.counts.records for sidecar in counted) / seconds, seconds)


def _named(rate: Rate | None, ending: str) -> dict[str, float | None]:
    units, records = (rate.units, rate.records) if rate else (None, None)
    return {f"units_a_second{ending}": _rounded(units), f"records_a_second{ending}": _rounded(records)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
