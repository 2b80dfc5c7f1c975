"""One attempt at one unit, in whatever process: do the work, check the law, put the sidecar in place last.

Nothing is raised: what went wrong comes back as an `Outcome`, sorted by what helps: nothing (the input is bad), another try,
or only a person (no room left).
"""

from __future__ import annotations

import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from seiryu.corpus.errors import InputError, LawBroken, NodeFull, NotWritable, StorageFull
from seiryu.corpus.remote.errors import Forbidden, Unreachable
from seiryu.corpus.storage import HashingFile, Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.engine.lease import TakenOver, check_lease
from seiryu.pipelines.engine.spending import spending
from seiryu.pipelines.unit import NoBetter, Sidecar, Stage, Unit, difference, made_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """`done`; `part`: done but for records that did not come and may another time; `retry`: may go well another time; `lost`: the
    node of the attempt has gone; `full`: it may go well on another node; `unfit`: so would every unit of the stage, for the node is not
    as the driver's; `bad`: no second try will change it, unless this node does not see what others see; `stop`: the run cannot go on.
    `counts`: of what is committed.
    """

    kind: Literal["done", "part", "retry", "lost", "full", "unfit", "bad", "stop"]
    reason: str = ""
    detail: str = ""
    seconds: float = 0.0
    counts: Counts | None = None


class Overtaken(Exception):
    """Another copy of the unit was committed meanwhile."""


class _Replacing(Store):
    """The store of a unit that is made again: with the first output goes the old sidecar, which must not vouch for new files.

    Until then the unit is as it was, whatever befalls the one who makes it. Overtaken rather than the end of a sidecar that another
    copy of the unit has put there meanwhile. Nothing is put in place without the lease `fence`.
    """

    def __init__(self, root: str, unit: Unit, made: dict[str, Any], fence: str) -> None:
        super().__init__(root)
        self._unit, self._made, self._fence, self._untouched = unit, made, fence, True

    @contextmanager
    def writing(self, name: str) -> Iterator[HashingFile]:
        with super().writing(name) as file:
            yield file
            self._before_placing()

    def _before_placing(self) -> None:
        """The last moment before a file is put in place."""
        if self._fence:
            check_lease(self, self._fence)
        found = read_sidecar(self, self._unit)
        if found and whole(self, found, self._made):
            raise Overtaken
        if found and self._untouched:  # a DELETE that hangs in a network must not meet what another copy has put there since
            self.delete(self._unit.sidecar)
        self._untouched = False


def attempt(stage: Stage, unit: Unit, config: Config, fence: str = "", settings: dict[str, Any] | None = None) -> Outcome:
    """Make a unit and commit it, unless it is made already. `fence`: the lease of the run directory that this is done under;
    `settings`: the stage's as the driver has them, whose models and libraries this machine must have too.
    """
    begin, spent, store = time.perf_counter(), spending(), Store(config.run)
    try:
        made = made_of(stage, unit, config)
        if why := _otherwise(store, made["settings"], settings, fence):
            return Outcome("unfit", why)
        store = _Replacing(config.run, unit, made, fence)
        before = read_sidecar(store, unit)
        if before and whole(store, before, made):
            return _done(before)
        there = before and before.made_of == made and all(store.exists(output.name) for output in before.outputs)
        lacking = before.counts.not_come if before and there else 0
        try:
            result = stage.work(replace(unit, not_come=lacking or None), config, store)
        except NoBetter:
            assert before is not None
            return replace(_done(before), seconds=time.perf_counter() - begin)
        result.counts.check(f"{unit.stage} {unit.name}")
        seconds = time.perf_counter() - begin
        sidecar = Sidecar(
            unit.stage, unit.name, made, tuple(result.outputs), result.counts, seconds, cpu_seconds=spent.cpu_seconds(),
            peak_memory=spent.peak_memory(), times=result.times,
        )  # fmt: skip
        store.write_json(unit.sidecar, sidecar.to_json())
        left = {*unit.replaces, *(before.files if before else ())}
        store.delete_all(sorted(left - {output.name for output in result.outputs}))
    except Overtaken:
        return _done(read_sidecar(store, unit))
    except (StorageFull, NotWritable, Forbidden, TakenOver) as error:
        return Outcome("stop", str(error))
    except (InputError, LawBroken) as error:
        return Outcome("bad", str(error), traceback.format_exc())
    except NodeFull as error:
        return Outcome("full", str(error), traceback.format_exc())
    except Unreachable as error:
        return Outcome("retry", str(error), traceback.format_exc())
    except MemoryError:
        return Outcome("retry", "out of memory", traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - the driver decides what becomes of the unit
        return Outcome("retry", f"{type(error).__name__}: {error}", traceback.format_exc())
    return _done(sidecar)


def _otherwise(store: Store, here: dict[str, Any], wanted: dict[str, Any] | None, fence: str) -> str:
    """Why this machine cannot make what the driver wants, where another one may; empty if it can."""
    doctor = "seiryu doctor looks at all nodes"
    if wanted is not None and here != wanted:
        return f"{socket.gethostname()} would make it otherwise than the driver ({difference(wanted, here)}); {doctor}"
    if fence and store.local and not store.exists("run.json"):
        return (
            f"{socket.gethostname()} does not see the run directory {store.root}, which must be the same on all nodes; {doctor}"
        )
    return ""


def whole(store: Store, found: Sidecar, made: dict[str, Any]) -> bool:
    """Whether a unit is made of just this, lacks no record and has all its outputs."""
    return found.made_of == made and not found.counts.not_come and all(store.exists(output.name) for output in found.outputs)


def read_sidecar(store: Store, unit: Unit) -> Sidecar | None:
    """What the unit was when it was made before; None if there is nothing, or nothing that can be read."""
    try:
        return Sidecar.from_json(store.read_json(unit.sidecar))
    except (FileNotFoundError, InputError):
        return None


def _done(sidecar: Sidecar | None) -> Outcome:
    if sidecar is None:
        return Outcome("retry", "its sidecar has gone again")
    counts = sidecar.counts
    if counts.not_come:
        why = f"{counts.not_come:,} of {counts.records:,} records did not come"
        return Outcome("part", why, "", sidecar.seconds, counts)
    return Outcome("done", seconds=sidecar.seconds, counts=counts)


def set_aside_record(unit: Unit, outcome: Outcome, attempts: int) -> dict[str, Any]:
    """What is kept of a unit that is given up."""
    return {"stage": unit.stage, "unit": unit.name, "reason": outcome.reason, "attempts": attempts, "detail": outcome.detail}
