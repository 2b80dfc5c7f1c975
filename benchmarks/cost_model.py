"""How far the cost model is off: CPU seconds of archives predicted from other archives, beside what they took.

One run of configs/sample.yaml over the archives, with one worker. Then each archive is left out in turn and predicted from the rest,
for extraction and for the other stages that have a unit for each archive; and the larger half of the archives from the smaller, which
is the way of a snapshot. The first archive is predicted by none: the worker starts with it. Errors are told for archives of a tenth
of a CPU second and more: below that the kernel's ticks are heard.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from benchmarks.inputs import ROOT, Inputs
from benchmarks.timing import Figure
from seiryu.pipelines.profiling.profile import Spent, StageProfile, profile
from seiryu.pipelines.profiling.rates import Measured
from seiryu.pipelines.profiling.snapshot import OF_ARCHIVES
from seiryu.pipelines.state import State

CONFIG = "configs/sample.yaml"
LEAST = 0.1  # CPU seconds


def figures(inputs: Inputs) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        _run(inputs, folder)
        stages = [stage for stage in profile(State.of_run(folder)).stages if stage.stage in OF_ARCHIVES]
    if unmeasured := [stage.stage for stage in stages if stage.unmeasured]:
        raise SystemExit(f"no CPU seconds of {', '.join(unmeasured)}")
    for what, chosen in (("extract", [s for s in stages if s.stage == "extract"]), ("all stages over archives", stages)):
        took, told = _left_out(chosen)
        errors = [100 * abs(told[name] / seconds - 1) for name, seconds in took.items() if seconds >= LEAST]
        yield Figure(f"{what}: an archive from the others, error in the median", median(errors), "%", min(errors), max(errors))
        yield Figure(f"{what}: CPU of all archives, each from the others", sum(told.values()), "s", against="it took",
                     other=sum(took.values()), ratio=sum(took.values()) / sum(told.values()))  # fmt: skip
        larger, foretold = _larger_half(chosen)
        yield Figure(f"{what}: CPU of the larger half, from the smaller", foretold, "s", against="it took", other=larger,
                     ratio=larger / foretold)  # fmt: skip


def _run(inputs: Inputs, folder: str) -> None:
    command = [sys.executable, "-m", "seiryu.pipelines", "run", CONFIG]
    for change in (f"run={folder}", f"source.paths=[{inputs.folder.resolve()}/*.warc.gz]", "engine.workers=1"):
        command += ["--set", change]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 3):  # 3: more records failed than the config allows, which is no matter here
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")


def _left_out(stages: Sequence[StageProfile]) -> tuple[dict[str, float], dict[str, float]]:
    """(CPU seconds that each archive took, those that the others say of it)."""
    took: dict[str, float] = {}
    told: dict[str, float] = {}
    for stage in stages:
        for unit in _warm(stage):
            others = replace(stage, units=tuple(other for other in stage.units if other is not unit))
            took[unit.unit] = took.get(unit.unit, 0.0) + (unit.cpu_seconds or 0.0)
            told[unit.unit] = told.get(unit.unit, 0.0) + _predicted(stage, unit, Measured(others))
    return took, told


def _larger_half(stages: Sequence[StageProfile]) -> tuple[float, float]:
    took = told = 0.0
    for stage in stages:
        units = sorted(_warm(stage), key=lambda unit: unit.bytes_in or 0)
        smaller = Measured(replace(stage, units=tuple(units[: len(units) // 2])))
        for unit in units[len(units) // 2 :]:
            took += unit.cpu_seconds or 0.0
            told += _predicted(stage, unit, smaller)
    return took, told


def _warm(stage: StageProfile) -> list[Spent]:
    """All units but the first that was made."""
    first = min(stage.units, key=lambda unit: unit.ended)
    return [unit for unit in stage.units if unit is not first]


def _predicted(stage: StageProfile, unit: Spent, measured: Measured) -> float:
    rates = measured.rates()
    if stage.stage == "extract":
        return rates.of_archive(unit.bytes_in or 0, unit.extracted_bytes)
    return rates.of_stage(1, getattr(unit, measured.by) or 0)
