"""What a signal is: a name, a type, a meaning, and how it comes from counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Signal:
    """One column of the table of signals; `share`: for a quotient, what of what among the counts of its kernel."""

    name: str
    kind: Literal["int", "float"]
    meaning: str
    share: tuple[str, str] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """int32 for counts, float64 for shares and means."""
        return np.dtype(np.int32 if self.kind == "int" else np.float64)


def quotients(signals: Sequence[Signal], counts: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """The signals of one kernel from its counts: those without `share` are the count of their name."""
    return {
        signal.name: counts[signal.name].astype(signal.dtype) if signal.share is None
        else divide(counts[signal.share[0]], counts[signal.share[1]])
        for signal in signals
    }  # fmt: skip


def divide(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """part / whole in float64, each divided once; 0 where there is nothing to divide by."""
    shares = np.zeros(len(part), np.float64)
    np.divide(part, whole, out=shares, where=np.asarray(whole) > 0)
    return shares
