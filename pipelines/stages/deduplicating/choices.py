"""Which of several near-duplicates stays: one unit is a part, whole groups of documents that meet.

Goes through the documents in order of priority and keeps one unless a kept one is its duplicate (dedup/select.py). What stands behind a
document that goes, goes with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.bands import NO_KEY
from seiryu.dedup.digests import words
from seiryu.dedup.select import Candidates, Choice, select
from seiryu.dedup.shingles import Sets
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import read_stretch, write_by_place
from seiryu.pipelines.stages.deduplicating.copies import in_order
from seiryu.pipelines.stages.deduplicating.members import members_schema
from seiryu.pipelines.stages.deduplicating.signatures import unfixed
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

_ROW_GROUP = 4096


def units(state: State) -> list[Unit]:
    gathered = state.completed("members") if state.whole("members") else {}
    inputs, reads = {"members": identity(gathered)}, tuple(gathered)
    parts = state.counts("groups").extra["parts"] if gathered else 0
    return [Unit("choices", f"{part:05d}", {"part": part}, inputs, reads=reads) for part in range(parts)]


def settings(config: Config) -> dict[str, Any]:
    return {"threshold": threshold(config), "copies": config.dedup.copies, "same_address": config.dedup.same_address}


def threshold(config: Config) -> float:
    """The similarity that makes documents that meet duplicates."""
    return config.dedup.threshold if config.dedup.verify != "none" else 0.0


def work(unit: Unit, config: Config, store: Store) -> Result:
    part, wanted = unit.params["part"], members_schema(config)
    members = pa.concat_tables(
        read_stretch(store, f"members/{block}.parquet", wanted, wanted.names, part, part) for block in unit.reads
    )
    order = in_order(members).to_numpy().astype(np.int64)
    candidates = _candidates(members, config)
    members = members.select(["number", "group", "run", "doc_id", "text", "address", "payload", "behind"])
    choice = select(order, candidates, threshold(config), config.dedup.copies)
    table = _decisions(members, choice, candidates.addresses)
    counts = Counts(records=len(members), kept=len(members))
    counts.extra["removed"] = int((choice.survivor != np.arange(len(members))).sum())
    return Result(counts, [write_by_place(store, f"choices/{unit.name}.parquet", table, _ROW_GROUP)])


def _candidates(members: pa.Table, config: Config) -> Candidates:
    held = members["run"].to_numpy() > 0
    addresses = words(members["address"])
    if not config.dedup.same_address:
        addresses = np.full_like(addresses, ~np.uint64(0))
    addresses[held] = ~np.uint64(0)  # a page that has changed since is not what the earlier run holds
    lengths = pc.list_value_length(members["shingles"]).to_numpy().astype(np.int64)
    hashes = [np.empty(0, np.uint32), *(chunk.flatten().to_numpy() for chunk in members["shingles"].chunks)]
    sets = Sets(np.concatenate(hashes), np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]))
    return Candidates(unfixed(members["keys"], np.uint64), unfixed(members["sketch"], np.uint8), sets, addresses, held)


def _decisions(members: pa.Table, choice: Choice, addresses: npt.NDArray[np.uint64]) -> pa.Table:
    """What becomes of each member of this run, and of those that stand behind them: `schema.CHOICES`, by number."""
    own = np.arange(len(members))
    removed, near = choice.survivor != own, choice.nearest != own
    reason = _reasons(members, choice.nearest, addresses)
    behind = members["behind"].combine_chunks()
    copies = pc.list_value_length(behind).to_numpy(zero_copy_only=False).astype(np.int64)
    # A copy falls to what its twin is nearest to, or else to its twin, as `copies` has said already.
    followers = np.flatnonzero(near & (copies > 0))
    went = np.bincount(choice.survivor[removed], minlength=len(members))
    went += np.bincount(choice.nearest, weights=copies, minlength=len(members)).astype(np.int64)
    mine = np.flatnonzero(members["run"].to_numpy() == 0)
    rows = np.concatenate([mine, np.repeat(followers, copies[followers])])
    numbers = np.concatenate([members["number"].to_numpy()[mine], behind.take(pa.array(followers)).flatten().to_numpy()])
    lost = np.concatenate([removed[mine], np.ones(len(rows) - len(mine), np.bool_)])
    keeper = members.select(["doc_id", "run"]).take(pa.array(choice.nearest[rows]))
    columns = {
        "place": pa.array(numbers.astype(np.uint64)),
        "reason": np.where(lost, reason[rows], ""),
        "duplicate_of": pc.if_else(pa.array(lost), keeper["doc_id"].combine_chunks(), ""),
        "run": np.where(lost, keeper["run"].to_numpy(), 0).astype(np.int8),
        "similarity": np.where(lost, choice.similarity[rows], 0).astype(np.float32),
        "duplicates": np.where(lost, 0, went[rows]).astype(np.int32),
        "cluster": _clusters(members).take(pa.array(rows)),
    }
    table = schema.table(schema.CHOICES, columns)
    return table.take(pc.sort_indices(table, sort_keys=[("place", "ascending")]))


def _clusters(members: pa.Table) -> pa.Array:
    """The doc_id of the first document of each member's group. A group is never divided, so it is a member too."""
    return members["doc_id"].take(pc.index_in(members["group"], members["number"])).combine_chunks()


def _reasons(members: pa.Table, nearest: npt.NDArray[np.int64], addresses: npt.NDArray[np.uint64]) -> Any:
    """Why each is a duplicate of the nearest. `addresses`: those that count."""
    keepers = pa.array(nearest)

    def same(values: npt.NDArray[np.uint64]) -> Any:
        return (values == values[nearest]).all(axis=1) & (values[:, 0] != NO_KEY)

    same_text = same(words(members["text"]))
    names = {
        "in_earlier_run": members["run"].take(keepers).to_numpy() > 0,
        "same_payload": same_text & same(words(members["payload"])),
        "same_text": same_text,
        "same_address": same(addresses),
    }
    return np.select(list(names.values()), list(names), "near_duplicate")


STAGE = Stage("choices", 2, "documents", settings, units, work, on_documents=False, may_be_empty=True)
