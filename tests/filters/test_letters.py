from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters.letters import (
    BREAK,
    CLASSES,
    HIRAGANA,
    JAPANESE,
    KANJI,
    KATAKANA,
    PUNCTUATION,
    SPACE,
    blocks,
    codepoints,
)

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=8)


def back(points, offsets):
    return ["".join(map(chr, points[a:b])) for a, b in pairwise(offsets)]


@settings(deadline=None)
@given(TEXTS)
def test_every_text_comes_back_from_its_code_points(texts):
    for kind in (pa.string(), pa.large_string()):
        assert back(*codepoints(pa.array(texts, kind))) == texts


@settings(deadline=None)
@given(TEXTS, st.integers(0, 5), st.integers(0, 5), st.integers(1, 40))
def test_slices_chunks_and_blocks_hold_the_same_texts(texts, first, length, size):
    array = pa.array(texts, pa.string()).slice(min(first, len(texts)), length)
    chunked = pa.chunked_array([array, pa.array(texts, pa.string())], pa.string())
    assert back(*codepoints(array)) == array.to_pylist()
    assert back(*codepoints(chunked)) == chunked.to_pylist()
    cut = list(blocks(chunked, size))
    assert [text for block in cut for text in block.to_pylist()] == chunked.to_pylist()
    assert all(len(block) == 1 or sum(len(t.encode()) for t in block.to_pylist()) <= size for block in cut)


def test_no_chunk_at_all_is_no_text():
    points, offsets = codepoints(pa.chunked_array([], pa.string()))
    assert (len(points), offsets.tolist()) == (0, [0])


def test_a_null_is_refused_with_its_number():
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        codepoints(pa.array(["水", None]))


@pytest.mark.parametrize("wrong", [pa.array([1]), pa.array([b"a"]), ["水"]])
def test_what_is_not_text_is_refused(wrong):
    with pytest.raises(TypeError, match="Arrow array of string or large_string"):
        codepoints(wrong)


@pytest.mark.parametrize("broken", [b"\xe6\xb0", b"\x80", b"\xff", b"\xed\xa0\x80"])
def test_bytes_that_are_not_utf_8_are_refused_before_they_are_decoded(broken):
    offsets = pa.py_buffer(np.array([0, len(broken)], np.int32).tobytes())
    with pytest.raises(ValueError, match="not UTF-8"):
        codepoints(pa.StringArray.from_buffers(1, offsets, pa.py_buffer(broken)))


@pytest.mark.parametrize(
    ("letters", "flag"),
    [
        ("ぁあんゔゖゝゞゟ\U0001b002", HIRAGANA),
        ("ァアンヴヶヷヺーヽヾヿㇰㇿｦｱｰﾝﾞﾟ\U0001b000", KATAKANA),
        ("々〇〻㐀一鿿\uf900\ufa11𠮷\U00030000", KANJI),
        ("。．！？、，", PUNCTUATION),
    ],
)
def test_each_letter_is_of_one_japanese_kind(letters, flag):
    assert {int(CLASSES[ord(letter)] & JAPANESE) for letter in letters} == {int(flag)}


def test_what_looks_japanese_and_is_no_letter_of_it_does_not_count():
    assert not any(CLASSES[ord(letter)] & JAPANESE for letter in "・゠「」『』〜aＡ0０①한글ㄅ･")


def test_white_space_is_what_strip_takes_away():
    assert [c for c in range(0x110000) if CLASSES[c] & SPACE] == [c for c in range(0x110000) if chr(c).isspace()]
    assert [c for c in range(0x110000) if CLASSES[c] & BREAK] == [10, 13]
