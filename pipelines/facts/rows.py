"""The rows of one archive: its narrow tables side by side, a row a judged document.

Signals, verdicts and addresses lie in the order of the documents; what deduplication and cleaning said is found by doc_id.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.filters.signals.signal import Signal
from seiryu.pipelines.measured import read_signals, signals_schema
from seiryu.pipelines.stages.decide import passes

_OF_PAGE = ("doc_id", "url", "title", "charset", "extractor")
_YEAR_UNKNOWN = 1970  # what a record without a date is given
FATES = ("rejected", "blocked", "duplicate", "cleaned", "final", "passing")


def facts_schema(measured: Sequence[Signal]) -> pa.Schema:
    """The columns of the table, with what they mean."""
    place = schema.schema_of(
        ("unit", pa.string(), "name of the files under documents/, signals/, verdicts/, ..."),
        ("row", pa.int32(), "row in documents/, from 0"),
    )
    page = [schema.DOCUMENTS.field(name) for name in _OF_PAGE]
    more = schema.schema_of(
        schema.HOST,
        schema.SITE,
        ("tld", pa.string(), "last label of the host; empty for an address of numbers"),
        ("year", pa.int16(), "when the page was fetched; 0 if the record does not say"),
    )
    behind = schema.schema_of(
        ("reject_mask", pa.uint64(), "bit i: rule i rejects, whatever the others say"),
        ("blocked", pa.string(), "why the address or its host is not wanted; else empty"),
        (
            "fate",
            pa.string(),
            "rejected by a rule; blocked by its address alone; duplicate; cleaned: removed behind cleaning; final: in the corpus; "
            "passing: passes, and what comes next is not done",
        ),
        ("verdict", pa.string(), "of deduplication, as in dedup/; empty if it never came there"),
        ("duplicate_of", pa.string(), "doc_id of the kept document it is a duplicate of; else empty"),
        ("similarity", pa.float32(), "Jaccard similarity to it; else 0"),
        ("duplicates", pa.int32(), "documents that were removed for this one"),
        schema.CLUSTER,
        ("final_letters", pa.int32(), "letters of its text in the corpus; 0 if it is not there"),
    )
    return pa.schema([*place, *page, *more, *list(signals_schema(measured))[1:], *behind])


def rows_of(store: Store, unit: str, measured: Sequence[Signal], *, selected: bool, cleaned: bool) -> pa.Table:
    """The rows of one archive; `selected`, `cleaned`: whether these stages are done with it. InputError if its tables do not fit."""
    documents = schema.read_table(store, f"documents/{unit}.parquet", schema.DOCUMENTS, [*_OF_PAGE, "crawl_date"])
    signals = read_signals(store, measured, unit)
    addresses = schema.read_table(store, f"addresses/{unit}.parquet", schema.ADDRESSES)
    verdicts = schema.read_table(store, f"verdicts/{unit}.parquet", schema.VERDICTS)
    for folder, table in (("signals", signals), ("addresses", addresses), ("verdicts", verdicts)):
        if not table["doc_id"].equals(documents["doc_id"]):
            raise InputError(f"{store.path(f'{folder}/{unit}.parquet')} belongs to other documents; delete it and run again")
    number = len(documents)
    years = pc.year(documents["crawl_date"]).to_numpy()
    columns = {name: documents[name] for name in _OF_PAGE} | {signal.name: signals[signal.name] for signal in measured}
    columns |= {
        "unit": pa.array([unit] * number, pa.string()),
        "row": np.arange(number, dtype=np.int32),
        "host": addresses["host"],
        "site": addresses["site"],
        "tld": pc.replace_substring_regex(addresses["host"], r"^[0-9.:\[\]]*$|^.*\.", ""),
        "year": np.where(years == _YEAR_UNKNOWN, 0, years),
        "reject_mask": verdicts["reject_mask"],
        "blocked": verdicts["blocked"],
    }
    columns |= _behind(store, unit, verdicts, selected=selected, cleaned=cleaned)
    wanted = facts_schema(measured)
    return pa.table([_column(columns[field.name], field.type) for field in wanted], schema=wanted)


def _column(values: object, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    return values.cast(kind) if isinstance(values, pa.ChunkedArray | pa.Array) else pa.array(values, kind)


def _behind(store: Store, unit: str, verdicts: pa.Table, *, selected: bool, cleaned: bool) -> dict[str, object]:
    """What became of each document behind the measuring."""
    number = len(verdicts)
    passing = passes(verdicts).to_numpy()
    fate: npt.NDArray[np.object_] = np.where(passing, "passing", "blocked").astype(object)
    fate[verdicts["reject_mask"].to_numpy() != 0] = "rejected"
    found: dict[str, object] = {
        "verdict": [""] * number, "duplicate_of": [""] * number, "similarity": np.zeros(number, np.float32),
        "duplicates": np.zeros(number, np.int32), "cluster": [""] * number,
    }  # fmt: skip
    letters = np.zeros(number, np.int32)
    ids = verdicts["doc_id"]
    if selected:
        decisions = schema.read_table(store, f"dedup/{unit}.parquet", schema.DECISIONS)
        place, here = _places(ids, decisions["doc_id"])
        for name in found:
            values = decisions[name].take(pa.array(np.where(here, place, 0))) if len(decisions) else None
            if values is not None:
                found[name] = pc.if_else(
                    pa.array(here), values, pa.scalar("" if pa.types.is_string(values.type) else 0, values.type)
                )
        gone = here & np.array([verdict not in ("kept", "") for verdict in _list(found["verdict"])], np.bool_)
        fate[gone] = "duplicate"
        if cleaned:
            corpus = schema.read_table(store, f"corpus/{unit}.parquet", schema.CORPUS, ["doc_id", "letters"])
            place, final = _places(ids, corpus["doc_id"])
            letters[final] = corpus["letters"].to_numpy()[place[final]]
            fate[here & ~gone] = "cleaned"
            fate[final] = "final"
    return found | {"fate": pa.array(fate, pa.string()), "final_letters": letters}


def _list(values: object) -> list[str]:
    return values if isinstance(values, list) else values.to_pylist()  # type: ignore[attr-defined]


def _places(ids: pa.ChunkedArray, among: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Where each id stands among others, and whether it does."""
    place = pc.fill_null(pc.index_in(ids, value_set=among.combine_chunks()), -1).to_numpy().astype(np.int64)
    return place, place >= 0
