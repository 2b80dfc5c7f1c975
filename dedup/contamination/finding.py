"""Which items stand in which texts, and where.

A text is decoded, normalised and hashed letter by letter in one kernel; what its n-grams hit is tallied by item, and an item of
whose letters enough are covered is found. A gram that is a whole short text counts only where it stands alone: where before it
and behind it there is the text's end, a line break or a mark. So 日本で一番高い山は is found in 「日本で一番高い山は？」, and not
in 日本で一番高い山は富士山です. Where the grams of an item lie is asked only of the few texts in which it was found.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seiryu.dedup.contamination.grams import Grams, covered
from seiryu.dedup.contamination.lookup import may_be, power, rolled, same, slot_of, spread
from seiryu.dedup.contamination.normal_letters import Table, code_points_of, composed, normalise, origins, room_for, table
from seiryu.dedup.kernel import kernel
from seiryu.dedup.shingles import code_points, letters_of

_ROOM = 1 << 16  # finds that a call of the kernel has room for, beyond one of each item

Spans = list[tuple[int, int]]


class Found(NamedTuple):
    """Finds, row by row: which text, which item, how many of the item's letters."""

    rows: NDArray[np.int64]
    items: NDArray[np.int32]
    letters: NDArray[np.int32]


def found_in(chunk: pa.Array, grams: Grams) -> Found:
    """The items found in an Arrow array of texts."""
    joined = np.zeros(len(chunk), np.bool_)
    parts = [_tallied(chunk, grams, joined, skip_joined=True)]
    if joined.any():
        rows = np.flatnonzero(joined)
        again = pa.array([composed(chunk[row].as_py()) for row in rows.tolist()], pa.large_string())
        found = _tallied(again, grams, np.zeros(len(again), np.bool_), skip_joined=False)
        parts.append(found._replace(rows=rows[found.rows]))
    rows, items, letters = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((items, rows))
    return Found(rows[order], items[order], letters[order])


def spans_in(text: str, items: list[int], grams: Grams) -> list[Spans]:
    """For each of these items the stretches (begin, end) of the text, in code points, that its grams cover."""
    points = code_points_of(text)
    begins = np.arange(len(points))
    ends = begins + 1
    if room_for(points, len(points), table())[1]:
        begins, ends = (np.array(places, np.int64) for places in origins(text))
        points = code_points_of(composed(text))
    hit, at, places = _matches(points, table(), grams)
    mine = np.zeros(len(grams.places), np.bool_)
    texts_of = [tuple(grams.texts[grams.text_starts[item] : grams.text_starts[item + 1]].tolist()) for item in items]
    spans: dict[tuple[int, ...], Spans] = {}
    for texts in dict.fromkeys(texts_of):  # a paragraph that comes with ten questions is ten items
        windows = np.concatenate([grams.windows[grams.window_starts[text] : grams.window_starts[text + 1]] for text in texts])
        mine[windows[windows >= 0]] = True
        here = mine[hit]
        mine[:] = False
        first, last = _stretches(at[here], at[here] + grams.lengths[hit[here]])
        spans[texts] = list(zip(begins[places[first]].tolist(), ends[places[last - 1]].tolist(), strict=True))
    return [spans[texts] for texts in texts_of]


def _stretches(begin: NDArray[np.int32], end: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(begins, ends) of the stretches that runs cover, given in order of their begins; those that touch are one."""
    reach = np.maximum.accumulate(end)
    new = np.flatnonzero(begin[1:] > reach[:-1]) + 1
    return begin[np.concatenate([[0], new])], reach[np.concatenate([new - 1, [len(end) - 1]])]


def merged(spans: Spans) -> Spans:
    """Sorted stretches, those that touch or overlap made one."""
    found: Spans = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def _tallied(chunk: pa.Array, grams: Grams, joined: NDArray[np.bool_], *, skip_joined: bool) -> Found:
    data, starts = letters_of(chunk)
    parts, row = [(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))], 0
    room = len(grams.totals) + _ROOM
    rows, items, letters = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room, np.int32)
    while row < len(chunk):
        row, count = _tally(data, starts, row, table(), grams, joined, skip_joined, rows, items, letters)
        parts.append((rows[:count].copy(), items[:count].copy(), letters[:count].copy()))
    return Found(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@kernel
def _tally(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    row: int,
    table: Table,
    grams: Grams,
    joined: NDArray[np.bool_],
    skip_joined: bool,
    rows: NDArray[np.int64],
    items: NDArray[np.int32],
    letters_there: NDArray[np.int32],
) -> tuple[int, int]:
    """Goes on from a row as long as there is room for whatever the next may hold; where it stopped, and how many finds there are."""
    longest = np.int64(0)
    for i in range(row, len(starts) - 1):
        longest = max(longest, starts[i + 1] - starts[i])
    points = np.empty(longest, np.uint32)
    letters, places, begins = np.empty(longest, np.uint32), np.empty(longest, np.int32), np.empty(longest + 1, np.bool_)
    hit, at = np.empty(64, np.int32), np.empty(64, np.int32)
    seen = np.full(len(grams.places), -1, np.int64)  # the last row that a gram was in
    tally, touched = np.zeros(len(grams.totals), np.int64), np.empty(len(grams.totals), np.int32)
    found = 0
    while row < len(starts) - 1 and found + len(grams.totals) <= len(rows):
        count = code_points(data, starts[row], starts[row + 1], points)
        room, joined[row] = room_for(points, count, table)
        if joined[row] and skip_joined:
            row += 1
            continue
        if room > len(letters):
            letters, places, begins = np.empty(room, np.uint32), np.empty(room, np.int32), np.empty(room + 1, np.bool_)
        count = normalise(points, count, table, letters, places, begins)
        hit, at, size = _hits(letters, begins, count, grams, hit, at)
        met = 0
        for i in range(size):
            gram = hit[i]
            if seen[gram] == row:
                continue
            seen[gram] = row
            for k in range(grams.item_starts[gram], grams.item_starts[gram + 1]):
                item = grams.items[k]
                if tally[item] == 0:
                    touched[met] = item
                    met += 1
                tally[item] += grams.weights[k]
        for i in range(met):
            item = touched[i]
            if tally[item] >= grams.needed[item]:
                there = covered(
                    item, row, seen, grams.text_starts, grams.texts, grams.window_starts, grams.windows, grams.lengths
                )
                if there >= grams.needed[item]:
                    rows[found], items[found], letters_there[found] = row, item, there
                    found += 1
            tally[item] = 0
        row += 1
    return row, found


@kernel
def _matches(
    points: NDArray[np.uint32], table: Table, grams: Grams
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """(grams, where each begins among the letters, the place of each letter among the code points)."""
    room, _ = room_for(points, len(points), table)
    letters, places, begins = np.empty(room, np.uint32), np.empty(room, np.int32), np.empty(room + 1, np.bool_)
    count = normalise(points, len(points), table, letters, places, begins)
    hit, at, size = _hits(letters, begins, count, grams, np.empty(64, np.int32), np.empty(64, np.int32))
    return hit[:size], at[:size], places[:count]


@kernel
def _hits(
    letters: NDArray[np.uint32],
    begins: NDArray[np.bool_],
    count: int,
    grams: Grams,
    hit: NDArray[np.int32],
    at: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """(grams, where each begins, how many) of all grams in the letters; the arrays are those given or longer ones."""
    size, width, slots, bits = 0, grams.runs.width, grams.runs.slots, grams.runs.bits
    leaves, value = power(width), np.uint64(0)
    for i in range(count):
        if i >= width:
            value -= np.uint64(letters[i - width]) * leaves
        value = rolled(value, letters[i])
        if i < width - 1:
            continue
        key = spread(value)
        if not may_be(key, bits):
            continue
        slot, begin = slot_of(key, len(slots)), i - width + 1
        while slots[slot] >= 0:
            gram = slots[slot]
            if grams.hashes[gram] == key and same(grams.letters, grams.places[gram], letters, begin, width):
                if size == len(hit):
                    hit, at = np.append(hit, hit), np.append(at, at)
                hit[size], at[size] = gram, begin
                size += 1
                break
            slot = (slot + 1) & (len(slots) - 1)
    return _whole_hits(letters, begins, count, grams, hit, at, size)


@kernel
def _whole_hits(
    letters: NDArray[np.uint32],
    begins: NDArray[np.bool_],
    count: int,
    grams: Grams,
    hit: NDArray[np.int32],
    at: NDArray[np.int32],
    size: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """The same for short texts, which are looked for where something begins."""
    width, slots, bits = grams.whole.width, grams.whole.slots, grams.whole.bits
    for begin in range(count - width + 1):
        if not begins[begin]:
            continue
        value = np.uint64(0)
        for k in range(width):
            value = rolled(value, letters[begin + k])
        key = spread(value)
        if not may_be(key, bits):
            continue
        slot = slot_of(key, len(slots))
        while slots[slot] >= 0:
            gram = slots[slot]
            end = begin + grams.lengths[gram]
            alone = grams.hashes[gram] == key and end <= count and begins[end]
            if alone and same(grams.letters, grams.places[gram], letters, begin, grams.lengths[gram]):
                if size == len(hit):
                    hit, at = np.append(hit, hit), np.append(at, at)
                hit[size], at[size] = gram, begin
                size += 1
            slot = (slot + 1) & (len(slots) - 1)
    return hit, at, size
