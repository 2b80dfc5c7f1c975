"""How often servers may be asked: the rules behind the budget of a process and that of a cluster, without clock, thread or wait.

The promise: with r requests a second, `count` = max(1, floor(r)) and `span` = count / r, servers see no more than `count` requests
in any `span` seconds. A request counts from its grant until `span` seconds after it was answered, and one more is granted only
while fewer than `count` count. Proof: let count + 1 requests arrive, and let the last granted of them be granted at g. Fewer than
count counted then, so one of the others, all granted before, counted no longer: it was answered at some e <= g - span. It arrived
before e and the last one after g: span or more apart. Nothing in this knows how long the network, a queue or a process without a
processor takes. The price: with a latency of l the rate is count / (span + l).

Two assumptions: a request that is reported as failed does not arrive later, and a holder that has not been heard of for `term`
seconds is dead and sends nothing any more. An heir, which takes over from a keeper that died, grants nothing for term + span: what was
answered before has then been over for span, and who lives has named what is still under way.

Bytes are paid before they are read: in any t seconds at most t * bytes_a_second come, and what had been paid before and not read.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

RENEW = 5.0  # seconds between two signs of life of a holder
TERM = 30.0  # seconds of silence after which a holder is dead: six signs missed, so that a starved machine is not buried alive
BACKOFF = 1.0  # seconds that all wait after a first 429 or 503; doubled with every further one
LONGEST_BACKOFF = 300.0
LONGEST_WAIT = 3600.0  # of what Retry-After may ask for: a clock that is wrong by years must not end a run
SLOWEST = 1 / 60  # requests a second that are left however often a server complains
JITTER = 0.25  # what a wait may be longer by, so that those who were sent away together do not come back together
ENOUGH = 8  # good answers since the last complaint after which earlier complaints are forgotten
STEP = 30.0  # seconds, at least, between two steps back to the full rate
FASTER = 1.5  # and how much faster a step is

# What its holder says of a ticket: not known to be granted; sent and not answered; answered and still being read.
Stage = Literal["waiting", "sent", "answered"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What all together may ask of servers."""

    requests_a_second: float
    connections: int
    bytes_a_second: int | None = None

    def __post_init__(self) -> None:
        if not (0 < self.requests_a_second < math.inf and self.connections > 0 and (self.bytes_a_second or 1) > 0):
            raise ValueError(f"limits must be above nothing: {self}")

    @property
    def count(self) -> int:
        return max(1, math.floor(self.requests_a_second))

    @property
    def span(self) -> float:
        return self.count / self.requests_a_second

    def stricter(self, other: Limits) -> Limits:
        given = [limit for limit in (self.bytes_a_second, other.bytes_a_second) if limit is not None]
        rate = min(self.requests_a_second, other.requests_a_second)
        return Limits(rate, min(self.connections, other.connections), min(given, default=None))


@dataclass(frozen=True, slots=True)
class State:
    """What a holder knows of the budget, and an heir learns from it."""

    limits: Limits
    rate: float  # requests a second at present
    throttles: int = 0
    wait: float = 0.0  # seconds until all that was answered counts no more, and no pause is left
    forbidden: str | None = None
    keeper: str = ""  # who said so


class Allowance:
    """Who may ask now, who must wait, and for how long. `now` never goes back."""

    def __init__(self, limits: Limits, now: float, *, term: float = math.inf, heir: bool = False) -> None:
        self.limits, self.rate = limits, limits.requests_a_second
        self.forbidden: str | None = None
        self.messages: deque[str] = deque(maxlen=1000)
        self._term, self._count, self._span = term, limits.count, limits.span
        self._paused = now + term + self._span if heir else now  # nothing is granted before
        self._paid = self._paused  # the bytes up to this time are sold
        self._queue: dict[str, float] = {}  # tickets in order of arrival, and when they were last heard of
        self._held: dict[str, float] = {}  # tickets with a connection, likewise
        self._unanswered: set[str] = set()
        self._answered: deque[float] = deque()  # when the requests that may still count were answered
        self._ended: dict[str, float] = {}  # for `term`: a late sign of life must not bring them back
        self._sweep = now
        self._throttles = self._good = 0
        self._fresh = True  # something was granted since the last complaint
        self._step = now
        if heir:
            self.messages.append(f"the keeper of the request budget was lost: all requests wait {self._paused - now:.0f} s")

    def begin(self, ticket: str, now: float) -> bool:
        """Queue a ticket, unless it is granted already or given up; `grant` says when it waits no longer."""
        if ticket in self._held or ticket in self._ended:
            return False
        self._queue[ticket] = now
        return True

    def grant(self, now: float) -> list[str]:
        """The tickets that wait no longer: `holds` those that may ask; the others' holders are dead, or all is forbidden."""
        gone = self._forget(now) if now >= self._sweep else []
        if self.forbidden is not None:
            gone += self._queue
            self._queue.clear()
        count, span = self._window()
        while self._answered and self._answered[0] + span <= now:
            self._answered.popleft()
        while self._queue and now >= self._paused and len(self._held) < self.limits.connections and self._counted() < count:
            ticket = next(iter(self._queue))
            del self._queue[ticket]
            self._held[ticket] = now
            self._unanswered.add(ticket)
            self._fresh = True
            gone.append(ticket)
        return gone

    def next(self, now: float) -> float:
        """Seconds after which `grant` may let more go though nothing else happens; inf if only an end or an answer can."""
        if not self._queue:
            return math.inf
        at = self._sweep if self._term < math.inf else math.inf
        count, span = self._window()
        if now < self._paused:
            at = min(at, self._paused)
        elif self._answered and self._counted() >= count:
            at = min(at, self._answered[0] + span)
        return max(0.0, at - now)

    def holds(self, ticket: str) -> bool:
        return ticket in self._held

    def answered(self, ticket: str, now: float, *, well: bool) -> None:
        """The server has answered, or will not any more. Good answers bring the rate back step by step."""
        if ticket in self._unanswered:
            self._unanswered.remove(ticket)
            self._answered.append(now)
        elif ticket not in self._held and ticket not in self._ended:
            self._answered.append(now)  # granted by a keeper that died, or its holder was taken for dead: it counts all the same
        if not (well and self._fresh):
            return
        self._good += 1
        if self._good >= ENOUGH:
            self._throttles = 0
            if self.rate < self.limits.requests_a_second and now >= self._step + STEP:
                self.rate = min(self.limits.requests_a_second, self.rate * FASTER)
                self._good, self._step = 0, now
                if self.rate == self.limits.requests_a_second:
                    self.messages.append(f"all is well again: requests go on at {_a_second(self.rate)}")

    def end(self, ticket: str, now: float) -> None:
        """The connection is free, or the ticket is wanted no more."""
        if self._queue.pop(ticket, None) is None:
            self.answered(ticket, now, well=False)
        self._held.pop(ticket, None)
        self._ended[ticket] = now

    def renew(self, tickets: Iterable[tuple[str, Stage]], now: float) -> None:
        """A holder lives and has these tickets. What is not known of them is learnt: an heir begins with nothing."""
        for ticket, stage in tickets:
            if ticket in self._queue:
                self._queue[ticket] = now
            elif ticket in self._held or (stage != "waiting" and ticket not in self._ended):
                if stage == "sent" and ticket not in self._held:
                    self._unanswered.add(ticket)
                elif stage == "answered" and ticket in self._unanswered:
                    self.answered(ticket, now, well=False)
                self._held[ticket] = now

    def pay(self, size: int, now: float) -> float:
        """Buy `size` bytes: seconds until they may be read."""
        if self.limits.bytes_a_second is None:
            return 0.0
        self._paid = max(self._paid, now) + size / self.limits.bytes_a_second
        return self._paid - now

    def slow(self, why: str, seconds: float | None, now: float) -> None:
        """A server complained: all wait, and go on at half the rate.

        What was sent before the last complaint only lengthens the wait, by what it was told: a hundred answers to one burst are
        one complaint.
        """
        wait = min(seconds, LONGEST_WAIT) if seconds is not None and seconds > 0 else 0.0
        complained = self._fresh
        if complained:
            wait = max(wait, min(BACKOFF * 2.0 ** min(self._throttles, 30), LONGEST_BACKOFF))
            self.rate = max(self.rate / 2, min(SLOWEST, self.limits.requests_a_second))
            self._throttles += 1
            self._good, self._fresh = 0, False
        until = now + wait * (1 + JITTER * random.random())
        if complained or until > self._paused + 1:
            whole = max(until, self._paused) - now
            self.messages.append(f"{why}: all requests wait {whole:.0f} s and then go on at {_a_second(self.rate)}")
        self._paused = self._step = max(self._paused, until)

    def forbid(self, why: str) -> None:
        """Nothing is granted any more; the first reason stays."""
        if self.forbidden is None:
            self.forbidden = why
            self.messages.append(f"{why}: nothing is asked any more")

    def state(self, now: float) -> State:
        last = self._answered[-1] + self._window()[1] if self._answered else now
        return State(self.limits, self.rate, self._throttles, max(0.0, self._paused - now, last - now), self.forbidden)

    def learn(self, state: State, now: float) -> None:
        """What a holder knows and this keeper may not: the stricter of both holds."""
        if state.limits.span > self._span:  # what was forgotten after the old span may still count
            self._paused = max(self._paused, now + state.limits.span)
        self.limits = self.limits.stricter(state.limits)
        self._count, self._span = min(self._count, state.limits.count), max(self._span, state.limits.span)
        self.rate = min(self.rate, state.rate, self.limits.requests_a_second)
        self._throttles = max(self._throttles, state.throttles)
        self._paused = max(self._paused, now + state.wait)
        if self.forbidden is None:
            self.forbidden = state.forbidden

    def tickets(self) -> dict[str, Stage]:
        """The tickets that were granted and have not ended."""
        return {ticket: "sent" if ticket in self._unanswered else "answered" for ticket in self._held}

    def _counted(self) -> int:
        return len(self._unanswered) + len(self._answered)

    def _window(self) -> tuple[int, float]:
        """Requests and seconds at the present rate: never more, never shorter, than the limits have them."""
        count = max(1, min(self._count, math.floor(self.rate * self._span + 1e-9)))
        return count, max(self._span, count / self.rate)

    def _forget(self, now: float) -> list[str]:
        """End the tickets of the dead; those of them that waited."""
        silent = now - self._term
        waited = [ticket for ticket, heard in self._queue.items() if heard < silent]
        for ticket in waited:
            del self._queue[ticket]
        for ticket in [ticket for ticket, heard in self._held.items() if heard < silent]:
            self.answered(ticket, now, well=False)  # it may have asked until just now
            del self._held[ticket]
        while self._ended and next(iter(self._ended.values())) < now - min(self._term, TERM):
            del self._ended[next(iter(self._ended))]
        self._sweep = now + min(self._term, TERM) / 10
        return waited


def _a_second(rate: float) -> str:
    return f"{rate:.3g} a second" if rate >= 1 else f"one in {1 / rate:.3g} s"
