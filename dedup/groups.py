"""Which documents must be looked at together: those that meet, directly or over others.

Documents that no chain of meetings links cannot decide over each other, so each group may be settled by itself, in any process, and the
result is that of one process over all. A group says nothing else: in it are unlike documents too, and which of them stay is
decided by `select`.

Union-find over numbers of documents: 4 bytes a document (8 from 2^31 documents on), four times that while parts are dealt out.
Meetings may come in any order and as often as they like. Checked against a search of the graph in tests/dedup/test_groups.py.
"""

import numpy as np
from numpy.typing import NDArray

from seiryu.dedup.kernel import kernel
from seiryu.dedup.meetings import Meetings

Numbers = NDArray[np.int32] | NDArray[np.int64]


class Groups:
    """The groups of documents 0 to n - 1; each for itself at the beginning."""

    def __init__(self, documents: int) -> None:
        self._parent: Numbers = (
            np.arange(documents, dtype=np.int32) if documents < 2**31 else np.arange(documents, dtype=np.int64)
        )

    def add(self, meetings: Meetings) -> None:
        """Link documents that lie one after the other in the same bucket. ValueError for a number that is none."""
        numbers, buckets = meetings
        if len(numbers) != len(buckets):
            raise ValueError(f"{len(numbers)} documents for {len(buckets)} buckets")
        # The kernel does not check bounds.
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= len(self._parent)):
            raise ValueError(f"documents {numbers.min()} to {numbers.max()} of {len(self._parent)}")
        _link(self._parent, numbers, buckets)

    def roots(self) -> Numbers:
        """For each document the smallest number in its group."""
        _flatten(self._parent)
        return self._parent


def parts(roots: Numbers, documents_a_part: int, number: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.int32], int]:
    """Groups of two or more dealt out to parts: the documents in them, ascending, the part of each, and the number of documents in the
    largest group.

    Groups go to parts in the order of their smallest number; a part is full when it holds `documents_a_part`, and a group is
    never divided, so it holds less than that and one group more. `number`: of parts that are wanted instead; there may be fewer.
    """
    sizes = np.zeros(len(roots), roots.dtype)
    _count(roots, sizes)
    heads = np.flatnonzero(sizes > 1)
    if number:
        documents_a_part = -(-int(sizes[heads].sum(dtype=np.int64)) // number)
    before = np.cumsum(sizes[heads], dtype=np.int64) - sizes[heads]
    part_of = np.full(len(roots), -1, np.int32)
    part_of[heads] = _renumbered(before // max(1, documents_a_part))
    largest = int(sizes.max(initial=0))
    found = part_of[roots]
    members = np.flatnonzero(found >= 0)
    return members, found[members], largest if largest > 1 else 0


def _renumbered(parts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Ascending numbers without gaps: a group larger than a part leaves some."""
    steps = np.ones(len(parts), np.bool_)
    steps[1:] = parts[1:] != parts[:-1]
    return (np.cumsum(steps) - 1).astype(np.int32)


@kernel
def _root(parent: Numbers, number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number


@kernel
def _link(parent: Numbers, numbers: NDArray[np.int64], buckets: NDArray[np.int64]) -> None:
    for i in range(1, len(numbers)):
        if buckets[i] == buckets[i - 1]:
            a, b = _root(parent, numbers[i - 1]), _root(parent, numbers[i])
            parent[max(a, b)] = min(a, b)


@kernel
def _flatten(parent: Numbers) -> None:
    for number in range(len(parent)):
        parent[number] = parent[parent[number]]  # smaller numbers are flat already


@kernel
def _count(roots: Numbers, sizes: Numbers) -> None:
    for root in roots:
        sizes[root] += 1
