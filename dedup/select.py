"""Which of several near-duplicates stays.

The rule: documents in order of priority; one is kept unless a kept one is its duplicate. (With `copies` above 1: unless that
many kept ones are.) A duplicate is the same address crawled again, or a document that shares a band and whose Jaccard similarity
is at least the threshold: by the sets of shingles where both have one, else by the sketches. So a document that was removed
removes nobody, none is removed for a collision, and unlike documents are not chained together as by connected components.

One pass in that order. Each bucket lists the documents kept in it; a document is compared with those of its buckets, best first, until
enough are found. So a bucket of a million copies costs a comparison a copy. Only kept documents that share a band and are yet
unlike cost more: each is compared with all the others in its bucket.

Memory beside what is given: 40 bytes a document, 48 a (document, bucket), of which documents that share nothing have none. Checked
against datasketch's MinHashLSH in tests/dedup/test_select.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seiryu.dedup.kernel import kernel
from seiryu.dedup.meetings import Meetings, repeated
from seiryu.dedup.shingles import Sets
from seiryu.dedup.similarity import by_sets, equal_bytes, needed, of_equal

NO_SETS = Sets(np.empty(0, np.uint32), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Candidates:
    """n documents that may be duplicates of each other.

    `keys`: uint64 [n, bands]; NO_KEY is shared by nobody. `sketches`: uint8 [n, values]. `sets`: of shingles; an empty one means
    that the sketches decide. `addresses`: uint64 [n, 2], `digests.words`; those equal in both are duplicates whatever their
    texts. `held`: those that are kept in any case; they must be first in order.
    """

    keys: NDArray[np.uint64]
    sketches: NDArray[np.uint8]
    sets: Sets = NO_SETS
    addresses: NDArray[np.uint64] = field(default_factory=lambda: np.empty((0, 2), np.uint64))
    held: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))


class Choice(NamedTuple):
    """`survivor`: each document's own row if it is kept, else that of the best kept duplicate.

    `nearest`: the best duplicate that was kept before it, whether it is kept or not; its own row if there is none. They differ only
    where several copies stay. `similarity`: to `nearest`, float32; 1 where there is none.
    """

    survivor: NDArray[np.int64]
    nearest: NDArray[np.int64]
    similarity: NDArray[np.float32]


def select(order: NDArray[np.int64], documents: Candidates, threshold: float = 0.8, copies: int = 1) -> Choice:
    """What the rule keeps. `order`: all rows, best first. ValueError if it is no permutation, or shapes do not fit.

    With a threshold of 0 documents that share a band are duplicates.
    """
    n = len(order)
    if len(documents.keys) != n or len(documents.sketches) != n or copies < 1:
        raise ValueError(f"{n} documents, keys {documents.keys.shape}, sketches {documents.sketches.shape}, {copies} copies")
    place = np.full(n, -1, np.int64)
    place[order] = np.arange(n)
    if (place < 0).any():
        raise ValueError("order must hold each row once")
    sets = documents.sets if len(documents.sets.starts) else Sets(NO_SETS.hashes, np.zeros(n + 1, np.int64))
    addresses = documents.addresses if len(documents.addresses) else np.full((n, 2), ~np.uint64(0))
    held = documents.held if len(documents.held) else np.zeros(n, np.bool_)
    if len(sets.starts) != n + 1 or len(addresses) != n or len(held) != n or not held[order[: held.sum()]].all():
        raise ValueError("sets, addresses and held must be of the same documents, and those held first in order")
    columns = [documents.keys[:, band] for band in range(documents.keys.shape[1])] + [addresses[:, 0]]
    row, bucket, buckets, of_addresses = _together(repeated(np.ascontiguousarray(column)) for column in columns)
    start = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=n), out=start[1:])
    choice = Choice(np.arange(n), np.arange(n), np.ones(n, np.float32))
    by_row = _by_row(row, bucket, start)
    del row, bucket
    _choose(
        order, place, start, by_row, np.full(buckets, -1), of_addresses, np.ascontiguousarray(documents.sketches), *sets,
        np.ascontiguousarray(addresses), held, threshold, needed(threshold, documents.sketches.shape[1]), copies,
        choice.survivor, choice.nearest, choice.similarity
    )  # fmt: skip
    return choice


def _together(columns: Iterable[Meetings]) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
    """The meetings of all columns as one, buckets numbered through; the number of buckets, and the first of the last column."""
    rows, shifted, buckets, last = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0, 0
    for row, bucket in columns:
        rows.append(row)
        shifted.append(bucket + buckets)
        last = buckets
        buckets += int(bucket[-1]) + 1 if len(bucket) else 0
    return np.concatenate(rows), np.concatenate(shifted), buckets, last


@kernel
def _by_row(row: NDArray[np.int64], bucket: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """The buckets, those of document d at start[d]:start[d + 1]."""
    sorted_bucket, free = np.empty_like(bucket), start.copy()
    for i in range(len(row)):
        sorted_bucket[free[row[i]]] = bucket[i]
        free[row[i]] += 1
    return sorted_bucket


@kernel
def _choose(
    order: NDArray[np.int64],
    place: NDArray[np.int64],
    start: NDArray[np.int64],
    bucket: NDArray[np.int64],
    newest: NDArray[np.int64],
    of_addresses: int,
    sketches: NDArray[np.uint8],
    hashes: NDArray[np.uint32],
    starts: NDArray[np.int64],
    addresses: NDArray[np.uint64],
    held: NDArray[np.bool_],
    threshold: float,
    least: int,
    copies: int,
    survivor: NDArray[np.int64],
    nearest: NDArray[np.int64],
    similarity: NDArray[np.float32],
) -> None:
    """`newest`: of each bucket, the entry of the document kept last in it; `before`: of an entry, that of the one kept before."""
    before, document_of = np.full(len(bucket), -1), np.empty(len(bucket), np.int64)
    seen_at = np.full(len(order), -1)  # the document that last met this one
    seen_in = np.zeros(len(order), np.uint8)  # in what: 1 a band, 2 an address
    met = np.empty(len(order), np.int64)
    for document in order:
        number = 0
        if not held[document]:
            for i in range(start[document], start[document + 1]):
                entry, what = newest[bucket[i]], np.uint8(1 + (bucket[i] >= of_addresses))
                while entry >= 0:
                    other = document_of[entry]
                    if seen_at[other] != document:
                        seen_at[other], seen_in[other] = document, np.uint8(0)
                        met[number] = place[other]
                        number += 1
                    seen_in[other] |= what
                    entry = before[entry]
        found = 0
        for at in np.sort(met[:number]):
            other = order[at]
            same = seen_in[other] & 2 and (addresses[document] == addresses[other]).all()
            if not same and not seen_in[other] & 1:
                continue
            left, right = hashes[starts[document] : starts[document + 1]], hashes[starts[other] : starts[other + 1]]
            if len(left) and len(right):
                # No set is more alike to a larger one than their sizes are.
                possible = min(len(left), len(right)) / max(len(left), len(right))
                here = by_sets(left, right) if same or possible >= threshold else -1.0
            else:
                equal = equal_bytes(sketches[document], sketches[other], 0 if same else least)
                here = of_equal(equal, sketches.shape[1]) if equal >= 0 else -1.0
            if same or here >= threshold:
                if not found:
                    nearest[document], similarity[document] = other, np.float32(here)
                found += 1
                if found == copies:
                    break
        if found == copies:
            survivor[document] = nearest[document]
            continue
        for i in range(start[document], start[document + 1]):
            before[i], document_of[i] = newest[bucket[i]], document
            newest[bucket[i]] = i
