"""What each command does, with the exit code it ends with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml
from rich.table import Table

from seiryu.corpus.storage import Store
from seiryu.filters.words.matching import matcher
from seiryu.pipelines.archives import archives
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError, load_config
from seiryu.pipelines.funnel import as_json as funnel_json
from seiryu.pipelines.funnel import funnel
from seiryu.pipelines.plan import plan as make_plan
from seiryu.pipelines.report import write_report
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.run import Ended
from seiryu.pipelines.run import run as make_run
from seiryu.pipelines.screen import funnel_table, out, say
from seiryu.pipelines.sizes import human
from seiryu.pipelines.stages.tokenize import tokenizer
from seiryu.pipelines.state import State
from seiryu.pipelines.verify import verify as find_problems


def run_command(path: str, changes: Sequence[str], until: str, *, prune: bool, as_json: bool) -> int:
    config = _checked(path, changes)
    names = [stage.name for stage in CHAIN]
    if until and until not in names:
        raise ConfigError(f"--until {until}: there is no such stage; known: {', '.join(names)}")
    ended = make_run(config, until, prune)
    if not ended.made:
        say("all is done, nothing to make")
    report = write_report(ended.state)
    if as_json:
        print(
            json.dumps({"funnel": funnel_json(ended.state), "made": ended.made, "over": ended.over}, ensure_ascii=False, indent=1)
        )
    else:
        _show(ended, report)
    for problem in ended.over:
        say(f"not well: {problem}")
    return 3 if ended.over else 0


def _show(ended: Ended, report: str) -> None:
    out.print()
    out.print(funnel_table(funnel(ended.state)))
    out.print()
    for name, done in ended.state.completed("shards").items():
        size = sum(output.size for output in done.outputs[:2])
        path = ended.state.store.path(f"shards/{name}.bin")
        out.print(f"{done.counts.extra['tokens']:>13,} tokens in {done.counts.records:,} sequences  {path}  {human(size)}")
    chosen = ended.state.config.tokenize.validation_share
    if ended.state.completed("shards") and chosen and not ended.state.counts("tokenize").extra["sequences.validation"]:
        documents = ended.state.counts("tokenize").kept
        out.print(f"no validation shard: tokenize.validation_share {chosen:g} of {documents:,} documents chose none")
    out.print(f"report  {report}")


def plan_command(path: str, changes: Sequence[str], *, as_json: bool) -> int:
    config = _checked(path, changes)
    steps = make_plan(State(Store(config.run), config))
    if as_json:
        print(json.dumps(steps, ensure_ascii=False, indent=1))
        return 0
    for step in steps:
        out.print(f"{step['stage']:<11} {step['what']}", markup=False)
        for reason, units in step["why"].items():
            out.print(f"            {units:,} again: {reason}", markup=False)
    return 0


def status_command(run: str, *, as_json: bool) -> int:
    state = _finished(run)
    set_aside = {f"{stage.name} {unit}": why for stage in CHAIN for unit, why in state.set_aside(stage.name).items()}
    if as_json:
        stages = {stage.name: state.counts(stage.name).to_json() for stage in CHAIN if state.completed(stage.name)}
        print(json.dumps({"funnel": funnel_json(state), "stages": stages, "set_aside": set_aside}, ensure_ascii=False, indent=1))
        return 0
    table = Table(box=None, pad_edge=False)
    for column, justify in (("stage", "left"), ("units", "right"), ("set aside", "right"), ("records", "right"), ("kept", "right"),
                            ("worker time", "right")):  # fmt: skip
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for stage in CHAIN:
        counts = state.counts(stage.name)
        aside = sum(name.startswith(f"{stage.name} ") for name in set_aside)
        table.add_row(stage.name, f"{len(state.completed(stage.name)):,}", f"{aside:,}", f"{counts.records:,}", f"{counts.kept:,}",
                      f"{state.seconds(stage.name):,.1f} s")  # fmt: skip
    out.print(table)
    out.print()
    out.print(funnel_table(funnel(state)))
    for name, why in set_aside.items():
        out.print(f"set aside after {why['attempts']} attempts: {name}: {why['reason']}", markup=False)
    return 0


def report_command(run: str) -> int:
    out.print(write_report(_finished(run)), markup=False)
    return 0


def verify_command(run: str, *, as_json: bool) -> int:
    state = _finished(run)
    files, problems = find_problems(state)
    if as_json:
        print(json.dumps({"files": files, "problems": problems}, ensure_ascii=False, indent=1))
    else:
        for problem in problems:
            out.print(problem, markup=False)
        out.print(f"{files:,} files checked, {len(problems):,} problems")
    return 1 if problems else 0


def config_show_command(path: str, changes: Sequence[str]) -> int:
    config = load_config(path, changes)
    print(yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True, sort_keys=False), end="")
    return 0


def config_validate_command(path: str, changes: Sequence[str]) -> int:
    config = _checked(path, changes)
    out.print(f"{path}: good; {len(archives(config)):,} archives, {len(rules_in_force(config))} rules", markup=False)
    return 0


def _checked(path: str, changes: Sequence[str]) -> Config:
    """The config, once everything that it names has been found. ConfigError otherwise, before anything is started."""
    config = load_config(path, changes)
    archives(config)
    rules_in_force(config)
    try:
        matcher(config.rules.words)
    except ValueError as error:
        raise ConfigError(f"rules.words: {error}") from error
    try:
        tokenizer(config.tokenize.tokenizer)
    except ValueError as error:
        raise ConfigError(f"tokenize.tokenizer: {error}") from error
    return config


def _finished(run: str) -> State:
    """What a run directory holds, under the config it was made with. ConfigError if it holds no run."""
    state = State.of_run(run)
    any_unit: dict[str, Any] = {stage.name: state.completed(stage.name) for stage in CHAIN}
    if not any(any_unit.values()):
        raise ConfigError(f"{run} holds no run: there is no finished unit under units/")
    return state
