"""How a stage's units come to be made: under the lease of the run directory, with Ray from the first one on, until all are kept."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from seiryu.corpus.errors import SeiryuError
from seiryu.pipelines.engine.attempt import set_aside_record
from seiryu.pipelines.engine.cluster import Members, cluster
from seiryu.pipelines.engine.lease import Lease, check_lease
from seiryu.pipelines.engine.running import run_units
from seiryu.pipelines.record import run_record
from seiryu.pipelines.sources.asking import asks_servers
from seiryu.pipelines.state import Standing, State
from seiryu.pipelines.telling.events import Event, Progress
from seiryu.pipelines.telling.metrics import metered
from seiryu.pipelines.telling.screen import plain, say, together, watching
from seiryu.pipelines.unit import Stage

_ROUNDS = 3  # in which all units of a stage must be there that were made


class NotKept(SeiryuError):
    """A store loses what was written to it."""


@dataclass
class Ended:
    """How a run ended. `made`: units made by stage; `over`: what failed beyond what the config allows, in words."""

    state: State
    made: dict[str, int] = field(default_factory=dict)
    set_aside: dict[str, str] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)


class Making:
    """What making units takes: the lease of the run directory, and Ray from the first unit on."""

    def __init__(self, state: State, held: Lease, stack: ExitStack) -> None:
        self.state, self.ended = state, Ended(state)
        self._lease, self._stack, self._connected, self._members = held, stack, False, Members()
        self._planned: dict[str, int] = {}
        self._to_make: dict[str, int] = {}
        self._begun: dict[str, str] = {}

    def make(self, standing: Standing) -> None:
        """Make what is missing or stale, and note what was set aside."""
        stage = standing.stage
        self._planned[stage.name], self._to_make[stage.name] = len(standing.units), len(standing.to_make)
        self._begun[stage.name] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.record(at=stage.name)  # `status` can be asked from now on
        self._connect()
        self.ended.made[stage.name] = 0
        made: set[str] = set()
        for _ in range(_ROUNDS):
            self.ended.made[stage.name] += self._make(standing)
            made = (made | {unit.name for unit in standing.to_make}) - self._aside(stage)
            lost = [unit for unit in self.state.look(stage, again=False, made=made).to_make if unit.name in made]
            if not lost:
                return
            say(
                f"{stage.name}: {len(lost):,} units that were made are not there whole ({lost[0].name}, ...), they are made again"
            )
            standing = Standing(stage, lost, missing=lost)
        raise NotKept(
            f"{self.state.store.root} does not keep what is written: {len(lost):,} units of {stage.name} are gone again"
        )

    def record(self, at: str = "", seconds: float | None = None) -> None:
        """Write run.json as things stand; nothing is written or deleted in a directory that is another run's by now."""
        self.check_lease()
        going = {"at": at, "planned": self._planned, "to_make": self._to_make, "begun": self._begun}
        self.state.store.write_json("run.json", run_record(self.state, self.ended.set_aside, seconds) | going)

    def _aside(self, stage: Stage) -> set[str]:
        return {name.removeprefix(f"{stage.name} ") for name in self.ended.set_aside if name.startswith(f"{stage.name} ")}

    def _connect(self) -> None:
        if self._connected:
            return
        address = self.state.config.engine.address
        say("starting Ray ..." if address == "local" else f"connecting to {address} ...")
        self._stack.enter_context(cluster(self.state.config))
        self._connected = True
        self.check_lease()  # some seconds later: of two runs that came at once, one has it
        self.state.store.sweep()

    def check_lease(self) -> None:
        """TakenOver if the directory is another run's: asks the store."""
        check_lease(self.state.store, self._lease.token)

    def _heard(self, *_: object) -> None:
        """The same by what the lease has heard meanwhile."""
        self._lease.check()

    def _make(self, standing: Standing) -> int:
        state, stage, begin = self.state, standing.stage, time.monotonic()
        with watching(stage.name, len(standing.to_make)) as watch:
            tell = together(self._heard, watch, metered())
            tell(Event("stage_begun", stage.name), Progress(stage.name, len(standing.to_make)))
            progress = run_units(stage, standing.to_make, state.config, tell, self._lease.token, self._members)
            tell(Event("stage_ended", stage.name, seconds=time.monotonic() - begin), progress)
        made = [unit.name for unit in standing.to_make if unit.name not in progress.set_aside]
        if stage.outside and asks_servers(
            state.config
        ):  # elsewhere no record can fail to come, so two copies make the same bytes
            state.drop_unless_whole(stage.name, [name for name in made if name in progress.doubtful], self.check_lease)
        failed = set(state.names_set_aside(stage.name))
        state.store.delete_all([f"units/{stage.name}/{name}.failed" for name in made if name in failed])
        for name in made:
            self.ended.set_aside.pop(f"{stage.name} {name}", None)
        for unit in standing.to_make:
            if not (outcome := progress.set_aside.get(unit.name)):
                continue
            if unit.name in standing.stale and unit.name not in standing.lacking:
                self.check_lease()
                state.remove(stage.name, unit.name)
            record = set_aside_record(unit, outcome, progress.attempts[unit.name])
            state.store.write_json(f"units/{stage.name}/{unit.name}.failed", record)
            self.ended.set_aside[f"{stage.name} {unit.name}"] = outcome.reason
            say(f"set aside: {stage.name} {plain(unit.name)}: {plain(outcome.reason)}")
        say(_line(stage, progress, time.monotonic() - begin))
        return progress.done


def _line(stage: Stage, progress: Progress, seconds: float) -> str:
    rate = (
        f", {progress.records / seconds:,.0f} {stage.what} a second"
        if stage.on_documents and progress.records and seconds > 1
        else ""
    )
    retries = f", {progress.retries} retries" if progress.retries else ""
    copies = f", {progress.copies} started twice" if progress.copies else ""
    return f"{stage.name}: {progress.done:,} units in {seconds:.1f} s{rate}{retries}{copies}"
