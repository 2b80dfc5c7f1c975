"""Documents and letters of each split, and the days on which the pages were fetched: from the tables beside the token ids."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.shard_schema import SEQUENCES, TAKEN_DOWN
from seiryu.pipelines.stages.splits import NAMES, bucket, split_numbers
from seiryu.pipelines.state import State

_UNKNOWN = pa.scalar(datetime(1970, 1, 2, tzinfo=UTC), pa.timestamp("us", "UTC"))  # what a record without a date has lies before


def letters_of_splits(state: State) -> dict[str, dict[str, int]]:
    """split -> documents, and the letters of their texts, each counted once and without what was taken down; nothing if no table lies
    there any more.

    Memory: one table of tokens, and the doc_ids that were taken down. InputError if one is damaged.
    """
    tables = state.completed("tokenize")
    if not all(state.store.exists(f"tokens/{name}.parquet") for name in tables) or not state.completed("splits"):
        return {}
    numbers, gone = split_numbers(state.store), _taken_down(state)
    documents, letters = np.zeros(len(NAMES), np.int64), np.zeros(len(NAMES), np.int64)
    for name in tables:
        table = schema.read_table(state.store, f"tokens/{name}.parquet", SEQUENCES, ["split_key", "copy", "doc_id", "letters"])
        once = table["copy"].to_numpy() == 0
        if len(gone):
            once &= ~pc.is_in(table["doc_id"], gone).to_numpy(zero_copy_only=False)
        split = numbers[bucket(table["split_key"].to_numpy())]
        np.add.at(documents, split[once], 1)
        np.add.at(letters, split[once], table["letters"].to_numpy()[once])
    return {split: {"documents": int(documents[number]), "letters": int(letters[number])} for number, split in enumerate(NAMES)}


def _taken_down(state: State) -> pa.Array:
    if not state.completed("takedown"):
        return pa.array([], pa.string())
    table = schema.read_table(state.store, "takedown/all.parquet", TAKEN_DOWN, ["doc_id", "copy"])
    return table.filter(pc.equal(table["copy"], 0))["doc_id"].combine_chunks()


def dates(state: State) -> tuple[str | None, str | None]:
    """The first and the last day on which a page of the final documents was fetched; None if no record tells."""
    found: list[Any] = []
    for name in state.completed("tokenize"):
        if state.store.exists(f"tokens/{name}.parquet"):
            told = schema.read_table(state.store, f"tokens/{name}.parquet", SEQUENCES, ["crawl_date"])["crawl_date"]
            ends = pc.min_max(told.filter(pc.greater_equal(told, _UNKNOWN)))
            found += [ends[end].as_py() for end in ("min", "max") if ends[end].is_valid]
    return (f"{min(found):%Y-%m-%d}", f"{max(found):%Y-%m-%d}") if found else (None, None)
