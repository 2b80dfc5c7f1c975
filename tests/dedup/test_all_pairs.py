"""What deduplication finds of what is there: real pages and edited versions of them, against the similarity of all pairs."""

import random
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))  # benchmarks/ stands beside tests/, and `pytest` alone does not look there

from benchmarks.near_duplicates import Known, between, compared, judged, removed_by_rule, share_a_band  # noqa: E402
from seiryu.dedup.bands import FINEWEB, SWALLOW, Banding, match_probability  # noqa: E402
from seiryu.dedup.in_memory import Near, near_duplicates  # noqa: E402
from seiryu.dedup.normal import normal  # noqa: E402
from tests.dedup.edited_pages import EDITS, Pages, real_pages, versions  # noqa: E402

PRESETS = [SWALLOW, FINEWEB]


@pytest.fixture(scope="module")
def pages() -> list[str]:
    return real_pages(ROOT / "samples")


@pytest.fixture(scope="module")
def known(pages: list[str]) -> Known:
    return compared(pages)


def shingles(text: str) -> set[str]:
    return {text[at : at + 5] for at in range(len(text) - 4)}


def test_the_similarity_of_all_pairs_is_that_of_sets_of_strings(known: Known) -> None:
    some = random.Random(1).sample(range(len(known.texts)), 150)
    sets = {row: shingles(normal(known.texts[row])) for row in some}
    pairs = known.pairs
    found = {(a, b): s for a, b, s in zip(pairs.low.tolist(), pairs.high.tolist(), pairs.similarity.tolist(), strict=True)}
    for high in some:
        for low in (row for row in some if row < high):
            similarity = len(sets[low] & sets[high]) / len(sets[low] | sets[high])
            assert found.get((low, high), 0) == (similarity if similarity >= 0.5 else 0)
            assert known.sets.similarity(low, high) == similarity


def test_versions_are_spread_over_all_similarities_and_are_always_the_same(pages: list[str], known: Known) -> None:
    assert [version.text for version in versions(pages)] == known.texts[len(pages) :]
    similarity = np.array([known.sets.similarity(row, len(pages) + row) for row in range(len(pages))])
    counts, _ = np.histogram(similarity, [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.01])
    assert (counts >= 30).all()
    assert counts[3:].sum() > len(pages) / 2
    assert {name for version in versions(pages) for name in version.edits} == set(EDITS)


def test_another_width_is_the_same_text(pages: list[str]) -> None:
    edited = [EDITS["width"](page, 1, Pages(pages), random.Random(page)) for page in pages]
    assert sum(a != b for a, b in zip(pages, edited, strict=True)) > len(pages) / 2
    assert [normal(page) for page in pages] == [normal(page) for page in edited]


@pytest.mark.parametrize("banding", PRESETS)
def test_pairs_of_nine_tenths_are_found(known: Known, banding: Banding) -> None:
    alike = known.pairs.similarity >= 0.9
    assert alike.sum() > 300
    assert share_a_band(known, banding)[alike].mean() >= 0.99


@pytest.mark.parametrize("banding", PRESETS)
def test_bands_find_as_much_as_theory_says(known: Known, banding: Banding) -> None:
    shared, similarity = share_a_band(known, banding), known.pairs.similarity
    for low, high in ((0.5, 0.7), (0.7, 0.8), (0.8, 0.9)):
        here = between(similarity, low, high)
        expected = match_probability(similarity[here], banding.bands, banding.rows).mean()
        # Pairs share their permutations, so they stray further than so many independent ones would.
        assert abs(shared[here].mean() - expected) < 0.1


@pytest.mark.parametrize("banding", PRESETS)
def test_verified_removal_is_never_false(known: Known, banding: Banding) -> None:
    outcome = judged(known, Near(banding, 0.8, "exact"))
    assert outcome.false == 0
    assert outcome.least >= 0.8
    assert outcome.removed > 300
    # Nothing is verified in vain: by the bands alone, pages go whose survivor is another page.
    assert judged(known, Near(banding, 0.8, "none")).false > 10


@pytest.mark.parametrize("banding", PRESETS)
def test_an_estimate_errs_no_further_than_its_standard_error(known: Known, banding: Banding) -> None:
    outcome = judged(known, Near(banding, 0.8, "estimate"))
    assert outcome.least > 0.8 - 5 * (0.8 * 0.2 / banding.num_perm) ** 0.5
    assert outcome.removed > 300


def test_where_bands_overlook_nothing_the_choice_is_that_of_all_pairs(known: Known) -> None:
    everything = Near(Banding(64, 4), 0.8, "exact")  # overlooks a pair of 0.8 once in 10^14
    survivor = near_duplicates(pa.array(known.texts), known.order, everything).survivor
    assert set(np.flatnonzero(survivor != np.arange(len(survivor))).tolist()) == removed_by_rule(known, 0.8)
    place = np.argsort(known.order)
    assert (place[survivor] <= place).all()
