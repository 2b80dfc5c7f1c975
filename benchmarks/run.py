"""A whole run of configs/sample.yaml, as a person starts it: fresh with one worker and with two, and again when all is done.

What the engine adds is told by the bands stage, some units of a few milliseconds each: its time in the log less what its units
took, with one worker, so that nothing overlaps. One run each: the figures wander by a tenth.
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

from benchmarks.inputs import ROOT, Inputs
from benchmarks.timing import Figure

CONFIG = "configs/sample.yaml"


def figures(_: Inputs) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder) / "one", Path(folder) / "two"
        single, log = run(one, "engine.workers=1")
        double, _log = run(two, "engine.workers=2")
        again, _log = run(two, "engine.workers=2")
        yield Figure(f"{CONFIG}, 2 workers", double, "s", against="1 worker", other=single, ratio=single / double)
        yield Figure("again, all done", again, "s", against="2 workers", other=double, ratio=double / again)
        work = {stage.name: [json.loads(unit.read_text())["seconds"] for unit in stage.glob("*.json")]
                for stage in (one / "units").iterdir()}  # fmt: skip
        yield Figure("share of the time in units, 1 worker", 100 * sum(map(sum, work.values())) / single, "%")
        yield Figure("share of the time in extract's units", 100 * sum(work["extract"]) / single, "%")
        number, own = len(work["bands"]), sum(work["bands"])
        added, unit = 1e3 * (bands_seconds(log) - own) / number, 1e3 * own / number
        yield Figure(f"engine, a unit (bands: {number})", added, "ms", against="the work of a unit", other=unit)


def run(folder: Path, *changes: str) -> tuple[float, str]:
    """Seconds of one command, and what it wrote to stderr."""
    command = [sys.executable, "-m", "seiryu.pipelines", "run", CONFIG]
    for change in (f"run={folder}", *changes):
        command += ["--set", change]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return seconds, done.stderr


def bands_seconds(log: str) -> float:
    line = re.search(r"^bands: .* in ([\d.]+) s", log, re.MULTILINE)
    if not line:
        raise SystemExit(f"the log of the run does not tell how long bands took:\n{log}")
    return float(line[1])
