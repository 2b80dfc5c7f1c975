"""Token ids in, Megatron's .bin and .idx out, with the provenance of every sequence: one unit is one shard.

A shard is a stretch of the global order: shard i of n holds the hashes in [i, i+1) / n. It is written in smaller stretches, each
gathered from all files, sorted and appended, so memory does not grow with the size of a shard or the number of files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seiryu.corpus import schema
from seiryu.corpus.megatron import write_shard
from seiryu.corpus.storage import HashingFile, Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import tokenizer
from seiryu.pipelines.stages.tokenize import SPLITS
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

# Tokens gathered at once: 64 M are 256 MB, and as much again while they are sorted.
_STRETCH = 1 << 26


def units(state: State) -> list[Unit]:
    files = state.completed("tokenize")
    counts, inputs = state.counts("tokenize"), {"tokens": identity(files)}
    made = []
    for split in SPLITS:
        tokens = counts.extra[f"tokens.{split}"]
        shards = max(1, round(tokens / state.config.tokenize.shard_tokens)) if tokens else 0
        for index in range(shards):
            stretches = max(1, math.ceil(tokens / shards / _STRETCH))
            params = {"split": split, "index": index, "shards": shards, "stretches": stretches, "files": list(files)}
            made.append(Unit("shards", shard_name(split, index, shards), params, inputs))
    return made


def shard_name(split: str, index: int, shards: int) -> str:
    return f"{split}-{index:05d}-of-{shards:05d}"


def settings(config: Config) -> dict[str, Any]:
    return {"tokenizer": tokenizer(config.tokenize.tokenizer).sha256}


def work(unit: Unit, config: Config, store: Store) -> Result:
    loaded = tokenizer(config.tokenize.tokenizer)
    names = [f"shards/{unit.name}.bin", f"shards/{unit.name}.idx", f"provenance/{unit.name}.parquet"]
    with (
        store.writing(names[0]) as binary,
        store.writing(names[1]) as index,
        store.writing(names[2]) as beside,
        pq.ParquetWriter(beside, schema.PROVENANCE, compression="zstd", compression_level=3) as provenance,
    ):
        documents = _sequences(unit, store, provenance)
        summary = write_shard(binary, index, documents, vocab_size=loaded.vocab_size, eod=loaded.eod)
    counts = Counts(records=summary.sequences, kept=summary.sequences)
    counts.extra["tokens"] = summary.tokens
    files: list[HashingFile] = [binary, index, beside]
    return Result(counts, [file.written(name) for file, name in zip(files, names, strict=True)])


def _sequences(unit: Unit, store: Store, provenance: pq.ParquetWriter) -> Iterator[Any]:
    """The shard's documents in their order; each stretch of provenance is written when its documents are handed over."""
    params, done = unit.params, 0
    pieces = params["shards"] * params["stretches"]
    for piece in range(params["index"] * params["stretches"], (params["index"] + 1) * params["stretches"]):
        low, high = piece * 2**64 // pieces, (piece + 1) * 2**64 // pieces - 1
        rows = _stretch(store, [f"tokens/{name}.{params['split']}.parquet" for name in params["files"]], low, high)
        lengths = pc.add(pc.list_value_length(rows["tokens"]), 1).cast(pa.int32())
        columns = {name: rows[name].combine_chunks() for name in ("doc_id", "url", "warc", "warc_offset")}
        columns |= {"sequence": np.arange(done, done + len(rows)), "tokens": lengths.combine_chunks()}
        provenance.write_table(schema.table(schema.PROVENANCE, columns))
        done += len(rows)
        for tokens in rows["tokens"]:
            yield tokens.values.to_numpy()


def _stretch(store: Store, files: list[str], low: int, high: int) -> pa.Table:
    """Rows with low <= shuffle_key <= high of all files, in the global order.

    Only row groups that may hold some are read; of a small file that is all of it.
    """
    found = [schema.TOKENS.empty_table()]
    for name in files:
        with store.open(name) as file:
            parquet = pq.ParquetFile(file)
            for group in range(parquet.num_row_groups):
                statistics = parquet.metadata.row_group(group).column(0).statistics
                if statistics is None or statistics.min > high or statistics.max < low:
                    continue
                rows = parquet.read_row_group(group, use_threads=False).cast(schema.TOKENS)
                keys = rows["shuffle_key"]
                inside = pc.and_(
                    pc.greater_equal(keys, pa.scalar(low, pa.uint64())), pc.less_equal(keys, pa.scalar(high, pa.uint64()))
                )
                found.append(rows.filter(inside))
    return pa.concat_tables(found).sort_by([("shuffle_key", "ascending"), ("doc_id", "ascending")])


STAGE = Stage("shards", 1, "sequences", settings, units, work)
