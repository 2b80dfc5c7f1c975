"""Which units to start once more elsewhere: those that take far longer than the others of their stage, when nothing else is to start.

A unit is worth a second copy only at the end of a stage, when a worker would idle; before, a slow one costs its own core and no more
(Dean, Ghemawat: MapReduce, OSDI 2004, section 3.6). Which copy ends first wins; both would write the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LEAST = 5  # finished units that tell how long one takes
_QUANTILE = 0.95


@dataclass(slots=True)
class Taken:
    """A unit that a worker has taken up: on which node, and when, by the driver's monotonic clock."""

    node: str
    since: float


class Stragglers:
    """What finished units took, and what follows for those that still run. `factor`: 0 for none."""

    def __init__(self, factor: float, least_seconds: float) -> None:
        self._factor, self._least, self._seconds = factor, least_seconds, list[float]()

    def finished(self, seconds: float) -> None:
        self._seconds.append(seconds)

    @property
    def limit(self) -> float:
        """Seconds after which a unit is a straggler; infinite while too few have ended to tell."""
        if not self._factor or len(self._seconds) < _LEAST:
            return math.inf
        self._seconds.sort()  # which lie mostly sorted from the last time
        slow = self._seconds[math.ceil(_QUANTILE * len(self._seconds)) - 1]
        return max(self._least, self._factor * slow)

    def among(self, taken: Mapping[str, Taken], now: float) -> Iterator[str]:
        """Names of the units that are stragglers now, the slowest first."""
        limit = self.limit
        late = [(held.since, name) for name, held in taken.items() if now - held.since > limit]
        yield from (name for _, name in sorted(late))
