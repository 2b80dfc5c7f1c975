"""The one who keeps the request budget of a cluster: an actor that any process finds by its name, and makes if it is not there.

It lives as long as whoever made it first, and is started again where it dies. A successor knows from a mark in the cluster's own table
that somebody kept the budget before; then it waits until all who live have told it what they hold (allowance.py says why
that is enough). Nothing here takes long, so one process serves thousands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from seiryu.corpus.remote.allowance import Allowance, Limits, Stage, State

_NAME, _NAMESPACE = "request-budget", "seiryu"
_MARK = b"seiryu:request-budget"
_WAITING = 100_000  # calls that may wait in the actor at once; each is a thread of a worker
_LONG = 3600.0


class Keeper:
    """An Allowance in an asynchronous actor: all calls run in one thread, only `begin` waits."""

    def __init__(self, limits: Limits, term: float) -> None:
        self.name = uuid4().hex
        self._allowance = Allowance(limits, time.monotonic(), term=term, heir=_was_kept_before())
        self._waiting: dict[str, asyncio.Event] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._told: list[str] = []

    async def begin(self, ticket: str, knows: State) -> tuple[bool, State]:
        """Whether the ticket was granted, at last. Asked twice for one ticket, after a lost answer, it grants it once."""
        self._heard(knows)
        if self._allowance.begin(ticket, time.monotonic()):
            event = self._waiting.setdefault(ticket, asyncio.Event())
            self._go_on()
            await event.wait()
        return self._allowance.holds(ticket), self._state()

    async def answered(self, ticket: str, well: bool) -> None:
        self._allowance.answered(ticket, time.monotonic(), well=well)
        self._go_on()

    async def end(self, ticket: str) -> None:
        self._allowance.end(ticket, time.monotonic())
        self._wake(ticket)
        self._go_on()

    async def renew(self, tickets: Iterable[tuple[str, Stage]], knows: State) -> State:
        self._allowance.renew(tickets, time.monotonic())
        return self._heard(knows)

    async def pay(self, size: int) -> float:
        return self._allowance.pay(size, time.monotonic())

    async def slow(self, why: str, seconds: float | None) -> State:
        self._allowance.slow(why, seconds, time.monotonic())
        return self._state()

    async def forbid(self, why: str) -> State:
        self._allowance.forbid(why)
        self._go_on()
        return self._state()

    async def told(self, keeper: str, count: int) -> tuple[str, int, list[str]]:
        """Messages after the first `count` of `keeper`: all where that was another one."""
        self._told += self._allowance.messages
        self._allowance.messages.clear()
        return self.name, len(self._told), self._told[count if keeper == self.name else 0 :]

    def _heard(self, knows: State) -> State:
        """What the caller knows from another keeper, or from before, holds here too."""
        if knows.keeper != self.name:
            self._allowance.learn(knows, time.monotonic())
        self._go_on()
        return self._state()

    def _state(self) -> State:
        state = self._allowance.state(time.monotonic())
        return State(state.limits, state.rate, state.throttles, state.wait, state.forbidden, self.name)

    def _go_on(self) -> None:
        """Let go who may, and look again when time alone changes it."""
        now = time.monotonic()
        for ticket in self._allowance.grant(now):
            self._wake(ticket)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(min(self._allowance.next(now), _LONG), self._go_on)

    def _wake(self, ticket: str) -> None:
        event = self._waiting.pop(ticket, None)
        if event is not None:
            event.set()


def keeper(limits: Limits, term: float) -> Any:
    """A handle of the cluster's keeper, which is made if there is none."""
    import ray

    make = ray.remote(Keeper).options(
        name=_NAME,
        namespace=_NAMESPACE,
        get_if_exists=True,
        max_restarts=-1,
        max_task_retries=-1,
        max_concurrency=_WAITING,
        num_cpus=0,
    )
    return make.remote(limits, term)


def present_keeper() -> Any | None:
    """A handle of the cluster's keeper; None if nobody has made one."""
    import ray

    try:
        return ray.get_actor(_NAME, namespace=_NAMESPACE)
    except ValueError:
        return None


def _was_kept_before() -> bool:
    """Whether this cluster has had a keeper already: leaves a mark, and sees whether it was there.

    No public interface tells a restarted or replaced actor from the first one of a cluster. The mark does, and has no race.
    """
    from ray.experimental.internal_kv import _internal_kv_put

    return bool(_internal_kv_put(_MARK, b"1", overwrite=False))
