"""Which documents hold test items of benchmarks: one unit is one documents file, and the documents kept so far are looked at.

Nothing is changed here: `clean` removes, cuts or marks by what `found_in` reads from these tables, so that another `action` looks
at no text again. A benchmark is known by its bytes, decompressed, and the fields that are looked for: one that was moved or packed is
the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.inputs import identity
from seiryu.corpus.storage import Store
from seiryu.dedup.contamination import FOUND, Benchmarks, Rule, Source
from seiryu.dedup.contamination.finding import merged
from seiryu.dedup.contamination.items import read_items
from seiryu.dedup.normal import UNICODE
from seiryu.pipelines.config import Config, Decontaminate
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.lines import survivor_inputs, survivors
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit

CONTAMINATION = pa.schema(
    [schema.DOCUMENTS.field("doc_id"), *(field for field in FOUND if field.name != "document")],
    metadata={"rows": "one for each item in each document, in the order of documents, benchmarks by name, and lines"},
)


class Found(NamedTuple):
    """What stands in one document: names of benchmarks in order, and the stretches of its text, sorted, apart from each other."""

    benchmarks: tuple[str, ...]
    spans: list[tuple[int, int]]


def wanted(config: Config) -> bool:
    return bool(config.decontaminate.benchmarks)


def benchmarks(config: Config) -> Benchmarks:
    """The benchmarks of a config, read once a process as long as their files stay as they are.

    ConfigError, naming the benchmark, with file and line, for one that cannot be used.
    """
    chosen = config.decontaminate
    try:
        files = tuple(str(identity(chosen.benchmarks[name].path)) for name in sorted(chosen.benchmarks))
    except InputError:
        files = ()  # what reads it says which
    return _benchmarks(chosen.model_dump_json(exclude={"action"}), files)


@lru_cache(maxsize=2)
def _benchmarks(section: str, _files: tuple[str, ...]) -> Benchmarks:
    chosen = Decontaminate.model_validate_json(section)
    rule = Rule(chosen.ngram, chosen.min_share, chosen.min_letters)
    items = {}
    for name in sorted(chosen.benchmarks):
        source = Source(chosen.benchmarks[name].path, chosen.benchmarks[name].fields)
        field = ("decontaminate", "benchmarks", name)
        try:
            items[name] = read_items(source)
        except ValueError as error:
            raise ConfigError(f"{'.'.join(field)}: {error}", field) from error
    try:
        return Benchmarks(items, rule)
    except ValueError as error:
        raise ConfigError(f"decontaminate.benchmarks.{error}", ("decontaminate", "benchmarks")) from error


def units(state: State) -> list[Unit]:
    return [Unit("contamination", name, {}, inputs) for name, inputs in survivor_inputs(state).items()]


def settings(config: Config) -> dict[str, Any]:
    """Of each benchmark also what the report says of it."""
    if not wanted(config):
        return {}
    known = benchmarks(config).known
    chosen = config.decontaminate
    return {
        "benchmarks": {
            name: {"sha256": each.sha256, "fields": list(chosen.benchmarks[name].fields), "items": each.items, "short": each.short,
                   "common": each.common}
            for name, each in known.items()
        },
        "ngram": chosen.ngram, "min_share": str(chosen.min_share), "min_letters": chosen.min_letters, "unicode": UNICODE,
    }  # fmt: skip


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents = survivors(store, config, unit.name)
    found = benchmarks(config).find(documents["text"])
    table = found.set_column(0, CONTAMINATION.field("doc_id"), documents["doc_id"].take(found["document"]))
    target = f"contamination/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(table.replace_schema_metadata(CONTAMINATION.metadata), out)
    counts = Counts(records=len(documents), kept=len(documents))
    counts.extra["contaminated"] = len(pc.unique(found["document"]))
    counts.extra["found"] = len(found)
    return Result(counts, [out.written(target)])


def read_found(store: Store, unit: str, columns: list[str] | None = None) -> pa.Table:
    """What was found in one documents file, or some columns of it. InputError if the table is damaged."""
    return schema.read_table(store, f"contamination/{unit}.parquet", CONTAMINATION, columns)


def found_in(store: Store, config: Config, unit: str, doc_id: pa.ChunkedArray) -> dict[int, Found]:
    """What stands in these documents of a unit, by their place; those in which nothing does are not there. Nothing if it is not wanted.

    InputError if the table is damaged, or if it tells of other documents.
    """
    if not wanted(config):
        return {}
    table = read_found(store, unit)
    if not len(table):
        return {}
    places = pc.index_in(table["doc_id"], doc_id)
    if places.null_count:
        raise InputError(f"{store.path(f'contamination/{unit}.parquet')} belongs to other documents; delete it and run again")
    rows: dict[int, list[dict[str, Any]]] = {}
    for place, row in zip(places.to_pylist(), table.to_pylist(), strict=True):
        rows.setdefault(place, []).append(row)
    return {
        place: Found(
            tuple(sorted({row["benchmark"] for row in mine})),
            merged([span for row in mine for span in zip(row["begin"], row["end"], strict=True)]),
        )
        for place, mine in rows.items()
    }


def looked_at_inputs(state: State) -> dict[str, dict[str, Any]]:
    """For each documents file, once it was looked at, the identities of what `survivors` and `found_in` read: for `clean`."""
    inputs = survivor_inputs(state)
    if not wanted(state.config):
        return inputs
    done = state.completed("contamination")
    return {name: mine | {"contamination": done[name].digest} for name, mine in inputs.items() if name in done}


STAGE = Stage("contamination", 1, "documents kept", settings, units, work, wanted=wanted)
