"""Cut are the sentences in which something was found, whole, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.dedup.contamination import without_spans
from seiryu.dedup.contamination.finding import merged

CASES = [
    ("前の文。問いは何？後の文。", "問い", "前の文。後の文。"),
    ("見出し\nQ. 問いは何？\n答え\n", "問い", "見出し\n答え\n"),
    ("一行目\n問いは何", "問い", "一行目\n"),
    ("彼は「問いは何？」と聞いた。次。", "問い", "と聞いた。次。"),
    ("前。問いは\n何ですか。後。\n末", "問いは\n何", "前。\n後。\n末"),
    ("前！！　問い！？」後\r\n次", "問い", "前！！後\r\n次"),
    ("問い。", "問い", ""),
    ("a\u2028問い\u2028b", "問い", "a\u2028b"),
]


@pytest.mark.parametrize(("text", "found", "want"), CASES)
def test_whole_sentences_are_cut(text: str, found: str, want: str) -> None:
    begin = text.index(found)
    assert without_spans(text, [(begin, begin + len(found))]) == want


def test_nothing_found_changes_nothing() -> None:
    assert without_spans("前。 \n\n後", []) == "前。 \n\n後"


@given(st.text("ab。？」 \n\r\u2028", max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=4))
def test_no_found_letter_is_left_and_what_is_left_was_there_in_its_order(text: str, spans: list[tuple[int, int]]) -> None:
    marked = list(text)
    chosen = [(begin, begin + size) for begin, size in spans]
    for begin, end in chosen:
        for place in range(begin, min(end, len(text))):
            marked[place] = {"a": "X", "b": "X"}.get(marked[place], marked[place])
    left = without_spans("".join(marked), chosen)
    assert "X" not in left
    rest = iter("".join(marked))
    assert all(letter in rest for letter in left)
    assert without_spans(text, merged(chosen)) == without_spans(text, chosen[::-1])
