"""Similarity is Jaccard's: exact by sets, and by sketches as near as statistics allow."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_minhash import murmur3, shingles

from seiryu.dedup.minhash import signatures
from seiryu.dedup.shingles import shingle_sets
from seiryu.dedup.similarity import estimated, exact, sketches

texts = st.text(st.characters(codec="utf-8") | st.sampled_from("あい\n\0é𠮷😀"), max_size=40)


@given(st.lists(texts, max_size=6), st.integers(1, 6))
@example(["", "あ", "あいうえ", "あいうえお", "𠮷野家で😀", "\0" * 9], 5)
@settings(deadline=None)
def test_sets_are_the_sorted_distinct_hashes_of_the_shingles(some: list[str], length: int) -> None:
    sets = shingle_sets(pa.array(some, pa.string()), length)
    assert len(sets.starts) == len(some) + 1
    for row, text in enumerate(some):
        expected = sorted({murmur3(shingle.encode("utf-32-le")) for shingle in shingles(text, length)})
        assert sets.hashes[sets.starts[row] : sets.starts[row + 1]].tolist() == expected


@given(st.lists(texts, min_size=2, max_size=2))
@settings(deadline=None)
def test_exact_similarity_is_the_shared_part_of_all_shingles(pair: list[str]) -> None:
    left, right = (shingles(text) for text in pair)
    expected = len(left & right) / len(left | right) if left and right else 0
    assert exact(shingle_sets(pa.array(pair, pa.string())), 0, 1) == pytest.approx(expected)


def test_the_estimate_is_right_on_average_and_seldom_far_off(pages: list[dict[str, Any]]) -> None:
    some = sorted({page["gold_text"][:6000] for page in pages if len(page["gold_text"]) > 500})[:400]
    values = signatures(pa.array(some), num_perm=800)
    sets, bytes_of = shingle_sets(pa.array(some)), sketches(values)
    pairs = [(row, other) for row in range(len(some)) for other in range(row)]
    true = np.array([exact(sets, *pair) for pair in pairs])
    chosen = np.flatnonzero(true > 0.1)
    assert len(chosen) > 300
    told = np.array([estimated(bytes_of[pairs[i][0]], bytes_of[pairs[i][1]]) for i in chosen])
    # The standard error of 800 values is at most 0.018; all pairs share the permutations, so their errors go together.
    assert abs(told - true[chosen]).max() < 0.08
    assert abs((told - true[chosen]).mean()) < 0.01
    whole = np.array([(values[pairs[i][0]] == values[pairs[i][1]]).mean() for i in chosen])
    assert abs((told - whole).mean()) < 0.001


def test_what_has_nothing_is_like_nothing() -> None:
    sets = shingle_sets(pa.array(["", "", "はい"]))
    assert [exact(sets, 0, 1), exact(sets, 0, 2), exact(sets, 2, 2)] == [0, 0, 1]
