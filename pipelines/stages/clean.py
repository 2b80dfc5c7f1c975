"""The final documents: what was kept, cleaned, and looked at again for its length. One unit is one file."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.filters.cleaning import CleanSettings, clean
from seiryu.filters.signals import measure
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.annotate import passing
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit


def units(state: State) -> list[Unit]:
    chosen = state.completed("select").get("all")
    if not chosen:
        return []
    made, extracted, annotated = [], state.completed("extract"), state.completed("annotate")
    for name, done in state.completed("signatures").items():
        documents = extracted[name].output(f"documents/{name}.parquet").sha256
        inputs = {
            "documents": documents, "signals": annotated[name].digest, "signatures": done.digest,
            "dedup": chosen.output(f"dedup/{name}.parquet").sha256,
        }  # fmt: skip
        made.append(Unit("clean", name, {}, inputs))
    return made


def settings(config: Config) -> dict[str, Any]:
    return config.clean.model_dump(mode="json")


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents = passing(store, unit.name)
    decisions = _read(store, f"dedup/{unit.name}.parquet", schema.DECISIONS)
    if not documents["doc_id"].equals(decisions["doc_id"]):
        raise InputError(f"{store.path(f'dedup/{unit.name}.parquet')} belongs to other documents; delete it and run again")
    kept = pc.equal(decisions["verdict"], "kept")
    documents = documents.append_column("duplicates", decisions["duplicates"]).filter(kept)
    counts = Counts(records=len(documents))
    rules = CleanSettings(**config.clean.model_dump(exclude={"min_letters", "min_japanese_letters"}))
    cleaned = [clean(text.as_py(), rules) for text in documents["text"]]
    texts = pa.array([result.text for result in cleaned], pa.string())
    signals = measure(texts)
    long_enough = (signals["letters"] >= config.clean.min_letters) & (
        signals["japanese_letters"] >= config.clean.min_japanese_letters
    )
    counts.kept = int(long_enough.sum())
    counts.rejected["short_after_cleaning"] = int((~long_enough).sum())
    before = documents["letters"].to_numpy()
    counts.letters["kept"] = int(signals["letters"][long_enough].sum())
    counts.letters["short_after_cleaning"] = int(before[~long_enough].sum())
    counts.letters["cut"] = int(before[long_enough].sum()) - counts.letters["kept"]
    counts.extra["punctuation_letters"] = sum(result.punctuation_letters for result in cleaned)
    counts.extra["footer_letters"] = sum(result.footer_letters for result in cleaned)
    columns = {name: documents[name].combine_chunks() for name in schema.CORPUS.names if name in documents.column_names}
    columns |= {"text": texts, "letters": signals["letters"]}
    target = f"corpus/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(schema.table(schema.CORPUS, columns).filter(pa.array(long_enough)), out)
    return Result(counts, [out.written(target)])


def _read(store: Store, name: str, wanted: pa.Schema) -> pa.Table:
    with store.open(name) as file:
        return schema.read_table(file, store.path(name), wanted)


STAGE = Stage("clean", 1, "documents", settings, units, work, lambda _: ("short_after_cleaning",))
