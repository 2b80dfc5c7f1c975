"""The sequences that are left out because somebody asked for it (takedown.json): one unit, over all documents.

There is nothing to do in a run without such a file. Splits are not chosen anew, so that every other sequence stays where it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.shard_schema import SEQUENCES, TAKEN_DOWN
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.splits import NAMES, split_numbers, splits_of
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.takedown import READ, rules_of
from seiryu.pipelines.unit import Result, Stage, Unit


def units(state: State) -> list[Unit]:
    rules, made, chosen = rules_of(state.store), state.completed("tokenize"), state.completed("splits")
    if not rules or not chosen:
        return []
    inputs = {"tokens": identity(made), "splits": identity(chosen), "rules": rules.digest()}
    return [Unit("takedown", "all", {}, inputs, reads=tuple(made))]


def settings(_: Config) -> dict[str, Any]:
    return {}


def work(unit: Unit, _: Config, store: Store) -> Result:
    rules, numbers = rules_of(store), split_numbers(store)
    counts, found = Counts(), [TAKEN_DOWN.empty_table()]
    for name in unit.reads:
        table = schema.read_table(store, f"tokens/{name}.parquet", SEQUENCES, READ)
        number = splits_of(table, numbers)
        stands = number >= 0
        rule = pa.chunked_array([rules.hits(table)], pa.string())
        gone = stands & pc.not_equal(rule, "").to_numpy()
        counts.add(Counts(records=int(stands.sum()), kept=int((stands & ~gone).sum())))
        counts.rejected["taken_down"] += int(gone.sum())
        hit = table.append_column("rule", rule).append_column("split", pa.array(np.array(NAMES)[number])).filter(pa.array(gone))
        found.append(hit.select(TAKEN_DOWN.names).cast(TAKEN_DOWN))
    table = pa.concat_tables(found).sort_by([("shuffle_key", "ascending"), ("doc_id", "ascending"), ("copy", "ascending")])
    counts.extra["documents"] = len(table["doc_id"].unique())
    with store.writing("takedown/all.parquet") as out:
        schema.write_table(table, out)
    return Result(counts, [out.written("takedown/all.parquet")])


STAGE = Stage("takedown", 1, "sequences", settings, units, work, lambda _: ("taken_down",), on_documents=False, may_be_empty=True)
