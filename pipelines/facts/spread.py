"""How far the values of each signal reach, found while the table is made: for axes and sliders, which must not wait for it.

Least and most are exact. Quantiles are those of every n-th row of the table, n such that some 250,000 values are held at most; of a
smaller run of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Spreads = dict[str, dict[str, float]]
_HELD = 250_000
_QUANTILES = {"low": 0.005, "median": 0.5, "high": 0.995}


class Spread:
    """Collects the rows of the table; `documents`: how many will come."""

    def __init__(self, signals: Sequence[str], documents: int) -> None:
        self._nth, self._seen = documents // _HELD + 1, 0
        self._held: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in signals}
        self._ends: dict[str, list[float]] = {name: [np.inf, -np.inf] for name in signals}

    def add(self, rows: pa.Table) -> None:
        """The next rows of the table."""
        if not len(rows):
            return
        first = -self._seen % self._nth
        self._seen += len(rows)
        for name, held in self._held.items():
            values = rows[name].to_numpy().astype(np.float64)
            held.append(values[first :: self._nth].copy())
            ends = self._ends[name]
            ends[:] = [min(ends[0], values.min()), max(ends[1], values.max())]

    def found(self) -> Spreads:
        """Of each signal least, low, median, high and most: values that occur; empty if no row came."""
        return {name: self._of(name) for name, held in self._held.items() if held}

    def _of(self, name: str) -> dict[str, float]:
        values = np.sort(np.concatenate(self._held[name]))
        quantiles = {key: float(values[max(0, ceil(share * len(values)) - 1)]) for key, share in _QUANTILES.items()}
        least, most = self._ends[name]
        return {"least": float(least), **quantiles, "most": float(most)}
