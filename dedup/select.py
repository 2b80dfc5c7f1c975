"""Which of several near-duplicates stays.

Goes through the documents in order of priority and keeps one unless a kept one shares a bucket (a value of a
band) with it: what a single process with an in-memory LSH index would do. A document that is removed removes
nobody, so unlike documents are not chained together as by connected components.

Two kept documents never share a bucket. So a bucket has one keeper at most, and one pass over the documents in
rank order, with one keeper a bucket, is the whole rule: every (document, bucket) is touched twice, a bucket of
a million equal documents included. The other way, rounds of vectorised minima over all buckets, gives the same
result without a loop, but needs as many rounds as the longest chain of "kept, because the better one was
removed" and touches every bucket in each.

Memory: 40 bytes a document, its rank included, and 32 a (document, bucket), of which documents that share
nothing have none. A second for 2 M of each. Checked against datasketch's MinHashLSH in
tests/dedup/test_select.py.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seiryu.dedup.bands import NO_KEY
from seiryu.dedup.kernel import kernel

Collisions = tuple[NDArray[np.int64], NDArray[np.int64]]


def priority(crawl_date: NDArray[np.int64], doc_id: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Rank of each document, 0 the best: newest first, then smaller doc_id (by bytes), then earlier row.

    `crawl_date` is in microseconds since 1970. ValueError for null ids and for unequal lengths.
    """
    if len(crawl_date) != len(doc_id):
        raise ValueError(f"{len(crawl_date)} dates for {len(doc_id)} doc_ids")
    if doc_id.null_count:
        raise ValueError(f"{doc_id.null_count} of {len(doc_id)} doc_ids are null")
    table = pa.table({"crawl_date": pa.array(crawl_date, pa.int64()), "doc_id": doc_id})
    best_first = pc.sort_indices(table, sort_keys=[("crawl_date", "descending"), ("doc_id", "ascending")])
    rank = np.empty(len(doc_id), np.int64)
    rank[best_first.to_numpy()] = np.arange(len(doc_id))
    return rank


def repeated(keys_of_one_band: NDArray[np.uint64]) -> Collisions:
    """Rows of the documents whose key occurs at least twice in the band, and for each the number of its bucket.

    Buckets are numbered from 0 in the order of their keys, rows ascend within a bucket. NO_KEY is never
    repeated. Sorts once; 20 to 45 bytes a document beside the keys.
    """
    if keys_of_one_band.dtype != np.uint64:
        raise TypeError(f"keys must be uint64, not {keys_of_one_band.dtype}")
    order = np.argsort(keys_of_one_band, kind="stable")
    ordered = keys_of_one_band[order]
    ordered = ordered[: np.searchsorted(ordered, NO_KEY)]
    again = np.zeros(len(ordered), np.bool_)
    again[1:] = ordered[1:] == ordered[:-1]
    shared = again.copy()
    shared[:-1] |= again[1:]
    return order[: len(ordered)][shared], np.cumsum(~again[shared]) - 1


def select(rank: NDArray[np.int64], collisions: Iterable[Collisions]) -> NDArray[np.int64]:
    """Each document's own row if it is kept, else that of the best-ranked kept one it shares a bucket with.

    `rank`: smaller is better; ValueError when two are equal. `collisions`: what `repeated` gives for each band,
    in any order, each with its own bucket numbers from 0. Rows in none of them are kept.
    """
    order = np.argsort(rank)
    if (np.diff(rank[order]) == 0).any():
        raise ValueError("two documents have the same rank")
    row, bucket, buckets = _together(collisions, len(rank))
    start = np.zeros(len(rank) + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=len(rank)), out=start[1:])
    survivor = np.arange(len(rank))
    _choose(order, rank, start, _by_row(row, bucket, start), np.full(buckets, -1), survivor)
    return survivor


def _together(collisions: Iterable[Collisions], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The collisions of all bands as one, buckets numbered through, and the number of buckets."""
    rows, shifted, buckets = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for row, bucket in collisions:
        if len(row) != len(bucket):
            raise ValueError(f"{len(row)} rows for {len(bucket)} buckets")
        if not len(row):
            continue
        # The kernels below do not check bounds.
        if row.min() < 0 or row.max() >= n or bucket.min() < 0:
            raise ValueError(f"rows {row.min()}..{row.max()} of {n} documents, buckets from {bucket.min()}")
        rows.append(row)
        shifted.append(bucket + buckets)
        buckets += int(bucket.max()) + 1
    return np.concatenate(rows), np.concatenate(shifted), buckets


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
    rank: NDArray[np.int64],
    start: NDArray[np.int64],
    bucket: NDArray[np.int64],
    keeper: NDArray[np.int64],
    survivor: NDArray[np.int64],
) -> None:
    for document in order:
        best = -1
        for i in range(start[document], start[document + 1]):
            other = keeper[bucket[i]]
            if other >= 0 and (best < 0 or rank[other] < rank[best]):
                best = other
        if best >= 0:
            survivor[document] = best
            continue
        for i in range(start[document], start[document + 1]):
            keeper[bucket[i]] = document
