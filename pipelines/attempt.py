"""One attempt at one unit, in whatever process: do the work, check the law, put the sidecar in place last.

Nothing is raised: what went wrong comes back as an `Outcome`, sorted by what helps: nothing (the input is bad), another try,
or only a person (no room left).
"""

from __future__ import annotations

import os
import time
import traceback
from dataclasses import dataclass
from typing import Any, Literal

from seiryu.corpus.errors import InputError, LawBroken, StorageFull
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.unit import Sidecar, Unit, made_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """`done`; `retry`: may go well another time; `bad`: no second try will change it; `stop`: the run cannot go on."""

    kind: Literal["done", "retry", "bad", "stop"]
    reason: str = ""
    detail: str = ""
    seconds: float = 0.0
    records: int = 0


def attempt(unit: Unit, config: Config) -> Outcome:
    """Make a unit and commit it."""
    from seiryu.pipelines.chain import (
        stage_named,  # the stages import what works on text, which a driver can do without
    )

    begin = time.perf_counter()
    store = Store(config.run)
    stage = stage_named(unit.stage)
    try:
        # The old sidecar goes first: it must not vouch for files that are being replaced.
        before = _outputs_before(unit, store)
        store.delete(unit.sidecar)
        result = stage.work(unit, config, store)
        result.counts.check(f"{unit.stage} {unit.name}")
        seconds = time.perf_counter() - begin
        made = made_of(stage, unit, config)
        sidecar = Sidecar(unit.stage, unit.name, made, tuple(result.outputs), result.counts, seconds)
        store.write_json(unit.sidecar, sidecar.to_json())
        for name in before - {output.name for output in result.outputs}:
            store.delete(name)
    except StorageFull as error:
        return Outcome("stop", str(error))
    except (InputError, LawBroken) as error:
        return Outcome("bad", str(error), traceback.format_exc())
    except MemoryError:
        return Outcome("retry", "out of memory", traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - the driver decides what becomes of the unit
        return Outcome("retry", f"{type(error).__name__}: {error}", traceback.format_exc())
    return Outcome("done", seconds=seconds, records=result.counts.records)


def _outputs_before(unit: Unit, store: Store) -> set[str]:
    """Files that the unit left when it was made before."""
    try:
        return {output.name for output in Sidecar.from_json(store.read_json(unit.sidecar)).outputs}
    except (FileNotFoundError, InputError, KeyError, TypeError):
        return set()


def quiet_libraries() -> dict[str, str]:
    """Environment of a worker: one thread each, because there is a worker for every core."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "ARROW_NUM_THREADS")
    return {name: os.environ.get(name, "1") for name in names}


def set_aside_record(unit: Unit, outcome: Outcome, attempts: int) -> dict[str, Any]:
    """What is kept of a unit that is given up."""
    return {"stage": unit.stage, "unit": unit.name, "reason": outcome.reason, "attempts": attempts, "detail": outcome.detail}
