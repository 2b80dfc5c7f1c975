"""Which bytes of an archive are asked for at once.

A request costs the server more than some bytes do, so records that lie close to each other are fetched together with what lies
between them, within two limits: no gap is longer than `max_gap`, and all gaps together are at most `max_waste` times the bytes of
the records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seiryu.corpus.errors import InputError

MOST = 32 << 20  # bytes of a range: several are held at once


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes `first` to `first + size - 1` of an archive hold the planned records `records`, a slice of them."""

    first: int
    size: int
    records: slice


def merged(
    offsets: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], max_gap: int, max_waste: float, most: int = MOST
) -> list[Range]:
    """The fewest ranges that hold all records within the limits, in order; of the ways to have so few, one that wastes least.

    The gaps that may be joined over are joined from the smallest on (the first of equal ones) while their sum stays within the limit.
    n records with j gaps joined are n - j requests, whichever gaps these are; no j gaps are shorter together than the j smallest; so
    where these are too long together no other j are allowed, and no choice has fewer requests than this one. Then what is longer
    than `most` bytes is parted again between records. Records that overlap, as in a damaged index, are not joined: each shows by
    itself what it is. InputError if the records are not in order, lie before the beginning of the archive, or are empty.
    """
    if not len(offsets):
        return []
    begins, sizes = np.asarray(offsets, np.int64), np.asarray(lengths, np.int64)
    ends = begins + sizes
    gaps = begins[1:] - ends[:-1]
    if len(wrong := np.flatnonzero((begins < 0) | (sizes < 1) | (ends < begins))):
        raise InputError(
            f"a record at {begins[wrong[0]]} of {sizes[wrong[0]]} bytes cannot be; the index is damaged, get it again"
        )
    if len(wrong := np.flatnonzero(np.diff(begins) < 0)):
        raise InputError(f"the record at {begins[wrong[0] + 1]:,} stands behind one at {begins[wrong[0]]:,}")
    near = np.flatnonzero((gaps >= 0) & (gaps <= max_gap))
    near = near[np.argsort(gaps[near], kind="stable")]
    joined = near[np.cumsum(gaps[near]) <= max_waste * int(sizes.sum())]
    firsts = np.concatenate(([0], np.setdiff1d(np.arange(1, len(begins)), joined + 1)))
    lasts = np.append(firsts[1:], len(begins))
    parts = (
        part for first, last in zip(firsts, lasts, strict=True) for part in _parted(begins, ends, int(first), int(last), most)
    )
    return [Range(int(begins[first]), int(ends[last - 1] - begins[first]), slice(first, last)) for first, last in parts]


def _parted(
    begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], first: int, last: int, most: int
) -> Iterator[tuple[int, int]]:
    """Records `first` to `last` - 1 in parts of at most `most` bytes, or of one record."""
    while first < last:
        stop = max(first + 1, first + int(np.searchsorted(ends[first:last], begins[first] + most, side="right")))
        yield first, stop
        first = stop
