"""One budget for all processes of a cluster, and the choice between it and that of a single process.

A request costs three calls of the keeper (budget_keeper.py), two of which nobody waits for; bytes are bought in lots. A thread of every
process that holds tickets says every RENEW seconds, in one call, that it still has them: so what a killed worker held comes back
after TERM, and a keeper that takes over learns what is under way. The tickets' names are made here, so asking again after a
lost answer is harmless.

A grant is worth something for TERM: one that comes late, because this process was starved or stopped meanwhile, is given back. What is
left to trust is that less than half of TERM passes between `begin` and the sending of the request.
"""

from __future__ import annotations

import math
import random
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

from seiryu.corpus.errors import SeiryuError
from seiryu.corpus.remote.allowance import RENEW, TERM, Limits, Stage, State
from seiryu.corpus.remote.budget import Budget, LocalBudget
from seiryu.corpus.remote.errors import Forbidden, Unreachable
from seiryu.pipelines.budget_keeper import keeper, present_keeper

_LOT = 1 << 20  # bytes that are bought at once, or what a quarter of a second brings if that is less
_TELLING = 2.0  # seconds that `told` waits for the keeper
_PATIENCE = 600.0  # seconds in which a keeper must be found or made


class SharedBudget:
    """A process's door to the budget of its cluster; for all its threads.

    `knows` and `tickets` are what a budget of this process alone hands over.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        renew: float = RENEW,
        term: float = TERM,
        knows: State | None = None,
        tickets: Mapping[str, Stage] | None = None,
    ) -> None:
        self._limits, self._every, self._term = limits, renew, term
        self.session = _session()
        self._lock, self._paying = threading.Lock(), threading.Lock()
        self._handle: Any = None
        self._tickets = dict(tickets or {})
        self._credit = 0  # bytes that are paid and not read
        self._busy = threading.Event()  # there is something to renew
        self._known, self._known_at = knows or State(limits, limits.requests_a_second), time.monotonic()
        self._alive = -math.inf  # when the last sign of life was sent that has been answered
        self._keep(self._ask("renew", list(self._tickets.items()), self._joining(limits)))
        if self._tickets:
            self._busy.set()
        threading.Thread(target=self._renew, daemon=True, name="seiryu-renew").start()

    def join(self, limits: Limits) -> None:
        """These limits hold too: the strictest of all that joined."""
        if self._known.limits.stricter(limits) != self._known.limits:
            self._keep(self._ask("renew", [], self._joining(limits)))

    def _joining(self, limits: Limits) -> State:
        knows = self.state()
        return replace(knows, limits=knows.limits.stricter(limits), keeper="")

    def begin(self) -> str:
        while True:
            asked = time.monotonic()
            ticket = uuid4().hex
            try:
                self._mark(ticket, "waiting")
                granted, state = self._ask("begin", ticket, self.state())
                self._keep(state)
                self._check()
                if granted and time.monotonic() < max(asked, self._alive) + self._term / 2:
                    self._mark(ticket, "sent")
                    return ticket
            except BaseException:
                self.end(ticket)
                raise
            self.end(ticket)

    def answered(self, ticket: str, *, well: bool) -> None:
        with self._lock:
            if self._tickets.get(ticket) == "sent":
                self._tickets[ticket] = "answered"
        self._tell("answered", ticket, well)

    def spend(self, size: int) -> None:
        rate = self._known.limits.bytes_a_second
        if rate is None:
            return
        with self._paying:  # who comes later would have to wait longer anyway
            if self._credit < size:
                lot = max(size - self._credit, min(_LOT, rate // 4))
                time.sleep(self._ask("pay", lot))
                self._credit += lot
            self._credit -= size

    def end(self, ticket: str) -> None:
        with self._lock:
            held = self._tickets.pop(ticket, None)
        if held is not None:
            self._tell("end", ticket)

    def slow(self, why: str, seconds: float | None) -> None:
        self._keep(self._ask("slow", why, seconds))

    def forbid(self, why: str) -> None:
        self._keep(replace(self.state(), forbidden=why))  # here at once, whatever becomes of the keeper
        self._busy.set()
        self._keep(self._ask("forbid", why))

    def state(self) -> State:
        """What this process knows of the budget."""
        with self._lock:
            return replace(self._known, wait=max(0.0, self._known.wait - (time.monotonic() - self._known_at)))

    def _keep(self, state: State) -> None:
        with self._lock:
            self._known, self._known_at = replace(state, forbidden=self._known.forbidden or state.forbidden), time.monotonic()

    def _check(self) -> None:
        if self._known.forbidden is not None:
            raise Forbidden(self._known.forbidden)

    def _mark(self, ticket: str, stage: Stage) -> None:
        self._check()
        with self._lock:
            self._tickets[ticket] = stage
        self._busy.set()

    def _ask(self, method: str, *arguments: Any) -> Any:
        """What the keeper answers, whoever that is by then. Unreachable when there is none for long."""
        from ray.exceptions import RayActorError

        until, pause = time.monotonic() + _PATIENCE, 0.1
        while True:
            if _session() != self.session:
                raise SeiryuError("the request budget belongs to a Ray that has been shut down")
            with self._lock:
                handle = self._handle = self._handle or keeper(self._limits, self._term)
            try:
                # Not by ray.get: while a worker waits in that, Ray gives its place to another unit, and starts a process for it.
                return getattr(handle, method).remote(*arguments).future().result()
            except RayActorError as error:  # its maker has gone, and it with him: somebody makes another one
                with self._lock:
                    self._handle = None if self._handle is handle else self._handle
                if time.monotonic() > until:
                    raise Unreachable(f"no actor for the request budget can be had from Ray: {error}") from error
            time.sleep(pause * (1 + random.random()))
            pause = min(2 * pause, 2.0)

    def _tell(self, method: str, *arguments: Any) -> None:
        """A call that nobody waits for. If it is lost, the next sign of life says the same."""
        handle = self._handle
        if handle is not None and _session() == self.session:
            with suppress(Exception):  # must not hide what made a fetcher give its ticket back
                getattr(handle, method).remote(*arguments)

    def _renew(self) -> None:
        """Say again and again what this process holds, as long as it holds something, and that all is forbidden, if it is."""
        while True:
            self._busy.wait()
            time.sleep(self._every)
            with self._lock:
                tickets = list(self._tickets.items())
                if not tickets and self._known.forbidden is None:
                    self._busy.clear()
                    continue
            sent = time.monotonic()
            try:
                if _session() != self.session:
                    return
                self._keep(self._ask("renew", tickets, self.state()))
            except Exception:  # noqa: BLE001 - a sign of life that fails is followed by the next one
                continue
            self._alive = sent


_kept: SharedBudget | LocalBudget | None = None
_local: LocalBudget | None = None  # also after it was handed over: it may still have something to tell
_seen = ("", 0)
_choosing = threading.Lock()


def budget_for(limits: Limits, *, renew: float = RENEW, term: float = TERM) -> Budget:
    """The budget of this process: that of its cluster where Ray is connected, else its own; one, however often it is asked for.

    Where other limits were asked for before, the stricter hold. What was granted before Ray was started, or until it was shut
    down, counts after it.
    """
    global _kept, _local
    with _choosing:
        before, session = _kept, _session()
        if session:
            if isinstance(before, LocalBudget):
                _kept = before.move(
                    lambda state, tickets: SharedBudget(limits, renew=renew, term=term, knows=state, tickets=tickets)
                )
            elif before is None or before.session != session:
                _kept = SharedBudget(limits, renew=renew, term=term, knows=before.state() if before else None)
        elif not isinstance(before, LocalBudget):
            _kept = _local = LocalBudget(limits)
            if before is not None:
                state = before.state()
                _local.learn(replace(state, wait=max(state.wait, state.limits.span)))
        assert _kept is not None
        _kept.join(limits)
        return _kept


def told() -> list[str]:
    """What has happened to the budget since the last call: complaints of servers, waits, rates. For the driver to print."""
    global _seen
    messages = _local.told() if _local is not None else []
    handle = present_keeper() if _session() else None
    if handle is None:
        return messages
    import ray
    from ray.exceptions import GetTimeoutError, RayActorError

    try:
        name, count, news = ray.get(handle.told.remote(*_seen), timeout=_TELLING)
    except (GetTimeoutError, RayActorError):
        return messages  # they are told the next time
    _seen = (name, count)
    return [*messages, *news]


def _session() -> str:
    """What tells a connection to Ray from an earlier one of this process; empty where there is none."""
    if "ray" not in sys.modules:
        return ""
    import ray

    if not ray.is_initialized():
        return ""
    here = ray.get_runtime_context()
    return f"{here.get_node_id()} {here.get_worker_id()}"  # a driver's worker id alone is the same in every local Ray
