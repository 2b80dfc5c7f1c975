"""Brute force: the Jaccard similarity of all pairs of texts, exact, over their sets of shingles as strings.

A shingle is written as a number in base (letters of the alphabet + 1), 0 being no letter, so equal numbers are equal strings and no
hash is in it. A list of the texts that hold it is made for each, and a text's common shingles with all
before it are counted along the lists. Neither bands nor signatures nor hashes: nothing of what is tested.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of rows, `low` < `high`, and their Jaccard similarity."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    similarity: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StringSets:
    """The distinct shingles of each text as exact numbers: those of row i are `numbers[starts[i]:starts[i + 1]]`, ascending."""

    numbers: NDArray[np.uint64]
    starts: NDArray[np.int64]

    def similarity(self, one: int, other: int) -> float:
        a, b = (self.numbers[self.starts[row] : self.starts[row + 1]] for row in (one, other))
        common = len(np.intersect1d(a, b, assume_unique=True))
        return common / max(1, len(a) + len(b) - common)


def string_sets(texts: list[str], shingle: int = 5) -> StringSets:
    """A text shorter than a shingle is one shingle, the empty text has none."""
    points = [np.frombuffer(text.encode("utf-32-le"), np.uint32) for text in texts]
    alphabet = np.unique(np.concatenate([np.unique(one) for one in points]))
    base = len(alphabet) + 1
    if base**shingle >= 2**64:
        raise ValueError(f"{shingle} letters of an alphabet of {len(alphabet):,} do not fit a 64-bit number")
    sets = [np.unique(_numbers(np.searchsorted(alphabet, one).astype(np.uint64) + np.uint64(1), base, shingle)) for one in points]
    starts = np.cumsum([0, *map(len, sets)])
    return StringSets(np.concatenate(sets), starts)


def _numbers(letters: NDArray[np.uint64], base: int, shingle: int) -> NDArray[np.uint64]:
    width = min(shingle, len(letters))
    numbers = np.zeros(len(letters) - width + 1 if width else 0, np.uint64)
    for at in range(width):
        numbers = numbers * np.uint64(base) + letters[at : at + len(numbers)]
    return numbers


def similar_pairs(sets: StringSets, at_least: float) -> Pairs:
    """All pairs of at least this similarity, in the order of `high`, then `low`."""
    sizes = np.diff(sets.starts)
    owner = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    order = np.argsort(sets.numbers, kind="stable")  # so owners ascend within a list
    ordered = sets.numbers[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, np.bool_)
    lists = np.append(np.flatnonzero(first), len(ordered))
    number = np.empty(len(ordered), np.int32)
    number[order] = np.cumsum(first) - 1
    low, high, similarity = _count(number, sets.starts, lists, owner[order], at_least)
    return Pairs(np.array(low, np.int64), np.array(high, np.int64), np.array(similarity, np.float64))


@njit(nogil=True)  # type: ignore[untyped-decorator]
def _count(number, starts, lists, owner, at_least):  # type: ignore[no-untyped-def]
    low, high, found = [0][:0], [0][:0], [0.0][:0]
    common = np.zeros(len(starts) - 1, np.int32)
    for row in range(len(starts) - 1):
        common[:row] = 0
        for at in range(starts[row], starts[row + 1]):
            for place in range(lists[number[at]], lists[number[at] + 1]):
                if owner[place] >= row:
                    break
                common[owner[place]] += 1
        size = starts[row + 1] - starts[row]
        for other in range(row):
            similarity = common[other] / max(1, size + starts[other + 1] - starts[other] - common[other])
            if similarity >= at_least:
                low.append(other)
                high.append(row)
                found.append(similarity)
    return low, high, found
