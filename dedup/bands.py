"""Which documents are compared at all: the bands of a signature.

A signature is cut into bands of `rows` values; two documents are candidates when all rows of a band agree,
which happens to a pair of Jaccard similarity s with probability 1 - (1 - s^rows)^bands. A band's values are
folded into one 64-bit key: mix(h) is the finaliser of MurmurHash3_x64; h starts as mix(band + 1), and each
value v makes it mix(h ^ v). The same values in two bands never have the same key; other values have with
probability 2^-64, so that 10^9 documents meet 0.03 false candidates a band.

A band whose values are all EMPTY belongs to a text without letters. Its key is NO_KEY, and NO_KEY equals
nothing, not even itself: otherwise all empty documents would be one document.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seiryu.dedup.kernel import kernel
from seiryu.dedup.minhash import EMPTY

NO_KEY = np.uint64(0xFFFFFFFFFFFFFFFF)

_F1, _F2, _HALF = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(33)

Similarity = TypeVar("Similarity", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Banding:
    """How a signature is cut: `bands` of `rows` values each, the first `num_perm` values of it."""

    bands: int
    rows: int

    def __post_init__(self) -> None:
        if self.bands < 1 or self.rows < 1:
            raise ValueError(f"bands and rows must be positive: {self.bands} x {self.rows}")

    @property
    def num_perm(self) -> int:
        return self.bands * self.rows


SWALLOW = Banding(bands=40, rows=20)  # found at .8 / .85 / .9: .37 / .79 / .994
FINEWEB = Banding(bands=14, rows=8)  # found at .7 / .8: .56 / .92


@lru_cache
def banding_for(threshold: float, num_perm: int) -> Banding:
    """The cut of at most `num_perm` values that errs least about `threshold`, by datasketch's MinHashLSH.

    It weighs pairs above the threshold that are missed and pairs below it that are found alike. 0.2 s for 800
    values. ValueError where datasketch finds none (threshold outside [0, 1], or best served by a single band).
    """
    from datasketch import MinHashLSH

    lsh = MinHashLSH(threshold=threshold, num_perm=num_perm)
    return Banding(lsh.b, lsh.r)


def match_probability(similarity: Similarity, bands: int, rows: int) -> Similarity:
    """Probability that documents of this Jaccard similarity share a band; a number, or an array of them."""
    return 1 - (1 - similarity**rows) ** bands


def band_keys(signatures: NDArray[np.uint32], bands: int, rows: int) -> NDArray[np.uint64]:
    """Keys [n, bands] of signatures [n, at least bands * rows]; the values beyond stay unused.

    The result lies in memory band by band, so a column of it is contiguous.
    """
    if signatures.dtype != np.uint32:
        raise TypeError(f"signatures must be uint32, not {signatures.dtype}")
    if signatures.ndim != 2 or signatures.shape[1] < Banding(bands, rows).num_perm:
        raise ValueError(f"{bands} bands of {rows} rows cannot be cut from signatures {signatures.shape}")
    keys = np.empty((bands, len(signatures)), np.uint64)
    _fill(np.ascontiguousarray(signatures), rows, keys)
    return keys.T


@kernel
def _mix(h: np.uint64) -> np.uint64:
    h = (h ^ h >> _HALF) * _F1
    h = (h ^ h >> _HALF) * _F2
    return h ^ h >> _HALF


@kernel
def _fill(signatures: NDArray[np.uint32], rows: int, keys: NDArray[np.uint64]) -> None:
    for document in range(len(signatures)):
        for band in range(len(keys)):
            h = _mix(np.uint64(band + 1))
            empty = True
            for value in signatures[document, band * rows : (band + 1) * rows]:
                h = _mix(h ^ np.uint64(value))
                empty &= value == EMPTY
            keys[band, document] = NO_KEY if empty else h
