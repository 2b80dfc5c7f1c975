"""200,000 empty units (empty_units.py): as many as some snapshots of Common Crawl have archives. Some ten minutes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import empty_units
from benchmarks.inputs import Inputs
from benchmarks.timing import Figure

UNITS = 200_000


def figures(inputs: Inputs) -> Iterator[Figure]:
    return empty_units.figures(inputs, UNITS)
