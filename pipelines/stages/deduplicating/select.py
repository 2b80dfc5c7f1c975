"""The verdict on each document, file by file, with the kept one that a removed one is a duplicate of: one unit is a block of files."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from seiryu.corpus import schema
from seiryu.corpus.storage import Store, Written
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import read_stretch
from seiryu.pipelines.stages.deduplicating.copies import behind_between, copies_between
from seiryu.pipelines.stages.deduplicating.numbering import File, blocks_of_files, files
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

_BYTES = 400  # a document
REASONS = ("same_payload", "same_text", "same_address", "near_duplicate", "in_earlier_run")


def units(state: State) -> list[Unit]:
    copied, grouped, chosen = (state.completed(name) for name in ("copies", "groups", "choices"))
    if not grouped or not state.whole("copies", "choices") or len(chosen) < state.counts("groups").extra["parts"]:
        return []
    inputs = {"fingerprints": identity(state.completed("fingerprints")), "copies": identity(copied), "choices": identity(chosen)}
    params = {"copies": len(copied), "choices": len(chosen)}
    mine = [file for file in files(state) if not file.run]
    found = blocks_of_files(mine, max(1, state.config.dedup.memory // _BYTES))
    return [Unit("select", block.name, params, inputs, reads=block.files) for block in found]


def settings(_: Config) -> dict[str, Any]:
    return {}


def work(unit: Unit, _: Config, store: Store) -> Result:
    block: tuple[File, ...] = unit.reads
    decided = _decided(store, unit.params, block[0].first, block[-1].last)
    counts, outputs = Counts(), []
    for file in block:
        prints = schema.read_table(store, f"fingerprints/{file.unit}.parquet", schema.FINGERPRINTS, ["doc_id", "letters"])
        begin = file.first - block[0].first
        columns = {name: values[begin : begin + file.rows] for name, values in decided.items()}
        kept, met = columns["verdict"] == "kept", columns["cluster"] != ""
        columns["cluster"] = np.where(kept, np.where(met, columns["cluster"], prints["doc_id"].to_numpy()), "")
        outputs.append(_write(store, file.unit, {"doc_id": prints["doc_id"].combine_chunks(), **columns}))
        _count(counts, columns["verdict"], prints["letters"].to_numpy())
    return Result(counts, outputs)


def _decided(store: Store, params: dict[str, Any], first: int, last: int) -> dict[str, Any]:
    """Columns of `schema.DECISIONS` for the documents with these numbers."""
    n = last - first + 1
    columns: dict[str, Any] = {
        "verdict": np.full(n, "kept", object), "duplicate_of": np.full(n, "", object), "run": np.zeros(n, np.int8),
        "similarity": np.zeros(n, np.float32), "duplicates": np.zeros(n, np.int32), "cluster": np.full(n, "", object),
    }  # fmt: skip
    if not n:
        return columns
    behind = behind_between(store, params["copies"], first, last)["place"].to_numpy().astype(np.int64) - first
    columns["duplicates"] += np.bincount(behind, minlength=n).astype(np.int32)
    copied = copies_between(store, params["copies"], first, last)
    place = copied["place"].to_numpy().astype(np.int64) - first
    columns["verdict"][place] = copied["reason"].to_numpy()
    columns["duplicate_of"][place] = copied["duplicate_of"].to_numpy()
    columns["run"][place] = copied["run"].to_numpy()
    columns["similarity"][place] = 1
    for part in range(params["choices"]):
        chosen = read_stretch(store, f"choices/{part:05d}.parquet", schema.CHOICES, schema.CHOICES.names, first, last)
        place = chosen["place"].to_numpy().astype(np.int64) - first
        columns["verdict"][place] = np.where(chosen["reason"].to_numpy() == "", "kept", chosen["reason"].to_numpy())
        for name in ("duplicate_of", "run", "similarity", "duplicates", "cluster"):
            columns[name][place] = chosen[name].to_numpy()
    return columns


def _count(counts: Counts, verdict: Any, letters: Any) -> None:
    counts.records += len(verdict)
    counts.kept += int((verdict == "kept").sum())
    for reason in REASONS:
        counts.rejected[reason] += int((verdict == reason).sum())
    counts.letters.update(Counter({reason: int(letters[verdict == reason].sum()) for reason in ("kept", *REASONS)}))


def _write(store: Store, name: str, columns: dict[str, pa.Array]) -> Written:
    target = f"dedup/{name}.parquet"
    with store.writing(target) as out:
        schema.write_table(schema.table(schema.DECISIONS, columns), out)
    return out.written(target)


STAGE = Stage("select", 4, "documents that pass", settings, units, work, lambda _: REASONS)
