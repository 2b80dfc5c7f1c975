"""Copies: documents whose texts are the same, found before any signature is made. One unit is a stretch of all texts.

Of each text the best `dedup.copies` go on, and the others stand behind the first of them: whatever befalls it befalls them, for
they are as like to every other document as it is. Versions of a changed page (`pages`) count as the same only if their address is
too. What an earlier run holds comes first of all, so what has the text of one of its documents goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store, Written
from seiryu.dedup.bands import NO_KEY
from seiryu.dedup.digests import NONE, words
from seiryu.dedup.meetings import repeated
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import read_stretch, stretch, write_by_place
from seiryu.pipelines.stages.deduplicating.fingerprints import key
from seiryu.pipelines.stages.deduplicating.numbering import (
    Bits,
    File,
    documents,
    files,
    held,
    numbering,
    read_meetings,
    read_of,
    stores,
    stretches,
)
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

BYTES = 96  # a document
_ROW_GROUP = 4096
_ODD = np.uint64(0x9E3779B97F4A7C15)
_CLASS = ("bucket", "text", "page")  # documents that agree in all of these are copies


def units(state: State) -> list[Unit]:
    crawled, everything = state.completed("pages"), files(state)
    if not state.completed("fingerprints") or not state.whole("pages"):
        return []
    parts = stretches(state.config, documents(everything), BYTES)
    inputs = numbering(state) | {"pages": identity(crawled)}
    shared = {"parts": parts, "pages": len(crawled), "documents": documents(everything)}
    return [Unit("copies", f"{part:04d}", {"part": part, **shared}, inputs, reads=everything) for part in range(parts)]


def settings(config: Config) -> dict[str, Any]:
    return {"copies": config.dedup.copies}


def work(unit: Unit, config: Config, store: Store) -> Result:
    changed = Bits(unit.params["documents"])
    for part in range(unit.params["pages"]):
        changed.add(read_meetings(store, f"pages/{part:04d}.parquet")[0])
    first, last = stretch(unit.params["part"], unit.params["parts"])
    found: list[list[Any]] = [[np.empty(0, np.uint64)], [np.empty(0, np.int64)]]
    places = stores(store, config)
    for file in unit.reads:
        keys = _keys(places, file, changed)
        rows = np.flatnonzero((keys >= np.uint64(first)) & (keys <= np.uint64(last)))
        found[0].append(keys[rows])
        found[1].append(file.first + rows)
    keys, numbers = (np.concatenate(column) for column in found)
    meeting, buckets = repeated(keys)
    seen = len(numbers)
    numbers = numbers[meeting]
    del keys, meeting
    copies = _copies(_looked_up(unit, config, store, changed, numbers, buckets), config.dedup.copies)
    counts = Counts(records=seen, kept=seen)
    counts.extra["copies"] = len(copies)
    return Result(counts, _write(store, unit.name, copies))


def _keys(places: Sequence[Store], file: File, changed: Bits) -> npt.NDArray[np.uint64]:
    """What a file's documents are grouped by; NO_KEY for those that an earlier run has not kept."""
    table = read_of(places, file, "fingerprints", schema.FINGERPRINTS, ["text", "address", *(["doc_id"] if file.run else [])])
    text = key(table["text"])
    if file.run:
        return np.where(held(places, file, table["doc_id"]).to_numpy(zero_copy_only=False), text, NO_KEY)
    apart = changed.of(file.first + np.arange(len(text))) & (text != NO_KEY)
    return np.where(apart, text ^ key(table["address"]) * _ODD, text)


def _looked_up(
    unit: Unit, config: Config, store: Store, changed: Bits, numbers: npt.NDArray[np.int64], buckets: npt.NDArray[np.int64]
) -> pa.Table:
    """The documents that share a key with another, with all that decides between them."""
    order = np.argsort(numbers, kind="stable")
    numbers, buckets = numbers[order], buckets[order]
    places, parts = stores(store, config), []
    for file in unit.reads:
        begin, end = np.searchsorted(numbers, [file.first, file.first + file.rows])
        if begin == end:
            continue
        table = read_of(places, file, "fingerprints", schema.FINGERPRINTS).take(pa.array(numbers[begin:end] - file.first))
        here = pa.array(numbers[begin:end])
        apart = pa.array(changed.of(numbers[begin:end]) & (file.run == 0))
        page = pc.if_else(apart, table["address"].combine_chunks(), pa.scalar(NONE, schema.FINGERPRINTS.field("address").type))
        parts.append(
            pa.table({
                "number": here, "bucket": pa.array(buckets[begin:end]), "run": pa.array(np.full(end - begin, file.run, np.int8)),
                "doc_id": table["doc_id"], "priority": table["priority"], "text": table["text"], "page": page,
                "payload": table["payload"],
            })
        )  # fmt: skip
    return pa.concat_tables(parts) if parts else pa.table({})


def in_order(table: pa.Table, *before: str) -> pa.Int64Array:
    """Rows in order of priority: what earlier runs hold first; then the higher priority, the smaller doc_id, the earlier number."""
    run = table["run"].combine_chunks()
    turn = pc.if_else(pc.equal(run, 0), pa.scalar(127, pa.int8()), run)
    keys = [(name, "ascending") for name in (*before, "turn")]
    keys += [("priority", "descending"), ("doc_id", "ascending"), ("number", "ascending")]
    return pc.sort_indices(table.append_column("turn", turn), sort_keys=keys)


def _copies(table: pa.Table, copies: int) -> pa.Table:
    """Those of this run that have enough of their text before them, with the first of these."""
    if not len(table):
        return schema.table(schema.COPIES, {name: [] for name in schema.COPIES.names})
    for name in ("text", "page"):  # Arrow does not sort fixed binaries
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.binary()))
    table = table.take(in_order(table, *_CLASS)).combine_chunks()
    new = np.ones(len(table), np.bool_)
    new[1:] = False
    for name in _CLASS:
        column = table[name].combine_chunks()
        new[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    begins = np.flatnonzero(new)
    leader = begins[np.cumsum(new) - 1]
    rows = np.flatnonzero((np.arange(len(table)) - leader >= copies) & (table["run"].to_numpy() == 0))
    leaders = table.take(pa.array(leader[rows]))
    copied = table.take(pa.array(rows))
    same = (words(copied["payload"]) == words(leaders["payload"])).all(axis=1) & (words(copied["payload"])[:, 0] != NO_KEY)
    reason = np.where(leaders["run"].to_numpy() > 0, "in_earlier_run", np.where(same, "same_payload", "same_text"))
    columns = {
        "place": copied["number"].to_numpy().astype(np.uint64), "keeper": leaders["number"].combine_chunks(), "reason": reason,
        "duplicate_of": leaders["doc_id"].combine_chunks(), "run": leaders["run"].combine_chunks(),
    }  # fmt: skip
    return schema.table(schema.COPIES, columns)


def _write(store: Store, name: str, copies: pa.Table) -> list[Written]:
    """Twice: by the number of the copy, and by that of the document it stands behind, if it is of this run."""
    by_number = copies.take(pc.sort_indices(copies, sort_keys=[("place", "ascending")]))
    mine = by_number.filter(pc.equal(by_number["run"], 0))
    columns = {
        "place": mine["keeper"].cast(pa.uint64()).combine_chunks(),
        "number": mine["place"].cast(pa.int64()).combine_chunks(),
    }
    behind = schema.table(schema.BEHIND, columns)
    behind = behind.take(pc.sort_indices(behind, sort_keys=[("place", "ascending"), ("number", "ascending")]))
    return [
        write_by_place(store, f"copies/{name}.parquet", by_number, _ROW_GROUP),
        write_by_place(store, f"copies/{name}.behind.parquet", behind, _ROW_GROUP),
    ]


def copies_between(store: Store, parts: int, first: int, last: int) -> pa.Table:
    """The copies among the documents with these numbers."""
    wanted, names = schema.COPIES, [f"copies/{part:04d}.parquet" for part in range(parts)]
    return pa.concat_tables(read_stretch(store, name, wanted, wanted.names, first, last) for name in names)


def behind_between(store: Store, parts: int, first: int, last: int) -> pa.Table:
    """The copies that stand behind the documents with these numbers, by these numbers."""
    wanted, names = schema.BEHIND, [f"copies/{part:04d}.behind.parquet" for part in range(parts)]
    found = pa.concat_tables(read_stretch(store, name, wanted, wanted.names, first, last) for name in names)
    return found.take(pc.sort_indices(found, sort_keys=[("place", "ascending"), ("number", "ascending")]))


STAGE = Stage("copies", 1, "documents that pass", settings, units, work, on_documents=False)
