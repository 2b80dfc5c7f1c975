"""How far a node's clock is from the driver's, as NTP tells it: what the node says, against the middle of the time it took to ask.

Of several questions the one with the shortest way counts: what it may be wrong by is half of that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from seiryu.pipelines.doctoring.finding import Finding

SAMPLES = 8
WRONG = 1.0  # seconds from which on times in logs mislead
# AWS refuses signed requests of a clock that is 15 minutes off; a clock that is a third of that off is not kept by anybody.
REFUSED = 300.0


@dataclass(frozen=True, slots=True)
class Offset:
    """Seconds that a clock is ahead, give or take `error`."""

    seconds: float
    error: float


def offset(ask: Callable[[], float]) -> Offset:
    """`ask`: the time of the other clock (seconds since 1970)."""
    best: Offset | None = None
    for _ in range(SAMPLES):
        begin, started = time.time(), time.perf_counter()
        there = ask()
        way = time.perf_counter() - started
        if best is None or way / 2 < best.error:
            best = Offset(there - (begin + way / 2), way / 2)
    assert best is not None
    return best


def judged(found: Offset, signs: bool) -> Finding:
    """`signs`: whether requests are signed, which servers refuse when their times are wrong."""
    off = max(0.0, abs(found.seconds) - found.error)
    told = (
        f"{abs(found.seconds):,.3f} s {'ahead of' if found.seconds > 0 else 'behind'} the driver's clock (± {found.error:.3f} s)"
    )
    if off <= WRONG:
        return Finding("clock", "ok", told)
    never = "the result does not depend on clocks"
    if signs and off > REFUSED:
        return Finding("clock", "fail", f"{told}: S3 will refuse its signed requests; start ntpd or chrony there; {never}")
    hint = " and, beyond 15 minutes, signed requests to S3" if signs else ""
    return Finding("clock", "warn", f"{told}: misleads in logs{hint}; start ntpd or chrony there; {never}")
