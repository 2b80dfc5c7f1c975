"""Whether a worker grows: resident memory of a worker and of its child, archive after archive: `python -m benchmarks memory`.

One fresh process does what a Ray worker does, the extract stage's `work` on one archive after the other with the child kept from
each to the next; the archives of the input come round until there were enough. What counts is the growth from the tenth archive on:
before it kernels are compiled, models loaded, caches filled, and malloc keeps what the largest archive took.

SEIRYU_MEMORY_ARCHIVES (50): how many.
"""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.inputs import ROOT, Inputs
from benchmarks.timing import Figure

SETTLED = 10  # archives after which a worker should grow no more
_SHOWN = (1, 5, SETTLED, 25)


def figures(inputs: Inputs) -> Iterator[Figure]:
    archives = int(os.environ.get("SEIRYU_MEMORY_ARCHIVES", 50))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.memory", str(inputs.folder), folder, str(archives)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for row in rows:
        if row["archives"] in (*_SHOWN, archives):
            for who in ("worker", "child"):
                yield Figure(f"{who}, after {row['archives']} archives, {row['pages']:,} pages", row[who], "MB")
    if settled := [row for row in rows if row["archives"] >= SETTLED]:
        for who in ("worker", "child"):
            growth = settled[-1][who] - settled[0][who]
            span = [row[who] for row in settled]
            yield Figure(f"{who}, growth from {SETTLED} to {archives} archives", growth, "MB")
            yield Figure(f"{who}, meanwhile", sum(span) / len(span), "MB", min(span), max(span))
    yield Figure("children started", len({row["pid"] for row in rows}), "processes")
    yield Figure(
        "Python objects that the worker holds, growth", rows[-1]["objects"] - rows[min(SETTLED, len(rows)) - 1]["objects"], ""
    )


def run(folder: Path, run_folder: str, archives: int) -> None:
    """In the fresh process: one line of JSON after each archive."""
    from seiryu.corpus.inputs import identity
    from seiryu.corpus.storage import Store
    from seiryu.pipelines.config import Config
    from seiryu.pipelines.isolation.isolated import close_kept
    from seiryu.pipelines.source_config import Files
    from seiryu.pipelines.stages import extract as stage
    from seiryu.pipelines.unit import Unit

    paths = sorted(folder.glob("*.warc.gz"))
    config, pages = Config(run=run_folder, source=Files(paths=(str(folder),))), 0
    for number in range(archives):
        path = paths[number % len(paths)]
        name = path.name.removesuffix(".warc.gz")
        result = stage.work(Unit("extract", name, {"warc": path.name}, identity(str(path)), str(path)), config, Store(config.run))
        pages += result.counts.extra["pages"]
        del result
        child = stage.isolated(config).pid
        held = {"worker": resident(os.getpid()), "child": resident(child) if child else 0, "objects": len(gc.get_objects())}
        print(json.dumps({"archives": number + 1, "pages": pages, "pid": child} | held), flush=True)
    close_kept()


def resident(pid: int) -> float:
    """MB that a process holds."""
    found = re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
