"""Who meets whom in one band: one unit is one band, over the signatures of all files.

Of all keys in the band only those go on that at least two documents have, a few percent. Documents are numbered through, by
the names of their files and their rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.select import repeated
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.signatures import band_column, signature_schema
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

COLLISIONS = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False, metadata={"meaning": "number of a document over all files"}),
        pa.field("bucket", pa.int64(), nullable=False, metadata={"meaning": "documents of one bucket share a key"}),
    ]
)


def units(state: State) -> list[Unit]:
    files = state.completed("signatures")
    inputs = {"signatures": identity(files)}
    names = list(files)
    return [Unit("bands", f"{band:03d}", {"band": band, "files": names}, inputs) for band in range(state.config.dedup.bands)]


def column(store: Store, config: Config, files: list[str], name: str) -> pa.ChunkedArray:
    """One column of all signature files, in the order of `files`."""
    wanted, chunks = signature_schema(config.dedup.bands), []
    for unit in files:
        chunks += schema.read_table(store, f"signatures/{unit}.parquet", wanted, [name])[name].chunks
    return pa.chunked_array(chunks, wanted.field(name).type)


def work(unit: Unit, config: Config, store: Store) -> Result:
    keys = column(store, config, unit.params["files"], band_column(unit.params["band"])).to_numpy()
    rows, buckets = repeated(np.ascontiguousarray(keys))
    target = f"bands/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(schema.table(COLLISIONS, {"row": rows, "bucket": buckets}), out)
    counts = Counts(records=len(keys), kept=len(keys))
    counts.extra["meeting"] = len(rows)
    return Result(counts, [out.written(target)])


def settings(_: Config) -> dict[str, Any]:
    return {}


STAGE = Stage("bands", 1, "keys", settings, units, work, on_documents=False)
