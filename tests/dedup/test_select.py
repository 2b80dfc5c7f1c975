"""The survivors are those of one pass by rank over an LSH index, in whatever order collisions come."""

import random
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seiryu.dedup.bands import FINEWEB, NO_KEY, SWALLOW, Banding, band_keys
from seiryu.dedup.minhash import signatures
from seiryu.dedup.select import Collisions, priority, repeated, select

Ints = NDArray[np.int64]
# One band: some documents and the value of each. A document may be missing from it, or alone with its value.
Band = dict[int, int]


def collisions(bands: list[Band]) -> list[Collisions]:
    return [(np.array(list(band), np.int64), np.array(list(band.values()), np.int64)) for band in bands]


def by_hand(rank: list[int], bands: list[Band]) -> list[int]:
    """The rule as a sentence: by rank, keep one unless a kept one shares a value with it."""
    kept: list[int] = []
    survivor = list(range(len(rank)))
    for row in sorted(survivor, key=rank.__getitem__):
        met = [k for k in kept if any(row in b and k in b and b[row] == b[k] for b in bands)]
        if met:
            survivor[row] = min(met, key=rank.__getitem__)
        else:
            kept.append(row)
    return survivor


@st.composite
def structures(draw: st.DrawFn) -> tuple[list[int], list[Band]]:
    n = draw(st.integers(1, 16))
    rank = draw(st.lists(st.integers(-50, 10**12), min_size=n, max_size=n, unique=True))
    # An even and an odd one together link all documents.
    chain = st.booleans().map(lambda odd: {i: (i + odd) // 2 for i in range(n)})
    star = st.integers(0, n - 1).flatmap(lambda hub: st.integers(0, n - 1).map(lambda leaf: {hub: 0, leaf: 0}))
    clique = st.sets(st.integers(0, n - 1)).map(lambda rows: dict.fromkeys(rows, 3))
    anything = st.dictionaries(st.integers(0, n - 1), st.integers(0, 4))
    return rank, draw(st.lists(chain | star | clique | anything, max_size=8))


@given(structures(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=400)
def test_survivors_are_those_of_the_rule_in_any_order_of_collisions(
    structure: tuple[list[int], list[Band]], shuffle: random.Random
) -> None:
    rank, bands = structure
    expected = by_hand(rank, bands)
    assert select(np.array(rank), collisions(bands)).tolist() == expected
    shuffle.shuffle(bands)
    mixed = []
    for band in bands:
        rows = list(band)
        shuffle.shuffle(rows)
        names = list(set(band.values()))
        shuffle.shuffle(names)
        mixed.append({row: names.index(band[row]) for row in rows})
    assert select(np.array(rank), iter(collisions(mixed))).tolist() == expected


def test_a_removed_document_removes_nobody() -> None:
    chain = [{0: 0, 1: 0}, {1: 0, 2: 0}, {2: 0, 3: 0}]
    assert select(np.arange(4), collisions(chain)).tolist() == [0, 0, 2, 2]
    assert select(np.array([3, 2, 1, 0]), collisions(chain)).tolist() == [1, 1, 3, 3]


def test_a_duplicate_of_several_kept_ones_names_the_best_of_them() -> None:
    assert select(np.array([2, 1, 3]), collisions([{0: 0, 2: 0}, {1: 0, 2: 0}])).tolist() == [0, 1, 1]


def test_nothing_in_common_keeps_everything() -> None:
    assert select(np.array([5, 1, 3]), []).tolist() == [0, 1, 2]
    assert select(np.empty(0, np.int64), []).tolist() == []


@pytest.mark.parametrize(
    ("rank", "row", "bucket", "why"),
    [
        ([1, 1], [0, 1], [0, 0], "same rank"),
        ([0, 1], [0, 2], [0, 0], r"rows 0\.\.2 of 2"),
        ([0, 1], [-1, 1], [0, 0], r"rows -1\.\.1"),
        ([0, 1], [0, 1], [0, -1], "buckets from -1"),
        ([0, 1], [0, 1], [0], "2 rows for 1 buckets"),
    ],
)
def test_collisions_that_cannot_be_are_refused(rank: list[int], row: list[int], bucket: list[int], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        select(np.array(rank), [(np.array(row), np.array(bucket))])


@given(st.lists(st.sampled_from([0, 1, 2, 7, 2**63, 2**64 - 2, int(NO_KEY)]), max_size=30))
def test_repeated_lists_exactly_the_documents_that_share_a_key(keys: list[int]) -> None:
    row, bucket = repeated(np.array(keys, np.uint64))
    groups: dict[int, list[int]] = {}
    for at, key in enumerate(keys):
        if keys.count(key) > 1 and key != NO_KEY:
            groups.setdefault(key, []).append(at)
    expected = [(r, b) for b, (_, rows) in enumerate(sorted(groups.items())) for r in rows]
    assert list(zip(row.tolist(), bucket.tolist(), strict=True)) == expected
    assert row.dtype == bucket.dtype == np.int64


def test_keys_read_back_as_signed_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match="int64"):
        repeated(np.array([-1, -1], np.int64))  # type: ignore[arg-type]


def of_signatures(values: NDArray[np.uint32], banding: Banding, rank: Ints) -> Ints:
    keys = band_keys(values, banding.bands, banding.rows)
    return select(rank, (repeated(keys[:, band]) for band in range(banding.bands)))


def of_datasketch(values: NDArray[np.uint32], banding: Banding, rank: Ints) -> list[int]:
    lsh = MinHashLSH(num_perm=banding.num_perm, params=(banding.bands, banding.rows))
    permutations = MinHash(banding.num_perm).permutations
    survivor = list(range(len(rank)))
    for row in np.argsort(rank).tolist():
        minhash = MinHash(hashvalues=values[row], permutations=permutations, scheme="affine32")
        met = lsh.query(minhash)
        if met:
            survivor[row] = min(met, key=lambda k: rank[k])
        else:
            lsh.insert(row, minhash)
    return survivor


@pytest.mark.parametrize("banding", [SWALLOW, FINEWEB])
def test_survivors_of_real_pages_are_those_of_datasketchs_index(pages: list[dict[str, Any]], banding: Banding) -> None:
    dates = np.array([page["date"].rstrip("Z") for page in pages], "datetime64[us]").astype(np.int64)
    rank = priority(dates, pa.array([page["record_id"] for page in pages]))
    values = signatures(pa.array([page["gold_text"] for page in pages]), num_perm=banding.num_perm)
    survivor = of_signatures(values, banding, rank)
    assert survivor.tolist() == of_datasketch(values, banding, rank)
    removed = survivor != np.arange(len(pages))
    assert 0.02 < removed.mean() < 0.9
    assert (dates[survivor] >= dates).all()
    assert (survivor[survivor] == survivor).all()


def test_empty_texts_are_nobodys_duplicates() -> None:
    some = ["", "はい", "", "いいえ", "はい", ""]
    values = signatures(pa.array(some), num_perm=800)
    assert of_signatures(values, SWALLOW, np.arange(6)).tolist() == [0, 1, 2, 3, 1, 5]


def test_a_million_equal_documents_are_done_in_linear_time() -> None:
    n = 1_000_000
    same = np.full(n, 7, np.uint64)
    rank = np.random.default_rng(1).permutation(n)
    select(np.arange(2), [repeated(same[:2])])  # compiled before the clock starts
    start = time.perf_counter()
    survivor = select(rank, (repeated(same) for _ in range(3)))
    # A second or so; comparing pairs would take an hour.
    assert time.perf_counter() - start < 20
    assert (survivor == rank.argmin()).all()


def test_a_chain_of_a_million_documents_keeps_every_second_one() -> None:
    n = 1_000_000
    row = np.arange(n)
    survivor = select(row, [(row, row // 2), (row, (row + 1) // 2)])
    np.testing.assert_array_equal(survivor, row // 2 * 2)


def test_the_newest_comes_first_then_the_smaller_id_then_the_earlier_row() -> None:
    dates = np.array([5, 9, 5, 9, 5, -1], np.int64)
    ids = ["b", "z", "a", "y", "a", "0"]
    for array in (pa.array(ids), pa.array(ids, pa.large_string()), pa.chunked_array([ids[:1], ids[1:]])):
        assert priority(dates, array).tolist() == [4, 1, 2, 0, 3, 5]
    assert priority(dates[:0], pa.array([], pa.string())).tolist() == []


dates_and_ids = st.tuples(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2), st.sampled_from(["a", "あ", "𠮷", "ff", "｡", ""]))


@given(st.lists(dates_and_ids))
def test_priority_is_a_permutation_in_the_documented_order(documents: list[tuple[int, str]]) -> None:
    dates = np.array([date for date, _ in documents], np.int64)
    rank = priority(dates, pa.array([name for _, name in documents], pa.string()))
    order = sorted(range(len(documents)), key=lambda row: (-documents[row][0], documents[row][1].encode(), row))
    assert [int(rank[row]) for row in order] == list(range(len(documents)))


def test_documents_without_id_or_date_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 doc_ids are null"):
        priority(np.zeros(2, np.int64), pa.array(["a", None]))
    with pytest.raises(ValueError, match="1 dates for 2 doc_ids"):
        priority(np.zeros(1, np.int64), pa.array(["a", "b"]))
