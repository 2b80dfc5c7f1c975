"""How many threads libraries start in a process of ours."""

from __future__ import annotations

import os


def quiet_libraries() -> dict[str, str]:
    """Environment of a worker: one thread each, because there is a worker for every core."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "ARROW_NUM_THREADS")
    return {name: os.environ.get(name, "1") for name in names}
