"""Which parts of a text occurred before: paragraphs, sentences, lines, n-grams of words.

A hash table that compares the letters whenever two hashes agree, so that a collision costs time and never changes a count.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True)
def room_for_repeats(spans):
    """The `table` of count_repeats and find, for at most so many spans: 18 to 36 bytes each."""
    room = _room(spans)
    return np.empty(room, np.uint64), np.empty(room, np.int32)


@nb.njit(cache=True, nogil=True)
def count_repeats(body, spans, table):
    """(spans whose letters occurred before, letters in them); `spans`: where each begins and ends in the body."""
    mask = clear(table, len(spans))
    repeated, letters = 0, 0
    for s in range(len(spans)):
        if find(body, spans, s, table, mask) != s:
            repeated += 1
            letters += spans[s, 1] - spans[s, 0]
    return repeated, letters


@nb.njit(cache=True, nogil=True)
def clear(table, spans):
    """Empties as much of the table as so many spans need, and gives the `mask` of find for it."""
    room = _room(spans)
    table[1][:room] = -1
    return room - 1


@nb.njit(cache=True, nogil=True)
def find(body, spans, s, table, mask):
    """The first span that was looked for with the letters of span s: s itself if there was none."""
    keys, first = table
    key = hash_letters(body, spans[s, 0], spans[s, 1])
    slot = np.int64(_mix(key) & np.uint64(mask))
    while first[slot] >= 0 and not (keys[slot] == key and _same(body, spans, s, first[slot])):
        slot = (slot + 1) & mask
    if first[slot] < 0:
        keys[slot], first[slot] = key, s
    return first[slot]


@nb.njit(cache=True, nogil=True)
def hash_letters(body, first, last):
    """64 bits of the letters from first to last."""
    key = np.uint64(last - first)
    for i in range(first, last):
        key = (key ^ np.uint64(body[i])) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key


@nb.njit(cache=True, nogil=True)
def _same(body, spans, a, b):
    length = spans[a, 1] - spans[a, 0]
    if spans[b, 1] - spans[b, 0] != length:
        return False
    for i in range(length):  # noqa: SIM110 (numba has no all() of a generator)
        if body[spans[a, 0] + i] != body[spans[b, 0] + i]:
            return False
    return True


@nb.njit(cache=True, nogil=True)
def _mix(key):
    key = (key ^ (key >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return key ^ (key >> np.uint64(32))


@nb.njit(cache=True, nogil=True)
def _room(entries):
    """The smallest power of two that leaves a third of a hash table free."""
    room = 8
    while 2 * room < 3 * entries:
        room *= 2
    return room
