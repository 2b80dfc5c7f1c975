"""One attempt at one unit, in whatever process: do the work, check the law, put the sidecar in place last.

Nothing is raised: what went wrong comes back as an `Outcome`, sorted by what helps: nothing (the input is bad), another try,
or only a person (no room left).
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from seiryu.corpus.errors import InputError, LawBroken, NotWritable, StorageFull
from seiryu.corpus.remote.errors import Forbidden, Unreachable
from seiryu.corpus.storage import HashingFile, Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.unit import NoBetter, Sidecar, Unit, made_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """`done`; `part`: done but for records that did not come and may another time; `retry`: may go well another time; `bad`: no
    second try will change it; `stop`: the run cannot go on."""

    kind: Literal["done", "part", "retry", "bad", "stop"]
    reason: str = ""
    detail: str = ""
    seconds: float = 0.0
    records: int = 0


class _Replacing(Store):
    """The store of a unit that is made again: with the first output goes the old sidecar, which must not vouch for new files.

    Until then the unit is as it was, whatever befalls the one who makes it.
    """

    def __init__(self, root: str, unit: Unit) -> None:
        super().__init__(root)
        self._sidecar: str | None = unit.sidecar

    @contextmanager
    def writing(self, name: str) -> Iterator[HashingFile]:
        if self._sidecar:
            self.delete(self._sidecar)
            self._sidecar = None
        with super().writing(name) as file:
            yield file


def attempt(unit: Unit, config: Config) -> Outcome:
    """Make a unit and commit it."""
    from seiryu.pipelines.chain import (
        stage_named,  # the stages import what works on text, which a driver can do without
    )

    begin = time.perf_counter()
    store = _Replacing(config.run, unit)
    stage = stage_named(unit.stage)
    try:
        before, made = _before(unit, store), made_of(stage, unit, config)
        lacking = before.counts.not_come if before and before.made_of == made else 0
        try:
            result = stage.work(replace(unit, not_come=lacking or None), config, store)
        except NoBetter:
            assert before is not None
            return _part(before.counts, time.perf_counter() - begin)
        result.counts.check(f"{unit.stage} {unit.name}")
        seconds = time.perf_counter() - begin
        sidecar = Sidecar(unit.stage, unit.name, made, tuple(result.outputs), result.counts, seconds)
        store.write_json(unit.sidecar, sidecar.to_json())
        for name in {output.name for output in (before.outputs if before else ())} - {output.name for output in result.outputs}:
            store.delete(name)
    except (StorageFull, NotWritable, Forbidden) as error:
        return Outcome("stop", str(error))
    except (InputError, LawBroken) as error:
        return Outcome("bad", str(error), traceback.format_exc())
    except Unreachable as error:
        return Outcome("retry", str(error), traceback.format_exc())
    except MemoryError:
        return Outcome("retry", "out of memory", traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - the driver decides what becomes of the unit
        return Outcome("retry", f"{type(error).__name__}: {error}", traceback.format_exc())
    if result.counts.not_come:
        return _part(result.counts, seconds)
    return Outcome("done", seconds=seconds, records=result.counts.records)


def _part(counts: Counts, seconds: float) -> Outcome:
    return Outcome("part", f"{counts.not_come:,} of {counts.records:,} records did not come", "", seconds, counts.records)


def _before(unit: Unit, store: Store) -> Sidecar | None:
    """What the unit was when it was made before."""
    try:
        return Sidecar.from_json(store.read_json(unit.sidecar))
    except (FileNotFoundError, InputError, KeyError, TypeError):
        return None


def quiet_libraries() -> dict[str, str]:
    """Environment of a worker: one thread each, because there is a worker for every core."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "ARROW_NUM_THREADS")
    return {name: os.environ.get(name, "1") for name in names}


def set_aside_record(unit: Unit, outcome: Outcome, attempts: int) -> dict[str, Any]:
    """What is kept of a unit that is given up."""
    return {"stage": unit.stage, "unit": unit.name, "reason": outcome.reason, "attempts": attempts, "detail": outcome.detail}
