"""What each host brings, and whether its pages are wanted: one unit, over the signals of all files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.annotate import SIGNALS_TABLE
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit


def units(state: State) -> list[Unit]:
    files = state.completed("annotate")
    return [Unit("hosts", "all", {"files": list(files)}, {"signals": identity(files)})] if files else []


def verdict(host: str, block: tuple[str, ...]) -> str:
    """Why pages of a host are left out: it, or a domain above it, is on the list. Empty if they are not."""
    for name in block:
        blocked = name.lower().strip(".")
        if host == blocked or host.endswith("." + blocked):
            return f"blocked: {blocked}"
    return ""


def work(unit: Unit, config: Config, store: Store) -> Result:
    tables = []
    for name in unit.params["files"]:
        path = f"signals/{name}.parquet"
        with store.open(path) as file:
            table = schema.read_table(file, store.path(path), SIGNALS_TABLE, ["host", "reject_mask", "letters"])
        passes = pc.equal(table["reject_mask"], pa.scalar(0, pa.uint64())).cast(pa.int64())
        parts = {"host": table["host"], "passing": passes, "letters": table["letters"].cast(pa.int64())}
        tables.append(pa.table(parts).group_by("host").aggregate([("passing", "count"), ("passing", "sum"), ("letters", "sum")]))
    sums = [("passing_count", "sum"), ("passing_sum", "sum"), ("letters_sum", "sum")]
    total = pa.concat_tables(tables).group_by("host").aggregate(sums).sort_by("host")
    hosts = total["host"].to_pylist()
    verdicts = [verdict(host, config.hosts.block) for host in hosts]
    columns = {
        "host": hosts, "documents": total["passing_count_sum"].combine_chunks(), "passing": total["passing_sum_sum"].combine_chunks(),
        "letters": total["letters_sum_sum"].combine_chunks(), "verdict": verdicts,
    }  # fmt: skip
    with store.writing("hosts.parquet") as out:
        schema.write_table(schema.table(schema.HOSTS, columns), out)
    blocked = int(np.count_nonzero(verdicts))
    counts = Counts(records=len(hosts), kept=len(hosts) - blocked)
    counts.rejected["blocked_host"] = blocked
    return Result(counts, [out.written("hosts.parquet")])


def settings(config: Config) -> dict[str, Any]:
    return {"block": list(config.hosts.block)}


STAGE = Stage("hosts", 1, "hosts", settings, units, work, lambda _: ("blocked_host",), on_documents=False)
