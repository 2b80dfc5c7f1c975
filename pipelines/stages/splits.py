"""Which documents are set apart for validation and for tests: one unit, over all of them.

Documents that are kept together share a key; the keys' first bits are buckets, and validation is filled with whole buckets in their
order until it has the tokens it is to have, then the tests. A bucket that would overfill a split, such as one with a huge cluster,
is passed over. Copies stand in train only. It reads 16 bytes a document.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.shard_schema import SEQUENCES, SPLITS
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

TRAIN, VALIDATION, TEST = "train", "validation", "test"
NAMES = (TRAIN, VALIDATION, TEST)
_BITS = 20


def units(state: State) -> list[Unit]:
    made = state.completed("tokenize")
    return [Unit("splits", "all", {}, {"tokens": identity(made)}, reads=tuple(made))] if made else []


def settings(config: Config) -> dict[str, Any]:
    return {name: getattr(config.shards, name).model_dump(mode="json") for name in (VALIDATION, TEST)}


def work(unit: Unit, config: Config, store: Store) -> Result:
    tokens = np.zeros(1 << _BITS, np.int64)
    sequences, copied, copies = np.zeros(1 << _BITS, np.int64), np.zeros(1 << _BITS, np.int64), np.zeros(1 << _BITS, np.int64)
    for name in unit.reads:
        table = schema.read_table(store, f"tokens/{name}.parquet", SEQUENCES, ["split_key", "copy", "tokens"])
        buckets, lengths = bucket(table["split_key"].to_numpy()), table["tokens"].to_numpy()
        first = table["copy"].to_numpy() == 0
        np.add.at(tokens, buckets[first], lengths[first])
        np.add.at(sequences, buckets[first], 1)
        np.add.at(copied, buckets[~first], lengths[~first])
        np.add.at(copies, buckets[~first], 1)
    total = int(tokens.sum())
    chosen = fill(tokens, {name: getattr(config.shards, name).of(total) for name in (VALIDATION, TEST)})
    counts = Counts(records=int(sequences.sum()), kept=int(sequences.sum()))
    for number, name in enumerate(NAMES):
        here = chosen == number
        counts.extra[f"tokens.{name}"] = int(tokens[here].sum() + (copied[here].sum() if name == TRAIN else 0))
        counts.extra[f"sequences.{name}"] = int(sequences[here].sum() + (copies[here].sum() if name == TRAIN else 0))
    if total and not counts.extra[f"tokens.{TRAIN}"]:
        asked = " and ".join(f"shards.{name} {getattr(config.shards, name).of(total):,}" for name in (VALIDATION, TEST))
        raise InputError(
            f"nothing is left for train: the documents have {total:,} tokens, and {asked} are asked for; ask for less"
        )
    apart = np.flatnonzero(chosen)
    columns = {"bucket": apart.astype(np.uint32), "split": [NAMES[number] for number in chosen[apart]]}
    with store.writing("splits/all.parquet") as out:
        schema.write_table(schema.table(SPLITS, columns), out)
    return Result(counts, [out.written("splits/all.parquet")])


def bucket(split_keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    return (split_keys >> np.uint64(64 - _BITS)).astype(np.int64)


def fill(tokens: npt.NDArray[np.int64], wanted: dict[str, int]) -> npt.NDArray[np.int8]:
    """The number in NAMES of the split that each bucket goes to. A bucket goes to the first split that it brings nearer to its size."""
    chosen = np.zeros(len(tokens), np.int8)
    lacks = {NAMES.index(name): size for name, size in wanted.items() if size}
    for place in np.flatnonzero(tokens):
        for number, lack in lacks.items():
            if tokens[place] < 2 * lack:
                chosen[place] = number
                lacks[number] -= int(tokens[place])
                break
    return chosen


def splits_of(table: pa.Table, numbers: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The number in NAMES of the split that each sequence stands in; -1 for copies outside train, which stand in none.

    `table`: columns split_key and copy of `SEQUENCES`; `numbers`: those of `split_numbers`.
    """
    number = numbers[bucket(table["split_key"].to_numpy())]
    return np.where((number == NAMES.index(TRAIN)) | (table["copy"].to_numpy() == 0), number, -1).astype(np.int8)


def split_numbers(store: Store) -> npt.NDArray[np.int8]:
    """The number in NAMES of the split of each bucket, as it was chosen."""
    table = schema.read_table(store, "splits/all.parquet", SPLITS)
    numbers = np.zeros(1 << _BITS, np.int8)
    numbers[table["bucket"].to_numpy()] = [NAMES.index(name) for name in table["split"].to_pylist()]
    return numbers


STAGE = Stage("splits", 1, "documents", settings, units, work, on_documents=False)
