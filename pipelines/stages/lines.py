"""On how many pages of its site each line stands: one unit is one documents file, and the documents kept so far are counted.

The first of two passes (`boilerplate` is the second); neither is there unless `clean.repeated_lines` is. Near-duplicates are gone
before: a line counts where pages differ otherwise. The rows lie in the order of the sites' hashes, so that whoever wants a stretch of
sites reads few row groups, however many stretches there are.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.filters.cleaning.repeated_lines import count_lines
from seiryu.pipelines.config import Config, RepeatedLines
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import write_by_place
from seiryu.pipelines.stages.decide import passing
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit

_ROW_GROUP = 1024
REPEATING = ("place", "site", "pages")  # columns whose values come again; most lines stand once


def wanted(config: Config) -> bool:
    return config.clean.repeated_lines is not None


def repeated_lines(config: Config) -> RepeatedLines:
    """The settings of both passes. Only where they are wanted."""
    assert config.clean.repeated_lines is not None
    return config.clean.repeated_lines


def survivor_inputs(state: State) -> dict[str, dict[str, Any]]:
    """For each documents file with all verdicts, the identities of what `survivors` reads; none before `select` is done."""
    chosen = state.completed("select").get("all")
    if not chosen:
        return {}
    dedup = {output.name: output.sha256 for output in chosen.outputs}
    extracted, annotated = state.completed("extract"), state.completed("annotate")
    addresses, decided = state.completed("addresses"), state.completed("decide")
    return {
        name: {
            "documents": extracted[name].output(f"documents/{name}.parquet").sha256,
            "addresses": addresses[name].output(f"addresses/{name}.parquet").sha256,
            "signals": annotated[name].digest,
            "verdicts": decided[name].digest,
            "dedup": dedup[f"dedup/{name}.parquet"],
        }
        for name in state.completed("signatures")
    }


def survivors(store: Store, config: Config, unit: str) -> pa.Table:
    """The documents of a unit that pass and are no near-duplicates, with their site and the duplicates they were kept for; in order."""
    documents = passing(store, config, unit)
    decisions = schema.read_table(store, f"dedup/{unit}.parquet", schema.DECISIONS)
    if not documents["doc_id"].equals(decisions["doc_id"]):
        raise InputError(f"{store.path(f'dedup/{unit}.parquet')} belongs to other documents; delete it and run again")
    documents = documents.append_column("duplicates", decisions["duplicates"]).filter(pc.equal(decisions["verdict"], "kept"))
    addresses = schema.read_table(store, f"addresses/{unit}.parquet", schema.ADDRESSES)
    rows = pc.index_in(documents["doc_id"], addresses["doc_id"])
    if rows.null_count:
        raise InputError(f"{store.path(f'addresses/{unit}.parquet')} belongs to other documents; delete it and run again")
    return documents.append_column("site", addresses["site"].take(rows))


def units(state: State) -> list[Unit]:
    return [Unit("lines", name, {}, inputs) for name, inputs in survivor_inputs(state).items()]


def settings(config: Config) -> dict[str, Any]:
    return {"min_letters": repeated_lines(config).min_letters} if wanted(config) else {}


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents = survivors(store, config, unit.name)
    table = count_lines(documents["text"], documents["site"], repeated_lines(config).min_letters)
    counts = Counts(records=len(documents), kept=len(documents))
    counts.extra["rows"] = len(table)
    return Result(counts, [write_by_place(store, f"line_counts/{unit.name}.parquet", table, _ROW_GROUP, REPEATING)])


STAGE = Stage("lines", 1, "documents kept", settings, units, work, wanted=wanted)
