"""A run: every stage in order, each on what the one before completed; what is done and still valid is not made again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from seiryu.corpus.errors import SeiryuError
from seiryu.corpus.storage import Store
from seiryu.pipelines.attempt import set_aside_record
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.config import Config
from seiryu.pipelines.engine import Progress, cluster, run_units
from seiryu.pipelines.going_on import before, take_as_it_lies
from seiryu.pipelines.record import run_record
from seiryu.pipelines.screen import say, watching
from seiryu.pipelines.source_config import CommonCrawl
from seiryu.pipelines.sources import commoncrawl
from seiryu.pipelines.stages import extract
from seiryu.pipelines.stages.crawling import index
from seiryu.pipelines.state import Standing, State
from seiryu.pipelines.takedown import check_not_lost
from seiryu.pipelines.unit import Stage


class NothingLeft(SeiryuError):
    """A stage came to an end without a single record for the next one, or without all that the next one needs."""


class OtherUnits(SeiryuError):
    """The run directory holds archives, or files of an index, that the config does not name."""


@dataclass
class Ended:
    """How a run ended. `made`: units made by stage; `over`: what failed beyond what the config allows, in words."""

    state: State
    made: dict[str, int] = field(default_factory=dict)
    set_aside: dict[str, str] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)


def run(config: Config, until: str = "", first: str = "", prune: bool = False) -> Ended:
    """Bring the run directory up to date with the config, from the stage `first` or the beginning, to `until` or to the end.

    What lies before `first` is taken as it is. ConfigError, EngineError, NothingLeft, OtherUnits,
    NotThere: nothing is lost, the same command goes on.
    """
    store = Store(config.run)
    check_not_lost(store)
    state = State(store, config)
    ended = Ended(state)
    begin = time.monotonic()
    if isinstance(config.source, CommonCrawl):
        keep_lists(state, config, first, prune)
    with ExitStack() as stack:
        connected = False
        for stage in CHAIN:
            if stage in before(first):
                ended.set_aside |= take_as_it_lies(state, stage, first)
                continue
            standing = state.look(stage)
            _drop_orphans(state, standing, prune)
            if standing.to_make and not ended.made:  # so that `status` can be asked from now on
                store.write_json("run.json", run_record(state, {}, None))
            if standing.to_make:
                if not connected:
                    store.sweep()
                    say("starting Ray ..." if config.engine.address == "local" else f"connecting to {config.engine.address} ...")
                    stack.enter_context(cluster(config))
                    connected = True
                ended.made[stage.name] = _make(state, standing, ended)
                state.look(stage, again=False)
            if stage.wanted(config):
                _check_whole(state, stage, ended)
                _check_something_left(state, stage, ended)
            if stage.name == until:
                break
    _judge_failures(state, config, ended)
    store.write_json("run.json", run_record(state, ended.set_aside, time.monotonic() - begin))
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


def _drop_orphans(state: State, standing: Standing, prune: bool) -> None:
    """Units that the config does not name any more: results of archives go only when asked to, what follows from them by itself."""
    _refuse(state, standing.stage, standing.orphans, prune)
    for unit in standing.orphans:
        state.remove(standing.stage.name, unit)
    wanted = {unit.name for unit in standing.to_make}
    for unit in state.set_aside(standing.stage.name):
        if unit not in wanted:
            state.store.delete(f"units/{standing.stage.name}/{unit}.failed")


def _make(state: State, standing: Standing, ended: Ended) -> int:
    """Make what is missing or stale, and note what was set aside."""
    stage, begin = standing.stage, time.monotonic()
    with watching(stage.name, len(standing.to_make)) as watch:
        progress = run_units(standing.to_make, state.config, watch)
    for unit in standing.to_make:
        outcome = progress.set_aside.get(unit.name)
        if not outcome:
            state.store.delete(f"units/{stage.name}/{unit.name}.failed")
        else:
            if unit.name in standing.stale and unit.name not in standing.lacking:
                state.remove(stage.name, unit.name)
            record = set_aside_record(unit, outcome, progress.attempts[unit.name])
            state.store.write_json(f"units/{stage.name}/{unit.name}.failed", record)
            ended.set_aside[f"{stage.name} {unit.name}"] = outcome.reason
            say(f"set aside: {stage.name} {unit.name}: {outcome.reason}")
    say(_line(stage, progress, time.monotonic() - begin))
    return progress.done


def _line(stage: Stage, progress: Progress, seconds: float) -> str:
    rate = (
        f", {progress.records / seconds:,.0f} {stage.what} a second"
        if stage.on_documents and progress.records and seconds > 1
        else ""
    )
    retries = f", {progress.retries} retries" if progress.retries else ""
    return f"{stage.name}: {progress.done:,} units in {seconds:.1f} s{rate}{retries}"


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
