"""Whether a run directory still holds what was put there: every file's hash, every unit's counts, every shard's content.

A problem lies in a unit or between units. A unit can be dropped: the next run makes it again, and since the same input gives the same
bytes, what was made of it stays valid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError, LawBroken
from seiryu.corpus.megatron import ShardReader, verify_shard
from seiryu.corpus.storage import Written
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.measured import tokenizer
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in a line, and the unit it lies in; no stage and no unit if it lies in none."""

    text: str
    stage: str = ""
    unit: str = ""


def verify(state: State) -> tuple[int, list[Problem]]:
    """The number of files looked at, and what is wrong; nothing if all is well."""
    files = 0
    problems: list[Problem] = []
    for stage in CHAIN:
        for name, done in state.completed(stage.name).items():
            files += len(done.outputs)
            problems += [Problem(text, stage.name, name) for text in _of_unit(state, stage.name, name, done)]
    return files, problems + [Problem(text) for text in (*_between_stages(state), *_strays(state))]


def drop(state: State, problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """Take away the units that problems lie in, so that the next run makes exactly these again; (stage, unit) of each."""
    units = list(dict.fromkeys((problem.stage, problem.unit) for problem in problems if problem.stage))
    for stage, unit in units:
        state.remove(stage, unit)
    return units


def _of_unit(state: State, stage: str, name: str, done: Sidecar) -> Iterator[str]:
    try:
        done.counts.check(f"units/{stage}/{name}.json")
    except LawBroken as error:
        yield str(error)
    wrong = [problem for output in done.outputs if (problem := _file(state, output))]
    yield from wrong
    if stage == "shards" and not wrong:
        yield from _shard(state, name, done)


def _file(state: State, output: Written) -> str:
    try:
        found = state.store.sha256(output.name)
    except FileNotFoundError:
        return f"{state.store.path(output.name)}: is missing"
    return "" if found == output.sha256 else f"{state.store.path(output.name)}: its sha256 is not the recorded one"


def _shard(state: State, name: str, done: Sidecar) -> list[str]:
    """The shard against its vocabulary and its provenance."""
    loaded = tokenizer(state.config.tokenize.tokenizer)
    prefix = state.store.path(f"shards/{name}")
    problems = verify_shard(prefix, loaded.vocab_size, loaded.eod)
    if problems:
        return problems
    beside = f"provenance/{name}.parquet"
    try:
        table = schema.read_table(state.store, beside, schema.PROVENANCE, ["sequence", "tokens"])
        reader = ShardReader(prefix)
    except InputError as error:
        return [str(error)]
    if not np.array_equal(table["tokens"].to_numpy(), reader.lengths):
        problems.append(f"{state.store.path(beside)}: its lengths are not those of the shard")
    if reader.tokens != done.counts.extra["tokens"]:
        problems.append(f"{prefix}.bin: {reader.tokens:,} tokens, its sidecar says {done.counts.extra['tokens']:,}")
    return problems


def _between_stages(state: State) -> list[str]:
    """What one stage keeps is what the next one begins with."""
    way = ("index", "choose", "ranges", "extract", "annotate", "decide", "fingerprints", "select", "clean", "tokenize", "shards")
    made = [name for name in way if state.completed(name)]
    problems = []
    for before, after in pairwise(made):
        kept, records = state.counts(before).kept, state.counts(after).records
        if not state.set_aside(after) and kept != records:
            problems.append(f"{before} kept {kept:,} records, {after} counts {records:,}")
    return problems


def _strays(state: State) -> list[str]:
    """Files beside the shards that a trainer would stumble on."""
    known = {output.name for output in state.outputs()}
    return [
        f"{state.store.path(f'shards/{name}')}: does not belong to this run"
        for name in state.store.names("shards")
        if f"shards/{name}" not in known
    ]
