"""Documents in, signals and verdicts out, row for row: one unit is one documents file.

Every signal is measured and every rule judged for every document, without a short circuit; bit i of `reject_mask` says whether
rule i rejects it. The names of the rules lie in the table's own metadata. In the counts a document stands under the
first rule that rejects it; `only` counts those that no other rule would have rejected, `hit` all.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.filters.words.matching import matcher, measure_ng_words
from seiryu.filters.rules import Rule, first_reason, judge
from seiryu.filters.signals import SIGNALS, measure
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit

SIGNALS_TABLE = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False, metadata={"meaning": "as in documents, same order"}),
        pa.field("host", pa.string(), nullable=False, metadata={"meaning": "host of the address"}),
        pa.field(
            "reject_mask", pa.uint64(), nullable=False, metadata={"meaning": "bit i: rule i rejects, whatever the others say"}
        ),
        *(
            pa.field(signal.name, pa.from_numpy_dtype(signal.dtype), nullable=False, metadata={"meaning": signal.meaning})
            for signal in SIGNALS
        ),
    ]
)


def units(state: State) -> list[Unit]:
    return [
        Unit("annotate", name, {}, {"documents": done.output(f"documents/{name}.parquet").sha256})
        for name, done in state.completed("extract").items()
    ]


def settings(config: Config) -> dict[str, Any]:
    from importlib.metadata import version

    rules = [[rule.name, rule.signal, str(rule.low), str(rule.high), str(rule.below)] for rule in rules_in_force(config)]
    words = matcher(config.rules.words)
    return {"rules": rules, "words": words.sha256, "dictionary": version("sudachidict-core")}


def reasons(config: Config) -> tuple[str, ...]:
    return tuple(rule.name for rule in rules_in_force(config))


def work(unit: Unit, config: Config, store: Store) -> Result:
    name = f"documents/{unit.name}.parquet"
    with store.open(name) as file:
        documents = schema.read_table(file, store.path(name), schema.DOCUMENTS, ["doc_id", "host", "text"])
    rules = rules_in_force(config)
    columns: dict[str, Any] = measure(documents["text"])
    columns |= measure_ng_words(documents["text"], columns["japanese_letters"], config.rules.words)
    columns["reject_mask"] = judge(rules, columns)
    columns |= {"doc_id": documents["doc_id"].combine_chunks(), "host": documents["host"].combine_chunks()}
    table = schema.table(SIGNALS_TABLE, columns).replace_schema_metadata({"rules": json.dumps([rule.name for rule in rules])})
    target = f"signals/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(table, out)
    return Result(_count(rules, columns["reject_mask"], columns["letters"]), [out.written(target)])


def _count(rules: tuple[Rule, ...], mask: Any, letters: Any) -> Counts:
    first = first_reason(rules, mask)
    counts = Counts(records=len(mask), kept=int((first < 0).sum()))
    counts.letters = Counter({"kept": int(letters[first < 0].sum())})
    for i, rule in enumerate(rules):
        bit = np.uint64(1) << np.uint64(i)
        if here := int((first == i).sum()):
            counts.rejected[rule.name] = here
            counts.letters[rule.name] = int(letters[first == i].sum())
        counts.extra[f"hit.{rule.name}"] = int((mask & bit != 0).sum())
        counts.extra[f"only.{rule.name}"] = int((mask == bit).sum())
    return counts


def passing(store: Store, unit: str) -> pa.Table:
    """The documents of a unit that pass all rules, with their text; in the order of the documents."""
    name, signals = f"documents/{unit}.parquet", f"signals/{unit}.parquet"
    with store.open(name) as file:
        documents = schema.read_table(file, store.path(name), schema.DOCUMENTS)
    with store.open(signals) as file:
        verdicts = schema.read_table(file, store.path(signals), SIGNALS_TABLE)
    for column in ("letters", "japanese_share"):
        documents = documents.append_column(SIGNALS_TABLE.field(column), verdicts[column])
    return documents.filter(pc.equal(verdicts["reject_mask"], pa.scalar(0, pa.uint64())))


STAGE = Stage("annotate", 1, "documents", settings, units, work, reasons)
