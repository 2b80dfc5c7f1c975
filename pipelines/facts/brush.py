"""What a person drew over in the distributions: stretches of signals and bars of names, as data and not as SQL."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import isfinite

BARS = ("fate", "year", "charset", "tld", "extractor")
_RANGE = re.compile(r'"(\w+)" BETWEEN (-?[\d.]+(?:e[+-]?\d+)?) AND (-?[\d.]+(?:e[+-]?\d+)?)', re.ASCII)
_AMONG = re.compile(r'"(\w+)" IN \(((?:\'[\w.+-]{0,60}\'|\d{1,60})(?:, ?(?:\'[\w.+-]{0,60}\'|\d{1,60}))*)\)', re.ASCII)
_VALUE = re.compile(r"[\w.+-]{0,60}", re.ASCII)


@dataclass(frozen=True)
class Brush:
    """`ranges`: signal -> (from, to), both included; `values`: one of BARS -> those of its values that are chosen."""

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of_text(cls, text: str, signals: Collection[str]) -> Brush:
        """From an address; what makes no sense is passed over."""
        ranges: dict[str, tuple[float, float]] = {}
        values: dict[str, tuple[str, ...]] = {}
        for part in text.split("~"):
            name, colon, rest = part.partition(":")
            given = rest.split(":")
            if name in signals and len(given) == 2 and (found := _pair(*given)):
                ranges[name] = found
            elif name in BARS and colon and all(_VALUE.fullmatch(value) for value in given):
                values[name] = tuple(sorted(set(given)))
        return cls(ranges, values)

    @classmethod
    def of_predicate(cls, sql: str, signals: Collection[str]) -> Brush:
        """From the condition that Mosaic sends: read by its two forms, and never run."""
        ranges = {name: found for name, low, high in _RANGE.findall(sql) if name in signals and (found := _pair(low, high))}
        values = {
            name: tuple(sorted({value.strip(" '") for value in given.split(",")}))
            for name, given in _AMONG.findall(sql)
            if name in BARS
        }
        return cls(ranges, values)

    def __bool__(self) -> bool:
        return bool(self.ranges or self.values)

    def text(self) -> str:
        """As it stands in an address."""
        parts = [f"{name}:{low!r}:{high!r}" for name, (low, high) in sorted(self.ranges.items())]
        return "~".join([*parts, *(":".join((name, *values)) for name, values in sorted(self.values.items()))])

    def within(self, other: Brush) -> Brush:
        """Both at once; of the same signal or name the other, later one."""
        return Brush({**self.ranges, **other.ranges}, {**self.values, **other.values})


NO_BRUSH = Brush()


def _pair(low: str, high: str) -> tuple[float, float] | None:
    try:
        found = float(low), float(high)
    except ValueError:
        return None
    return found if all(map(isfinite, found)) and found[0] <= found[1] else None
