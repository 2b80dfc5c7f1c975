"""Runs of letters by their hash.

A gram is found by a 64-bit polynomial hash of its first `width` letters in an open-addressing table at most half full, behind a
filter (Bloom's, with three bits in one word of 64, and 16 bits or more for a gram) that one load asks and that lets pass less than
1 in 100 of what is no gram: the table lies in no cache, and a filter of one bit, which lets 1 in 20 pass, costs a third of the speed.
What is found is a gram when its letters are the same, so that no collision is a find.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seiryu.dedup.kernel import kernel

_BASE = np.uint64(0x9E3779B97F4A7C15)
_SPREAD = np.uint64(0xD6E8FEB86659FD93)
_ONE = np.uint64(1)


class Lookup(NamedTuple):
    """Grams by hash. `width`: letters that are hashed; `slots`: numbers of grams, -1 where there is none; `bits`: the filter."""

    width: int
    slots: NDArray[np.int32]
    bits: NDArray[np.uint64]


def lookup_of(hashes: NDArray[np.uint64], grams: NDArray[np.int64], width: int) -> Lookup:
    """These grams, ready to be looked up."""
    slots = np.full(1 << max(4, (2 * len(grams)).bit_length()), -1, np.int32)
    bits = np.zeros(1 << max(4, (len(grams) * 16 // 64).bit_length()), np.uint64)
    _fill(hashes, grams, slots, bits)
    return Lookup(width, slots, bits)


def numbered(letters: NDArray[np.uint32], places: NDArray[np.int64], sizes: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """The number of each run of letters: the same for the same letters, from 0."""
    slots = np.full(1 << max(4, (2 * len(places)).bit_length()), -1, np.int64)
    return _number(letters, places, sizes, hashes_of(letters, places, width), slots)


@kernel
def power(width: int) -> np.uint64:
    """What a letter that leaves a window of so many has been multiplied by."""
    value = _ONE
    for _ in range(width - 1):
        value *= _BASE
    return value


@kernel
def rolled(value: np.uint64, letter: np.uint32) -> np.uint64:
    """The hash of a window with one letter more at its end."""
    return value * _BASE + np.uint64(letter)


@kernel
def spread(value: np.uint64) -> np.uint64:
    """A hash whose high bits depend on all letters."""
    return (value ^ value >> np.uint64(32)) * _SPREAD


@kernel
def hashes_of(letters: NDArray[np.uint32], places: NDArray[np.int64], width: int) -> NDArray[np.uint64]:
    """The hash of the `width` letters at each place."""
    found = np.empty(len(places), np.uint64)
    for i in range(len(places)):
        value = np.uint64(0)
        for k in range(width):
            value = rolled(value, letters[places[i] + k])
        found[i] = spread(value)
    return found


@kernel
def _fill(hashes: NDArray[np.uint64], grams: NDArray[np.int64], slots: NDArray[np.int32], bits: NDArray[np.uint64]) -> None:
    for gram in grams:
        slot = slot_of(hashes[gram], len(slots))
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = gram
        bits[_word(hashes[gram], len(bits))] |= _mask(hashes[gram])


@kernel
def slot_of(value: np.uint64, size: int) -> int:
    """Where the search for a hash begins among so many slots, a power of two."""
    return int(np.int64((value >> np.uint64(20)) & np.uint64(size - 1)))


@kernel
def may_be(value: np.uint64, bits: NDArray[np.uint64]) -> bool:
    """Whether all bits of a hash are set, which those of all grams are."""
    mask = _mask(value)
    return bool(bits[_word(value, len(bits))] & mask == mask)


@kernel
def _word(value: np.uint64, words: int) -> np.uint64:
    """The word of a hash, in a filter of so many, a power of two."""
    return (value >> np.uint64(30)) & np.uint64(words - 1)


@kernel
def _mask(value: np.uint64) -> np.uint64:
    """Three bits of it."""
    low = np.uint64(63)
    first, second, third = value & low, value >> np.uint64(6) & low, value >> np.uint64(12) & low
    return _ONE << first | _ONE << second | _ONE << third


@kernel
def _number(
    letters: NDArray[np.uint32],
    places: NDArray[np.int64],
    sizes: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    slots: NDArray[np.int64],
) -> NDArray[np.int64]:
    """`slots` holds the first run of each kind."""
    found, kinds = np.empty(len(places), np.int64), 0
    for i in range(len(places)):
        slot = slot_of(hashes[i], len(slots))
        while True:
            j = slots[slot]
            if j < 0:
                slots[slot], found[i] = i, kinds
                kinds += 1
                break
            if hashes[j] == hashes[i] and sizes[j] == sizes[i] and same(letters, places[j], letters, places[i], sizes[i]):
                found[i] = found[j]
                break
            slot = (slot + 1) & (len(slots) - 1)
    return found


@kernel
def same(left: NDArray[np.uint32], at: int, right: NDArray[np.uint32], there: int, size: int) -> bool:
    """Whether `size` letters are the same."""
    for k in range(size):  # noqa: SIM110 - numba knows no generators
        if left[at + k] != right[there + k]:
            return False
    return True
