"""Band keys and sketches of documents whose similarities are known, without texts: millions of them for the selection to be timed on.

Document i is what (seed, i) make it, so any batch holds the same rows, and the first n of 2n documents are the same.

- ALONE of the documents belong to no cluster. The others draw theirs from Zipf's law, P(k) about in proportion to 1/k for the cluster
  k of CLUSTERS, as copies on the web go; the largest of a block have about 1,500 members. Each block of BLOCK documents has clusters of
  its own, so that more documents are more clusters and no larger ones, and the time of what is linear grows linearly.
- A cluster has a centre, a random signature. A member has the centre's values, but each is replaced by one of its own with
  probability 1 - J; J = 1 - 0.4 u^2 for a uniform u, from 0.6 to 1, the mean 0.87. Two members agree in a value with probability J J'.
- Values are bytes. Two that are drawn for themselves are equal once in 256 times, as the low bytes of real signatures
  are, so a sketch is distributed as a real one. A key is folded from the bytes of its band, so keys are equal when the sketches
  agree in all rows: a member of J .6 agrees with the centre in a row with probability .6016. Others collide once in 2^64.

`python -m benchmarks.synthetic_signatures` tells documents a second.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seiryu.dedup.bands import SWALLOW, Banding

ALONE = 0.6
CLUSTERS = 100_000_000
BLOCK = 100_000
LOWEST = 0.6  # the similarity of the members furthest from the centre

Batch = tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64]]

_STEP, _F1, _F2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_ODD = np.uint64(0x5851F42D4C957F2D)


def batch(first: int, count: int, banding: Banding, seed: int = 1) -> Batch:
    """Keys [count, bands], sketches [count, num_perm] and clusters [count] of the documents `first` and after; -1 for no cluster.

    The keys lie in memory band by band, as `band_keys` gives them.
    """
    cluster, replaced = members(first, count, seed)
    keys = np.empty((banding.bands, count), np.uint64)
    words = np.empty((count, -(-banding.num_perm // 8)), np.uint64)
    _fill_values(first, np.uint64(seed), cluster, replaced, words)
    sketch = words.view(np.uint8)[:, : banding.num_perm]
    _fill_keys(sketch, banding.rows, keys)
    return keys.T, sketch, cluster


def members(first: int, count: int, seed: int = 1) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The cluster of each document, -1 for none, and in how many of 256 cases a value is its own and not the centre's."""
    draws = np.random.Philox(key=seed, counter=[0, 0, 0, 0])
    draws.advance(first)  # each step of the counter is four numbers: one document's
    alone, which, how, _ = np.random.Generator(draws).random((count, 4)).T
    cluster = np.exp(which * np.log(CLUSTERS)).astype(np.int64)
    cluster += (first + np.arange(count)) // BLOCK * CLUSTERS
    cluster[alone < ALONE] = -1
    return cluster, np.rint((1 - LOWEST) * how**2 * 256).astype(np.uint8)


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _mix(x: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64."""
    x = (x ^ x >> np.uint64(30)) * _F1
    x = (x ^ x >> np.uint64(27)) * _F2
    return x ^ x >> np.uint64(31)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_values(
    first: int, seed: np.uint64, cluster: NDArray[np.int64], replaced: NDArray[np.uint8], values: NDArray[np.uint64]
) -> None:
    """Eight values a number."""
    width = values.shape[1]
    own, dice, centre = np.empty(width, np.uint64), np.empty(width, np.uint64), np.empty(width, np.uint64)
    own_bytes, dice_bytes, centre_bytes = own.view(np.uint8), dice.view(np.uint8), centre.view(np.uint8)
    for row in range(len(cluster)):
        base = _mix(_mix(seed + _STEP) ^ np.uint64(first + row))
        for i in range(width):
            own[i] = _mix(base + np.uint64(i + 1) * _STEP)
        if cluster[row] >= 0:
            middle = _mix(_mix(seed + _F1) ^ np.uint64(cluster[row]))
            thrown = _mix(base ^ _F2)
            for i in range(width):
                centre[i] = _mix(middle + np.uint64(i + 1) * _STEP)
                dice[i] = _mix(thrown + np.uint64(i + 1) * _STEP)
            limit = replaced[row]
            for i in range(8 * width):
                own_bytes[i] = own_bytes[i] if dice_bytes[i] < limit else centre_bytes[i]
        values[row] = own


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_keys(sketch: NDArray[np.uint8], rows: int, keys: NDArray[np.uint64]) -> None:
    for row in range(len(sketch)):
        for band in range(len(keys)):
            h = np.uint64(band + 1)
            for i in range(band * rows, (band + 1) * rows):
                h = (h ^ np.uint64(sketch[row, i])) * _ODD
            keys[band, row] = _mix(h)


if __name__ == "__main__":
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    batch(0, 2, SWALLOW)
    begin = time.perf_counter()
    for start in range(0, documents, 100_000):
        batch(start, min(100_000, documents - start), SWALLOW)
    print(f"{documents / (time.perf_counter() - begin):,.0f} documents a second")
