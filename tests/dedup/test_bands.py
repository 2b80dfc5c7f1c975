"""Band keys agree exactly when all rows of the band do, as often as papers state."""

from typing import Any

import numpy as np
import pytest
from datasketch import MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from seiryu.dedup.bands import FINEWEB, NO_KEY, SWALLOW, Banding, band_keys, banding_for, match_probability
from seiryu.dedup.minhash import EMPTY

U64 = 0xFFFFFFFFFFFFFFFF


def mix(h: int) -> int:
    """The finaliser of MurmurHash3_x64."""
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & U64
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & U64
    return h ^ h >> 33


def key(values: list[int], band: int) -> int:
    if all(value == EMPTY for value in values):
        return int(NO_KEY)
    h = mix(band + 1)
    for value in values:
        h = mix(h ^ value)
    return h


@given(st.data(), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3))
@settings(deadline=None)
def test_keys_are_what_the_definition_says(data: Any, bands: int, rows: int, unused: int) -> None:
    values = st.integers(0, 2**32 - 1) | st.just(int(EMPTY))
    signatures = data.draw(arrays(np.uint32, (3, bands * rows + unused), elements=values))
    keys = band_keys(signatures, bands, rows)
    assert keys.dtype == np.uint64
    assert keys.tolist() == [
        [key(row[band * rows : (band + 1) * rows], band) for band in range(bands)] for row in signatures.tolist()
    ]


def test_two_documents_share_the_key_of_a_band_only_when_all_its_rows_agree() -> None:
    a = np.arange(12, dtype=np.uint32)
    b = a.copy()
    b[4] += 1
    keys = band_keys(np.array([a, b]), 3, 4)
    assert (keys[0] == keys[1]).tolist() == [True, False, True]


def test_equal_values_in_different_bands_have_different_keys() -> None:
    keys = band_keys(np.full((1, 800), 7, np.uint32), 40, 20)
    assert len(np.unique(keys)) == 40


def test_no_two_of_a_million_different_bands_have_the_same_key() -> None:
    close = np.arange(1_000_000, dtype=np.uint32).reshape(-1, 1) % np.array([1000, 1, 1], np.uint32)
    close[:, 1] = np.arange(1_000_000) // 1000
    assert len(np.unique(band_keys(close, 1, 3))) == 1_000_000


def test_views_of_signatures_have_the_keys_of_their_copies() -> None:
    signatures = np.arange(60, dtype=np.uint32).reshape(6, 10)
    for view in (signatures[::2], signatures[:, ::-1], np.asfortranarray(signatures), signatures[:0]):
        np.testing.assert_array_equal(band_keys(view, 2, 5), band_keys(view.copy(), 2, 5))
    assert band_keys(signatures, 2, 5)[:, 1].flags.c_contiguous


def test_signatures_too_narrow_or_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="40 bands of 20 rows"):
        band_keys(np.zeros((1, 799), np.uint32), 40, 20)
    with pytest.raises(TypeError, match="uint64"):
        band_keys(np.zeros((1, 800), np.uint64), 40, 20)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="positive"):
        Banding(0, 8)


@pytest.mark.parametrize(
    ("banding", "similarity", "stated"),
    [
        (SWALLOW, 0.8, 0.37),
        (SWALLOW, 0.85, 0.79),
        (SWALLOW, 0.9, 0.994),
        (FINEWEB, 0.7, 0.56),
        (FINEWEB, 0.8, 0.92),
    ],
)
def test_presets_find_pairs_with_the_probability_that_is_stated(banding: Banding, similarity: float, stated: float) -> None:
    digits = len(str(stated)) - 2
    assert round(match_probability(similarity, banding.bands, banding.rows), digits) == stated


def test_presets_are_40_by_20_and_14_by_8() -> None:
    assert (SWALLOW.bands, SWALLOW.rows, SWALLOW.num_perm) == (40, 20, 800)
    assert (FINEWEB.bands, FINEWEB.rows, FINEWEB.num_perm) == (14, 8, 112)


def test_random_pairs_meet_as_often_as_the_probability_says() -> None:
    draw = np.random.default_rng(1)
    left = draw.integers(0, 2**32, (2000, 112), np.uint32)
    changed = draw.random(left.shape) > 0.75
    right: NDArray[np.uint32] = np.where(changed, draw.integers(0, 2**32, left.shape, np.uint32), left)
    met = (band_keys(left, 14, 8) == band_keys(right, 14, 8)).any(axis=1).mean()
    assert met == pytest.approx(match_probability(0.75, 14, 8), abs=0.04)


def test_probability_of_an_array_is_that_of_each_number_and_runs_from_0_to_1() -> None:
    grid = np.linspace(0, 1, 11)
    curve = match_probability(grid, 40, 20)
    assert curve.tolist() == [match_probability(float(s), 40, 20) for s in grid]
    assert (curve[0], curve[-1]) == (0, 1)
    assert (np.diff(curve) >= 0).all()


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9])
def test_banding_for_a_threshold_is_the_one_datasketch_would_choose(threshold: float) -> None:
    lsh = MinHashLSH(threshold, 128)
    banding = banding_for(threshold, 128)
    assert (banding.bands, banding.rows) == (lsh.b, lsh.r)
    assert banding.num_perm <= 128
