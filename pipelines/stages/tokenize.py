"""Final documents in, token ids out, each document at its place in the global order: one unit is one corpus file.

The order is that of a keyed hash of the doc_id, so it is the same for any number of files and workers; so is the choice for
validation. Rows lie sorted by that hash, so that a shard reads only its own stretch of every file.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import tokenizer
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit

SPLITS = ("train", "validation")
# Rows a shard reads at once: small, because it wants a short stretch of every file.
_ROW_GROUP = 256


def units(state: State) -> list[Unit]:
    return [Unit("tokenize", name, {}, {"corpus": done.digest}) for name, done in state.completed("clean").items()]


def settings(config: Config) -> dict[str, Any]:
    chosen = config.tokenize
    loaded = tokenizer(chosen.tokenizer)
    return {"tokenizer": loaded.sha256, "eod": loaded.eod, "validation_share": chosen.validation_share, "seed": chosen.seed}


def shuffle_key(doc_id: str, seed: str) -> int:
    """Place of a document in the global order: the first 64 bits of BLAKE2b of its doc_id, keyed with the seed."""
    return int.from_bytes(_hash(doc_id, seed, b"order"), "big")


def split_of(doc_id: str, seed: str, validation_share: float) -> str:
    """train or validation, by another such hash."""
    return "validation" if int.from_bytes(_hash(doc_id, seed, b"split"), "big") < validation_share * 2**64 else "train"


def _hash(doc_id: str, seed: str, what: bytes) -> bytes:
    key = hashlib.blake2b(seed.encode(), digest_size=32).digest()
    return hashlib.blake2b(doc_id.encode(), digest_size=8, key=key, person=what).digest()


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents = schema.read_table(
        store, f"corpus/{unit.name}.parquet", schema.CORPUS, ["doc_id", "url", "warc", "warc_offset", "text"]
    )
    seed, share = config.tokenize.seed, config.tokenize.validation_share
    ids = documents["doc_id"].to_pylist()
    keys = np.array([shuffle_key(doc_id, seed) for doc_id in ids], np.uint64)
    splits = np.array([split_of(doc_id, seed, share) for doc_id in ids], dtype=np.str_)
    order = sorted(range(len(ids)), key=lambda row: (keys[row], ids[row]))
    loaded = tokenizer(config.tokenize.tokenizer)
    tokens = loaded.encode_batch(documents["text"].to_pylist())
    counts, outputs = Counts(records=len(ids), kept=len(ids)), []
    for split in SPLITS:
        rows = [row for row in order if splits[row] == split]
        counts.extra[f"sequences.{split}"] = len(rows)
        counts.extra[f"tokens.{split}"] = sum(len(tokens[row]) + 1 for row in rows)
        picked = documents.take(pa.array(rows, pa.int64()))
        columns = {name: picked[name].combine_chunks() for name in ("doc_id", "url", "warc", "warc_offset")}
        columns |= {"shuffle_key": keys[rows], "tokens": _lists([tokens[row] for row in rows])}
        target = f"tokens/{unit.name}.{split}.parquet"
        with store.writing(target) as out:
            pq.write_table(schema.table(schema.TOKENS, columns), out, compression="zstd", row_group_size=_ROW_GROUP)
        outputs.append(out.written(target))
    return Result(counts, outputs)


def _lists(arrays: list[Any]) -> pa.Array:
    """Token ids as one Arrow column of lists, without a Python object for each id."""
    offsets = np.cumsum([0, *(len(array) for array in arrays)], dtype=np.int32)
    values = np.concatenate([np.empty(0, np.int32), *arrays])
    return pa.ListArray.from_arrays(offsets, values, type=schema.TOKENS.field("tokens").type)


STAGE = Stage("tokenize", 1, "documents", settings, units, work)
