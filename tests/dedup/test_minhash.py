"""Signatures are datasketch's, value for value, and tell how alike texts are."""

from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seiryu.dedup.minhash import EMPTY, signatures

U32 = 0xFFFFFFFF

# Few letters, so that shingles come again; all of Unicode but lone surrogates, which UTF-8 cannot hold.
texts = st.text(st.characters(codec="utf-8") | st.sampled_from("あい\n\0é𠮷😀"), max_size=40)


def murmur3(data: bytes) -> int:
    """MurmurHash3_x86_32 with seed 0 of whole 4-byte blocks, as its author published it."""
    h = 0
    for i in range(0, len(data), 4):
        k = int.from_bytes(data[i : i + 4], "little") * 0xCC9E2D51 & U32
        k = (k << 15 | k >> 17) * 0x1B873593 & U32
        h ^= k
        h = (h << 13 | h >> 19) & U32
        h = h * 5 + 0xE6546B64 & U32
    h ^= len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & U32
    h = (h ^ h >> 13) * 0xC2B2AE35 & U32
    return h ^ h >> 16


def shingles(text: str, length: int = 5) -> set[str]:
    return {text[i : i + length] for i in range(max(1, len(text) - length + 1))} if text else set()


def oracle(text: str, num_perm: int, length: int = 5, seed: int = 1) -> np.ndarray:
    minhash = MinHash(num_perm, seed, hashfunc=lambda shingle: murmur3(shingle.encode("utf-32-le")))
    assert minhash.scheme == "affine32"
    minhash.update_batch(shingles(text, length))
    return minhash.hashvalues


@pytest.mark.parametrize(
    ("data", "published"),
    [("", 0), ("ffffffff", 0x76293B50), ("21436587", 0xF55B516B), ("74657374", 0xBA6BD213)],
)
def test_the_shingle_hash_is_murmur3_as_published(data: str, published: int) -> None:
    assert murmur3(bytes.fromhex(data)) == published


def test_all_800_values_of_real_pages_are_datasketchs(pages: list[dict[str, Any]]) -> None:
    some = [page["gold_text"][:20_000] for page in pages[::16]]
    assert len(some) > 50
    values = signatures(pa.array(some), num_perm=800)
    for text, row in zip(some, values, strict=True):
        np.testing.assert_array_equal(row, oracle(text, 800))


@given(st.lists(texts, max_size=5), st.integers(1, 7), st.integers(1, 40), st.integers(0, 3))
@example(["", "あ", "あいうえ", "あいうえお", "𠮷野家で😀", "\U0010ffff" * 9, "\0"], 5, 800, 1)
@settings(deadline=None)
def test_values_of_any_text_shingle_and_seed_are_datasketchs(some: list[str], length: int, num_perm: int, seed: int) -> None:
    values = signatures(pa.array(some, pa.string()), num_perm=num_perm, shingle=length, seed=seed)
    assert values.dtype == np.uint32
    assert values.shape == (len(some), num_perm)
    for text, row in zip(some, values, strict=True):
        np.testing.assert_array_equal(row, oracle(text, num_perm, length, seed))


def test_texts_shorter_than_a_shingle_are_alike_only_when_equal() -> None:
    a, b, again, empty = signatures(pa.array(["はい", "いいえ", "はい", ""]), num_perm=64)
    assert (a == again).all()
    assert (a != b).all()
    assert (empty == EMPTY).all()
    assert (a != EMPTY).all()


def test_layout_of_the_array_does_not_matter() -> None:
    some = ["清流の音が聞こえる", "", "a", "😀" * 20, "山と川と海"]
    expected = signatures(pa.array(some), num_perm=32)
    large = pa.array(["x", *some, "y"], pa.large_string()).slice(1, 5)
    empty = pa.array([], pa.string())
    chunked = pa.chunked_array([pa.array(["zz", *some[:2]]).slice(1), empty, pa.array(some[2:])])
    for array in (large, chunked, chunked.cast(pa.large_string())):
        np.testing.assert_array_equal(signatures(array, num_perm=32), expected)
    for nothing in (empty, pa.chunked_array([], pa.string()), pa.array(some).slice(5)):
        assert signatures(nothing, num_perm=32).shape == (0, 32)


def test_nulls_and_other_types_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        signatures(pa.array(["a", None]), num_perm=8)
    with pytest.raises(TypeError, match="not binary"):
        signatures(pa.array([b"a"]), num_perm=8)
    with pytest.raises(ValueError, match="positive"):
        signatures(pa.array(["a"]), num_perm=8, shingle=0)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=4))
@settings(deadline=None)
def test_damaged_utf8_has_a_signature_of_its_own_and_harms_no_neighbour(damaged: list[bytes]) -> None:
    whole = "清らかな流れ"
    some = [whole.encode(), *damaged, whole.encode()]
    values = signatures(pa.array(some, pa.binary()).view(pa.string()), num_perm=16)
    np.testing.assert_array_equal(values[[0, -1]], [oracle(whole, 16)] * 2)
    for raw, row in zip(damaged, values[1:-1], strict=True):
        alone = signatures(pa.array([raw], pa.binary()).view(pa.string()), num_perm=16)
        np.testing.assert_array_equal(alone[0], row)
        assert (row == EMPTY).all() == (raw == b"")


def test_equal_values_estimate_the_jaccard_similarity_of_real_pages(pages: list[dict[str, Any]]) -> None:
    groups: dict[str, list[str]] = {}
    for page in pages:
        if page.get("dup_group"):
            groups.setdefault(page["dup_group"], []).append(page["gold_text"])
    pairs = [pair for group in groups.values() for pair in combinations(group, 2)][:200]
    assert len(pairs) > 50
    left, right = (signatures(pa.array(side), num_perm=800) for side in zip(*pairs, strict=True))
    sets = [(shingles(a), shingles(b)) for a, b in pairs]
    error = (left == right).mean(axis=1) - [len(a & b) / len(a | b) for a, b in sets]
    # The standard error of 800 values is at most 0.018.
    assert abs(error).max() < 0.08
    assert abs(error.mean()) < 0.01
