"""What is kept is what one pass in order of priority over an LSH index keeps."""

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seiryu.dedup.bands import FINEWEB, NO_KEY, SWALLOW, Banding
from seiryu.dedup.in_memory import Near, near_duplicates
from seiryu.dedup.minhash import signatures
from seiryu.dedup.normal import normalised
from seiryu.dedup.select import NO_SETS, Candidates, select
from seiryu.dedup.shingles import Sets, shingle_sets
from seiryu.dedup.similarity import estimated, exact, sketches

NOWHERE = 2**64 - 1


@st.composite
def structures(draw: st.DrawFn) -> tuple[list[int], Candidates]:
    """Keys that overlap as chains, stars and cliques do; some with sets, some with addresses, some held."""
    n = draw(st.integers(1, 14))
    chain = st.booleans().map(lambda odd: [(i + odd) // 2 for i in range(n)])
    star = st.integers(0, n - 1).flatmap(lambda hub: st.just([0 if i % 3 == 0 or i == hub else 100 + i for i in range(n)]))
    anything = st.lists(st.sampled_from([0, 1, 2, int(NO_KEY)]), min_size=n, max_size=n)
    columns = draw(st.lists(chain | star | st.just([3] * n) | anything, min_size=1, max_size=5))
    small = st.lists(st.integers(0, 5), max_size=4, unique=True).map(sorted)
    sets = draw(st.lists(small, min_size=n, max_size=n))
    starts = np.cumsum([0, *map(len, sets)])
    sketch = np.array(draw(st.lists(st.lists(st.integers(0, 1), min_size=6, max_size=6), min_size=n, max_size=n)), np.uint8)
    address = draw(st.lists(st.sampled_from([NOWHERE, NOWHERE, NOWHERE, 1, 2]), min_size=n, max_size=n))
    second = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))  # 64 bits may be the same and the address another
    held = draw(st.sets(st.integers(0, n - 1), max_size=3))
    order = [*sorted(held), *draw(st.permutations([row for row in range(n) if row not in held]))]
    candidates = Candidates(
        np.array(columns, np.uint64).T, sketch, Sets(np.array([h for s in sets for h in s], np.uint32), starts),
        np.stack([np.array(address, np.uint64), np.array(second, np.uint64)], axis=1), np.array([row in held for row in range(n)]),
    )  # fmt: skip
    return order, candidates


def by_hand(order: list[int], some: Candidates, threshold: float, copies: int) -> list[int]:
    """The rule as a sentence."""
    kept: list[int] = []
    survivor = list(range(len(order)))
    for row in order:
        met = [other for other in kept if duplicates(some, row, other, threshold)]
        if len(met) >= copies and not some.held[row]:
            survivor[row] = met[0]
        else:
            kept.append(row)
    return survivor


def duplicates(some: Candidates, row: int, other: int, threshold: float) -> bool:
    left, right = some.addresses[row].tolist(), some.addresses[other].tolist()
    if left == right and left[0] != NOWHERE:
        return True
    if not any(a == b != int(NO_KEY) for a, b in zip(some.keys[row].tolist(), some.keys[other].tolist(), strict=True)):
        return False
    both = all(some.sets.starts[i + 1] > some.sets.starts[i] for i in (row, other))
    return threshold <= (exact(some.sets, row, other) if both else estimated(some.sketches[row], some.sketches[other]))


@given(structures(), st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.integers(1, 3))
@settings(deadline=None, max_examples=400)
def test_what_stays_is_what_the_rule_says(structure: tuple[list[int], Candidates], threshold: float, copies: int) -> None:
    order, some = structure
    found = select(np.array(order), some, threshold, copies)
    assert found.survivor.tolist() == by_hand(order, some, threshold, copies)


def keys_only(columns: list[list[int]]) -> Candidates:
    keys = np.array(columns, np.uint64).T
    return Candidates(keys, np.zeros((len(keys), 1), np.uint8))


def test_a_removed_document_removes_nobody() -> None:
    chain = keys_only([[0, 0, 1, 1], [2, 3, 3, 4]])
    assert select(np.arange(4), chain).survivor.tolist() == [0, 0, 2, 2]
    assert select(np.array([3, 2, 1, 0]), chain).survivor.tolist() == [1, 1, 3, 3]


def test_a_collision_removes_nobody() -> None:
    keys, bytes_of = np.zeros((2, 1), np.uint64), np.array([[1, 2, 3, 4], [1, 9, 9, 9]], np.uint8)
    assert select(np.arange(2), Candidates(keys, bytes_of), 0.8).survivor.tolist() == [0, 1]
    assert select(np.arange(2), Candidates(keys, bytes_of), 0.0).survivor.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("order", "why"), [([0, 0], "each row once"), ([0, 1, 2], "3 documents"), ([1, 0], "held first in order")]
)
def test_what_does_not_fit_is_refused(order: list[int], why: str) -> None:
    some = Candidates(np.zeros((2, 1), np.uint64), np.zeros((2, 1), np.uint8), held=np.array([True, False]))
    with pytest.raises(ValueError, match=why):
        select(np.array(order), some)


def of_datasketch(values: NDArray[np.uint32], banding: Banding, order: NDArray[np.int64], alike: Any) -> list[int]:
    lsh = MinHashLSH(num_perm=banding.num_perm, params=(banding.bands, banding.rows))
    permutations = MinHash(banding.num_perm).permutations
    survivor, place = list(range(len(order))), np.argsort(order)
    for row in order.tolist():
        minhash = MinHash(hashvalues=values[row], permutations=permutations, scheme="affine32")
        met = [other for other in lsh.query(minhash) if alike(row, other)]
        if met:
            survivor[row] = min(met, key=lambda other: place[other])
        else:
            lsh.insert(row, minhash)
    return survivor


@pytest.mark.parametrize("banding", [SWALLOW, FINEWEB])
@pytest.mark.parametrize("verify", ["exact", "estimate", "none"])
def test_survivors_of_real_pages_are_those_of_datasketchs_index(
    pages: list[dict[str, Any]], banding: Banding, verify: Any
) -> None:
    texts = pa.array([page["gold_text"] for page in pages])
    order = np.random.default_rng(5).permutation(len(pages))
    compared = normalised(texts)
    values = signatures(compared, num_perm=banding.num_perm)
    sets, bytes_of = shingle_sets(compared), sketches(values)
    alike = {
        "exact": lambda a, b: exact(sets, a, b) >= 0.8,
        "estimate": lambda a, b: estimated(bytes_of[a], bytes_of[b]) >= 0.8,
        "none": lambda _a, _b: True,
    }
    found = near_duplicates(texts, order, Near(banding, verify=verify)).survivor
    assert found.tolist() == of_datasketch(values, banding, order, alike[verify])
    assert 0.02 < (found != np.arange(len(pages))).mean() < 0.9
    assert (found[found] == found).all()


def test_empty_texts_are_nobodys_duplicates() -> None:
    some = pa.array(["", "はい", " ", "いいえ", "は い", ""])
    assert near_duplicates(some).survivor.tolist() == [0, 1, 2, 3, 1, 5]


def test_a_million_copies_of_a_page_are_done_in_linear_time() -> None:
    n = 1_000_000
    keys, bytes_of = np.full((n, 3), 7, np.uint64), np.full((n, 112), 5, np.uint8)
    order = np.random.default_rng(1).permutation(n)
    select(np.arange(2), Candidates(keys[:2], bytes_of[:2]))  # compiled before the clock starts
    begin = time.perf_counter()
    found = select(order, Candidates(keys, bytes_of))
    # A second or so; comparing pairs would take an hour.
    assert time.perf_counter() - begin < 20
    assert (found.survivor == order[0]).all()


def test_a_chain_of_a_million_documents_keeps_every_second_one() -> None:
    n = 1_000_000
    row = np.arange(n)
    keys = np.stack([row // 2, n + (row + 1) // 2], axis=1).astype(np.uint64)
    found = select(row, Candidates(keys, np.zeros((n, 1), np.uint8), NO_SETS))
    np.testing.assert_array_equal(found.survivor, row // 2 * 2)
