"""The budget of requests, connections and bytes that a fetcher asks before it asks a server, and the one of a single process.

The rules are in allowance.py. Of many processes there is one budget too: pipelines/shared_budget.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar
from uuid import uuid4

from seiryu.corpus.remote.allowance import Allowance, Limits, Stage, State
from seiryu.corpus.remote.errors import Forbidden

__all__ = ["Allowance", "Budget", "Limits", "LocalBudget"]

_LONG = 3600.0  # of a wait without end, after which one looks again


class Budget(Protocol):
    """What a fetcher holds. All calls may block; all may come from several threads. A ticket is one request and its connection."""

    def begin(self) -> str:
        """A ticket, once one more request may be sent. Forbidden when none will be."""

    def answered(self, ticket: str, *, well: bool) -> None:
        """The headers are in (`well`), or the request failed."""

    def spend(self, size: int) -> None:
        """Returns when `size` more bytes may be read."""

    def end(self, ticket: str) -> None:
        """The connection is free again. Implies `answered`; a second time, or after a failed `begin`, it does nothing."""

    def slow(self, why: str, seconds: float | None) -> None:
        """A server answered 429 or 503: everybody waits, for `seconds` at least where Retry-After names them."""

    def forbid(self, why: str) -> None:
        """A server answered 403: every `begin` from now on is Forbidden, with this text."""


_B = TypeVar("_B", bound=Budget)


class LocalBudget:
    """A budget of the threads of one process."""

    def __init__(self, limits: Limits) -> None:
        self._allowance = Allowance(limits, time.monotonic())
        self._changed = threading.Condition()
        self._moved: Budget | None = None  # that of the cluster which this process has joined

    def begin(self) -> str:
        ticket = uuid4().hex
        with self._changed:
            self._allowance.begin(ticket, time.monotonic())
            try:
                while self._moved is None:
                    if self._allowance.grant(time.monotonic()):
                        self._changed.notify_all()
                    if self._allowance.holds(ticket):
                        return ticket
                    if self._allowance.forbidden is not None:
                        raise Forbidden(self._allowance.forbidden)
                    self._changed.wait(min(self._allowance.next(time.monotonic()), _LONG))
            except BaseException:
                self._allowance.end(ticket, time.monotonic())
                raise
        return self._moved.begin()

    def answered(self, ticket: str, *, well: bool) -> None:
        with self._changed:
            self._allowance.answered(ticket, time.monotonic(), well=well)
            self._changed.notify_all()
        if self._moved is not None:
            self._moved.answered(ticket, well=well)

    def spend(self, size: int) -> None:
        if self._moved is not None:
            return self._moved.spend(size)
        with self._changed:
            wait = self._allowance.pay(size, time.monotonic())
        time.sleep(wait)
        return None

    def end(self, ticket: str) -> None:
        with self._changed:
            self._allowance.end(ticket, time.monotonic())
            self._changed.notify_all()
        if self._moved is not None:
            self._moved.end(ticket)

    def slow(self, why: str, seconds: float | None) -> None:
        if self._moved is not None:
            return self._moved.slow(why, seconds)
        with self._changed:
            self._allowance.slow(why, seconds, time.monotonic())
        return None

    def forbid(self, why: str) -> None:
        if self._moved is not None:
            return self._moved.forbid(why)
        with self._changed:
            self._allowance.forbid(why)
            self._changed.notify_all()
        return None

    def told(self) -> list[str]:
        """What has happened since the last call that a person should know."""
        with self._changed:
            messages = list(self._allowance.messages)
            self._allowance.messages.clear()
        return messages

    def learn(self, state: State) -> None:
        """What another budget knew that this process held before; the stricter of both holds."""
        with self._changed:
            self._allowance.learn(state, time.monotonic())
            self._changed.notify_all()

    def join(self, limits: Limits) -> None:
        """These limits hold too: the strictest of all that joined."""
        self.learn(State(limits, limits.requests_a_second))

    def move(self, to: Callable[[State, dict[str, Stage]], _B]) -> _B:
        """Hand all over to a larger budget: what is known, and the tickets. Whoever still holds this one asks that from now on."""
        with self._changed:
            self._moved = budget = to(self._allowance.state(time.monotonic()), self._allowance.tickets())
            self._changed.notify_all()
        return budget
