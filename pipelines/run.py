"""A run: every stage in order, each on what the one before completed; what is done and still valid is not made again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from seiryu.corpus.errors import SeiryuError
from seiryu.corpus.storage import Store
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.config import Config
from seiryu.pipelines.engine.lease import lease
from seiryu.pipelines.engine.making import Ended, Making
from seiryu.pipelines.going_on import before, take_as_it_lies
from seiryu.pipelines.source_config import CommonCrawl
from seiryu.pipelines.sources import commoncrawl
from seiryu.pipelines.stages import extract
from seiryu.pipelines.stages.crawling import index
from seiryu.pipelines.state import Standing, State
from seiryu.pipelines.takedown import check_not_lost
from seiryu.pipelines.telling.screen import say
from seiryu.pipelines.unit import Stage


class NothingLeft(SeiryuError):
    """A stage came to an end without a single record for the next one, or without all that the next one needs."""


class OtherUnits(SeiryuError):
    """The run directory holds archives, or files of an index, that the config does not name."""


def run(config: Config, until: str = "", first: str = "", prune: bool = False) -> Ended:
    """Bring the run directory up to date with the config, from the stage `first` or the beginning, to `until` or to the end.

    What lies before `first` is taken as it is. ConfigError, EngineError, NothingLeft, OtherUnits,
    NotThere: nothing is lost, the same command goes on.
    """
    store = Store(config.run)
    check_not_lost(store)
    with lease(store, say) as held, ExitStack() as stack:
        return _run(Making(State(store, config), held, stack), until, first, prune)


def _run(making: Making, until: str, first: str, prune: bool) -> Ended:
    state, ended, begin = making.state, making.ended, time.monotonic()
    if isinstance(state.config.source, CommonCrawl):
        keep_lists(state, state.config, first, prune)
    for stage in CHAIN:
        if stage in before(first):
            ended.set_aside |= take_as_it_lies(state, stage, first)
            continue
        standing = state.look(stage)
        _drop_orphans(making, standing, prune)
        if standing.to_make:
            making.make(standing)
        if stage.wanted(state.config):
            _check_whole(state, stage, ended)
            _check_something_left(state, stage, ended)
        if stage.name == until:
            break
    _judge_failures(state, state.config, ended)
    making.record(seconds=time.monotonic() - begin)
    return ended


def keep_lists(state: State, config: Config, first: str, prune: bool) -> None:
    """Keep the crawl's lists, unless what is made of them is taken as it lies.

    OtherUnits before the lists of another crawl take the place of those that this run was made by.
    """
    reading = index.STAGE if index.wanted(config) else extract.STAGE
    if reading not in before(first):
        _refuse(state, reading, state.orphans(reading), prune)
        commoncrawl.keep(config)


def _refuse(state: State, stage: Stage, orphans: Sequence[str], prune: bool) -> None:
    if orphans and stage.outside and not prune:
        what = "archives" if stage.name == "extract" else "files of an index"
        raise OtherUnits(
            f"{state.store.root} holds {len(orphans)} {what} that {state.config.source.not_named} ({orphans[0]}, ...); "
            "name them, use another run directory, or drop them with --prune"
        )


def _drop_orphans(making: Making, standing: Standing, prune: bool) -> None:
    """Units that the config does not name any more: results of archives go only when asked to, what follows from them by itself."""
    state, wanted = making.state, {unit.name for unit in standing.to_make}
    _refuse(state, standing.stage, standing.orphans, prune)
    done = [unit for unit in state.names_set_aside(standing.stage.name) if unit not in wanted]
    if standing.orphans or done:
        making.check_lease()
    state.remove(standing.stage.name, *standing.orphans)
    state.store.delete_all([f"units/{standing.stage.name}/{unit}.failed" for unit in done])


def _check_whole(state: State, stage: Stage, ended: Ended) -> None:
    """NothingLeft if what follows would pass over what a unit of this stage was to say."""
    if stage.whole and not state.whole(stage.name):
        aside = {unit: why for unit, why in ended.set_aside.items() if unit.startswith(f"{stage.name} ")}
        unit, why = next(iter(aside.items()), (stage.name, "not made"))
        raise NothingLeft(
            f"{stage.name}: {len(aside):,} of {len(stage.units(state)):,} units were set aside ({unit}: {why}); nothing is read of a "
            "crawl before all of them are made, so run again"
        )


def _check_something_left(state: State, stage: Stage, ended: Ended) -> None:
    counts = state.counts(stage.name)
    if counts.kept or (stage.may_be_empty and not counts.records):
        return
    problems = "; ".join(f"{unit}: {reason}" for unit, reason in list(ended.set_aside.items())[:3])
    reasons = {**counts.rejected, **counts.failed}
    where = ", ".join(f"{name} {number:,}" for name, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    detail = f"{counts.records:,} {stage.what} went in, none was kept ({where or 'nothing was counted'})"
    raise NothingLeft(f"{stage.name}: {detail}{f'; set aside: {problems}' if problems else ''}")


def _judge_failures(state: State, config: Config, ended: Ended) -> None:
    """What failed beyond what the config allows."""
    if len(ended.set_aside) > config.engine.allowed_failed_units:
        ended.over.append(f"{len(ended.set_aside)} units were set aside, {config.engine.allowed_failed_units} are allowed")
    counts = state.counts("extract")
    failed = counts.failed + state.counts("tokenize").failed
    share = failed.total() / counts.records if counts.records else 0.0
    if share > config.engine.allowed_failed_records:
        reasons = ", ".join(f"{name} {number:,}" for name, number in sorted(failed.items()))
        allowed = config.engine.allowed_failed_records
        ended.over.append(f"{share:.2%} of the records failed ({reasons}), {allowed:.2%} are allowed; see ledger/")
