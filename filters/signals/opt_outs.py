"""What the owner of a page does not want done with it, as signals of its document, so that a rule can ask for them.

They come from the columns `robots` and `tdm_reservation` of the documents, and so from the page and the header it came with (see
`seiryu.corpus.extraction.opt_outs`); its text does not tell them, and cleaning does not change them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.filters.signals.signal import Signal

Columns = dict[str, npt.NDArray[Any]]

_DIRECTIVES = ("noai", "noimageai", "noindex")
SIGNALS = (
    Signal("noai", "int", "1 if the page asks robots for noai: its content is not to train AI"),
    Signal("noimageai", "int", "1 if the page asks robots for noimageai: its images are not to train AI"),
    Signal("noindex", "int", "1 if the page asks robots for noindex or none: it is not to be found by searching"),
    Signal("tdm_reserved", "int", "1 if the page reserves the rights to text and data mining (tdm-reservation: 1)"),
)


def measure_opt_outs(robots: pa.Array | pa.ChunkedArray, tdm_reservation: pa.Array | pa.ChunkedArray) -> Columns:
    """The signals of documents, by two of their columns."""
    found = {name: pc.match_substring_regex(robots, f"(^|,){name}(,|$)") for name in _DIRECTIVES}
    found["tdm_reserved"] = pc.equal(tdm_reservation, "1")
    return {name: column.to_numpy(zero_copy_only=False).astype(np.int32) for name, column in found.items()}


def nothing_asked(size: int) -> Columns:
    """The signals of texts that have no page."""
    return {signal.name: np.zeros(size, np.int32) for signal in SIGNALS}
