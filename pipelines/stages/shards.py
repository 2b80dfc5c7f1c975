"""Token ids in, shards in every format out, with the provenance of every sequence: one unit is one shard.

A shard is a stretch of the global order of its split: shard i of n holds the hashes in [i, i+1) / n. Of each file of tokens the rows of
that stretch are read, some 300 bytes a sequence; then ids, and texts if a format asks for them, are gathered in smaller stretches,
written to all formats at once, and forgotten. So memory grows with the sequences of a shard, and not with the number of files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seiryu.corpus import schema
from seiryu.corpus.formats import FORMATS
from seiryu.corpus.formats.shard import Batch, Place, check
from seiryu.corpus.gathering import gather
from seiryu.corpus.shard_schema import PROVENANCE, SEQUENCES, TAKEN_DOWN
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import tokenizer
from seiryu.pipelines.places import read_stretch_of, stretch
from seiryu.pipelines.stages.splits import NAMES, split_numbers, splits_of
from seiryu.pipelines.stages.tokenize import vocabulary, with_texts
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit, digest

# Tokens gathered at once: 64 M are 256 MB.
_STRETCH = 1 << 26
_HELD = 256  # tables of one file each, until they are one
_NARROW = ("shuffle_key", "split_key", "copy", "start", "tokens", "doc_id", "url", "warc", "warc_offset", "payload_digest")
_ORDER = [("shuffle_key", "ascending"), ("doc_id", "ascending"), ("copy", "ascending")]


def units(state: State) -> list[Unit]:
    files, chosen = state.completed("tokenize"), state.completed("splits")
    if not chosen or not state.whole("splits", "takedown"):
        return []
    sizes, reads = state.counts("splits").extra, tuple(files)
    inputs = {"tokens": identity(files), "splits": identity(chosen)}
    taken, made = _taken_down(state), []
    for split in NAMES:
        tokens = sizes[f"tokens.{split}"]
        shards = max(1, round(tokens / state.config.shards.tokens)) if tokens else 0
        for index in range(shards):
            gone = _of_shard(taken[split], index, shards) if taken else []
            params = {"split": split, "index": index, "shards": shards}
            more = {"taken_down": digest(gone)} if gone else {}
            made.append(Unit("shards", Place(split, index, shards).name, params, inputs | more, reads=reads))
    return made


def _taken_down(state: State) -> dict[str, pa.Table]:
    """What is taken down of each split, in the global order; empty if nothing is in this run."""
    if not state.completed("takedown"):
        return {}
    return _by_split(state.store)


def _by_split(store: Store) -> dict[str, pa.Table]:
    table = schema.read_table(store, "takedown/all.parquet", TAKEN_DOWN)
    return {split: table.filter(pc.equal(table["split"], split)).combine_chunks() for split in NAMES}


def _of_shard(taken: pa.Table, index: int, shards: int) -> list[list[Any]]:
    """(doc_id, copy) of what is taken out of a shard. `taken`: of its split."""
    first, last = stretch(index, shards)
    key = taken["shuffle_key"].to_numpy()
    begin, end = np.searchsorted(key, np.uint64(first)), np.searchsorted(key, np.uint64(last), side="right")
    rows = taken.slice(begin, end - begin)
    return [[doc_id, copy] for doc_id, copy in zip(rows["doc_id"].to_pylist(), rows["copy"].to_pylist(), strict=True)]


def settings(config: Config) -> dict[str, Any]:
    known = vocabulary(config)
    return {"formats": list(config.shards.formats), "tokenizer": tokenizer(config.tokenize).sha256, "name": known.name}


def work(unit: Unit, config: Config, store: Store) -> Result:
    place = Place(unit.params["split"], unit.params["index"], unit.params["shards"])
    rows = _rows(store, unit.reads, place, texts=with_texts(config))
    counts = Counts(records=len(rows))
    if "taken_down" in unit.inputs:
        rows = _without(rows, _of_shard(_by_split(store)[place.split], place.index, place.of))
        counts.rejected["taken_down"] = counts.records - len(rows)
    counts.kept = len(rows)
    if not len(rows):  # nobody can open an empty shard
        return Result(counts, [])
    beside, known, done = f"provenance/{place.name}.parquet", vocabulary(config), 0
    with ExitStack() as files:
        writers = [FORMATS[name].open(store, place, known, files) for name in config.shards.formats]
        beside_file = files.enter_context(store.writing(beside))
        provenance = files.enter_context(pq.ParquetWriter(beside_file, PROVENANCE, compression="zstd", compression_level=3))
        for batch in _batches(store, unit.reads, rows, known.dtype, texts=with_texts(config)):
            check(batch, known, done)
            for writer in writers:
                writer.write(batch)
            named = {name: batch.rows[name].combine_chunks() for name in PROVENANCE.names if name != "sequence"}
            provenance.write_table(schema.table(PROVENANCE, named | {"sequence": np.arange(done, done + len(batch))}))
            done += len(batch)
            counts.extra["tokens"] += len(batch.tokens)
        for writer in writers:
            writer.finish()
    return Result(counts, [*(file for writer in writers for file in writer.written()), beside_file.written(beside)])


def _rows(store: Store, files: tuple[str, ...], place: Place, *, texts: bool) -> pa.Table:
    """The rows of a shard in the global order, with the number of the file that each is from."""
    columns = SEQUENCES.names if texts else list(_NARROW)
    first, last = stretch(place.index, place.of)
    numbers, wanted = split_numbers(store), NAMES.index(place.split)
    found = []
    for number, name in enumerate(files):
        table = read_stretch_of(store, f"tokens/{name}.parquet", SEQUENCES, "shuffle_key", columns, first, last)
        table = table.filter(pa.array(splits_of(table, numbers) == wanted))
        table = table.set_column(table.schema.get_field_index("warc"), "warc", table["warc"].dictionary_encode())
        found.append(_large(table).append_column("file", pa.array(np.full(len(table), number, np.int32))))
        if len(found) > _HELD:
            found = [pa.concat_tables(found).unify_dictionaries().combine_chunks()]
    return pa.concat_tables(found).unify_dictionaries().sort_by(_ORDER)


def _large(table: pa.Table) -> pa.Table:
    """The same with room for more than 2 GiB in a column of texts, as a shard of very many sequences has."""
    fields = [field.with_type(pa.large_string()) if field.type == pa.string() else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _without(rows: pa.Table, gone: list[list[Any]]) -> pa.Table:
    """The rows but for these copies of these documents."""
    copies = dict.fromkeys((doc_id, copy) for doc_id, copy in gone)
    near = pc.is_in(rows["doc_id"], pa.array([doc_id for doc_id, _ in copies])).to_numpy()
    for row in np.flatnonzero(near):
        near[row] = (rows["doc_id"][row].as_py(), rows["copy"][row].as_py()) in copies
    return rows.filter(pa.array(~near))


def _batches(store: Store, files: tuple[str, ...], rows: pa.Table, dtype: np.dtype[Any], *, texts: bool) -> Iterator[Batch]:
    """The sequences of these rows, at most `_STRETCH` tokens at once."""
    ends = np.cumsum(rows["tokens"].to_numpy().astype(np.int64))
    begin = 0
    while begin < len(rows):
        before = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + _STRETCH, side="right")))
        part = rows.slice(begin, end - begin)
        part = part.cast(pa.schema([*(SEQUENCES.field(name) for name in part.column_names[:-1]), part.schema.field("file")]))
        lengths = part["tokens"].to_numpy().astype(np.int64)
        tokens = _gathered(store, files, part, "ids", part["start"].to_numpy() * dtype.itemsize, lengths * dtype.itemsize).view(
            dtype
        )
        yield Batch(tokens, lengths, part, _text(store, files, part) if texts else None)
        begin = end


def _text(store: Store, files: tuple[str, ...], part: pa.Table) -> pa.Array:
    sizes = part["text_bytes"].to_numpy()
    letters = _gathered(store, files, part, "txt", part["text_start"].to_numpy(), sizes)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return pa.LargeStringArray.from_buffers(len(sizes), pa.py_buffer(offsets), pa.py_buffer(letters))


def _gathered(
    store: Store, files: tuple[str, ...], part: pa.Table, suffix: str, starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """The bytes of all rows one after the other."""
    targets = np.cumsum(sizes) - sizes
    whole = np.empty(int(sizes.sum()), np.uint8)
    numbers = part["file"].to_numpy()
    order = np.lexsort((starts, numbers))
    cuts = np.flatnonzero(np.diff(numbers[order])) + 1
    for mine in np.split(order, cuts) if len(order) else []:
        gather(store, f"tokens/{files[numbers[mine[0]]]}.{suffix}", starts[mine], sizes[mine], whole, targets[mine])
    return whole


STAGE = Stage("shards", 3, "sequences", settings, units, work, lambda _: ("taken_down",))
