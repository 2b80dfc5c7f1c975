"""Texts and other columns of single documents, for the few that a person looks at."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from seiryu.corpus import schema
from seiryu.corpus.damage import reading
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.state import State


def documents_at(state: State, places: Sequence[tuple[str, int]], columns: Sequence[str] = ("text",)) -> list[dict[str, Any]]:
    """Columns of documents/ for (unit, row), in the order asked. Only the row groups that hold them are read."""
    rows_of: dict[str, list[int]] = {}
    for unit, row in places:
        rows_of.setdefault(unit, []).append(row)
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for unit, rows in rows_of.items():
        wanted = sorted(set(rows))
        for row, document in zip(wanted, _rows(state.store, f"documents/{unit}.parquet", wanted, list(columns)), strict=True):
            found[unit, row] = document
    return [found[unit, row] for unit, row in places]


def _rows(store: Store, name: str, rows: list[int], columns: list[str]) -> list[dict[str, Any]]:
    """Rows by their number, which rise. InputError if the table is damaged or has fewer."""
    try:
        opened = store.open(name)
    except FileNotFoundError as error:
        raise InputError(f"{store.path(name)} is not there; run again") from error
    with reading(store.path(name)), opened as file:
        parquet = pq.ParquetFile(file)
        found: list[dict[str, Any]] = []
        begin = 0
        for group in range(parquet.metadata.num_row_groups):
            end = begin + parquet.metadata.row_group(group).num_rows
            if mine := [row - begin for row in rows if begin <= row < end]:
                found += parquet.read_row_group(group, columns=columns).take(mine).select(columns).to_pylist()
            begin = end
    if len(found) != len(rows):
        raise InputError(f"{store.path(name)} has only {begin:,} rows; run `seiryu verify`")
    return found


def final_text(store: Store, unit: str, doc_id: str) -> str | None:
    """The text of a document in the corpus; None if it is not there."""
    table = schema.read_table(store, f"corpus/{unit}.parquet", schema.CORPUS, ["doc_id", "text"])
    place = pc.index(table["doc_id"], doc_id).as_py()
    return None if place < 0 else str(table["text"][place].as_py())


def search_texts(state: State, words: str, first: int, most: int, seconds: float) -> tuple[list[str], int, int]:
    """doc_ids of documents whose text holds these letters as they are, from the `first`-th archive on.

    Archives are read in the order of their names until `most` are found or the time is up, each of them to its end: there are just so
    many in those that were searched. (doc_ids, archives searched, all archives)
    """
    units = list(state.completed("decide"))
    end, found, searched = time.monotonic() + seconds, list[str](), 0
    for unit in units[first:]:
        if len(found) >= most or (searched and time.monotonic() > end):
            break
        table = schema.read_table(state.store, f"documents/{unit}.parquet", schema.DOCUMENTS, ["doc_id", "text"])
        found += table.filter(pc.match_substring(table["text"], words))["doc_id"].to_pylist()
        searched += 1
    return found, searched, len(units)
