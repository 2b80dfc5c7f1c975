"""Near-duplicates among texts that fit in memory, in one call; a run does the same in pieces."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seiryu.dedup.bands import SWALLOW, Banding, band_keys
from seiryu.dedup.minhash import signatures
from seiryu.dedup.normal import normalised
from seiryu.dedup.select import NO_SETS, Candidates, Choice, select
from seiryu.dedup.shingles import shingle_sets
from seiryu.dedup.similarity import sketches

Verify = Literal["exact", "estimate", "none"]


@dataclass(frozen=True, slots=True)
class Near:
    """When two texts are near-duplicates: they share a band and are at least `threshold` alike. `verify`: by what that is told."""

    banding: Banding = SWALLOW
    threshold: float = 0.8
    verify: Verify = "exact"
    shingle: int = 5
    seed: int = 1


def near_duplicates(
    texts: pa.Array | pa.ChunkedArray, order: NDArray[np.int64] | None = None, near: Near = Near(), copies: int = 1
) -> Choice:
    """Which of the texts stay, each in its normal form; `order`: rows, best first (by default as they lie)."""
    compared = normalised(texts)
    values = signatures(compared, num_perm=near.banding.num_perm, shingle=near.shingle, seed=near.seed)
    candidates = Candidates(
        band_keys(values, near.banding.bands, near.banding.rows),
        sketches(values),
        shingle_sets(compared, near.shingle) if near.verify == "exact" else NO_SETS,
    )
    threshold = near.threshold if near.verify != "none" else 0.0
    return select(np.arange(len(texts)) if order is None else order, candidates, threshold, copies)
