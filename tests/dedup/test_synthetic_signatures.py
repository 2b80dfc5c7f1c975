"""The documents that selection is timed on are what their docstring says, in batches of any size."""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2]))  # benchmarks/ stands beside tests/, and `pytest` alone does not look there

from benchmarks.synthetic_signatures import batch, members
from seiryu.dedup.bands import FINEWEB, SWALLOW, Banding


@pytest.mark.parametrize("banding", [SWALLOW, FINEWEB, Banding(3, 5)])
def test_batches_of_any_size_hold_the_same_documents(banding: Banding) -> None:
    whole = batch(0, 3000, banding)
    assert [column.shape for column in whole] == [(3000, banding.bands), (3000, banding.num_perm), (3000,)]
    for size in (1, 700):
        parts = [batch(first, min(size, 3000 - first), banding) for first in range(0, 3000, size)]
        for column, expected in zip(zip(*parts, strict=True), whole, strict=True):
            np.testing.assert_array_equal(np.concatenate(column), expected)
    assert (batch(0, 3000, banding, seed=2)[1] != whole[1]).any()


@pytest.mark.parametrize("banding", [SWALLOW, FINEWEB])
def test_keys_are_equal_when_all_rows_of_the_band_are(banding: Banding) -> None:
    keys, sketch, cluster = batch(0, 20_000, banding)
    largest = np.flatnonzero(cluster == np.bincount(cluster[cluster >= 0]).argmax())[:100]
    bands = sketch[largest].reshape(len(largest), banding.bands, banding.rows)
    equal = (bands[:, None] == bands[None]).all(axis=3)
    np.testing.assert_array_equal(keys[largest][:, None] == keys[largest][None], equal)
    assert 0.05 < equal.mean() < 0.9
    apart = keys[cluster < 0]
    assert len(np.unique(apart)) == apart.size


def test_members_are_as_alike_as_was_drawn() -> None:
    _, sketch, cluster = batch(0, 20_000, SWALLOW)
    replaced = members(0, 20_000)[1] / 256
    largest = np.flatnonzero(cluster == np.bincount(cluster[cluster >= 0]).argmax())
    assert len(largest) > 100
    for one, other in pairwise(largest):
        expected = (1 - replaced[one]) * (1 - replaced[other])
        assert (
            abs((sketch[one] == sketch[other]).mean() - expected - (1 - expected) / 256) < 5 * 0.0177
        )  # five standard errors of 800 values at a half
