"""What earlier runs hold (`dedup.against`): their final documents, known by fingerprints and signatures; no text of theirs is read."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.dedup.normal import UNICODE
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Sidecar

_FIELD = ("dedup", "against")
# Raised, as versions of stages are, when other bytes are made of the same text: those of another version cannot be compared.
FINGERPRINTS, SIGNATURES = 1, 4


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """`files`: names and numbers of documents, by name; `sha256`: one hash of all that is read of it."""

    files: tuple[tuple[str, int], ...]
    sha256: str

    def as_input(self) -> dict[str, Any]:
        """What is recorded of it beside a unit."""
        return {"sha256": self.sha256, "documents": sum(rows for _, rows in self.files)}

    @classmethod
    def recorded(cls, value: dict[str, Any]) -> EarlierRun:
        """As good as the run for all who only count, when that lies elsewhere by now."""
        return cls((("", value["documents"]),), value["sha256"])


def earlier_runs(state: State) -> tuple[EarlierRun, ...]:
    """The runs of `dedup.against`. ConfigError if one is not finished, or has signatures of another kind."""
    if state.earlier is None:
        recorded = _recorded(state) if state.as_made else ()
        state.earlier = recorded or tuple(_read(path, state.config) for path in state.config.dedup.against)
    found: tuple[EarlierRun, ...] = state.earlier
    return found


def check_named(config: Config) -> None:
    """ConfigError, before a run begins, for what `dedup.against` may not name: the run itself, one run twice however it is spelt,
    what is no run, and a run whose signatures are of another kind by the first of them.
    """
    seen = {_place(config.run): ""}
    for path in config.dedup.against:
        place = _place(path)
        if place in seen:
            twice = f"names a run twice: {seen[place]} and {path}"
            itself = f"{path} is the directory of this run, which holds nothing earlier; leave it out"
            raise ConfigError(f"dedup.against: {twice if seen[place] else itself}", _FIELD)
        seen[place] = path
        store = Store(path)
        if not store.exists("run.json"):
            raise ConfigError(f"dedup.against: {path} holds no run: run.json is not there", _FIELD)
        for name in store.names("units/signatures", ".json")[:1]:
            with suppress(InputError):  # a damaged one is for whoever reads them all
                _check(path, Sidecar.from_json(store.read_json(f"units/signatures/{name}")), signature_settings(config))


def _place(path: str) -> str:
    """One spelling for all of a directory or URL; links are followed."""
    local = path.removeprefix("file://")
    return path.rstrip("/") if "://" in local else os.path.realpath(local)


def what_is_held(state: State) -> dict[str, Any]:
    """The identities of what earlier runs hold, for the inputs of a unit; nothing if there are none."""
    return {f"against {place}": run.as_input() for place, run in enumerate(earlier_runs(state), 1)}


def _recorded(state: State) -> tuple[EarlierRun, ...]:
    """The earlier runs that a run was made against, by its own records: they need not be there any more to look at it."""
    for name in state.store.names("units/copies", ".json"):
        try:
            inputs = state.store.read_json(f"units/copies/{name}")["made_of"]["inputs"]
            held = [value for key, value in sorted(inputs.items()) if key.startswith("against ")]
            if len(held) == len(state.config.dedup.against):
                return tuple(EarlierRun.recorded(inputs[f"against {place}"]) for place in range(1, len(held) + 1))
        except (InputError, KeyError, TypeError):
            continue
    return ()


def signature_settings(config: Config) -> dict[str, Any]:
    """What decides the values of a signature."""
    cut = config.dedup.banding
    return {"bands": cut.bands, "rows": cut.rows, "shingle": config.dedup.shingle, "seed": config.dedup.seed, "unicode": UNICODE}


def _read(path: str, config: Config) -> EarlierRun:
    try:
        run = State.of_run(path, until="clean")
    except InputError as error:
        raise ConfigError(f"dedup.against: {error}", _FIELD) from error
    stages = {"fingerprints": "fingerprints", "signatures": "signatures", "clean": "corpus"}
    fingerprints, signatures, cleaned = (run.completed(name) for name in stages)
    if not cleaned or cleaned.keys() != fingerprints.keys():
        raise ConfigError(
            f"dedup.against: {path} is not finished: {len(cleaned):,} of {len(fingerprints):,} files are cleaned; run it to its end",
            _FIELD,
        )
    for stage, folder in stages.items():
        there = set(run.store.names(folder, ".parquet"))
        if lost := [name for name in run.completed(stage) if f"{name}.parquet" not in there]:
            raise ConfigError(
                f"dedup.against: {path}/{folder}/{lost[0]}.parquet is missing; bring it back, or take that run out", _FIELD
            )
    wanted = signature_settings(config)
    for done in (*fingerprints.values(), *signatures.values()):
        _check(path, done, wanted)
    whole = identity(fingerprints) + identity(signatures) + identity(cleaned)
    return EarlierRun(tuple((name, done.counts.records) for name, done in fingerprints.items()), whole)


def _check(path: str, done: Sidecar, wanted: dict[str, Any]) -> None:
    version = FINGERPRINTS if done.stage == "fingerprints" else SIGNATURES
    if (theirs := done.made_of["version"]) != version:
        raise ConfigError(
            f"dedup.against: {path} has {done.stage} of version {theirs}, this seiryu makes {version}; run it again with this one",
            _FIELD,
        )
    for name, value in wanted.items():
        if done.stage == "fingerprints" and name != "unicode":
            continue
        if (theirs := done.setting(name)) != value:
            how = "use the Python it was made with" if name == "unicode" else "make one of them again with the other's settings"
            raise ConfigError(
                f"dedup.against: {path} was made with {name} {theirs}, this config asks for {value}; signatures of two kinds cannot be "
                f"compared: {how}",
                _FIELD,
            )
