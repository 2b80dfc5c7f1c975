"""Documents in, signals out, row for row: one unit is one documents file.

Every signal is measured for every document, whatever the rules say of it: the tables serve all presets. No threshold decides anything
here (see `decide`), so a moved one measures nothing again.
"""

from __future__ import annotations

from typing import Any

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.filters.signals.opt_outs import measure_opt_outs
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import identities, instruments, signals_schema, to_measure
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit

_READ = ("doc_id", "text", "language_score", "robots", "tdm_reservation")


def units(state: State) -> list[Unit]:
    found = {name: done.output(f"documents/{name}.parquet") for name, done in state.completed("extract").items()}
    return [Unit("annotate", name, {}, {"documents": read.sha256}, weight=read.size) for name, read in found.items()]


def settings(config: Config) -> dict[str, Any]:
    return identities(config)


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents = schema.read_table(store, f"documents/{unit.name}.parquet", schema.DOCUMENTS, list(_READ))
    asked = measure_opt_outs(documents["robots"], documents["tdm_reservation"])
    measured = instruments(config).measure(documents["text"], documents["language_score"].to_numpy(), asked=asked)
    columns: dict[str, Any] = dict(measured)
    columns["doc_id"] = documents["doc_id"].combine_chunks()
    target = f"signals/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(schema.table(signals_schema(to_measure(config)), columns), out)
    counts = Counts(records=len(documents), kept=len(documents))
    counts.letters["kept"] = int(columns["letters"].sum())
    counts.extra["tokens"] = int(columns["tokens"].sum())
    return Result(counts, [out.written(target)])


STAGE = Stage("annotate", 3, "documents", settings, units, work)
