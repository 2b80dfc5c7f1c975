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
from seiryu.corpus.formats import FORMATS
from seiryu.corpus.formats.shard import Place
from seiryu.corpus.shard_schema import PROVENANCE
from seiryu.corpus.storage import Written
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.stages.splits import NAMES
from seiryu.pipelines.stages.tokenize import vocabulary
from seiryu.pipelines.state import State
from seiryu.pipelines.takedown import is_lost, rules_of
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
    damaged = False
    for stage in CHAIN:
        for name in state.damaged.get(stage.name, ()):
            damaged = True
            path = state.store.path(f"units/{stage.name}/{name}.json")
            problems.append(Problem(f"{path}: is damaged, or names files that no unit makes", stage.name, name))
        for name, done in state.completed(stage.name).items():
            files += len(done.outputs)
            problems += _of_unit(state, stage.name, name, done)
        problems += [
            Problem(f"{state.store.path(f'units/{stage.name}/{name}.failed')}: is damaged, written anew by the next run")
            for name, why in state.set_aside(stage.name).items()
            if why["attempts"] is None
        ]
    if damaged:  # what such a unit made would seem to belong to nobody
        return files, problems
    return files, problems + [Problem(text) for text in (*_between_stages(state), *_strays(state))]


def drop(state: State, problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """Take away the units that problems lie in, so that the next run makes exactly these again; (stage, unit) of each."""
    units = list(dict.fromkeys((problem.stage, problem.unit) for problem in problems if problem.stage))
    for stage, unit in units:
        state.remove(stage, unit)
    return units


def _of_unit(state: State, stage: str, name: str, done: Sidecar) -> Iterator[Problem]:
    try:
        done.counts.check(f"units/{stage}/{name}.json")
    except LawBroken as error:
        yield Problem(str(error), stage, name)
    wrong = [problem for output in done.outputs if (problem := _file(state, output, stage, name))]
    yield from wrong
    if stage == "shards" and not wrong and done.outputs:
        yield from (Problem(text, stage, name) for text in _shard(state, name, done))


def _file(state: State, output: Written, stage: str, unit: str) -> Problem | None:
    """What is wrong with a file. One that a disk does not give may still be whole, so its unit is not one to drop."""
    path = state.store.path(output.name)
    try:
        found = state.store.sha256(output.name)
    except FileNotFoundError:
        return Problem(f"{path}: is missing", stage, unit)
    except OSError as error:
        return Problem(f"{path}: cannot be read: {error}; see to the disk, or delete it")
    return None if found == output.sha256 else Problem(f"{path}: its sha256 is not the recorded one", stage, unit)


def _shard(state: State, name: str, done: Sidecar) -> list[str]:
    """The shard in all its formats against its vocabulary and its provenance."""
    beside = f"provenance/{name}.parquet"
    try:
        table = schema.read_table(state.store, beside, PROVENANCE, ["sequence", "tokens"])
    except InputError as error:
        return [str(error)]
    problems = []
    lengths, told = table["tokens"].to_numpy().astype(np.int64), done.counts.extra["tokens"]
    if not np.array_equal(table["sequence"].to_numpy(), np.arange(done.counts.kept)):
        problems.append(
            f"{state.store.path(beside)}: its rows are not the {done.counts.kept:,} sequences that the sidecar tells of"
        )
    if lengths.sum() != told:
        problems.append(f"{state.store.path(beside)}: {lengths.sum():,} tokens, the sidecar says {told:,}")
    params, known = done.made_of["params"], vocabulary(state.config)
    place = Place(params["split"], params["index"], params["shards"])
    for each in state.config.shards.formats:
        problems += FORMATS[each].verify(state.store, place, known, lengths)
    return problems


def _between_stages(state: State) -> list[str]:
    """What one stage keeps is what the next one begins with."""
    way = ("index", "choose", "ranges", "extract", "annotate", "decide", "fingerprints", "select", "clean", "tokenize", "splits")
    made = [name for name in way if state.completed(name)]
    problems = []
    for before, after in pairwise(made):
        kept, records = state.counts(before).kept, state.counts(after).records
        if state.whole(after) and kept != records:
            problems.append(f"{before} kept {kept:,} records, {after} counts {records:,}")
    planned = sum(state.counts("splits").extra[f"sequences.{split}"] for split in NAMES)
    if (
        state.completed("shards")
        and state.whole("shards")
        and not is_lost(state.store)
        and planned != state.counts("shards").records
    ):
        problems.append(f"splits plans {planned:,} sequences, shards counts {state.counts('shards').records:,}")
    return problems + _takedown(state)


def _takedown(state: State) -> list[str]:
    """Whether all that is to be taken down is out of the shards, and nothing that was is to come back."""
    path, store = state.store.path("takedown.json"), state.store
    if pending(state):
        return [f"{path}: not all that it names is out of the shards; run again, with --from takedown if the archives are gone"]
    if is_lost(store):
        return [f"{path} is gone, and pages were taken down by it; bring it back from a copy, no run goes on before"]
    left = state.counts("takedown").rejected["taken_down"] - state.counts("shards").rejected["taken_down"]
    return (
        [f"{path}: {left:,} sequences that it names are not counted as taken down"] if state.completed("shards") and left else []
    )


def pending(state: State) -> bool:
    """Whether there are shards, and something that was not yet taken out of them."""
    if not state.store.names("units/shards", ".json") or not rules_of(state.store):
        return False
    return not state.completed("takedown") or not state.whole("takedown", "shards")


def _strays(state: State) -> list[str]:
    """Files beside the shards that a trainer would stumble on."""
    known = {output.name for output in state.outputs()}
    if pending(state) or is_lost(state.store):  # they are this run's, and made again by the next one
        known |= {output.name for stage in ("shards", "indexes") for output in state.recorded(stage)}
    return [f"{state.store.path(name)}: does not belong to this run" for name in state.store.below("shards") if name not in known]
