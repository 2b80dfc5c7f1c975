"""Bytes are paid before they are read."""

import time
from concurrent.futures import ThreadPoolExecutor

from seiryu.corpus.remote.budget import Limits, LocalBudget


def test_bytes_come_no_faster_than_allowed() -> None:
    budget, begin = LocalBudget(Limits(100.0, 1, 100_000)), time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(budget.spend, [5000] * 12))
    assert 0.59 <= time.monotonic() - begin < 2.0
    free, begin = LocalBudget(Limits(100.0, 1, None)), time.monotonic()
    free.spend(10**12)
    assert time.monotonic() - begin < 0.1
