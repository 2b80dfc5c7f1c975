"""What may go wrong between two bytes of progress, and how long that is borne.

A failure is followed by a pause that doubles and varies, so that a thousand workers cut off at once do not come back at once.
A server that says it is busy (429, 503) is another matter: the budget makes everybody wait, and only time counts.
"""

from __future__ import annotations

import random
import time

from seiryu.corpus.remote.errors import Unreachable
from seiryu.corpus.remote.manners import Manners

_LONGEST_PAUSE = 60.0


class Fault(Exception):
    """A request that did not come to what it should; it may when it is sent again."""


class Throttled(Fault):
    """A server that says it is asked too much. The budget knows already, and makes everybody wait."""


class Trouble:
    """Counts what went wrong with `what` since the last byte of progress."""

    def __init__(self, what: str, manners: Manners) -> None:
        self.what, self._manners = what, manners
        self._failures = 0
        self._busy_since: float | None = None

    def over(self) -> None:
        """A byte came."""
        self._failures, self._busy_since = 0, None

    def met(self, fault: Fault) -> None:
        """Return when it may be tried again. Unreachable when it has been tried enough."""
        if isinstance(fault, Throttled):
            self._busy(fault)
            return
        self._busy_since = None
        self._failures += 1
        if self._failures >= self._manners.attempts:
            raise Unreachable(f"{self.what}: {fault}; given up after {self._failures:,} attempts") from fault
        pause = min(_LONGEST_PAUSE, self._manners.pause * 2.0 ** min(self._failures - 1, 16))
        time.sleep(pause * random.uniform(0.5, 1.0))

    def _busy(self, fault: Throttled) -> None:
        now = time.monotonic()
        self._busy_since = self._busy_since or now
        if now - self._busy_since >= self._manners.patience:
            waited = f"given up after {now - self._busy_since:,.0f} s in which it said nothing else"
            raise Unreachable(f"{self.what}: {fault}; {waited}") from fault
