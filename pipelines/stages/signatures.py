"""MinHash signatures of the documents that pass the rules, as one 64-bit key a band: one unit is one documents file.

The keys lie in one column a band, so that comparing all documents in a band means reading that column of all files.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.bands import band_keys
from seiryu.dedup.minhash import signatures
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.decide import passing
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit


def signature_schema(bands: int) -> pa.Schema:
    """Columns of a signatures table with that many bands."""
    fields = [*(schema.DOCUMENTS.field(name) for name in ("doc_id", "crawl_date")), schema.CORPUS.field("letters")]
    meaning = {"meaning": "key of the signature's values in this band"}
    return pa.schema(
        fields + [pa.field(band_column(band), pa.uint64(), nullable=False, metadata=meaning) for band in range(bands)]
    )


def band_column(band: int) -> str:
    return f"band_{band:03d}"


def units(state: State) -> list[Unit]:
    made, extracted, annotated = [], state.completed("extract"), state.completed("annotate")
    for name, done in state.completed("decide").items():
        documents = extracted[name].output(f"documents/{name}.parquet").sha256
        made.append(
            Unit("signatures", name, {}, {"documents": documents, "signals": annotated[name].digest, "verdicts": done.digest})
        )
    return made


def settings(config: Config) -> dict[str, Any]:
    return {name: getattr(config.dedup, name) for name in ("bands", "rows", "shingle", "seed")}


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents, dedup = passing(store, config, unit.name), config.dedup
    keys = band_keys(
        signatures(documents["text"], num_perm=dedup.bands * dedup.rows, shingle=dedup.shingle, seed=dedup.seed),
        dedup.bands,
        dedup.rows,
    )
    columns = {name: documents[name].combine_chunks() for name in ("doc_id", "crawl_date", "letters")}
    columns |= {band_column(band): keys[:, band] for band in range(dedup.bands)}
    target = f"signatures/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(schema.table(signature_schema(dedup.bands), columns), out)
    return Result(Counts(records=len(documents), kept=len(documents)), [out.written(target)])


STAGE = Stage("signatures", 2, "documents that pass", settings, units, work)
