"""What is measured of a text: families of signals, each computed by a kernel over the code points of many texts.

`swallow` are the signals of the Swallow corpus as its paper and Gopher mean them, `swallow-v1` those of the code released with it,
`fineweb` what FineWeb-2's rules ask of lines, `writing` tells of the writing itself. A family is measured or not; its signals come
together, because they are counted in the same passes. What needs words (`word_kinds`, `fineweb`) is measured by `instruments`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.letters import blocks, codepoints
from seiryu.filters.signals import fineweb, swallow, swallow_v1, writing
from seiryu.filters.signals.signal import Signal

Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Family:
    """Signals that one kernel measures of (code points, offsets), as `letters.codepoints` gives them."""

    name: str
    signals: tuple[Signal, ...]
    measure: Callable[[npt.NDArray[np.uint32], npt.NDArray[np.int64]], Columns]


FAMILIES = {
    family.name: family
    for family in (
        Family("swallow", swallow.SIGNALS, swallow.measure_swallow),
        Family("swallow-v1", swallow_v1.SIGNALS, swallow_v1.measure_swallow_v1),
        Family("fineweb", fineweb.SIGNALS, fineweb.measure_fineweb),
        Family("writing", writing.SIGNALS, writing.measure_writing),
    )
}  # fmt: skip
SIGNALS = tuple(signal for family in FAMILIES.values() for signal in family.signals)


def measure(texts: pa.Array | pa.ChunkedArray, families: Iterable[str] = tuple(FAMILIES)) -> Columns:
    """Every signal of the families by name, one value a text in the order of the texts.

    `texts` is an Arrow array of string or large_string; any length is valid, the empty text too. Raises as
    `letters.codepoints` does: TypeError for another type, ValueError for a null.
    """
    wanted = [FAMILIES[name] for name in families]
    nothing = (np.empty(0, np.uint32), np.zeros(1, np.int64))
    parts: list[Columns] = []
    for block in map(codepoints, blocks(texts)):
        parts.append({name: column for family in wanted for name, column in family.measure(*block).items()})
    if not parts:
        parts = [{name: column for family in wanted for name, column in family.measure(*nothing).items()}]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
