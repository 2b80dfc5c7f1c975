"""Seconds of units as a sum of what they hold: least squares with no coefficient below zero, and which units were cold.

With a handful of units a straight line gladly goes below zero at one end, and then promises time for nothing. So of all subsets of the
columns the one is taken that fits best with all its coefficients above zero; at most four columns make sixteen of them.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# A unit is cold when it lies above what the others say of it by this many spreads (both as shares of what they say: the time of large
# units wanders more), by this many seconds, and by this share.
COLD_SPREADS, COLD_SECONDS, COLD_SHARE = 5.0, 0.1, 0.5
_STEPS = 20
_TO_DEVIATION = 1.4826  # from the median of absolute deviations, for a normal distribution


def fit(columns: Floats, seconds: Floats, weights: Floats | None = None) -> Floats:
    """A coefficient for each column, none below zero; all zero where nothing fits. `weights`: how often each unit counts."""
    root = np.sqrt(np.ones(len(seconds)) if weights is None else weights)
    scale = np.maximum(columns.max(axis=0, initial=0.0), 1e-300)
    a, y = columns / scale * root[:, None], seconds * root
    # Everything below is asked of these sums, so many units cost no more than few.
    gram, moment, best, least = a.T @ a, a.T @ y, np.zeros(columns.shape[1]), float(y @ y)
    for size in range(1, columns.shape[1] + 1):
        for chosen in combinations(range(columns.shape[1]), size):
            pick = np.ix_(chosen, chosen)
            found = np.linalg.lstsq(gram[pick], moment[list(chosen)], rcond=None)[0]
            left = float(y @ y - 2 * found @ moment[list(chosen)] + found @ gram[pick] @ found)
            if (found > 0).all() and left < least * (1 - 1e-9):
                best, least = np.zeros(columns.shape[1]), left
                best[list(chosen)] = found
    return np.asarray(best / scale)


def cold(columns: Floats, seconds: Floats) -> npt.NDArray[np.bool_]:
    """Units that took far longer than what they hold explains: the first of a worker, which loads models and compiles.

    At most a third of the units: the others are those that lie nearest to a line through themselves (least trimmed squares, by the
    usual steps of concentration), so two cold units do not hide each other. None where the others would be too few to tell.
    """
    number = len(seconds)
    kept = number - number // 3
    if kept <= columns.shape[1] + 1:
        return np.zeros(number, bool)
    near = np.arange(number)
    for _ in range(_STEPS):
        told = columns @ fit(columns[near], seconds[near])
        nearest = np.sort(np.argsort(np.abs(seconds - told), kind="stable")[:kept])
        if np.array_equal(nearest, near):
            break
        near = nearest
    left = seconds - told
    share = left / np.maximum(told, 1e-9)
    spread = _TO_DEVIATION * float(np.median(np.abs(share)))
    found = (left > COLD_SECONDS) & (share > max(COLD_SHARE, COLD_SPREADS * spread))
    found[near] = False
    return np.asarray(found, bool)
