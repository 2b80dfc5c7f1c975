"""What a run directory holds: which units are done and still valid, which are to be made, and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store, Written
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.unit import Sidecar, Stage, Unit, as_read, difference, digest, made_of

_AT_ONCE = 256  # sidecars that are read together


@dataclass
class Standing:
    """One stage as it stands. `stale`: units that are done but not valid any more, with the reason; `lacking`: those of them
    that are valid but for records that did not come; `orphans`: done, not wanted.
    """

    stage: Stage
    units: list[Unit]
    done: dict[str, Sidecar] = field(default_factory=dict)
    missing: list[Unit] = field(default_factory=list)
    stale: dict[str, str] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)
    orphans: list[str] = field(default_factory=list)

    @property
    def to_make(self) -> list[Unit]:
        return [unit for unit in self.units if unit.name not in self.done]


class State:
    """A run directory under a config. Stages are looked at in order; each sees what the earlier ones completed."""

    def __init__(self, store: Store, config: Config) -> None:
        self.store, self.config = store, config
        self._completed: dict[str, dict[str, Sidecar]] = {}
        self._planned: dict[str, int] = {}
        self.damaged: dict[
            str, list[str]
        ] = {}  # by stage: units whose sidecars could not be read, or name files that no unit makes
        self._added_up: dict[str, tuple[dict[str, Sidecar], Counts]] = {}
        self.earlier: Any = None  # what `dedup.against` names, once somebody has asked (stages/deduplicating/earlier.py)
        self.as_made = False  # whether the run is looked at as it was made, whatever lies outside it by now

    @classmethod
    def of_run(cls, root: str, until: str = "") -> State:
        """A run directory as its last run left it: units that fit the units they were made from. InputError if it has no run.json.

        `until`: the last stage that is asked for; what lies behind it is not read. Unlike `look` this asks neither for the archives
        nor for the models and libraries of the time.
        """
        from seiryu.pipelines.chain import CHAIN

        store = Store(root)
        if not store.exists("run.json"):
            raise InputError(f"{root} holds no run: run.json is not there")
        record = store.read_json("run.json")
        try:
            config = Config.model_validate_json(json.dumps(record["config"] | {"run": root}))
        except (ValidationError, KeyError, TypeError) as error:
            raise InputError(
                f"{root}/run.json was written by another version of seiryu; run its config again with this one"
            ) from error
        state = cls(store, config)
        state.as_made = True
        for stage in CHAIN:
            found = state._sidecars(stage, state._present(stage))
            if not stage.outside:
                units = {unit.name: unit for unit in stage.units(state)} if stage.wanted(config) else {}
                state._planned[stage.name] = len(units)
                found = {name: sidecar for name, sidecar in found.items() if name in units and _fits(sidecar, units[name])}
            state._completed[stage.name] = found
            if stage.name == until:
                break
        return state

    def look(self, stage: Stage, again: bool = True, made: Collection[str] = ()) -> Standing:
        """What a stage has done and has to do. `again`: whether units are to do for which records did not come; `made`: units that
        were made just now, whether or not the store lists them already.
        """
        standing = Standing(stage, stage.units(self) if stage.wanted(self.config) else [])
        present = self._present(stage)
        sidecars = self._sidecars(stage, [unit.name for unit in standing.units if unit.name in present or unit.name in made])
        listed: dict[str, set[str]] = {}
        settings = as_read(stage.settings(self.config)) if standing.units else {}
        for unit in standing.units:
            sidecar = sidecars.get(unit.name)
            wanted = made_of(stage, unit, self.config, settings)
            if sidecar is None:
                standing.missing.append(unit)
            elif sidecar.made_of != wanted:
                standing.stale[unit.name] = difference(sidecar.made_of, wanted)
            elif again and sidecar.counts.not_come:
                standing.stale[unit.name] = "records did not come, they are asked for again"
                standing.lacking.add(unit.name)
            elif lost := self._lost(sidecar, listed):
                standing.stale[unit.name] = f"its output {lost} is missing"
            else:
                standing.done[unit.name] = sidecar
        standing.units = [
            replace(unit, replaces=sidecars[unit.name].files) if unit.name in standing.stale else unit for unit in standing.units
        ]
        standing.orphans = sorted(present - {unit.name for unit in standing.units})
        self._completed[stage.name], self._planned[stage.name] = standing.done, len(standing.units)
        return standing

    def orphans(self, stage: Stage) -> list[str]:
        """Names of units that are done and not wanted, without a look at any."""
        return sorted(self._present(stage) - {unit.name for unit in stage.units(self)})

    def _present(self, stage: Stage) -> set[str]:
        return {name.removesuffix(".json") for name in self.store.names(f"units/{stage.name}", ".json")}

    def take(self, stage: Stage) -> None:
        """A stage as it lies there, whatever it was made of outside the run: the archives may be gone.

        InputError if nothing of it is done, if a sidecar is damaged, or if this config would make it differently.
        """
        done: dict[str, Sidecar] = {}
        wanted: dict[str, Any] = {"version": stage.version, "settings": as_read(stage.settings(self.config))}
        present, listed = self._present(stage), dict[str, set[str]]()
        sidecars = self._sidecars(stage, present)
        for name in sorted(present):
            sidecar = sidecars.get(name)
            if not sidecar:
                raise InputError(f"{self.store.path(f'units/{stage.name}/{name}.json')} is damaged")
            made = {key: sidecar.made_of[key] for key in wanted}
            if made != wanted:
                raise InputError(f"{stage.name} {name} would be made differently now ({difference(made, wanted)})")
            if lost := self._lost(sidecar, listed):
                raise InputError(f"{stage.name} {name}: its output {lost} is missing")
            done[name] = sidecar
        if not done:
            raise InputError(f"{self.store.root} has no finished unit of {stage.name} to go on from")
        self._completed[stage.name] = done

    def _lost(self, sidecar: Sidecar, listed: dict[str, set[str]]) -> str:
        """The first of a unit's outputs that is not there any more; empty if all are. `listed`: what was seen in which folder."""
        for output in sidecar.outputs:
            folder, _, name = output.name.rpartition("/")
            if folder not in listed:
                listed[folder] = set(self.store.names(folder))
            if name not in listed[folder] and not self.store.exists(output.name):  # a store may list late what it has
                return output.name
        return ""

    def _read(self, name: str) -> Sidecar | None:
        """A sidecar; None if it is damaged or gone, which is as if the unit had never been made."""
        return _sidecar(self.store.read_all([name])[0])

    def _sidecars(self, stage: Stage, names: Iterable[str]) -> dict[str, Sidecar]:
        """Sidecars of these units of a stage, without those that are damaged. Settings that are alike are held once."""
        found: dict[str, Sidecar] = {}
        alike: dict[str, Any] = {}
        damaged = self.damaged[stage.name] = []
        for some in batched(sorted(names), _AT_ONCE):
            texts = self.store.read_all([f"units/{stage.name}/{name}.json" for name in some])
            for name, text in zip(some, texts, strict=True):
                if sidecar := _sidecar(text):
                    settings = sidecar.made_of["settings"]
                    sidecar.made_of["settings"] = alike = alike if alike == settings else settings
                    found[name] = sidecar
                elif text is not None:
                    damaged.append(name)
        return found

    def completed(self, stage: str) -> dict[str, Sidecar]:
        """Valid sidecars of an earlier stage by unit, in the order of names."""
        return dict(sorted(self._completed.get(stage, {}).items()))

    def whole(self, *stages: str) -> bool:
        """Whether all units of these earlier stages are completed: what reads all of them must not go on without one."""
        return all(len(self._completed.get(stage, {})) >= self._planned.get(stage, 0) for stage in stages)

    def planned(self, stage: str) -> int | None:
        """Units that a stage is to have; None where it cannot be told from the run alone."""
        return self._planned.get(stage)

    def counts(self, stage: str) -> Counts:
        """Sum over the completed units of a stage."""
        done = self._completed.get(stage, {})
        known, total = self._added_up.get(stage, (None, Counts()))
        if known is not done:
            total = Counts()
            for sidecar in done.values():
                total.add(sidecar.counts)
            self._added_up[stage] = (done, total)
        return total

    def seconds(self, stage: str) -> float:
        """Time its units took, added up over workers."""
        return sum(sidecar.seconds for sidecar in self._completed.get(stage, {}).values())

    def outputs(self) -> Iterable[Written]:
        for done in self._completed.values():
            for sidecar in done.values():
                yield from sidecar.outputs

    def recorded(self, stage: str) -> Iterable[Written]:
        """The outputs of all sidecars of a stage as they lie there, valid or not."""
        names = [f"units/{stage}/{name}" for name in self.store.names(f"units/{stage}", ".json")]
        for some in batched(names, _AT_ONCE):
            for text in self.store.read_all(some):
                sidecar = _sidecar(text)
                yield from sidecar.outputs if sidecar else ()

    def names_set_aside(self, stage: str) -> list[str]:
        """Units that failed for good in the last attempt."""
        return [name.removesuffix(".failed") for name in self.store.names(f"units/{stage}", ".failed")]

    def set_aside(self, stage: str) -> dict[str, dict[str, Any]]:
        """The same with their reasons."""
        names = self.names_set_aside(stage)
        found = {}
        for name, text in zip(names, self.store.read_all([f"units/{stage}/{name}.failed" for name in names]), strict=True):
            if text is None:  # a store may list for a while what is gone
                continue
            try:
                why = dict(json.loads(text))
            except (TypeError, ValueError):
                why = {}
            if not (isinstance(why.get("reason"), str) and isinstance(why.get("attempts"), int)):
                why = {"reason": f"its record units/{stage}/{name}.failed is damaged", "attempts": None}
            found[name] = why
        return found

    def drop_unless_whole(self, stage: str, units: Sequence[str], check: Callable[[], None]) -> None:
        """Take away those units whose outputs are not the ones that their sidecars tell of, as another copy may have left them.

        `check`: called right before that; raises where the run directory is another run's by now.
        """

        def look(name: str) -> None:
            done = self._read(name)
            if done and not all(self.store.exists(o.name) and self.store.sha256(o.name) == o.sha256 for o in done.outputs):
                check()
                self._remove(name)

        self.store.at_once(look, [f"units/{stage}/{unit}.json" for unit in units])

    def remove(self, stage: str, *units: str) -> None:
        """Take away units: the sidecar of each first, so that it never exists without its files."""
        self.store.at_once(self._remove, [f"units/{stage}/{unit}.json" for unit in units])

    def _remove(self, name: str) -> None:
        sidecar = self._read(name)
        self.store.delete(name)
        for output in sidecar.outputs if sidecar else ():
            self.store.delete(output.name)


def _sidecar(text: bytes | None) -> Sidecar | None:
    try:
        return Sidecar.from_json(json.loads(text)) if text is not None else None
    except (ValueError, RecursionError, InputError):
        return None


def _fits(sidecar: Sidecar, unit: Unit) -> bool:
    """Whether a unit was made from what now lies there."""
    return bool(sidecar.made_of["inputs"] == as_read(unit.inputs) and sidecar.made_of["params"] == unit.params)


def batched(items: Sequence[str], number: int) -> Iterator[Sequence[str]]:
    """The items in their order, so many at once."""
    for begin in range(0, len(items), number):
        yield items[begin : begin + number]


def identity(sidecars: dict[str, Sidecar]) -> str:
    """One hash for all outputs of many units."""
    return digest([[name, sidecar.digest] for name, sidecar in sorted(sidecars.items())])
