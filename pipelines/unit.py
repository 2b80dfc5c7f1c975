"""Units of work, and the sidecar that makes one exist.

A stage is data: how to name its units, what decides their bytes, and the function that makes one. A unit's sidecar
(`units/<stage>/<unit>.json`) is written last, after its outputs are in place; it says what the outputs were made of, so
that the same command later knows what is still valid, and why something is not.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import index
from typing import TYPE_CHECKING, Any

import seiryu.pipelines.version as version
from seiryu.corpus.errors import InputError, SeiryuError
from seiryu.corpus.storage import Store, Written
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts

if TYPE_CHECKING:
    from seiryu.pipelines.state import State


_MOST_SHOWN = 6  # entries of a list that are told one by one
_HASH = re.compile("[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_OUTPUT = re.compile(r"(?!(?:units|tmp)/)(?:(?!\.{1,2}/)[^/\0]+/)+(?!\.{1,2}\Z)[^/\0]+")  # a file in a folder that is the stages'


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work. `params`: what to do, in JSON's values; `inputs`: name -> identity of all that it reads.

    `path`: where its input lies, if that is outside the run; an archive that was moved is still the same archive. `reads`: what many
    files it reads are called; told to the worker and not recorded, for `inputs` has their identity. `not_come`: of a unit that is made
    again because so many of its records did not come, their number; told to `work`, which raises NoBetter if as many are missing again.
    `weight`: bytes that it reads, where known; heavy units are begun first, so that none is left at the end. `replaces`: files that it
    left when it was made before.
    """

    stage: str
    name: str
    params: dict[str, Any]
    inputs: dict[str, Any]
    path: str = ""
    reads: tuple[Any, ...] = ()
    not_come: int | None = None
    weight: int = 0
    replaces: tuple[str, ...] = ()

    @property
    def sidecar(self) -> str:
        return f"units/{self.stage}/{self.name}.json"


class NoBetter(SeiryuError):
    """A unit that lacks records was tried again, and as many are missing; nothing was written."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a unit left: its counts and its files. `times`: where its seconds went, by what they were spent on, if the stage knows."""

    counts: Counts
    outputs: Sequence[Written]
    times: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the chain.

    `version` is raised whenever the code makes other bytes of the same input. `settings` gives what of the config (and which models
    and libraries) decides the bytes. `units` names the work, given what earlier stages completed. `reasons`: the order in which
    the funnel shows what it rejects; `what`: what its records are; `wanted`: whether a config asks for the stage at all;
    `may_be_empty`: whether all is well if it has nothing to do, as where no two documents meet. `outside`: whether it reads what
    lies outside the run, which may be out of sight later. `whole`: whether what follows needs all its units.
    """

    name: str
    version: int
    what: str
    settings: Callable[[Config], dict[str, Any]]
    units: Callable[[State], list[Unit]]
    work: Callable[[Unit, Config, Store], Result]
    reasons: Callable[[Config], Sequence[str]] = lambda _: ()
    on_documents: bool = True
    may_be_empty: bool = False
    wanted: Callable[[Config], bool] = lambda _: True
    outside: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The record of a finished unit.

    `seconds`: its work's; `cpu_seconds`: of its process and those it keeps; `peak_memory`: bytes that its process has held at most by
    then; `times`: as in Result. None of these decides anything.
    """

    stage: str
    unit: str
    made_of: dict[str, Any]
    outputs: tuple[Written, ...]
    counts: Counts
    seconds: float
    seiryu: str = version.VERSION
    finished: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    times: dict[str, float] = field(default_factory=dict)

    def setting(self, name: str) -> Any:
        """A setting that it was made by. InputError if there was none of that name, as in a sidecar of another version."""
        try:
            return self.made_of["settings"][name]
        except (KeyError, TypeError) as error:
            where = f"units/{self.stage}/{self.unit}.json"
            raise InputError(f"{where} was written by another version of seiryu; run its config again with this one") from error

    @property
    def digest(self) -> str:
        """One hash of all its outputs: the identity that later stages know this unit by."""
        return digest([[output.name, output.sha256] for output in self.outputs])

    @property
    def files(self) -> tuple[str, ...]:
        """Names of its outputs."""
        return tuple(output.name for output in self.outputs)

    def output(self, name: str) -> Written:
        """The output of that name. KeyError if the unit made none."""
        for output in self.outputs:
            if output.name == name:
                return output
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        outputs = [{"name": o.name, "size": o.size, "sha256": o.sha256} for o in self.outputs]
        return {
            "stage": self.stage, "unit": self.unit, "made_of": self.made_of, "outputs": outputs, "counts": self.counts.to_json(),
            "seconds": round(self.seconds, 3), "seiryu": self.seiryu, "finished": self.finished,
            "cpu_seconds": round(self.cpu_seconds, 3), "peak_memory": self.peak_memory,
            "times": {name: round(seconds, 3) for name, seconds in sorted(self.times.items())},
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Sidecar:
        """InputError if it is none, or names a file that no unit makes."""
        try:
            outputs = tuple(Written(_file_of_a_unit(o["name"]), index(o["size"]), _text(o["sha256"])) for o in value["outputs"])
            counts = Counts.from_json(value["counts"])
            made_of = {"version": value["made_of"]["version"]}
            made_of |= {key: _mapping(value["made_of"][key]) for key in ("settings", "params", "inputs")}
            times = {name: _seconds(seconds) for name, seconds in value.get("times", {}).items()}
            return cls(
                _text(value["stage"]), _text(value["unit"]), made_of, outputs, counts, _seconds(value["seconds"]),
                _text(value["seiryu"]), _time(value["finished"]), _seconds(value.get("cpu_seconds", 0.0)),
                index(value.get("peak_memory", 0)), times,
            )  # fmt: skip
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise InputError(f"this is no record of a unit: {error!r}") from error


def _file_of_a_unit(name: str) -> str:
    """The name. KeyError if it leads out of the run, or to what the run itself keeps: run.json, takedown.json, sidecars."""
    if not _OUTPUT.fullmatch(name):
        raise KeyError(name)
    return name


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _time(value: Any) -> str:
    """A time as sidecars write it: in UTC, to the second."""
    if not _TIME.fullmatch(value):
        raise ValueError(f"{value!r} is no time")
    datetime.fromisoformat(value)
    return str(value)


def _seconds(value: Any) -> float:
    """Of work, which no unit does for thirty years."""
    seconds = float(value)
    if not 0 <= seconds < 1e9:
        raise ValueError(f"{value!r} is no number of seconds")
    return seconds


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no object")
    return value


def digest(value: Any) -> str:
    """sha256 of a JSON value, keys in order."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def made_of(stage: Stage, unit: Unit, config: Config, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """All that decides a unit's bytes, as JSON's values. `settings`: the stage's, where they are at hand for many units."""
    if settings is None:
        settings = stage.settings(config)
    found: dict[str, Any] = as_read(
        {"version": stage.version, "settings": settings, "params": unit.params, "inputs": unit.inputs}
    )
    return found


def as_read(value: Any) -> Any:
    """A value as it comes back from a sidecar: tuples are lists."""
    return json.loads(json.dumps(value))


def difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Why a unit must be made again, in words: the first few values that differ."""
    flat_old, flat_new = dict(_flat("", old)), dict(_flat("", new))
    changes = []
    for name in sorted(flat_old.keys() | flat_new.keys()):
        before, after = flat_old.get(name), flat_new.get(name)
        if before != after:
            if name.startswith(".inputs"):
                changes.append(f"input {name.removeprefix('.inputs.')} changed")
            elif name == ".version":
                changes.append(f"code version {before} -> {after}")
            else:
                changes.append(f"{name.removeprefix('.settings.').removeprefix('.params.')}: {_shown(before)} -> {_shown(after)}")
    if not changes and old != new:
        return "the same in another order"
    return "; ".join(changes[:3]) + (f" and {len(changes) - 3} more" if len(changes) > 3 else "")


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, list) and value and all(isinstance(row, list) and row and isinstance(row[0], str) for row in value):
        by_name = {row[0]: row[1:] for row in value}  # such as rules; the quick screen may ask for a signal twice
        value = by_name if len(by_name) == len(value) else value
    if isinstance(value, dict):
        return [item for key, inner in value.items() for item in _flat(f"{prefix}.{key}", inner)]
    return [(prefix, value)]


def _shown(value: Any) -> str:
    """A value in a few letters."""
    if value is None:
        return "nothing"
    if isinstance(value, list) and len(value) > _MOST_SHOWN:
        return f"{len(value):,} entries"
    text = json.dumps(value, ensure_ascii=False)
    return text if not _HASH.fullmatch(text.strip('"')) else f"{text[1:9]}..."
