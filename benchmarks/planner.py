"""The constants that `seiryu plan` reckons with, measured again beside what it takes them to be (pipelines/dedup_plan.py).

Letters cost what real texts of 1,700 cost; the stages of selection are those of benchmarks/select.py, with half a million
documents of 40 bands of 20, of which 18 % meet another.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from benchmarks.inputs import Inputs
from benchmarks.select import FILE, selection
from benchmarks.timing import Figure, alternate, each
from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.bands import SWALLOW
from seiryu.dedup.minhash import signatures
from seiryu.dedup.normal import normalised
from seiryu.dedup.shingles import shingle_sets
from seiryu.pipelines import dedup_plan as planned

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
        yield opening(Store(str(Path(folder) / "run")))


def config_of(folder: str) -> planned.Config:
    return planned.Config.model_validate({"run": folder, "source": {"paths": ("none",)}, "dedup": {"verify": "estimate"}})


def opening(store: Store) -> Figure:
    """What a file costs before any of its rows is read."""
    small = schema.read_table(store, "fingerprints/00000.parquet", schema.FINGERPRINTS).slice(0, 300)
    with store.writing("small.parquet") as out:
        schema.write_table(small, out, dictionaries=False)
    tasks = {"open": lambda: [schema.read_table(store, "small.parquet", schema.FINGERPRINTS, ["address"]) for _ in range(100)]}
    measured = alternate(tasks).figure("", "open", "ms", each(100))
    constant = planned.OPENING / 1e3
    return Figure("a file opened for one column of 300 documents", measured.value, "ms", measured.low, measured.high, "planned",
                  constant, constant / measured.value)  # fmt: skip


def folder_size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
