"""Which documents must be looked at together, dealt out to parts of bounded size: one unit, over all meetings.

Documents that no chain of meetings links cannot decide over each other (dedup/groups.py). It reads pairs of numbers only: 16 bytes a
document, and as many again for one that meets another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.groups import Groups, parts
from seiryu.dedup.meetings import Meetings
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import write_by_place
from seiryu.pipelines.stages.deduplicating.numbering import Bits, documents, files, mean_letters, member_bytes, read_meetings
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

_ROW_GROUP = 16_384


def units(state: State) -> list[Unit]:
    bands, crawled, copied = state.completed("bands"), state.completed("pages"), state.completed("copies")
    if not bands or not state.whole("bands"):
        return []
    everything = documents(files(state))
    params = {"documents": everything, "pages": len(crawled), "copies": len(copied), "partitions": state.config.dedup.partitions,
              "a_part": max(1, state.config.dedup.memory // member_bytes(state.config, mean_letters(state)))}  # fmt: skip
    inputs = {"bands": identity(bands), "pages": identity(crawled), "copies": identity(copied)}
    return [Unit("groups", "all", params, inputs, reads=tuple(bands))]


def settings(_: Config) -> dict[str, Any]:
    return {}


def work(unit: Unit, _: Config, store: Store) -> Result:
    groups = Groups(unit.params["documents"])
    for meetings in _meetings(store, unit):
        groups.add(meetings)
    roots = groups.roots()
    members, part, largest = parts(roots, unit.params["a_part"], unit.params["partitions"])
    table = schema.table(
        schema.GROUPS, {"place": members.astype(np.uint64), "group": roots[members].astype(np.int64), "part": part}
    )
    counts = Counts(records=len(roots), kept=len(roots))
    counts.extra |= {"members": len(members), "largest_group": largest, "parts": int(part.max(initial=-1)) + 1}
    return Result(counts, [write_by_place(store, "groups/all.parquet", table, _ROW_GROUP)])


def _meetings(store: Store, unit: Unit) -> Iterator[Meetings]:
    """In bands, and by address those that have not fallen as copies."""
    for name in unit.reads:
        yield read_meetings(store, f"bands/{name}.parquet")
    copied = Bits(unit.params["documents"])
    for part in range(unit.params["copies"]):
        table = schema.read_table(store, f"copies/{part:04d}.parquet", schema.COPIES, ["place"])
        copied.add(table["place"].to_numpy().astype(np.int64))
    for part in range(unit.params["pages"]):
        numbers, buckets = read_meetings(store, f"pages/{part:04d}.parquet")
        stays = ~copied.of(numbers)
        yield numbers[stays], buckets[stays]


STAGE = Stage("groups", 2, "documents", settings, units, work, on_documents=False)
