"""What the engine itself costs: units that do nothing but commit a sidecar, on a local Ray with two workers.

A process of its own runs a stage of them by `run_units`, as a run does, and notes as they end what time it is and what the driver holds
(VmRSS): both must be straight lines, or hundreds of thousands of units would not end. Then `State.look` goes through all of them as the
next run does, and stages of one unit each tell what a stage costs. Most of what a worker does for a unit is the sidecar: looking for
an earlier one, writing it down to the disk, renaming it.

`python -m benchmarks many_units` does it with 200,000 units.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from benchmarks.inputs import ROOT, Inputs
from benchmarks.memory import resident
from benchmarks.timing import Figure
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config, Engine
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.engine.cluster import cluster
from seiryu.pipelines.engine.running import run_units
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.state import State
from seiryu.pipelines.telling.events import Event, Progress
from seiryu.pipelines.unit import Result, Stage, Unit

UNITS = 2_000
MOST_STEPS, SHORTEST_STEP = 200, 100  # looks at the driver, and the units between two
STAGES = 20  # of one unit each
WORKERS = 2


@dataclass
class Driver:
    """The driver's clock (s) and memory (MB) whenever so many more units were done; `in_workers`: seconds of the units themselves."""

    step: int
    at: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    in_workers: float = 0.0

    def tell(self, event: Event | None, progress: Progress) -> None:
        if event and event.what == "done":
            self.in_workers += event.seconds
            if progress.done % self.step == 0:
                self.look()

    def look(self) -> None:
        self.at.append(time.perf_counter())
        self.held.append(resident(os.getpid()))


def figures(_: Inputs, units: int = UNITS) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.empty_units", folder, str(units)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}  # where the workers look for the stage
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit("the run of empty units failed")
    found = json.loads(done.stdout)
    step, held = found["step"], found["held"]
    each = [1e3 * (end - begin) / step for begin, end in zip(found["at"], found["at"][1:], strict=False)]
    quarter = max(1, len(each) // 4)
    first, last = median(each[:quarter]), median(each[-quarter:])
    what = f"{units:,} empty units, {WORKERS} workers"
    yield Figure(f"{what}: a unit", median(each), "ms", min(each), max(each))
    yield Figure("a unit of the last quarter", last, "ms", against="of the first", other=first, ratio=first / last)
    yield Figure("a unit, seconds of its worker", 1e3 * found["in_workers"] / units, "ms")
    yield Figure("the driver after the last unit", held[-1], "MB", against=f"after {step:,}", other=held[1])
    yield Figure("the driver's growth a unit", np.polyfit(range(len(held) - 1), held[1:], 1)[0] / step * (1 << 20), "bytes")
    yield Figure("the list of units, a unit", found["list"], "bytes")
    yield Figure("look when all is done, a unit", 1e3 * found["look"] / units, "ms")
    yield Figure("what that look holds, a unit", found["looked"], "bytes")
    stages = [1e3 * seconds for seconds in found["stages"]]
    yield Figure(f"{STAGES} stages of one empty unit: a stage", median(stages), "ms", min(stages), max(stages))


def work(unit: Unit, _: Config, store: Store) -> Result:
    """Nothing, and its record."""
    del unit, store
    return Result(Counts(records=1, kept=1), ())


def stage(name: str) -> Stage:
    """Without its units: like those of the chain it is small, for it goes to the worker with every unit."""
    return Stage(name, 1, "units", lambda _: {}, lambda _: [], work, on_documents=False)


def run(folder: str, number: int) -> None:
    """In a process of its own; prints one JSON value."""
    config = Config(run=folder, source=Files(paths=("none",)), engine=Engine(workers=WORKERS))
    before = resident(os.getpid())
    units = [Unit("empty", f"unit-{place:08}", {"place": place}, {}) for place in range(number)]
    listed = resident(os.getpid()) - before
    empty, driver = stage("empty"), Driver(max(SHORTEST_STEP, number // MOST_STEPS))
    with cluster(config):
        warm = [Unit("warm", f"{place}", {}, {}) for place in range(10 * WORKERS)]
        run_units(stage("warm"), warm, config, lambda *_: None)  # workers start
        driver.look()
        progress = run_units(empty, units, config, driver.tell)
        stages = [_stage_seconds(place, config) for place in range(STAGES)]
    before, begin = resident(os.getpid()), time.perf_counter()
    standing = State(Store(folder), config).look(replace(empty, units=lambda _: units))
    look = time.perf_counter() - begin
    if progress.done != number or len(standing.done) != number:
        raise SystemExit(f"{progress.done:,} units of {number:,} were done, {len(standing.done):,} found")
    print(json.dumps({
        "step": driver.step, "at": driver.at, "held": driver.held, "in_workers": driver.in_workers, "stages": stages, "look": look,
        "list": listed / number * (1 << 20), "looked": (resident(os.getpid()) - before) / number * (1 << 20),
    }))  # fmt: skip


def _stage_seconds(place: int, config: Config) -> float:
    begin = time.perf_counter()
    run_units(stage(f"stage{place}"), [Unit(f"stage{place}", "all", {}, {})], config, lambda *_: None)
    return time.perf_counter() - begin


if __name__ == "__main__":
    from benchmarks import empty_units  # by the name under which the workers find it

    empty_units.run(sys.argv[1], int(sys.argv[2]))
