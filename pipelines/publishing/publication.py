"""A publication as a whole: what it would hold, what it lacks, and making it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from seiryu.corpus.errors import InputError
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.publishing import card, checksums, layout, lineage
from seiryu.pipelines.publishing.card import Said
from seiryu.pipelines.publishing.facts import facts as facts_of
from seiryu.pipelines.publishing.layout import File
from seiryu.pipelines.publishing.placing import Changes, Target
from seiryu.pipelines.state import State
from seiryu.pipelines.takedown import rules_of


@dataclass(frozen=True, slots=True)
class Publication:
    """`files`: all of them, SHA256SUMS last; `missing`, `warnings`: sentences for the publisher."""

    run_id: str
    said: Said
    facts: dict[str, Any]
    card: str
    front_matter: dict[str, Any]
    files: tuple[File, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]


def publication(state: State, said: Said) -> Publication:
    """What a run is as a dataset. InputError if it is not finished, or not all that is to be taken down is out of its shards."""
    _check_finished(state)
    shards = layout.files(state)
    facts = facts_of(state)
    named = said if said.name else replace(said, name=PurePosixPath(state.store.root.rstrip("/")).name)
    text = card.card(named, facts, shards)
    made = [
        *shards,
        _made(layout.LINEAGE, lineage.events(state, facts, named.name, shards)),
        _made(layout.COUNTS_SCHEMA, lineage.counts_schema()),
        _made(layout.CARD, text.encode()),
    ]
    made.sort(key=lambda file: file.name)
    missing = card.missing(said)
    if not said.name:
        missing.insert(0, f"no name is said (--name); the card is called {named.name!r}, after the run's directory")
    return Publication(
        lineage.run_id(facts), named, facts, text, card.front_matter(named, facts, shards),
        (*made, _made(layout.SUMS, checksums.sums(made))), tuple(missing), tuple(card.warnings(facts, shards)),
    )  # fmt: skip


def publish(state: State, made: Publication, out: str) -> Changes:
    """Lay it out in a directory, or bring an earlier publication of the run there up to date.

    ConfigError if something else lies there, or if the directory and the run are within each other; InputError if a file of the run is
    not as its sidecar says.
    """
    target = Target(out)
    _check_apart(state, target)
    return target.place(state.store, made.files, target.check(made.run_id, made.files))


def _made(name: str, data: bytes) -> File:
    return File(name, len(data), hashlib.sha256(data).hexdigest(), data=data)


def _check_finished(state: State) -> None:
    run = state.store.root
    aside: Sequence[str] = [stage for stage in ("splits", "takedown", "shards", "indexes") if state.set_aside(stage)]
    if not state.completed("shards") or not state.whole("splits", "takedown", "shards", "indexes") or aside:
        pending = "what takedown.json names may still be in its shards; " if rules_of(state.store) else ""
        raise InputError(f"{run}: its shards are not finished; {pending}run it again to its end, then publish")
    if not any(done.outputs for done in state.completed("shards").values()):
        raise InputError(f"{run}: nothing is left in its shards, so there is nothing to publish")


def _check_apart(state: State, target: Target) -> None:
    if not (target.local and state.store.local):
        return
    run, out = PurePosixPath(_real(state.store.root)), PurePosixPath(_real(str(target.root)))
    if run == out or run in out.parents or out in run.parents:
        raise ConfigError(f"--out {target.out}: lies in the run's directory, or the run in it; name a directory of its own")


def _real(path: str) -> str:
    return str(Path(path.removeprefix("file://")).resolve())
