"""Sizes as people write them, 500, 20MB, 1.5GiB, and sizes and times for people to read."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]i?|)B?")


def size(value: Any) -> int:
    """Bytes (or tokens) of 20MB, 1.5 GiB, 2G or a plain number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError("a size such as 500, 20MB or 1.5GiB is wanted")
    return int(float(found[1]) * _UNITS[found[2]])


Size = Annotated[int, BeforeValidator(size)]


def human(number: float) -> str:
    """A number of bytes for people: 1.5 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def duration(seconds: float) -> str:
    """A time for people: 12 s, 3.4 min, 5.6 h."""
    for unit, size, most in (("s", 1, 100), ("min", 60, 100 * 60)):
        if seconds < most:
            return f"{seconds / size:.0f} {unit}" if seconds >= 10 * size else f"{seconds / size:.1f} {unit}"
    return f"{seconds / 3600:,.1f} h"
