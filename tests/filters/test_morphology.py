"""Words of texts of any length: their spans, their kinds, and what is the same whichever way one asks."""

import gzip
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters import morphology
from seiryu.filters.morphology import (
    KINDS,
    PIECE,
    boundaries,
    dictionary_version,
    segmented,
    short_units,
    words,
    words_and_short_units,
)

LABELS = Path(__file__).parents[2] / "samples" / "labels.jsonl.gz"
PARTS = [
    *"国は、。 　\n\x00\t\r\u2028\x1c\ud800\udfff㍿﷽ﷺİー゙()（か𠮷", "外国人参政権", "です。", "2.0", "New York", "漢字(かんじ)", "か\u3099", "ﾌﾟﾛ", "👨‍👩‍👧",
]  # fmt: skip
TELLING = st.lists(st.sampled_from(PARTS), max_size=40).map("".join)
ANY = st.text(st.characters(), max_size=60)  # lone surrogates too


def of(text):
    return [text[begin:end] for begin, end in words(text).spans.tolist()]


def kinds(text):
    return [KINDS[kind] for kind in words(text).kinds]


def real_texts():
    with gzip.open(LABELS, "rt", encoding="utf-8") as lines:
        return [text for line in lines if (text := json.loads(line).get("gold_text"))][::12]


def holds(text):
    """The law: spans in order and apart cover every letter but white space; every way of asking gives the same words."""
    found, units = words_and_short_units(text)
    for spans in (found.spans, units):
        assert spans.dtype == np.int32
        assert spans.shape == (len(spans), 2)
        flat = spans.ravel()
        assert (np.diff(flat) >= 0).all()
        assert (spans[:, 0] < spans[:, 1]).all()
        assert all(text[begin:end].strip() for begin, end in spans.tolist())
        covered = np.zeros(len(text) + 1, int)
        np.add.at(covered, spans[:, 0], 1)
        np.add.at(covered, spans[:, 1], -1)
        inside = np.cumsum(covered)
        assert all(inside[i] == 1 or text[i].isspace() for i in range(len(text)))
    assert found.kinds.dtype == np.int8
    assert len(found.kinds) == len(found.spans)
    assert np.array_equal(words(text).spans, found.spans)
    assert np.array_equal(words(text).kinds, found.kinds)
    assert np.array_equal(short_units(text), units)
    assert set(found.spans[:, 1].tolist()) <= set(units[:, 1].tolist())
    surfaces = [morphology._SURROGATE.sub("\ufffd", text[begin:end]) for begin, end in found.spans.tolist()]
    assert segmented(text).split() == " ".join(surfaces).split()


@settings(max_examples=300, deadline=None)
@given(st.one_of(TELLING, ANY))
def test_words_cover_every_letter_of_any_text_but_white_space(text):
    holds(text)


def test_words_cover_every_letter_of_real_pages():
    texts = real_texts()
    assert len(texts) > 60
    for text in texts:
        holds(text)


def test_words_are_what_sudachi_says_line_by_line():
    from sudachipy import Dictionary

    plain = {mode: Dictionary().tokenizer(mode=mode) for mode in "CA"}
    texts = [text for text in real_texts() if max(map(len, text.split("\n"))) <= PIECE]
    assert len(texts) > 60
    for text in texts:
        expected = {"C": [], "A": []}
        begin = 0
        for line in text.split("\n"):
            for mode, found in expected.items():
                for morpheme in plain[mode].tokenize(line):
                    if morpheme.surface().strip():
                        found.append((begin + morpheme.begin(), begin + morpheme.end(), morpheme.part_of_speech()[0]))
            begin += len(line) + 1
        found, units = words_and_short_units(text)
        spans = [(*span, KINDS[kind]) for span, kind in zip(found.spans.tolist(), found.kinds, strict=True)]
        assert spans == expected["C"]
        assert list(map(tuple, units.tolist())) == [(begin, end) for begin, end, _ in expected["A"]]


def test_words_have_their_kinds():
    text = "外国人参政権は、難しい。"
    assert of(text) == ["外国人参政権", "は", "、", "難しい", "。"]
    assert kinds(text) == ["名詞", "助詞", "補助記号", "形容詞", "補助記号"]
    assert [text[begin:end] for begin, end in short_units(text).tolist()] == [
        "外国",
        "人",
        "参政",
        "権",
        "は",
        "、",
        "難しい",
        "。",
    ]


def test_numerals_are_one_word():
    assert of("バージョン2.0です") == ["バージョン", "2.0", "です"]


def test_a_word_does_not_span_two_lines():
    assert of("東京\n都") == ["東京", "都"]
    assert of("東京都") == ["東京都"]


@pytest.mark.parametrize("nothing", ["", "\n", " 　\n\t \r\n", "\x1c\u2028\x85"])
def test_white_space_is_no_word(nothing):
    assert of(nothing) == []
    assert short_units(nothing).shape == (0, 2)


def test_segmented_text_is_one_line_with_one_space_between_words():
    assert segmented(" 今日は\n\n晴れ　です。\n") == "今日 は 晴れ です 。"
    assert segmented("half\ud800") == "half \ufffd"


@pytest.mark.parametrize(
    "letters", ["あ", "㍿", "ﷺ", "か\u3099", "a", "1", "1.", "漢(あ)", "、", "ー", "ア", "𠮷", " ", "\ud800"]
)
def test_a_line_of_any_length_and_letter_is_analysed(letters):
    text = letters * (60_000 // len(letters))
    found = words(text)
    assert (found.spans[1:, 0] >= found.spans[:-1, 1]).all()
    assert sum(np.diff(found.spans).ravel()) == len(text) - text.count(" ")


def test_a_long_line_is_cut_after_a_sentence_else_after_a_comma():
    sentence = "外国人参政権は、難しい問題だと言われている。"
    assert of(sentence * 200) == of(sentence) * 200
    clause = "外国人参政権は、"
    assert of(clause * 400) == of(clause) * 400


def test_boundaries_of_a_line_are_those_of_the_whole_text():
    for text in real_texts()[:30]:
        ends = set(words(text).spans.ravel().tolist())
        begin = 0
        for line in text.split("\n"):
            end = begin + len(line)
            inside = boundaries(text, begin, end, [(begin, end)]) if line else set()
            brackets = {i + k for i in range(begin, end) if text[i] in "()（）" for k in (0, 1)}
            white = {i + k for i in range(begin, end) if text[i].isspace() for k in (0, 1)}
            own = {place for place in ends if begin <= place <= end}
            assert own <= inside
            assert inside <= own | brackets | white | {begin, end}
            begin = end + 1


def test_only_the_pieces_that_hold_a_hit_are_looked_at(monkeypatch):
    seen = []
    real = morphology._tokenize
    monkeypatch.setattr(morphology, "_tokenize", lambda piece: seen.append(piece) or real(piece))
    sentence = "外国人参政権は、難しい問題だと言われている。"
    text = sentence * 300
    found = boundaries(text, 0, len(text), [(0, 6), (len(text) - 5, len(text) - 3)])
    assert len(seen) == 2
    assert 6 in found
    assert not found & set(range(PIECE, len(text) - PIECE))


def test_a_reading_in_brackets_does_not_hide_where_its_word_ends():
    text = "それは処女（しょじょ）だ"
    assert {3, 5, 6, 10, 11} <= boundaries(text, 0, len(text), [(3, 5)])


def test_threads_do_not_disturb_each_other():
    texts = real_texts()[:20]
    alone = [segmented(text) for text in texts]
    found = {}

    def work(name):
        found[name] = [segmented(text) for text in texts]

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(found.values()) == [alone] * 4


def test_the_version_names_the_dictionary_and_the_program():
    assert dictionary_version().startswith("SudachiDict-core 20")
    assert "SudachiPy" in dictionary_version()
