from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.corpus.crawl.ranges import Range, merged
from seiryu.corpus.errors import InputError

RECORDS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=8)  # gap before, length


def laid_out(records):
    gaps, lengths = np.array(records, np.int64).T
    return np.cumsum(gaps + np.concatenate(([0], lengths[:-1]))), lengths


def ways(offsets, lengths, max_gap, max_waste):
    """All sets of joins within the limits: (number of requests, bytes between)."""
    gaps = offsets[1:] - offsets[:-1] - lengths[:-1]
    near = [number for number, gap in enumerate(gaps) if gap <= max_gap]
    for many in range(len(near) + 1):
        for joined in combinations(near, many):
            waste = sum(int(gaps[number]) for number in joined)
            if waste <= max_waste * int(lengths.sum()):
                yield len(offsets) - many, waste


@settings(max_examples=300)
@given(RECORDS, st.integers(0, 10), st.sampled_from([0.0, 0.05, 0.1, 0.3, 1.0, 9.0, float("inf")]))
def test_no_way_to_join_has_fewer_requests_nor_with_as_few_less_waste(records, max_gap, max_waste):
    offsets, lengths = laid_out(records)
    ranges = merged(offsets, lengths, max_gap, max_waste)
    waste = sum(one.size for one in ranges) - int(lengths.sum())
    assert (len(ranges), waste) == min(ways(offsets, lengths, max_gap, max_waste))
    assert waste <= max_waste * int(lengths.sum())


@given(RECORDS, st.integers(0, 10), st.floats(0, 2))
def test_every_record_lies_in_exactly_one_range(records, max_gap, max_waste):
    offsets, lengths = laid_out(records)
    ranges = merged(offsets, lengths, max_gap, max_waste)
    assert [number for one in ranges for number in range(len(records))[one.records]] == list(range(len(records)))
    for one in ranges:
        assert one.first == offsets[one.records][0]
        assert one.first + one.size == (offsets + lengths)[one.records][-1]
        inner = (offsets[1:] - (offsets + lengths)[:-1])[one.records.start : one.records.stop - 1]
        assert (inner <= max_gap).all()


def test_the_smallest_gaps_are_joined_until_the_limit():
    offsets, lengths = np.array([0, 110, 215, 400, 500]), np.array([100, 100, 100, 100, 100])  # gaps 10, 5, 85, 0
    assert merged(offsets, lengths, 100, 0.0) == [Range(0, 100, slice(0, 1)), Range(110, 100, slice(1, 2)), Range(215, 100, slice(2, 3)),
                                                  Range(400, 200, slice(3, 5))]  # fmt: skip
    assert merged(offsets, lengths, 100, 0.01) == [
        Range(0, 100, slice(0, 1)),
        Range(110, 205, slice(1, 3)),
        Range(400, 200, slice(3, 5)),
    ]
    assert merged(offsets, lengths, 100, 0.03) == [Range(0, 315, slice(0, 3)), Range(400, 200, slice(3, 5))]
    assert merged(offsets, lengths, 84, 1.0) == [Range(0, 315, slice(0, 3)), Range(400, 200, slice(3, 5))]
    assert merged(offsets, lengths, 85, 1.0) == [Range(0, 600, slice(0, 5))]


def test_no_records_are_no_ranges_and_one_is_one():
    assert merged(np.array([], np.int64), np.array([], np.int64), 10, 1.0) == []
    assert merged(np.array([7]), np.array([3]), 10, 1.0) == [Range(7, 3, slice(0, 1))]


def test_places_beyond_4_gb_are_places():
    offsets, lengths = np.array([2**31 - 1, 2**31 + 9, 2**40], np.int64), np.array([10, 5, 5], np.int32)
    assert merged(offsets, lengths, 1 << 16, 0.1) == [Range(2**31 - 1, 15, slice(0, 2)), Range(2**40, 5, slice(2, 3))]


@pytest.mark.parametrize(
    ("offsets", "lengths", "why"),
    [
        ([10, 0], [1, 1], "the record at 0 stands behind one at 10"),
        ([-1, 5], [1, 1], "a record at -1 of 1 bytes cannot be"),
        ([0, 5], [1, 0], "a record at 5 of 0 bytes cannot be"),
        ([0, 5], [-1, 1], "a record at 0 of -1 bytes cannot be"),
        ([2**63 - 2], [5], "cannot be"),
    ],
)
def test_records_that_cannot_lie_so_are_refused(offsets, lengths, why):
    with pytest.raises(InputError, match=why):
        merged(np.array(offsets), np.array(lengths), 1 << 30, 100.0)


def test_records_that_overlap_are_not_joined():
    offsets, lengths = np.array([0, 50, 100, 120]), np.array([60, 50, 10, 5])
    assert merged(offsets, lengths, 100, 9.0) == [Range(0, 60, slice(0, 1)), Range(50, 75, slice(1, 4))]


@given(RECORDS, st.integers(1, 40))
def test_a_range_is_no_longer_than_it_may_be_unless_it_holds_one_record(records, most):
    offsets, lengths = laid_out(records)
    ranges = merged(offsets, lengths, 10, 9.0, most)
    assert [number for one in ranges for number in range(len(records))[one.records]] == list(range(len(records)))
    assert all(one.size <= most or one.records.stop - one.records.start == 1 for one in ranges)
