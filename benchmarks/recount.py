"""Counting a finished run again by other rules: documents a second, and what a million would take.

The tables are those of real pages, come round until they are a million documents in ten files; reading them, judging, and adding up.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.inputs import Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import instruments, signals_schema, to_measure
from seiryu.pipelines.reporting.recount import recount
from seiryu.pipelines.stages import annotate, decide
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar, Unit, made_of

FILES, ROWS = 10, 100_000


def figures(inputs: Inputs) -> Iterator[Figure]:
    texts = inputs.texts(2000, 400)
    with tempfile.TemporaryDirectory() as folder:
        config = Config.model_validate_json(
            json.dumps({"run": folder, "source": {"paths": ["x"]}, "signals": {"morphology": True}})
        )
        state = State(Store(config.run), config)
        write(state, texts)
        rounds = alternate({"swallow": lambda: recount(state), "fineweb2-ja": lambda: recount(state, "fineweb2-ja")}, 3)
        for preset in ("swallow", "fineweb2-ja"):
            yield rounds.figure(f"{FILES * ROWS / 1e6:g} M documents by {preset}", preset, "documents/s", rate(FILES * ROWS))
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.parquet"))
        yield Figure("signals and verdicts, a document", size / FILES / ROWS, "bytes")


def write(state: State, texts: list[str]) -> None:
    """Files of signals and verdicts, and what says that they are done."""
    columns: dict[str, Any] = dict(instruments(state.config).measure(pa.array(texts), np.full(len(texts), 0.99)))
    again = np.resize(np.arange(len(texts)), ROWS)
    rows = {name: values[again] for name, values in columns.items()}
    for number in range(FILES):
        ids = pa.array([f"{number:04x}{row:08x}" for row in range(ROWS)])
        verdicts = {"doc_id": ids, "reject_mask": np.zeros(ROWS, np.uint64), "blocked": [""] * ROWS}
        for name, table in (("signals", schema.table(signals_schema(to_measure(state.config)), rows | {"doc_id": ids})),
                            ("verdicts", schema.table(schema.VERDICTS, verdicts))):  # fmt: skip
            with state.store.writing(f"{name}/{number}.parquet") as out:
                schema.write_table(table, out)
    for stage in (annotate.STAGE, decide.STAGE):
        for number in range(FILES):
            unit = Unit(stage.name, str(number), {}, {})
            sidecar = Sidecar(unit.stage, unit.name, made_of(stage, unit, state.config), (), Counts(), 0.0)
            state._completed.setdefault(stage.name, {})[unit.name] = sidecar
