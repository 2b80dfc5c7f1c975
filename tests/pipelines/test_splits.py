"""Splits are filled with whole buckets to the size they are to have, whatever the buckets are."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.pipelines.stages.splits import NAMES, bucket, fill
from seiryu.pipelines.stages.tokenize import shuffle_key, split_key


def sizes(tokens: list[int], **wanted: int) -> dict[str, int]:
    chosen = fill(np.array(tokens, np.int64), {"validation": wanted.get("validation", 0), "test": wanted.get("test", 0)})
    found = Counter()
    for size, number in zip(tokens, chosen, strict=True):
        found[NAMES[number]] += size
    return dict(found)


def test_validation_is_filled_first_then_tests_then_all_is_train() -> None:
    assert sizes([10] * 10, validation=20, test=30) == {"validation": 20, "test": 30, "train": 50}


def test_a_bucket_larger_than_a_split_stays_in_train() -> None:
    assert sizes([1000, 10, 10, 10, 10], validation=20) == {"train": 1020, "validation": 20}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=200), st.integers(0, 400), st.integers(0, 400))
def test_no_split_lacks_a_bucket_that_would_bring_it_nearer(tokens: list[int], validation: int, test: int) -> None:
    found = sizes(tokens, validation=validation, test=test)
    chosen = fill(np.array(tokens, np.int64), {"validation": validation, "test": test})
    assert sum(found.values()) == sum(tokens)
    for name, wanted in (("validation", validation), ("test", test)):
        have = found.get(name, 0)
        assert have <= wanted + 25  # half of the largest bucket
        left = [size for size, number in zip(tokens, chosen, strict=True) if size and not number]
        assert all(abs(have + size - wanted) >= abs(have - wanted) for size in left)


def test_what_is_kept_together_is_in_one_bucket() -> None:
    keys = np.array(
        [split_key("example.jp", "seed"), split_key("example.jp", "seed"), split_key("example.jp", "other")], np.uint64
    )
    first, again, other = bucket(keys)
    assert first == again != other
    assert 0 <= min(first, other) <= max(first, other) < 2**20


def test_keys_are_those_of_blake2b() -> None:
    assert shuffle_key("0001", "seiryu") != shuffle_key("0001", "seiryu", 1) != shuffle_key("0001", "other", 1)
    keys = np.array([shuffle_key(f"{i:04d}", "seiryu") for i in range(4000)], np.float64) / 2**64
    assert abs(keys.mean() - 0.5) < 0.02


@pytest.mark.parametrize("wanted", [0, 1, 10**9])
def test_nothing_is_asked_and_more_than_there_is(wanted: int) -> None:
    found = sizes([5, 5, 5], validation=wanted)
    assert found == ({"validation": 15} if wanted > 100 else {"train": 15})
