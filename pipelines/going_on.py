"""What `--from STAGE` goes on from: the stages before it as they lie there, provided that this config would make the same.

The archives need not be there any more. Those that are must have been read as they now are, or be set aside.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from typing import Any

from seiryu.corpus.errors import InputError, SeiryuError
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.sources.files import archives_in_sight
from seiryu.pipelines.stages.extract import units as units_of_extract
from seiryu.pipelines.stages.extract import units_of_files
from seiryu.pipelines.state import State
from seiryu.pipelines.telling.screen import say
from seiryu.pipelines.unit import Sidecar, Stage, Unit, difference, digest


class NotThere(SeiryuError):
    """What a run was to go on from is not there, or is not what its config would make."""


def before(first: str) -> tuple[Stage, ...]:
    """The stages before `first`; none if it is empty."""
    names = [stage.name for stage in CHAIN]
    return CHAIN[: names.index(first)] if first else ()


def take_as_it_lies(state: State, stage: Stage, first: str) -> dict[str, str]:
    """Take a stage before `first`, and say which of its units are set aside, with the reasons: they stay so.

    NotThere if the stage is not done, is not what this config would make, or lacks units.
    """
    aside = state.set_aside(stage.name)
    if not stage.wanted(state.config):
        return {}
    if stage.name == "extract":
        _take_archives(state, stage, first, aside)
    else:
        standing = state.look(stage)
        missing = sorted({unit.name for unit in standing.to_make} - (set() if stage.whole else set(aside)))
        if missing:
            why = next((standing.stale[name] for name in missing if name in standing.stale), "not made yet")
            raise NotThere(
                f"{stage.name}: {len(missing):,} of {len(standing.units):,} units are not there as they are wanted ({why}); "
                f"--from {stage.name} makes them"
            )
    return {f"{stage.name} {unit}": why["reason"] for unit, why in aside.items()}


def _take_archives(state: State, stage: Stage, first: str, aside: Collection[str]) -> None:
    again = f"run without --from {first} to have it read"
    try:
        state.take(stage)
    except InputError as error:
        raise NotThere(f"{error}; {again}") from error
    done = state.completed(stage.name)
    units, blind = _in_sight(state, done)
    for name in state.store.names("documents", ".parquet"):
        unit = name.removesuffix(".parquet")
        if unit not in done and unit not in aside and (blind or unit in units):  # what nobody names any more nobody reads
            raise NotThere(f"documents/{name} has no units/{stage.name}/{unit}.json: its archive is not read to the end; {again}")
    if unread := sorted(units.keys() - done.keys() - set(aside)):
        raise NotThere(f"{stage.name}: {len(unread):,} of {len(units):,} archives have not been read ({unread[0]}, ...); {again}")
    for name in sorted(units.keys() & done.keys()):
        read, now = {"inputs": done[name].made_of["inputs"]}, {"inputs": units[name].inputs}
        if read != now:
            raise NotThere(f"{stage.name}: {units[name].path} is not what was read ({difference(read, now)}); {again}")
    if not blind and (unnamed := sorted(done.keys() - units.keys())):
        raise NotThere(
            f"{state.store.root} holds {len(unnamed):,} archives that {state.config.source.not_named} ({unnamed[0]}, ...); "
            f"name them, or drop them with --prune and without --from {first}"
        )


def _in_sight(state: State, done: Mapping[str, Sidecar]) -> tuple[dict[str, Unit], list[str]]:
    """(units of the archives that can be seen, the entries of source.paths behind which not all can be).

    Of a crawl all can be seen: its lists are kept with the run.
    """
    source = state.config.source
    if not isinstance(source, Files):
        return {unit.name: unit for unit in units_of_extract(state)}, []
    paths, blind = archives_in_sight(source, state.config)
    if blind:
        say(f"extract: not every archive behind {', '.join(blind)} is in sight; going on with the {len(done):,} that were read")
    # Names tell archives apart, so with others out of sight one may be called otherwise than it was.
    called = {_archive(made.made_of["params"], made.made_of["inputs"]): name for name, made in done.items()} if blind else {}
    units = units_of_files(paths, state.config)
    return {called.get(_archive(unit.params, unit.inputs), unit.name): unit for unit in units}, blind


def _archive(params: dict[str, Any], inputs: dict[str, Any]) -> str:
    """What an archive is, wherever it lies and whatever others there are."""
    return digest([posixpath.basename(params["warc"]), inputs])
