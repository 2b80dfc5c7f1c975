"""The selection stages on 1, 2 and 4 million documents: time, and the memory of the largest unit.

Documents without texts (synthetic_signatures.py) lie as fingerprints and signatures in a run directory, 20,000 a file, and go through
pages, copies, bands, groups, members, choices and select, unit after unit in one process, with similarity told by sketches and
`dedup.memory` as stated. Beside it: a million copies of one page with signatures of their own, as
if nobody had seen that they are the same, and documents that share a band and are yet unlike, which is what costs most.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.inputs import ROOT, Inputs
from benchmarks.synthetic_signatures import batch
from benchmarks.timing import Figure
from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.bands import SWALLOW, band_keys
from seiryu.dedup.digests import digests
from seiryu.dedup.select import Candidates, select
from seiryu.dedup.similarity import sketches
from seiryu.pipelines.chain import stage_named
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.deduplicating.signatures import band_column, fixed, signature_schema
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar, made_of

MILLION = 1_000_000
SIZES = (1, 2, 4)
FILE = 20_000
MEMORY = 600_000_000
STAGES = ("pages", "copies", "bands", "groups", "members", "choices", "select")


def figures(_: Inputs) -> Iterator[Figure]:
    found = {size: child("stages", size * MILLION) for size in SIZES}
    for size, run in found.items():
        what, half = f"selection, {size} M documents", found.get(size // 2)
        if half:
            twice = 2 * half["seconds"]
            yield Figure(what, run["seconds"], "s", against=f"twice {size // 2} M", other=twice, ratio=twice / run["seconds"])
        else:
            yield Figure(what, run["seconds"], "s")
        yield Figure(f"largest unit of {size} M, dedup.memory {MEMORY / 1e6:.0f} MB", run["bytes"] / 1e6, "MB")
    for stage in STAGES:
        yield Figure(f"{stage}, {SIZES[-1]} M", found[SIZES[-1]][stage], "s")
    for task, number in (("copies", MILLION), ("unlike", 20_000)):
        seconds = [[child(task, size)["seconds"] for _ in range(3)] for size in (number // 2, number)]
        half_number, whole = map(median, seconds)
        name = "copies of one page" if task == "copies" else "unlike documents in one bucket"
        yield Figure(f"{number:,} {name}", whole, "s", min(seconds[1]), max(seconds[1]), "twice half as many", 2 * half_number,
                     2 * half_number / whole)  # fmt: skip


def child(task: str, documents: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.select", task, str(documents)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def in_one_bucket(task: str, documents: int) -> dict[str, float]:
    if task == "copies":
        keys, sketch, _ = batch(0, 1, SWALLOW)
        some = Candidates(np.repeat(keys, documents, axis=0), np.repeat(sketch, documents, axis=0))
    else:
        values = np.random.default_rng(1).integers(0, 2**32, (documents, SWALLOW.num_perm), np.uint32)
        values[:, : SWALLOW.rows] = 1
        some = Candidates(band_keys(values, SWALLOW.bands, SWALLOW.rows), sketches(values))
    order = np.random.default_rng(1).permutation(documents)
    select(np.arange(1), Candidates(some.keys[:1], some.sketches[:1]))
    begin = time.perf_counter()
    kept = int((select(order, some).survivor == np.arange(documents)).sum())
    seconds = time.perf_counter() - begin
    assert kept == (1 if task == "copies" else documents)
    return {"seconds": seconds}


def of_stages(documents: int) -> dict[str, float]:
    """Seconds of each stage and of all, and the most bytes that a unit had beside what the process had before."""
    with tempfile.TemporaryDirectory() as folder:
        selection(Path(folder) / "small", 2000)  # the kernels are compiled, or read from the cache, before
        return selection(Path(folder) / "run", documents)


def selection(folder: Path, documents: int) -> dict[str, float]:
    config = {"run": str(folder), "source": {"paths": ["none"]}, "dedup": {"verify": "estimate", "memory": MEMORY}}
    state = State(Store(str(folder)), Config.model_validate_json(json.dumps(config)))
    for first in range(0, documents, FILE):
        write_file(state, f"{first // FILE:05d}", first, min(FILE, documents - first))
    measured, most = dict.fromkeys(STAGES, 0.0), 0
    for stage in map(stage_named, STAGES):
        state._completed[stage.name] = {}
        for unit in stage.units(state):
            before = memory("VmRSS")
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
            begin = time.perf_counter()
            result = stage.work(unit, state.config, state.store)
            measured[stage.name] += time.perf_counter() - begin
            most = max(most, memory("VmHWM") - before)
            done = Sidecar(stage.name, unit.name, made_of(stage, unit, state.config), tuple(result.outputs), result.counts, 0)
            state._completed[stage.name][unit.name] = done
    assert state.counts("select").kept + state.counts("select").rejected.total() == documents
    members = state.counts("groups").extra["members"]
    return {**measured, "seconds": sum(measured.values()), "bytes": most, "members found": members}


def memory(line: str) -> int:
    """VmRSS or VmHWM of this process in bytes. Not `resource`: its ru_maxrss begins with the parent's."""
    found = re.search(rf"^{line}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def write_file(state: State, name: str, first: int, count: int) -> None:
    """Fingerprints and signatures of some documents, as their stages leave them."""
    keys, sketch, _ = batch(first, count, SWALLOW)
    ids = pa.array([f"{number:032d}" for number in range(first, first + count)])
    own = digests(ids.to_pylist())
    dates = np.random.default_rng(first).integers(0, 2**50, count).astype(np.float64)
    prints = {"doc_id": ids, "priority": dates, "letters": np.full(count, 1700), "text": own, "address": own, "payload": own}
    signed: dict[str, Any] = {
        "row": np.arange(count),
        "doc_id": ids,
        "sketch": fixed(sketch, SWALLOW.num_perm),
        "shingles": [[]] * count,
    }
    signed |= {band_column(band): keys[:, band] for band in range(SWALLOW.bands)}
    tables = {
        "fingerprints": schema.table(schema.FINGERPRINTS, prints),
        "signatures": schema.table(signature_schema(state.config), signed),
    }
    for stage, table in tables.items():
        with state.store.writing(f"{stage}/{name}.parquet") as out:
            schema.write_table(table, out, dictionaries=False)
        counts = Counts(count, count)
        counts.letters["kept"] = 1700 * count
        done = Sidecar(stage, name, {"settings": {}}, (out.written(f"{stage}/{name}.parquet"),), counts, 0)
        state._completed.setdefault(stage, {})[name] = done


if __name__ == "__main__":
    task, documents = sys.argv[1], int(sys.argv[2])
    print(json.dumps(of_stages(documents) if task == "stages" else in_one_bucket(task, documents)))
