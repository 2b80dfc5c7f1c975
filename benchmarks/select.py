"""Choosing survivors among synthetic documents: seconds, growth, and peak memory.

Every measurement is a process of its own (`python -m benchmarks.select TASK DOCUMENTS`), because a process never forgets its
highest memory; what it held before, the arguments included, is taken off. Each document lies in one bucket of two, spread at
random over 40 bands. The comparison is the same rule with Python dictionaries.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import ROOT, Inputs
from benchmarks.timing import Figure
from seiryu.dedup.select import Collisions, repeated, select

BANDS = 40
ROUNDS = 3
MILLION = 1_000_000


def figures(_: Inputs) -> Iterator[Figure]:
    tasks = [("select", MILLION), ("select", 2 * MILLION), ("repeated", 2 * MILLION), ("dictionary", MILLION)]
    runs: dict[tuple[str, int], list[dict[str, float]]] = {task: [] for task in tasks}
    for _round in range(ROUNDS):
        for task in tasks:
            runs[task].append(child(*task))
    seconds = {task: [run["seconds"] for run in done] for task, done in runs.items()}
    held = {task: median(run["bytes"] for run in done) / task[1] for task, done in runs.items()}
    small, large, keys, plain = tasks
    slower = median(a / b for a, b in zip(seconds[plain], seconds[small], strict=True))
    growth = median(a / b for a, b in zip(seconds[small], seconds[large], strict=True))
    yield Figure("select, 1 M documents", *of_rounds(seconds[small]), "Python dictionaries", median(seconds[plain]), slower)
    yield Figure("select, 2 M documents", *of_rounds(seconds[large]), "1 M documents", median(seconds[small]), growth)
    yield Figure("select, peak memory a document, 2 M", held[large], "bytes", against="1 M documents", other=held[small])
    yield Figure("repeated, one band of 2 M keys", *of_rounds(seconds[keys]))
    yield Figure("repeated, peak memory a key", held[keys], "bytes")


def of_rounds(seconds: list[float]) -> tuple[float, str, float, float]:
    return median(seconds), "s", min(seconds), max(seconds)


def child(task: str, documents: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.select", task, str(documents)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def measure(task: str, documents: int) -> dict[str, float]:
    """Seconds and bytes of one task in this process."""
    rng = np.random.default_rng(0)
    one = np.zeros(1, np.int64)
    select(one, [(one, one)])  # the kernels are compiled, or read from the cache, before
    if task == "repeated":
        keys = rng.integers(0, 20 * documents, documents, np.uint64)  # 5 % meet another
        return timed(lambda: repeated(keys))
    rank, collisions = rng.permutation(documents), pairs(rng, documents)
    return timed(lambda: select(rank, collisions) if task == "select" else by_dictionary(rank, collisions))


def timed(work: Callable[[], object]) -> dict[str, float]:
    before = memory("VmRSS")
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "bytes": memory("VmHWM") - before}


def memory(line: str) -> int:
    """VmRSS or VmHWM of this process in bytes. Not `resource`: its ru_maxrss begins with the parent's."""
    found = re.search(rf"^{line}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def pairs(rng: np.random.Generator, documents: int) -> list[Collisions]:
    rows = np.array_split(rng.permutation(documents), BANDS)
    return [(np.sort(band), rng.permutation(len(band)) // 2) for band in rows]


def by_dictionary(rank: NDArray[np.int64], collisions: list[Collisions]) -> list[int]:
    """The rule as one writes it down first."""
    bands = [dict(zip(rows.tolist(), buckets.tolist(), strict=True)) for rows, buckets in collisions]
    buckets_of: list[list[tuple[int, int]]] = [[] for _ in range(len(rank))]
    for band, bucket_of in enumerate(bands):
        for row, bucket in bucket_of.items():
            buckets_of[row].append((band, bucket))
    keeper: dict[tuple[int, int], int] = {}
    survivor = list(range(len(rank)))
    ranks = rank.tolist()
    for row in np.argsort(rank).tolist():
        met = [keeper[bucket] for bucket in buckets_of[row] if bucket in keeper]
        if met:
            survivor[row] = min(met, key=ranks.__getitem__)
            continue
        keeper.update(dict.fromkeys(buckets_of[row], row))
    return survivor


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
