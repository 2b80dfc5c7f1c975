"""The commands that make a run, and those that look at one as a whole."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

from seiryu.corpus.storage import Store
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.commands.checks import begun, check_not_empty, checked
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.engine.lease import lease
from seiryu.pipelines.engine.making import Ended
from seiryu.pipelines.reporting.funnel import as_json as funnel_json
from seiryu.pipelines.reporting.funnel import funnel
from seiryu.pipelines.reporting.report import write_report
from seiryu.pipelines.run import run as make_run
from seiryu.pipelines.sizes import human
from seiryu.pipelines.sources.telling import telling
from seiryu.pipelines.stages.splits import NAMES
from seiryu.pipelines.state import State
from seiryu.pipelines.telling.logs import named, told_as
from seiryu.pipelines.telling.screen import funnel_table, out, say
from seiryu.pipelines.verify import drop as drop_units
from seiryu.pipelines.verify import verify as find_problems


def run_command(path: str, changes: Sequence[str], first: str, until: str, log: str, *, prune: bool, as_json: bool) -> int:
    """`log`: text or json, what goes to stderr."""
    if log not in ("text", "json"):
        raise ConfigError(f"--log {log}: text or json")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as job schedulers end a job: in order, and told so
    with told_as("json" if log == "json" else "text", path):
        return _run(path, changes, first, until, prune=prune, as_json=as_json)


def _run(path: str, changes: Sequence[str], first: str, until: str, *, prune: bool, as_json: bool) -> int:
    _check_stages(first, until, prune=prune)
    config = checked(path, changes, need_archives=not first)
    named(config.run)
    with telling(config):
        ended = make_run(config, until, first, prune)
    if not ended.made:
        say("all is done, nothing to make")
    for problem in ended.over:
        say(f"not well: {problem}")
    report = write_report(ended.state)
    if as_json:
        print(
            json.dumps({"funnel": funnel_json(ended.state), "made": ended.made, "over": ended.over}, ensure_ascii=False, indent=1)
        )
    else:
        _show(ended, report)
    return 3 if ended.over else 0


def _check_stages(first: str, until: str, *, prune: bool) -> None:
    names = [stage.name for stage in CHAIN]
    for option, name in (("--from", first), ("--until", until)):
        if name and name not in names:
            raise ConfigError(f"{option} {name}: there is no such stage; known: {', '.join(names)}")
    if first and until and names.index(first) > names.index(until):
        raise ConfigError(f"--from {first} --until {until}: {first} comes after {until}")
    if first and prune:
        raise ConfigError(f"--from {first} --prune: what lies before {first} is taken as it is, so nothing of it can be dropped")


def _show(ended: Ended, report: str) -> None:
    out.print()
    out.print(funnel_table(funnel(ended.state)))
    out.print()
    for line in _shards(ended.state):
        out.print(line, markup=False)
    out.print(f"report  {report}")


def _shards(state: State) -> Iterator[str]:
    """A line for each split, and one for each format with the size of its files."""
    made = state.completed("shards")
    for split in NAMES if made else ():
        mine = [done for done in made.values() if done.made_of["params"]["split"] == split and done.outputs]
        sequences, tokens = sum(done.counts.kept for done in mine), sum(done.counts.extra["tokens"] for done in mine)
        asked, planned = getattr(state.config.shards, split, None), state.counts("splits").extra[f"tokens.{split}"]
        if mine:
            yield f"{tokens:>13,} tokens in {sequences:,} sequences  {split}, {len(mine):,} shard{'s' * (len(mine) > 1)}"
        elif planned:
            yield f"no {split} shard: nothing is left in it, or its units were set aside"
        elif asked and (asked.share or asked.tokens):
            size = f"{asked.share:g} of all tokens" if asked.tokens is None else f"{asked.tokens:,} tokens"
            yield f"no {split} shard: shards.{split} asks for {size}, less than half of what is kept together anywhere"
    for name in state.config.shards.formats if made else ():
        folder = f"shards/{name}/"
        held = sum(output.size for done in made.values() for output in done.outputs if output.name.startswith(folder))
        yield f"{human(held):>13}  {state.store.path(folder)}"


def report_command(run: str, against: str, language: str) -> int:
    if language not in ("en", "ja"):
        raise ConfigError(f"--language {language}: en or ja")
    other, state = begun(against) if against else None, begun(run)
    if damaged := sum(map(len, state.damaged.values())):
        say(f"{damaged:,} units are not counted, their sidecars are damaged: seiryu verify {run}")
    out.print(write_report(state, other, language), markup=False)
    return 0


def verify_command(run: str, *, drop: bool, as_json: bool) -> int:
    """1 if there were problems, dropped or not: until it is run again the run is not whole."""
    store = Store(run)
    with lease(store, say) if drop and store.exists("run.json") else nullcontext():
        state = begun(run)
        files, problems = find_problems(state)
        if not files and not problems:
            check_not_empty(state)
        dropped = [" ".join(unit) for unit in drop_units(state, problems)] if drop else []
    left = [problem.text for problem in problems if not problem.stage] if drop else []
    if as_json:
        more = {"dropped": dropped, "left": left} if drop else {}
        texts = [problem.text for problem in problems]
        print(json.dumps({"files": files, "problems": texts, **more}, ensure_ascii=False, indent=1))
        return 1 if problems else 0
    for problem in problems:
        out.print(problem.text, markup=False)
    for unit in dropped:
        out.print(f"dropped {unit}: the next run makes it again", markup=False)
    if left:
        out.print(
            f"dropping units mends {len(left):,} of these not: finish the run if it is not finished; what does not belong to it, delete"
        )
    out.print(f"{files:,} files checked, {len(problems):,} problems{f', {len(dropped):,} units dropped' if drop else ''}")
    if not drop and any(problem.stage for problem in problems):
        out.print("verify --drop takes the damaged units away; the next run makes exactly these again")
    return 1 if problems else 0
