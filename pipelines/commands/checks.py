"""What every command asks first: is the config one that can be used, is there a run in this directory?"""

from __future__ import annotations

from collections.abc import Sequence

from seiryu.corpus.errors import InputError
from seiryu.filters.instruments import possible
from seiryu.pipelines.chain import CHAIN, counted_elsewhere
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError, load_config, located
from seiryu.pipelines.facts.rows import facts_schema
from seiryu.pipelines.measured import instruments
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.shard_checks import check_shards
from seiryu.pipelines.sources.checking import check_source
from seiryu.pipelines.sources.telling import telling
from seiryu.pipelines.stages import contamination
from seiryu.pipelines.stages.deduplicating.earlier import check_named
from seiryu.pipelines.stages.deduplicating.fingerprints import check_score
from seiryu.pipelines.stages.hosts import check_hosts
from seiryu.pipelines.state import State


def checked(path: str, changes: Sequence[str], *, need_archives: bool = True) -> Config:
    """The config, once everything that it names has been found. ConfigError otherwise, before anything is started."""
    config = load_config(path, changes)
    try:
        if need_archives:
            with telling(config):
                check_source(config)
        _check_names(config)
        _check_columns(config)
        instruments(config)
        check_hosts(config)
        check_score(config)
        check_named(config)
        check_shards(config)
        if contamination.wanted(config):
            contamination.benchmarks(config)
    except ConfigError as error:
        raise located(error, path, changes) from error
    return config


def _check_names(config: Config) -> None:
    """ConfigError for a rule that is called like another line of the funnel, or for rules that are wrong."""
    taken = counted_elsewhere(config)
    for rule in rules_in_force(config):
        if rule.name in taken:
            where = ("rules", "change", rule.name) if rule.name in config.rules.change else ("rules", "preset")
            raise ConfigError(
                f"{'.'.join(where[:2])}: rule {rule.name!r}: documents are counted under this name elsewhere; choose another",
                where,
            )


def _check_columns(config: Config) -> None:
    """ConfigError for a word list or a classifier whose signals would be called like a column of what is known of each document."""
    taken = set(facts_schema(()).names)
    named = [("lists", name, possible([name])) for name in config.signals.word_lists]
    named += [("classifiers", name, possible((), [name])) for name in config.signals.classifiers]
    for section, name, signals in named:
        if column := next((signal.name for signal in signals if signal.name in taken), ""):
            raise ConfigError(
                f"signals.{section}.{name}: the table of all that is known of a document has a column {column} already; "
                "choose another name",
                ("signals", section, name),
            )


def begun(run: str) -> State:
    """What a run directory holds by now, which may be nothing. InputError if no run was ever started there."""
    return State.of_run(run)


def finished(run: str, until: str = "") -> State:
    """What a run directory holds, up to a stage, under the config it was made with. ConfigError if it holds no run."""
    state = State.of_run(run, until)
    check_not_empty(state)
    return state


def check_not_empty(state: State) -> None:
    """ConfigError if no unit is finished, InputError if that is because sidecars are damaged."""
    if any(state.completed(stage.name) for stage in CHAIN):
        return
    run = state.store.root
    for stage, damaged in state.damaged.items():
        if damaged:
            where = f"{state.store.path(f'units/{stage}/{damaged[0]}.json')} is damaged"
            raise InputError(f"{where}, and {run} has no finished unit before it; seiryu verify {run} names all that are")
    raise ConfigError(f"{run} holds no run: there is no finished unit under units/")
