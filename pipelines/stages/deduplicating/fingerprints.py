"""What tells a document apart at a glance: digests of its text and address, and its priority. One unit is one documents file.

Only documents that pass take part. The text is compared in its normal form (dedup/normal.py), the address without scheme and fragment.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.digests import NONE, address, digests, words
from seiryu.dedup.normal import UNICODE, normalised
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import read_signals, to_measure
from seiryu.pipelines.stages.decide import passing
from seiryu.pipelines.stages.deduplicating.earlier import FINGERPRINTS
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit


def document_inputs(state: State) -> dict[str, dict[str, Any]]:
    """For each judged file the identities of what `passing` reads."""
    extracted, annotated = state.completed("extract"), state.completed("annotate")
    return {
        name: {
            "documents": extracted[name].output(f"documents/{name}.parquet").sha256,
            "signals": annotated[name].digest,
            "verdicts": done.digest,
        }
        for name, done in state.completed("decide").items()
    }


def units(state: State) -> list[Unit]:
    return [Unit("fingerprints", name, {}, inputs) for name, inputs in document_inputs(state).items()]


def settings(config: Config) -> dict[str, Any]:
    check_score(config)
    return {"priority": config.dedup.priority, "score": config.dedup.score, "unicode": UNICODE}


def check_score(config: Config) -> None:
    """ConfigError unless `dedup.score` is a signal that is measured."""
    name, known = config.dedup.score, [signal.name for signal in to_measure(config)]
    if name and name not in known:
        raise ConfigError(f"dedup.score: no signal {name} is measured; there are {', '.join(known)}", ("dedup", "score"))


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents = passing(store, config, unit.name)
    columns = {
        "doc_id": documents["doc_id"].combine_chunks(),
        "priority": _priority(documents, config, store, unit.name),
        "letters": documents["letters"].combine_chunks(),
        "text": digests(normalised(documents["text"]).to_pylist()),
        "address": digests(map(address, documents["url"].to_pylist())),
        "payload": digests(documents["payload_digest"].to_pylist()),
    }
    target = f"fingerprints/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(schema.table(schema.FINGERPRINTS, columns), out, dictionaries=False)
    counts = Counts(records=len(documents), kept=len(documents))
    counts.letters["kept"] = pc.sum(documents["letters"]).as_py() or 0
    return Result(counts, [out.written(target)])


def _priority(documents: pa.Table, config: Config, store: Store, unit: str) -> npt.NDArray[np.float64]:
    """The higher the better. Microseconds are whole numbers in a float until 2255."""
    dates: npt.NDArray[np.float64] = documents["crawl_date"].cast(pa.int64()).to_numpy().astype(np.float64)
    if config.dedup.priority == "newest":
        return dates
    if config.dedup.priority == "oldest":
        return -dates
    values = documents["letters"]
    if config.dedup.priority == "best_score":
        table = read_signals(store, to_measure(config), unit, ["doc_id", config.dedup.score])
        values = table[config.dedup.score].take(pc.index_in(documents["doc_id"], table["doc_id"]))
    scores: npt.NDArray[np.float64] = values.to_numpy().astype(np.float64)
    scores[np.isnan(scores)] = -np.inf
    return scores


def key(digests: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """The first half of each digest: what documents are grouped by. That of NONE is NO_KEY."""
    return words(digests)[:, 0]


assert NONE[:8] == b"\xff" * 8

STAGE = Stage("fingerprints", FINGERPRINTS, "documents that pass", settings, units, work)
