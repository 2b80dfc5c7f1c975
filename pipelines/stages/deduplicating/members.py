"""All that decides between the documents of groups, gathered and sorted by part: one unit is a block of files.

Each document's signature is carried once, to the part that its group lies in; where similarity is told exactly, so is the set of its
shingles, made of its text here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.dedup.normal import normalised
from seiryu.dedup.shingles import shingle_sets
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import read_stretch, write_by_place
from seiryu.pipelines.stages.deduplicating.copies import behind_between
from seiryu.pipelines.stages.deduplicating.numbering import (
    File,
    blocks_of_earlier,
    blocks_of_files,
    files,
    mean_letters,
    member_bytes,
    numbering,
    read_of,
    stores,
)
from seiryu.pipelines.stages.deduplicating.signatures import band_column, fixed, signature_schema
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

_ROW_GROUP = 1024


def members_schema(config: Config) -> pa.Schema:
    """Columns of a table of members."""
    cut = config.dedup.banding
    return pa.schema([
        *schema.MEMBERS,
        pa.field("keys", pa.binary(8 * cut.bands), nullable=False, metadata={"meaning": "keys of all bands, one after the other"}),
        pa.field("sketch", pa.binary(cut.num_perm), nullable=False, metadata={"meaning": "lowest byte of each value"}),
    ])  # fmt: skip


def units(state: State) -> list[Unit]:
    grouped, copied = state.completed("groups"), state.completed("copies")
    if not grouped or not state.counts("groups").extra["parts"]:
        return []
    inputs = numbering(state) | {
        "groups": identity(grouped), "copies": identity(copied), "signatures": identity(state.completed("signatures")),
    }  # fmt: skip
    most, everything = max(1, state.config.dedup.memory // member_bytes(state.config, mean_letters(state))), files(state)
    found = blocks_of_files((file for file in everything if not file.run), most) + blocks_of_earlier(everything, most)
    return [
        Unit("members", block.name, {"copies": len(copied), "first": block.first, "last": block.last}, inputs, reads=block.files)
        for block in found
    ]


def settings(config: Config) -> dict[str, Any]:
    return {"exact": config.dedup.verify == "exact"}


def work(unit: Unit, config: Config, store: Store) -> Result:
    first, last, groups = unit.params["first"], unit.params["last"], schema.GROUPS
    grouped = groups.empty_table()
    if first <= last:
        grouped = read_stretch(store, "groups/all.parquet", groups, groups.names, first, last)
    numbers = grouped["place"].to_numpy().astype(np.int64)
    places, earlier = stores(store, config), False
    tables = [schema.table(members_schema(config), {name: [] for name in members_schema(config).names})]
    for file in unit.reads:
        earlier |= file.run > 0
        begin, end = np.searchsorted(numbers, [file.first, file.first + file.rows])
        if begin < end:
            tables.append(_of_file(places, config, file, grouped.slice(begin, end - begin)))
    table = pa.concat_tables(tables)
    if not earlier and len(table):
        behind = behind_between(store, unit.params["copies"], first, last)
        table = table.set_column(table.schema.get_field_index("behind"), schema.MEMBERS.field("behind"), _behind(table, behind))
    table = table.take(pc.sort_indices(table, sort_keys=[("place", "ascending"), ("number", "ascending")]))
    counts = Counts(records=len(table), kept=len(table))
    return Result(counts, [write_by_place(store, f"members/{unit.name}.parquet", table, _ROW_GROUP, ["place", "run"])])


def _of_file(places: Sequence[Store], config: Config, file: File, grouped: pa.Table) -> pa.Table:
    """The members of one file. `grouped`: their rows of `schema.GROUPS`."""
    numbers = grouped["place"].to_numpy().astype(np.int64)
    signed = read_of(places, file, "signatures", signature_schema(config))
    row = signed["row"].to_numpy()
    wanted = numbers - file.first
    found = np.searchsorted(row, wanted)
    if len(row) <= found.max() or (row[found] != wanted).any():
        raise InputError(
            f"{places[file.run].path(f'signatures/{file.unit}.parquet')} is of other documents; delete it and run again"
        )
    signed = signed.take(pa.array(found))
    prints = read_of(places, file, "fingerprints", schema.FINGERPRINTS).take(pa.array(wanted))
    keys = np.stack([signed[band_column(band)].to_numpy() for band in range(config.dedup.banding.bands)], axis=1)
    exact = config.dedup.verify == "exact" and not file.run
    columns: dict[str, Any] = {
        "place": grouped["part"].to_numpy().astype(np.uint64), "group": grouped["group"].combine_chunks(),
        "number": numbers, "run": np.full(len(numbers), file.run, np.int8),
        "doc_id": signed["doc_id"].combine_chunks(), "priority": prints["priority"].combine_chunks(),
        "text": prints["text"].combine_chunks(), "address": prints["address"].combine_chunks(),
        "payload": prints["payload"].combine_chunks(), "behind": [[]] * len(numbers),
        "shingles": _sets(places[0], config, file, signed["doc_id"]) if exact else signed["shingles"].combine_chunks(),
        "keys": fixed(keys, keys.shape[1] * 8), "sketch": signed["sketch"].combine_chunks(),
    }  # fmt: skip
    return schema.table(members_schema(config), columns)


def _sets(store: Store, config: Config, file: File, doc_id: pa.ChunkedArray) -> pa.LargeListArray:
    """The sets of shingles of these documents' texts."""
    documents = schema.read_table(store, f"documents/{file.unit}.parquet", schema.DOCUMENTS, ["doc_id", "text"])
    texts = documents["text"].take(pc.index_in(doc_id, documents["doc_id"]))
    sets = shingle_sets(normalised(texts), config.dedup.shingle)
    return pa.LargeListArray.from_arrays(sets.starts, pa.array(sets.hashes))


def _behind(table: pa.Table, behind: pa.Table) -> pa.ListArray:
    """For each member the copies that stand behind it."""
    keeper, copies = behind["place"].to_numpy().astype(np.int64), behind["number"].to_numpy()
    number = table["number"].to_numpy()
    begin, end = np.searchsorted(keeper, number), np.searchsorted(keeper, number, side="right")
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(end - begin)])
    rows = np.arange(starts[-1]) + np.repeat(begin - starts[:-1], end - begin)
    return pa.ListArray.from_arrays(starts.astype(np.int32), pa.array(copies[rows]), schema.MEMBERS.field("behind").type)


STAGE = Stage("members", 2, "documents", settings, units, work, on_documents=False, may_be_empty=True)
