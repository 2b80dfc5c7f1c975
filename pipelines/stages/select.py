"""Which of several near-duplicates stays: one unit, over all bands; its verdicts lie beside the signatures, file by file.

Goes through the documents newest first (ties by doc_id) and keeps one unless a kept one shares a band with it (dedup/select.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store, Written
from seiryu.dedup.select import Collisions, priority, select
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.bands import COLLISIONS, column
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

REASONS = ("near_duplicate",)


def units(state: State) -> list[Unit]:
    files, bands = state.completed("signatures"), state.completed("bands")
    if not files or len(bands) < state.config.dedup.bands:
        return []
    params = {"files": list(files), "bands": list(bands)}
    inputs = {"signatures": identity(files), "bands": identity(bands)}
    return [Unit("select", "all", params, inputs)]


def _collisions(store: Store, bands: list[str]) -> Iterator[Collisions]:
    """Who meets whom, band by band."""
    for band in bands:
        table = schema.read_table(store, f"bands/{band}.parquet", COLLISIONS)
        yield table["row"].to_numpy(), table["bucket"].to_numpy()


def work(unit: Unit, config: Config, store: Store) -> Result:
    files = unit.params["files"]
    columns = {name: column(store, config, files, name) for name in ("doc_id", "crawl_date", "letters")}
    rank = priority(columns["crawl_date"].cast(pa.int64()).to_numpy(), columns["doc_id"])
    survivor = select(rank, _collisions(store, unit.params["bands"]))
    duplicate = survivor != np.arange(len(survivor))
    doc_id = columns["doc_id"].combine_chunks()
    original = pc.if_else(pa.array(duplicate), doc_id.take(pa.array(survivor)), "")
    duplicates = np.bincount(survivor[duplicate], minlength=len(survivor)).astype(np.int32)
    verdict = np.where(duplicate, "near_duplicate", "kept")
    decided = {"doc_id": doc_id, "verdict": verdict, "duplicate_of": original, "duplicates": duplicates}
    table = schema.table(schema.DECISIONS, decided)
    outputs, start = [], 0
    for name in files:
        rows = _rows(store, name)
        outputs.append(_write(store, name, table.slice(start, rows)))
        start += rows
    letters = columns["letters"].to_numpy()
    counts = Counts(records=len(verdict), kept=int((verdict == "kept").sum()))
    for reason in REASONS:
        counts.rejected[reason] = int((verdict == reason).sum())
    counts.letters = Counter({reason: int(letters[verdict == reason].sum()) for reason in ("kept", *REASONS)})
    return Result(counts, outputs)


def _rows(store: Store, name: str) -> int:
    import pyarrow.parquet as pq

    with store.open(f"signatures/{name}.parquet") as file:
        return int(pq.read_metadata(file).num_rows)


def _write(store: Store, name: str, table: pa.Table) -> Written:
    target = f"dedup/{name}.parquet"
    with store.writing(target) as out:
        schema.write_table(table, out)
    return out.written(target)


def settings(_: Config) -> dict[str, Any]:
    return {"priority": "newest"}


STAGE = Stage("select", 2, "documents that pass", settings, units, work, lambda _: REASONS)
