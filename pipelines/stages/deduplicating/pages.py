"""Pages that were crawled again and had changed: documents of one address with different texts. One unit is a stretch of all addresses.

They are duplicates whatever their texts, so they meet here as others do in a band, and may not be taken for copies of another page by
their text alone: of two pages with one text, the one may fall to its newer version and the other not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.bands import NO_KEY
from seiryu.dedup.meetings import Meetings, repeated
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import stretch
from seiryu.pipelines.stages.deduplicating.fingerprints import key
from seiryu.pipelines.stages.deduplicating.numbering import documents, files, stretches, write_meetings
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

BYTES = 72  # a document


def wanted(config: Config) -> bool:
    return config.dedup.same_address


def units(state: State) -> list[Unit]:
    mine = tuple(file for file in files(state) if not file.run)
    parts = stretches(state.config, documents(mine), BYTES) if mine else 0
    inputs = {"fingerprints": identity(state.completed("fingerprints"))}
    return [Unit("pages", f"{part:04d}", {"part": part, "parts": parts}, inputs, reads=mine) for part in range(parts)]


def settings(_: Config) -> dict[str, Any]:
    return {}


def work(unit: Unit, _: Config, store: Store) -> Result:
    first, last = stretch(unit.params["part"], unit.params["parts"])
    found: list[list[Any]] = [[np.empty(0, np.uint64)], [np.empty(0, np.int64)], [np.empty(0, np.uint64)]]
    for file in unit.reads:
        table = schema.read_table(store, f"fingerprints/{file.unit}.parquet", schema.FINGERPRINTS, ["address", "text"])
        address = key(table["address"])
        rows = np.flatnonzero((address >= np.uint64(first)) & (address <= np.uint64(last)))
        for column, values in zip(found, (address[rows], file.first + rows, key(table["text"])[rows]), strict=True):
            column.append(values)
    addresses, numbers, texts = (np.concatenate(column) for column in found)
    rows, buckets = _changed(repeated(addresses), texts)
    counts = Counts(records=len(numbers), kept=len(numbers))
    counts.extra["meeting"] = len(rows)
    return Result(counts, [write_meetings(store, f"pages/{unit.name}.parquet", (numbers[rows], buckets))])


def _changed(meetings: Meetings, texts: Any) -> Meetings:
    """Only the buckets whose texts are not all the same; two without letters are not the same."""
    rows, buckets = meetings
    if not len(rows):
        return meetings
    starts = np.flatnonzero(np.diff(buckets, prepend=-1))
    low, high = np.minimum.reduceat(texts[rows], starts), np.maximum.reduceat(texts[rows], starts)
    changed = ((low != high) | (high == NO_KEY))[buckets]
    return rows[changed], buckets[changed]


STAGE = Stage("pages", 1, "documents that pass", settings, units, work, on_documents=False, wanted=wanted)
