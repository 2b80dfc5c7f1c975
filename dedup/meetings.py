"""Who meets whom: documents with the same key, such as that of a band."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seiryu.dedup.bands import NO_KEY
from seiryu.dedup.kernel import kernel

Meetings = tuple[NDArray[np.int64], NDArray[np.int64]]
_LOT, _MOST_LOTS = 1 << 18, 1024
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio


def repeated(keys: NDArray[np.uint64]) -> Meetings:
    """Rows whose key occurs at least twice, and for each the number of its bucket.

    Buckets are numbered from 0 in the order of their keys, rows ascend within a bucket. NO_KEY is never repeated. Most keys occur once,
    and a first reading leaves nearly all of these out: only the rest is sorted. Many keys are dealt out by their upper bits first, so
    that each lot fits the caches: a key costs the same however many there are. 8 bytes a key, and 40 a key that is not left out.
    """
    if keys.dtype != np.uint64:
        raise TypeError(f"keys must be uint64, not {keys.dtype}")
    lots = min(_MOST_LOTS, len(keys) // _LOT + 1)
    if lots == 1:
        return _repeated(keys)
    order, begins = np.empty(len(keys), np.int64), np.zeros(lots + 1, np.int64)
    _deal(keys, np.uint64(2**64 // lots + 1), order, begins)
    found, buckets, number = [], [], 0
    for begin, end in pairwise(begins.tolist()):
        rows = order[begin:end]
        here, bucket = _repeated(keys[rows])
        found.append(rows[here])
        buckets.append(bucket + number)
        number += int(bucket[-1]) + 1 if len(bucket) else 0
    return np.concatenate(found), np.concatenate(buckets)


def _repeated(keys: NDArray[np.uint64]) -> Meetings:
    rows = _perhaps_repeated(keys)
    some = keys[rows]
    order = np.argsort(some, kind="stable")
    ordered = some[order]
    again = np.zeros(len(ordered), np.bool_)
    again[1:] = ordered[1:] == ordered[:-1]
    shared = again.copy()
    shared[:-1] |= again[1:]
    return rows[order[shared]], np.cumsum(~again[shared]) - 1


def with_one_of(meetings: Meetings, wanted: NDArray[np.bool_]) -> Meetings:
    """Only the buckets in which at least one row is `wanted` (a flag for each pair of row and bucket)."""
    rows, buckets = meetings
    if not len(rows) or wanted.all():
        return meetings
    stays = np.zeros(int(buckets[-1]) + 1, np.bool_)
    stays[buckets[wanted]] = True
    here = stays[buckets]
    return rows[here], (np.cumsum(stays) - 1)[buckets[here]]


def _perhaps_repeated(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Rows of all keys that occur twice, and of about an eighth of the others."""
    slots = max(10, (8 * len(keys)).bit_length())
    marks = np.zeros((2, (1 << slots) // 8), np.uint8)
    found = np.empty(len(keys), np.bool_)
    _mark(keys, np.uint64(64 - slots), marks[0], marks[1], found)
    return np.flatnonzero(found)


@kernel
def _deal(keys: NDArray[np.uint64], width: np.uint64, order: NDArray[np.int64], begins: NDArray[np.int64]) -> None:
    """Rows by lots of `width` keys, ascending in each; where each lot begins."""
    for key in keys:
        begins[np.int64(key // width) + 1] += 1
    for lot in range(1, len(begins)):
        begins[lot] += begins[lot - 1]
    free = begins.copy()
    for row in range(len(keys)):
        into = np.int64(keys[row] // width)
        order[free[into]] = row
        free[into] += 1


@kernel
def _mark(
    keys: NDArray[np.uint64], shift: np.uint64, once: NDArray[np.uint8], twice: NDArray[np.uint8], found: NDArray[np.bool_]
) -> None:
    for key in keys:
        if key == NO_KEY:
            continue
        slot = key * _SPREAD >> shift
        at, bit = slot >> np.uint64(3), np.uint8(1) << np.uint8(slot & np.uint64(7))
        if once[at] & bit:
            twice[at] |= bit
        once[at] |= bit
    for row in range(len(keys)):
        slot = keys[row] * _SPREAD >> shift
        found[row] = keys[row] != NO_KEY and twice[slot >> np.uint64(3)] >> np.uint8(slot & np.uint64(7)) & np.uint8(1)
