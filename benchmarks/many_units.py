"""200,000 empty units (empty_units.py): as many as some snapshots of Common Crawl have archives. Some ten minutes on a quiet machine.

SEIRYU_MANY_UNITS (200,000).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from benchmarks import empty_units
from benchmarks.inputs import Inputs
from benchmarks.timing import Figure


def figures(inputs: Inputs) -> Iterator[Figure]:
    return empty_units.figures(inputs, int(os.environ.get("SEIRYU_MANY_UNITS", 200_000)))
