"""How this room's loops are compiled.

numba, without the interpreter lock, cached beside the source or in NUMBA_CACHE_DIR: a fresh process that finds
no cache pays 2 to 3 s for the room's kernels, so workers should share one directory.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """`function` compiled at its first call."""
    return cast(F, njit(cache=True, nogil=True)(function))
