"""The constants that `seiryu plan` reckons with, measured again beside what it takes them to be (pipelines/dedup_plan.py).

Letters cost what real texts of 1,700 cost; the stages of selection are those of benchmarks/select.py, with half a million
documents of 40 bands of 20, of which 18 % meet another.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa

from benchmarks.inputs import Inputs
from benchmarks.select import FILE, STAGES, selection
from benchmarks.timing import Figure, alternate, each
from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.bands import SWALLOW
from seiryu.dedup.minhash import signatures
from seiryu.dedup.normal import normalised
from seiryu.dedup.shingles import shingle_sets
from seiryu.pipelines import dedup_plan as planned
from seiryu.pipelines.chain import stage_named
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.engine.cluster import cluster
from seiryu.pipelines.engine.running import run_units
from seiryu.pipelines.measured import signals_schema, to_measure
from seiryu.pipelines.stages.deduplicating.signatures import signature_schema
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar, made_of

LETTERS, DOCUMENTS = 1700, 500_000


def figures(inputs: Inputs) -> Iterator[Figure]:
    texts = pa.array(inputs.texts(LETTERS, 200))
    compared = normalised(texts)
    letters = len("".join(compared.to_pylist()))
    tasks = {
        "normal": lambda: normalised(texts),
        "signatures": lambda: signatures(compared, num_perm=SWALLOW.num_perm),
        "sets": lambda: shingle_sets(compared),
    }
    rounds = alternate(tasks)
    for task, what, constant, number in (
        ("normal", "normal form, a letter", planned.NORMAL_FORM, len(texts) * LETTERS),
        ("signatures", "signature, a letter and value", planned.VALUE, letters * SWALLOW.num_perm),
        ("sets", "set of shingles, a letter", planned.SET, letters),
    ):
        measured = rounds.figure(what, task, "µs", each(number, 1e6))
        yield Figure(what, measured.value, "µs", measured.low, measured.high, "planned", constant, constant / measured.value)
    with tempfile.TemporaryDirectory() as folder:
        selection(Path(folder) / "small", 2000)
        found = selection(Path(folder) / "run", DOCUMENTS)
        members = found["members found"]
        for stage, what, constant, number in (
            ("pages", "a document", planned.PAGE, DOCUMENTS),
            ("copies", "a document", planned.COPY, DOCUMENTS),
            ("bands", "a document and band", planned.BAND, DOCUMENTS * SWALLOW.bands),
            ("groups", "a document", planned.NUMBER, DOCUMENTS),
            ("members", "a document that meets another", planned.MEMBER, members),
            ("choices", "a document that meets another", planned.CHOICE, members),
            ("select", "a document", planned.SELECTED, DOCUMENTS),
        ):
            measured_here = 1e6 * found[stage] / number
            yield Figure(
                f"{stage}, {what}", measured_here, "µs", against="planned", other=constant, ratio=constant / measured_here
            )
        steps = planned.steps(config_of(folder), DOCUMENTS, DOCUMENTS // FILE, LETTERS, members / DOCUMENTS)
        for step in steps:
            if step.disk:
                size = folder_size(Path(folder) / "run" / ("dedup" if step.stage == "select" else step.stage))
                what, taken = f"disk of {step.stage}, {DOCUMENTS:,} documents", step.disk / 1e6
                yield Figure(what, size / 1e6, "MB", against="planned", other=taken, ratio=1e6 * taken / size)
        yield from opening(State(Store(str(Path(folder) / "run")), config_of(folder)))
    for stage, measured_unit in engine().items():
        constant = {"fingerprints": planned.FINGERPRINT_UNIT, "signatures": planned.SIGNATURE_UNIT}[stage] / 1e3
        yield Figure(f"{stage}, a unit of three documents, engine included", measured_unit, "ms", against="planned", other=constant,
                     ratio=constant / measured_unit)  # fmt: skip
    half, whole = copies_of_one_page(500_000), copies_of_one_page(1_000_000)
    yield Figure("1,000,000 copies of one page, from documents to verdicts", whole, "s", against="twice half as many",
                 other=2 * half, ratio=2 * half / whole)  # fmt: skip


def config_of(folder: str, **engine: int) -> planned.Config:
    value = {"run": folder, "source": {"paths": ("none",)}, "dedup": {"verify": "estimate"}, "engine": engine}
    return planned.Config.model_validate(value)


def opening(state: State) -> Iterator[Figure]:
    """What a file costs before any of its rows is read."""
    store, tables = state.store, {"fingerprints": (schema.FINGERPRINTS, ["address"], planned.OPENING)}
    tables["signatures"] = signature_schema(state.config), ["row", "band_000", "band_001"], planned.OPENING_SIGNATURES
    for name, (wanted, columns, constant) in tables.items():
        small = schema.read_table(store, f"{name}/00000.parquet", wanted).slice(0, 300)
        with store.writing("small.parquet") as out:
            schema.write_table(small, out, dictionaries=False)
        read = partial(schema.read_table, store, "small.parquet", wanted, columns)
        measured = alternate({"open": lambda read=read: [read() for _ in range(100)]}).figure("", "open", "ms", each(100))
        yield Figure(f"a file of {name} opened, 300 documents", measured.value, "ms", measured.low, measured.high, "planned",
                     constant / 1e3, constant / 1e3 / measured.value)  # fmt: skip


def engine() -> dict[str, float]:
    """Milliseconds of one core that a unit with next to nothing in it takes, by stage: 400 files of three documents, two workers."""
    with tempfile.TemporaryDirectory() as folder:
        config = config_of(folder, workers=2)
        state = State(Store(folder), config)
        for number in range(400):
            write_documents(state, f"{number:05d}", [f"本文{number}{letter}" for letter in "あいう"])
        found = {}
        with cluster(config):
            for name in ("fingerprints", "pages", "copies", "signatures"):
                units = stage_named(name).units(state)
                run_units(stage_named(name), units[:20], config, lambda *_: None)  # workers start
                begin = time.perf_counter()
                run_units(stage_named(name), units, config, lambda *_: None)
                found[name] = (time.perf_counter() - begin) * 2e3 / len(units)
                state.look(stage_named(name))
        return {name: found[name] for name in ("fingerprints", "signatures")}


def copies_of_one_page(number: int) -> float:
    """Seconds from documents to verdicts, of which one is kept: eight files, one process."""
    with tempfile.TemporaryDirectory() as folder:
        state = State(Store(folder), config_of(folder))
        for file in range(8):
            write_documents(state, f"{file:05d}", ["同じ本文がどこでも繰り返されるページです。" * 4] * (number // 8))
        begin = time.perf_counter()
        for stage in (stage_named(name) for name in ("fingerprints", "pages", "copies", "signatures", *STAGES[2:])):
            done = {}
            for unit in stage.units(state):
                result = stage.work(unit, state.config, state.store)
                made = made_of(stage, unit, state.config)
                done[unit.name] = Sidecar(stage.name, unit.name, made, tuple(result.outputs), result.counts, 0)
            state._completed[stage.name] = done
        assert state.counts("select").kept == 1
        return time.perf_counter() - begin


def write_documents(state: State, name: str, texts: list[str]) -> None:
    """Documents that pass, as the stages before deduplication leave them."""
    ids = [f"{name}-{number:08d}" for number in range(len(texts))]
    said = {"doc_id": ids, "url": [f"http://example.jp/{doc_id}" for doc_id in ids], "text": texts}
    for stage, folder, wanted in (
        ("extract", "documents", schema.DOCUMENTS),
        ("annotate", "signals", signals_schema(to_measure(state.config))),
        ("decide", "verdicts", schema.VERDICTS),
    ):
        nothing = {field.name: "" if pa.types.is_string(field.type) else 0 for field in wanted}
        columns = {column: pa.array([value] * len(texts), wanted.field(column).type) for column, value in nothing.items()}
        columns |= {column: values for column, values in said.items() if column in nothing}
        with state.store.writing(f"{folder}/{name}.parquet") as out:
            schema.write_table(schema.table(wanted, columns), out)
        outputs = (out.written(f"{folder}/{name}.parquet"),)
        made = {"version": 1, "settings": {}, "params": {}, "inputs": {}}
        counts = Counts(len(texts), len(texts))
        state._completed.setdefault(stage, {})[name] = Sidecar(stage, name, made, outputs, counts, 0)


def folder_size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
