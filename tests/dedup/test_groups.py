"""Groups are the connected components of who meets whom, whatever the order of meetings; parts never divide one."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.dedup.groups import Groups, parts

Buckets = list[list[int]]
buckets = st.lists(st.lists(st.integers(0, 29), min_size=2, max_size=5), max_size=12)


def meetings(some: Buckets) -> tuple[np.ndarray, np.ndarray]:
    numbers = [number for bucket in some for number in bucket]
    return np.array(numbers, np.int64), np.repeat(np.arange(len(some)), [len(bucket) for bucket in some])


def by_search(documents: int, some: Buckets) -> list[int]:
    """The smallest number that can be reached from each."""
    beside: list[set[int]] = [set() for _ in range(documents)]
    for bucket in some:
        for number in bucket:
            beside[number] |= set(bucket)
    found = []
    for number in range(documents):
        seen, ahead = {number}, [number]
        while ahead:
            for other in beside[ahead.pop()] - seen:
                seen.add(other)
                ahead.append(other)
        found.append(min(seen))
    return found


@given(buckets, st.integers(1, 3), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_group_is_known_by_its_smallest_number_in_any_order_of_meetings(
    some: Buckets, shares: int, draw: random.Random
) -> None:
    mixed = [draw.sample(bucket, len(bucket)) for bucket in draw.sample(some, len(some))]
    groups = Groups(30)
    for share in range(shares):
        groups.add(meetings(mixed[share::shares]))
    assert groups.roots().tolist() == by_search(30, some)


@given(buckets, st.integers(1, 40))
@settings(deadline=None)
def test_parts_hold_whole_groups_and_few_more_documents_than_asked(some: Buckets, a_part: int) -> None:
    roots = np.array(by_search(30, some), np.int32)
    members, part, largest = parts(roots, a_part)
    sizes = np.bincount(roots, minlength=30)
    assert members.tolist() == [number for number in range(30) if sizes[roots[number]] > 1]
    assert largest == max((size for size in sizes.tolist() if size > 1), default=0)
    of_root: dict[int, set[int]] = {}
    for number, place in zip(members.tolist(), part.tolist(), strict=True):
        of_root.setdefault(int(roots[number]), set()).add(place)
    assert all(len(places) == 1 for places in of_root.values())
    numbers = np.bincount(part) if len(part) else np.zeros(0)
    assert (numbers > 0).all()
    assert (numbers < a_part + largest).all()


def test_a_chain_of_a_million_is_one_group() -> None:
    n = 1_000_000
    row = np.random.default_rng(1).permutation(n)
    groups = Groups(n)
    groups.add((row, np.arange(n) // 2))
    groups.add((np.roll(row, 1), np.arange(n) // 2))
    assert (groups.roots() == 0).all()


def test_numbers_beyond_the_documents_are_refused() -> None:
    with pytest.raises(ValueError, match="documents 0 to 3 of 3"):
        Groups(3).add((np.array([0, 3]), np.array([0, 0])))
    with pytest.raises(ValueError, match="2 documents for 1 buckets"):
        Groups(3).add((np.array([0, 2]), np.array([0])))
