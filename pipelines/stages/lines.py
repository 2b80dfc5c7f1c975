"""On how many pages of its site each line stands, and in how many documents of whatever sites: one unit is one documents file.

The first of two passes (`boilerplate` is the second); neither is there unless `clean.repeated_lines` or `clean.repeated_paragraphs`
is, and each is counted only where it is asked for. The documents kept so far are counted; near-duplicates are gone before: a line
counts where pages differ otherwise. The rows lie in the order of the hashes of the sites, or of the paragraphs, so that whoever wants
a stretch of them reads few row groups, however many stretches there are.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.filters.cleaning.repeated_lines import count_lines, count_paragraphs
from seiryu.pipelines.config import Config, RepeatedLines, RepeatedParagraphs
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import write_by_place
from seiryu.pipelines.stages.decide import passing
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit

_ROW_GROUP = 1024
# What is counted: the table of the counts, and the columns whose values come again; most lines stand once.
COUNTS = {"line": schema.LINE_COUNTS, "paragraph": schema.PARAGRAPHS}
REPEATING = {"line": ("place", "site", "pages"), "paragraph": ("documents",)}


def asked(config: Config) -> dict[str, RepeatedLines | RepeatedParagraphs]:
    """The settings of both passes for what is to be counted, by its name in `COUNTS`."""
    named = {"line": config.clean.repeated_lines, "paragraph": config.clean.repeated_paragraphs}
    return {kind: chosen for kind, chosen in named.items() if chosen is not None}


def wanted(config: Config) -> bool:
    return bool(asked(config))


def survivor_inputs(state: State) -> dict[str, dict[str, Any]]:
    """For each documents file with all verdicts, the identities of what `survivors` reads; none before `select` is done."""
    chosen = state.completed("select")
    dedup = {output.name: output.sha256 for block in chosen.values() for output in block.outputs}
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
        for name in state.completed("fingerprints")
        if f"dedup/{name}.parquet" in dedup
    }


def survivors(store: Store, config: Config, unit: str) -> pa.Table:
    """The documents of a unit that pass and are no near-duplicates, in order, with host and site as all are compared, and what `select`
    says of them.
    """
    documents = passing(store, config, unit)
    decisions = schema.read_table(store, f"dedup/{unit}.parquet", schema.DECISIONS)
    if not documents["doc_id"].equals(decisions["doc_id"]):
        raise InputError(f"{store.path(f'dedup/{unit}.parquet')} belongs to other documents; delete it and run again")
    for name in ("duplicates", "cluster"):
        documents = documents.append_column(name, decisions[name])
    documents = documents.filter(pc.equal(decisions["verdict"], "kept"))
    addresses = schema.read_table(store, f"addresses/{unit}.parquet", schema.ADDRESSES)
    rows = pc.index_in(documents["doc_id"], addresses["doc_id"])
    if rows.null_count:
        raise InputError(f"{store.path(f'addresses/{unit}.parquet')} belongs to other documents; delete it and run again")
    place = documents.schema.get_field_index("host")
    documents = documents.set_column(place, "host", addresses["host"].take(rows))
    return documents.append_column("site", addresses["site"].take(rows))


def units(state: State) -> list[Unit]:
    return [Unit("lines", name, {}, inputs) for name, inputs in survivor_inputs(state).items()]


def settings(config: Config) -> dict[str, Any]:
    return {kind: {"min_letters": chosen.min_letters} for kind, chosen in asked(config).items()}


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents = survivors(store, config, unit.name)
    counts, outputs = Counts(records=len(documents), kept=len(documents)), []
    for kind, chosen in asked(config).items():
        if kind == "line":
            table = count_lines(documents["text"], documents["site"], chosen.min_letters)
        else:
            table = count_paragraphs(documents["text"], chosen.min_letters)
        counts.extra[f"{kind}_counts"] = len(table)
        outputs.append(write_by_place(store, f"{kind}_counts/{unit.name}.parquet", table, _ROW_GROUP, REPEATING[kind]))
    return Result(counts, outputs)


STAGE = Stage("lines", 2, "documents kept", settings, units, work, wanted=wanted)
