"""Texts as Parquet, a row a sequence, for Hugging Face datasets, torchtitan, DuckDB: with the ids beside them or without.

Row groups hold some 32 MB of text, so that a reader of one needs little memory. zstd, with checksums; the same bytes for the same
rows, whatever the batches are.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seiryu.corpus import schema
from seiryu.corpus.formats.megatron import misplaced
from seiryu.corpus.formats.shard import Batch, Format, Place, Vocabulary, missing, refuse_empty
from seiryu.corpus.storage import Store, Written

_ROW_GROUP = 32_000_000  # bytes of text in it, about
TEXTS = schema.schema_of(
    schema.DOC_ID,
    schema.URL,
    schema.HOST,
    schema.TITLE,
    ("text", pa.string(), "final text"),
    schema.CRAWL_DATE,
    schema.WARC,
    schema.OFFSET,
    schema.DIGEST,
    *schema.WEIGHED,
    ("tokens", pa.int32(), "length of its sequence in tokens, begin of text and end of document included"),
    ("copy", pa.int16(), "0, or the number of a further copy of a document that stands in train more than once"),
)
INPUT_IDS = pa.field(
    "input_ids",
    pa.list_(pa.field("item", pa.int32(), nullable=False)),
    nullable=False,
    metadata={"meaning": "token ids, begin of text and end of document included"},
)
TEXTS_AND_TOKENS = TEXTS.append(INPUT_IDS)


class ParquetWriter:
    """Writes row groups of about the same size, whatever the batches are."""

    def __init__(self, store: Store, place: Place, _: Vocabulary, files: ExitStack, *, folder: str) -> None:
        self._wanted = TEXTS_AND_TOKENS if folder == "parquet_tokens" else TEXTS
        self._name = f"shards/{folder}/{place.name}.parquet"
        self._file = files.enter_context(store.writing(self._name))
        parquet = pq.ParquetWriter(
            self._file, self._wanted, compression="zstd", compression_level=3, write_page_checksum=True,
            use_dictionary=["host", "warc", "contaminated", "duplicates", "copy"],
        )  # fmt: skip
        self._parquet = files.enter_context(parquet)
        self._held: list[pa.Table] = []
        self._size, self._rows = 0, 0

    def write(self, batch: Batch) -> None:
        assert batch.texts is not None
        sizes = np.cumsum(pc.binary_length(batch.texts).to_numpy())
        table, begin = table_of(batch, self._wanted), 0
        self._rows += len(table)
        while begin < len(table):
            before = int(sizes[begin - 1]) if begin else 0
            end = int(np.searchsorted(sizes, before + _ROW_GROUP - self._size))
            if end >= len(table):
                rest = table.slice(begin)
                self._held.append(rest.take(pa.array(np.arange(len(rest)))))  # a copy, or the whole batch would stay
                self._size += int(sizes[-1]) - before
                return
            self._held.append(table.slice(begin, end + 1 - begin))
            self._flush()
            begin = end + 1

    def _flush(self) -> None:
        whole = pa.concat_tables(self._held).combine_chunks()
        self._parquet.write_table(whole, row_group_size=max(1, len(whole)))
        self._held, self._size = [], 0

    def finish(self) -> None:
        refuse_empty(self._rows)
        if self._held:
            self._flush()
        self._parquet.close()

    def written(self) -> list[Written]:
        return [self._file.written(self._name)]


def table_of(batch: Batch, wanted: pa.Schema) -> pa.Table:
    """The rows of a batch as a table of texts, with ids if `wanted` has them."""
    columns: dict[str, Any] = {
        name: batch.rows[name].combine_chunks() for name in wanted.names if name in batch.rows.column_names
    }
    columns["text"] = batch.texts.cast(pa.string()) if batch.texts is not None else None
    if "input_ids" in wanted.names:
        offsets = np.concatenate([np.zeros(1, np.int32), batch.ends().astype(np.int32)])
        columns["input_ids"] = pa.ListArray.from_arrays(offsets, batch.tokens.astype(np.int32, copy=False), type=INPUT_IDS.type)
    return schema.table(wanted, columns)


def _verify(store: Store, place: Place, vocabulary: Vocabulary, lengths: npt.NDArray[np.int64], *, folder: str) -> list[str]:
    name = f"shards/{folder}/{place.name}.parquet"
    if gone := missing(store, [name]):
        return gone
    path, done, wanted = store.path(name), 0, TEXTS_AND_TOKENS if folder == "parquet_tokens" else TEXTS
    try:
        with store.open(name) as file:
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
            if not parquet.schema_arrow.equals(wanted):
                return [f"{path}: its columns are not those of this version"]
            for group in range(parquet.num_row_groups):
                table = parquet.read_row_group(group, use_threads=False)
                here = lengths[done : done + len(table)]
                if not np.array_equal(table["tokens"].to_numpy(), here):
                    return [f"{path}: its lengths are not those of its provenance"]
                done += len(table)
                if folder == "parquet_tokens" and (wrong := _ids(table["input_ids"], here, vocabulary)):
                    return [f"{path}: {wrong}"]
    except (pa.ArrowException, OSError, ValueError) as error:
        return [f"{path} is damaged and cannot be read: {' '.join(str(error).split())}"]
    return [] if done == len(lengths) else [f"{path}: {done:,} rows, its provenance has {len(lengths):,}"]


def _ids(ids: pa.ChunkedArray, lengths: npt.NDArray[np.int64], vocabulary: Vocabulary) -> str:
    if not np.array_equal(pc.list_value_length(ids).to_numpy(), lengths):
        return "its lists of ids have other lengths than it says"
    flat = np.concatenate([np.empty(0, np.int32), *(chunk.flatten().to_numpy() for chunk in ids.chunks)])
    wrong = misplaced(flat, 0, np.cumsum(lengths) - 1, vocabulary)
    return ", ".join(f"{len(places):,} {what}" for what, places in wrong.items() if len(places))


def _format(folder: str) -> Format:
    return Format(folder, needs_text=True, open=partial(ParquetWriter, folder=folder), verify=partial(_verify, folder=folder))


FORMAT, FORMAT_WITH_TOKENS = _format("parquet"), _format("parquet_tokens")
