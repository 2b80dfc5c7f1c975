"""Runs the units of a stage on Ray: core tasks with paths in and small counts out.

A bounded number is in flight, so the driver's memory does not grow with the number of units. Retries are decided here and not by
Ray, so that they can be told apart: a unit that fails `attempts` times is set aside with its reason and the rest goes on; a lost node
costs no attempt (up to LOST_NODES times); bad input gets a second try only where another node can tell whether the node
is at fault. A unit that takes far longer than the others is started
once more on another node (stragglers.py); the first to commit wins. Whatever is started twice is harmless: outputs appear whole,
and the same bytes whoever makes them. Workers stay for the whole run: what leaks, hangs or crashes lives in a child process of
its own (isolation/).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seiryu.pipelines.config import Config
from seiryu.pipelines.engine.attempt import Outcome
from seiryu.pipelines.engine.cluster import EngineError, Members, no_room
from seiryu.pipelines.engine.stragglers import Stragglers, Taken
from seiryu.pipelines.engine.task import failed, make_unit
from seiryu.pipelines.telling.events import Event, Progress, Tell
from seiryu.pipelines.unit import Stage, Unit, as_read

LOST_NODES = 5  # beyond them a loss costs an attempt: it may be the unit that kills its nodes
# Ready tasks beyond the running ones: enough that no worker waits for the driver, few enough that a lost driver loses little.
QUEUED_PER_CPU = 2
_FEW = 16  # names of files that go with a task; more are told to Ray once, for the units that have them in common
_LOOK = 1.0  # seconds between two looks at the cluster, and at the longest without a word to the watcher


@dataclass(slots=True)
class _Copy:
    """A task in flight. `elsewhere`: the node it must not run on; `node`: where it was taken up, empty as long as it waits in Ray."""

    unit: Unit
    elsewhere: str = ""
    node: str = ""


def run_units(
    stage: Stage, units: Sequence[Unit], config: Config, tell: Tell, fence: str = "", members: Members | None = None
) -> Progress:
    """Make all units of one stage. EngineError when the run cannot go on; whatever else fails is in `Progress.set_aside`.

    `fence`: the lease of the run directory (lease.py), which workers look at before they put anything in place; `members`: what an
    earlier stage knows of the cluster.
    """
    running = _Running(stage, units, config, tell, fence, members or Members())
    try:
        while running.waiting or running.copies:
            running.start()
            for copy, outcome in running.ended():
                running.settle(copy, outcome)
            tell(None, running.progress)
    except BaseException:
        running.give_up(list(running.copies))
        raise
    return running.progress


class _Running:
    """The units of a stage on their way: those that wait, and the tasks in flight."""

    def __init__(self, stage: Stage, units: Sequence[Unit], config: Config, tell: Tell, fence: str, members: Members) -> None:
        import ray

        self.waiting = deque(sorted(units, key=lambda unit: -unit.weight))
        self.copies: dict[Any, _Copy] = {}
        self.progress = Progress(stage.name, len(units))
        self._config, self._tell, self._fence, self._members = config, tell, fence, members
        # The first of a task's two answers is where and when it was taken up, the second its outcome.
        wanted: dict[str, Any] = {"num_cpus": 1, "memory": config.engine.memory, "max_retries": 0, "num_returns": "streaming",
                                  "enable_task_events": config.engine.address != "local"}  # for the dashboard  # fmt: skip
        self._task = ray.remote(**wanted)(make_unit)
        self._stage, self._config_text = ray.put((stage, as_read(stage.settings(config)))), config.model_dump_json()
        self._shared: dict[int, Any] = {}  # what units read, told to Ray once for all that read the same many files
        self._taken: dict[str, Taken] = {}  # by unit: the first copy that was taken up
        self._twice: set[str] = set()  # units of which there was a second copy
        self._lost: dict[str, int] = {}
        self._parts: dict[str, Outcome] = {}  # by unit: what was committed without some records
        self._bad_on: dict[str, str] = {}  # by unit: the node that says no try will change it
        self._unfit: set[str] = set()  # nodes that are given no more units of the stage
        self._failed_on: dict[str, str] = {}  # by unit: the node of its last try, which may be at fault
        self._stragglers = Stragglers(config.engine.straggler_factor, config.engine.straggler_seconds)
        self._looked, self._without = -_LOOK, 0.0

    def start(self) -> None:
        """Hand as many units to Ray as may be in flight, and stragglers once more."""
        now = time.monotonic()
        if now - self._looked >= _LOOK:
            if self._members.look(self._config.engine.memory):
                self._hand_in_again()
            self._wait_for_nodes(now)
            if not self.waiting:
                self._copy_stragglers(now)
            self._looked = now
        while self.waiting and len(self.copies) < self._members.cpus * (1 + QUEUED_PER_CPU):
            unit = self.waiting.popleft()
            self._submit(unit, self._failed_on.pop(unit.name, ""))

    def ended(self) -> Iterator[tuple[_Copy, Outcome]]:
        """Tasks that have ended since, with what they came to; waits for one, but not longer than a look."""
        import ray

        if not self.copies:
            time.sleep(_LOOK)
            return
        yield from self._on_dead_nodes()
        if not self.copies:
            return
        ready, _ = ray.wait(list(self.copies), num_returns=1, timeout=_LOOK)
        if ready and len(self.copies) > 1:
            ready, _ = ray.wait(list(self.copies), num_returns=len(self.copies), timeout=0)
        for task in ready:
            if task not in self.copies:  # a copy of a unit that another one has just ended
                continue
            copy = self.copies[task]
            outcome = self._next(task, copy)
            if outcome:
                del self.copies[task]
                yield copy, outcome

    def _on_dead_nodes(self) -> Iterator[tuple[_Copy, Outcome]]:
        """Tasks whose node has gone. Ray says nothing of those that were under way there (2.60: for as long as the worker lives on)."""
        gone = [task for task, copy in self.copies.items() if copy.node and copy.node not in self._members.alive]
        for task in gone:
            copy = self.copies[task]
            self.give_up([task])
            yield copy, Outcome("lost", "its node was lost")

    def _hand_in_again(self) -> None:
        """A node has gone: what nobody has taken up may have been on its way there, of which Ray says nothing for seven minutes (2.60,
        gRPC's keepalive), nor asks for a worker for others of the same demands; to avoid the node makes them other demands.
        """
        for task in [task for task, copy in self.copies.items() if not copy.node]:
            copy = self.copies[task]
            self.give_up([task])
            self.progress.doubtful.add(copy.unit.name)
            if copy.unit.name not in self._twice or self._able(copy.elsewhere):
                self._submit(copy.unit, copy.elsewhere)

    def settle(self, copy: _Copy, outcome: Outcome) -> None:
        """Count an outcome: done, tried again when the others have been, set aside, or the end of the run."""
        if outcome.kind == "unfit":
            self._unfit.add(copy.node)
        if outcome.kind == "stop" or (outcome.kind in ("full", "unfit") and not self._able(copy.node)):
            raise EngineError(outcome.reason + (f" (node {copy.node[:12]})" if len(self._members.alive) > 1 else ""))
        unit, progress, attempts = copy.unit, self.progress, self._config.engine.attempts
        if outcome.kind == "bad" and unit.name not in self._bad_on and self._able(copy.node):
            self._bad_on[unit.name] = copy.node  # whether it is the unit or the node, another one can tell
            attempts, outcome = max(2, attempts), replace(outcome, kind="retry")
        outcome = replace(outcome, kind="retry") if outcome.kind == "full" else outcome
        others = [task for task, other in self.copies.items() if other.unit.name == unit.name] if unit.name in self._twice else []
        if outcome.kind == "part":
            self._parts[unit.name] = outcome
        if outcome.kind != "done" and others:
            if any(self.copies[task].node for task in others):
                return  # the other copy may still do it
            self.give_up(others)  # nobody has taken it up, and maybe nobody can
            others = []
        self._taken.pop(unit.name, None)
        if unit.name in self._twice or unit.name in self._lost or outcome.kind == "lost":
            progress.doubtful.add(unit.name)
        self._twice.discard(unit.name)
        progress.running = len(self._taken)
        if outcome.kind == "unfit":
            progress.retries += 1
            self._say(
                "retry", copy, replace(outcome, reason=f"{outcome.reason}; this node is given no more units of {unit.stage}")
            )
            self.waiting.append(unit)
            return
        if outcome.kind == "lost":
            if self._lost.get(unit.name, 0) < LOST_NODES:
                self._lost[unit.name] = self._lost.get(unit.name, 0) + 1
                self._say("node_lost", copy, outcome)
                self.waiting.append(unit)
                return
            outcome = replace(outcome, kind="retry")
        tries = progress.attempts.get(unit.name, 0) + 1
        if unit.name in self._parts and (outcome.kind == "bad" or (outcome.kind == "retry" and tries >= attempts)):
            outcome = self._parts[unit.name]  # which stands, or is found missing after the stage
        if outcome.kind == "done" or (outcome.kind == "part" and tries >= attempts):
            self.give_up(others)
            progress.done += 1
            progress.records += outcome.counts.records if outcome.counts else 0
            self._stragglers.finished(outcome.seconds)
            self._unfit |= {self._bad_on.pop(unit.name, copy.node)} - {copy.node}  # which do not see what this one has seen
            self._say("done", copy, outcome)
            return
        progress.attempts[unit.name] = tries
        if outcome.kind in ("retry", "part") and tries < attempts:
            progress.retries += 1
            self._say("retry", copy, outcome)
            self._failed_on[unit.name] = copy.node
            self.waiting.append(unit)
        else:
            self.give_up(others)
            progress.set_aside[unit.name] = outcome
            self._say("set_aside", copy, outcome)

    def _able(self, but: str = "") -> set[str]:
        """Nodes that can make units of the stage."""
        return self._members.able - self._unfit - {but}

    def _submit(self, unit: Unit, elsewhere: str = "") -> None:
        """Hand a unit to Ray, for another node than `elsewhere` if there is one."""
        import ray

        reads: Any = unit.reads
        if len(reads) > _FEW:
            if id(reads) not in self._shared:
                self._shared[id(reads)] = ray.put(reads)
            reads = self._shared[id(reads)]
        options: dict[str, Any] = {"name": unit.stage}  # one of its own for each unit would stay in the driver's memory
        if not self._able():  # the fit ones have gone: whatever the others say ends the unit or the run
            self._unfit.clear()
        elsewhere = elsewhere if self._able(elsewhere) else ""
        if avoided := sorted({*self._members.departed, *self._unfit, *filter(None, [elsewhere])}):
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(avoided)})"}
        task = self._task.options(**options).remote(self._stage, replace(unit, reads=()), reads, self._config_text, self._fence)
        self.copies[task] = _Copy(unit, elsewhere)

    def _next(self, task: Any, copy: _Copy) -> Outcome | None:
        """What a task says next: its outcome, or None if it has just been taken up."""
        import ray
        from ray.exceptions import RayError

        try:
            said = ray.get(next(task))
        except (RayError, StopIteration) as error:
            return failed(error, copy.node)
        if isinstance(said, Outcome):
            return said
        copy.node = said
        self._members.alive.add(said)  # it may have come since the last look
        self._taken.setdefault(copy.unit.name, Taken(said, time.monotonic()))
        self.progress.running = len(self._taken)
        return None

    def _copy_stragglers(self, now: float) -> None:
        """Where a core idles, start what takes too long once more on another node."""
        names = {copy.unit.name: copy.unit for copy in self.copies.values()}
        for name in self._stragglers.among(self._taken, now):
            if len(self.copies) >= self._members.cpus:
                return
            node = self._taken[name].node
            if name in names and name not in self._twice and self._able(node):
                self._twice.add(name)
                self.progress.copies += 1
                self._submit(names[name], elsewhere=node)
                why = f"taken up {now - self._taken[name].since:,.0f} s ago, others took {self._stragglers.limit:,.0f} at most"
                self._tell(Event("copied", self.progress.stage, name, why, node=node), self.progress)

    def _wait_for_nodes(self, now: float) -> None:
        """Say so while no node can take a unit, and EngineError when that lasts: nodes of a cluster come and go."""
        lacking = "" if self._taken else no_room(self._config)
        if not lacking:
            self._without = now
            return
        waited = now - self._without if self._without else 0.0
        self._without = self._without or now
        if waited > self._config.engine.patience:
            raise EngineError(f"{lacking} (waited {waited:,.0f} s for another node, see engine.patience)")
        self._tell(Event("waiting", self.progress.stage, reason=lacking), self.progress)

    def give_up(self, tasks: Sequence[Any]) -> None:
        import ray

        for task in tasks:
            del self.copies[task]
            ray.cancel(task, force=True)

    def _say(self, what: Any, copy: _Copy, outcome: Outcome) -> None:
        event = Event(what, self.progress.stage, copy.unit.name, outcome.reason, outcome.seconds, copy.node, outcome.counts)
        self._tell(event, self.progress)
