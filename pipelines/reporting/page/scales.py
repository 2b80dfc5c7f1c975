"""Where a distribution is cut into bins, at which limits a slider stops, and which values an axis names.

All three are values that a person would write: 0.15, 400, 1500. Counts with a long tail get a logarithmic axis (symlog, so that 0 has
its place); everything else a plain one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import expm1, floor, inf, isfinite, log1p, log10

BINS, STOPS = 60, 100
_TAIL = 8  # a high quantile beyond so many medians is a long tail


@dataclass(frozen=True, slots=True)
class Span:
    """What of a signal's values is drawn in bins of their own; `whole`: counts; `log`: on a logarithmic axis."""

    low: float
    high: float
    whole: bool
    log: bool


def span_of(spread: dict[str, float], whole: bool, limits: Iterable[float] = ()) -> Span:
    """From the 0.5 % to the 99.5 % quantile, and as far as the limits and a little beyond them. `spread`: of `Facts.spread`."""
    low, high = spread["low"], spread["high"]
    log = low >= 0 and high > 10 and high > _TAIL * max(spread["median"], 1.0)
    for limit in filter(isfinite, limits):
        room = 0.15 * max(high - low, abs(limit) * 0.5)
        low, high = min(low, limit - room if limit <= low else low), max(high, limit + room if limit >= high else high)
    if spread["least"] >= 0:
        low = max(low, 0.0)
    if high <= low:
        high = low + (1.0 if whole else max(abs(low) * 0.1, 0.01))
    return Span(low, high, whole, log)


def edges(span: Span) -> list[float]:
    """Limits of some BINS bins; what lies below the first and from the last on has a bin of its own."""
    return _even(span, BINS)


def stops(span: Span, limit: float) -> list[float]:
    """Some STOPS limits that rise, the present one among them exactly."""
    return sorted({*_even(span, STOPS), float(limit)})


def beyond(cut: list[float], span: Span, *, below: bool) -> float:
    """How far the bin reaches in the drawing that holds all that lies below the first edge or above the last."""
    near, far = (cut[0], cut[1]) if below else (cut[-1], cut[-2])
    if span.log and not below:
        return expm1(2 * log1p(near) - log1p(far))
    return 2 * near - far


def ticks(span: Span) -> list[float]:
    """Values that an axis names."""
    if not span.log:
        step = nice((span.high - span.low) / 5, span.whole)
        return [value for value in _multiples(span.low, span.high, step) if span.low <= value <= span.high]
    decades = [round(part * 10.0**power, 9) for power in range(-3, 16) for part in (1, 3)]
    inside = [value for value in decades if span.low <= value <= span.high and (value >= 1 or not span.whole)]
    most = [value for value in inside if log10(value).is_integer()] if len(inside) > 8 else inside
    return ([0.0] if span.low <= 0 else []) + [value for value in most if value >= 1]


def nice(step: float, whole: bool) -> float:
    """The nearest step not below it of 1, 2, 2.5 and 5 with any number of zeros; of whole numbers for counts."""
    power = 10.0 ** floor(log10(step)) if step > 0 else 1.0
    found = next(part * power for part in (1, 2, 2.5, 5, 10) if part * power >= step * 0.999)
    return max(1.0, float(round(found))) if whole else found


def _even(span: Span, number: int) -> list[float]:
    if not span.log:
        return _multiples(span.low, span.high, nice((span.high - span.low) / number, span.whole))
    begin, end = log1p(span.low), log1p(span.high)
    values = (expm1(begin + (end - begin) * i / number) for i in range(number + 1))
    rounded = (_significant(value, 3) for value in values)  # two digits made the bin above 1,000 twice as wide, and so a peak
    return sorted({float(round(value)) if span.whole else value for value in rounded})


def _multiples(low: float, high: float, step: float) -> list[float]:
    """All multiples of a step from the last one not above `low` to the first one not below `high`, free of the errors of adding up."""
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    digits = max(0, 2 - floor(log10(step)))
    return [round(i * step, digits) for i in range(first, max(last, first + 1) + 1)]


def _significant(value: float, digits: int) -> float:
    if value == 0 or abs(value) == inf:
        return value
    return round(value, digits - 1 - floor(log10(abs(value))))
