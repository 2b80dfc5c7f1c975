"""Who meets whom: values that occur at least twice, and nothing else."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.dedup import meetings
from seiryu.dedup.bands import NO_KEY
from seiryu.dedup.meetings import repeated, with_one_of

keys = st.lists(st.sampled_from([0, 1, 2, 7, 2**63, 2**64 - 2, int(NO_KEY)]), max_size=30)


@given(keys | st.lists(st.integers(0, 40).map(lambda n: n * 2**64 // 41), max_size=60), st.sampled_from([1, 2, 3, 7, 1 << 18]))
@settings(deadline=None, max_examples=300)
def test_rows_that_meet_are_those_whose_key_occurs_twice(values: list[int], lot: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meetings, "_LOT", lot)
        rows, buckets = repeated(np.array(values, np.uint64))
    times = Counter(values)
    assert sorted(rows.tolist()) == [row for row, key in enumerate(values) if times[key] > 1 and key != int(NO_KEY)]
    met = sorted(key for key, number in times.items() if number > 1 and key != int(NO_KEY))
    for number, key in enumerate(met):
        assert rows[buckets == number].tolist() == [row for row, value in enumerate(values) if value == key]


@given(keys, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_buckets_without_a_wanted_row_are_left_out_and_the_others_are_numbered_through(values: list[int], draw) -> None:
    rows, buckets = repeated(np.array(values, np.uint64))
    wanted = np.array([draw.random() < 0.4 for _ in rows], np.bool_)
    stay, numbers = with_one_of((rows, buckets), wanted)
    alive = sorted({int(bucket) for bucket, flag in zip(buckets, wanted, strict=True) if flag})
    assert stay.tolist() == [row for row, bucket in zip(rows.tolist(), buckets.tolist(), strict=True) if bucket in alive]
    assert numbers.tolist() == [alive.index(bucket) for bucket in buckets.tolist() if bucket in alive]


def test_keys_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match="int64"):
        repeated(np.array([-1, -1], np.int64))  # type: ignore[arg-type]
