"""The letters that are compared are those of NFKC, whatever the text, and each is known to come from somewhere."""

import unicodedata

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from plain_contamination import plain_letters

from seiryu.dedup.contamination.normal_letters import code_points_of, composed, normalise, origins, room_for, table

texts = st.text(
    st.characters(codec="utf-8") | st.sampled_from("かハﾊ\u3099\u309aﾞﾟé\u0301가\u1100\u1161\u11a8㌔ﬁ㍻½İΣ𠮷\0\n　"), max_size=30
)


def letters_of(text: str) -> tuple[str, list[int]]:
    points = code_points_of(text)
    room, joins = room_for(points, len(points), table())
    if joins:
        points = code_points_of(composed(text))
        room, _ = room_for(points, len(points), table())
    letters, places = np.empty(room, np.uint32), np.empty(room, np.int32)
    count = normalise(points, len(points), table(), letters, places, np.empty(room + 1, np.bool_))
    return "".join(map(chr, letters[:count])), places[:count].tolist()


@given(texts)
@example("ＡＢＣ　１２３、ﾊﾞﾅﾅ\n㌔㍻")
def test_the_letters_of_any_text_are_those_of_nfkc(text: str) -> None:
    assert letters_of(text)[0] == plain_letters(text)


def test_so_are_those_of_every_code_point_there_is() -> None:
    some = [chr(point) for point in range(0x110000) if point % 3 == 0 and not 0xD800 <= point < 0xE000]
    assert letters_of("".join(some))[0] == plain_letters("".join(some))
    for first in range(0, len(some), 64):
        text = "a".join(some[first : first + 64])
        assert letters_of(text)[0] == plain_letters(text)


@given(texts)
def test_what_a_letter_comes_from_can_be_cut_out_of_the_text(text: str) -> None:
    begins, ends = origins(text)
    whole = composed(text)
    assert len(begins) == len(ends) == len(whole)
    for begin, end in zip(begins, ends, strict=True):
        parts = text[:begin], text[begin:end], text[end:]
        assert "".join(unicodedata.normalize("NFKC", part) for part in parts) == whole
    if not room_for(code_points_of(text), len(text), table())[1]:
        assert all(end == begin + 1 for begin, end in zip(begins, ends, strict=True))


def test_places_are_those_of_the_text() -> None:
    text = "「Ａ㌔」\n𠮷b"
    letters, places = letters_of(text)
    assert letters == "aキロ𠮷b"
    assert places == [1, 2, 2, 5, 6]
