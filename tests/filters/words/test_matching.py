from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters.words.matching import NgWords, _pieces, matcher, measure_ng_words, packaged_list, read_words

INNOCENT = {
    "エセックス": "セックス",
    "サセックス": "セックス",
    "カロリー": "ロリ",
    "ペロリ": "ロリ",
    "テロリスト": "ロリ",
    "アマゾン": "マゾ",
    "マラソン": "マラ",
    "メイク": "イク",
    "アスリート": "アス",
    "ピストル": "ピス",
    "デリケート": "デリ",
    "愚痴": "痴",
    "理性的": "性的",
    "女性的": "性的",
    "エチオピア": "エチ",
    "ポリエチレン": "エチ",
    "ヒエログリフ": "エロ",
    "全身体位置": "体位",
    "口座位置": "座位",
    "国立位置": "立位",
}


def found(text, words=None):
    ng = matcher() if words is None else NgWords(words)
    return [text[begin:end] for begin, end in ng.hits(text)]


@pytest.mark.parametrize(("innocent", "inside"), INNOCENT.items())
def test_a_word_inside_an_innocent_word_does_not_count(innocent, inside):
    assert inside in innocent
    assert inside in read_words(packaged_list("adult_keywords_ja"))
    assert found(f"それは{innocent}でした。") == []


@pytest.mark.parametrize("text", ["それはセックスでした。", "セックス", "昨日、セックスの話をした"])
def test_a_word_of_its_own_counts(text):
    assert found(text) == ["セックス"]


def test_the_longest_of_nested_words_counts_once():
    assert found("人気のAV女優が来た。") == ["AV女優"]


def test_a_longer_word_that_is_refused_does_not_hide_the_shorter_one_in_it():
    assert found("これはエロい国際会議。", ["エロい国", "エロい"]) == ["エロい"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the sex scene", ["sex"]),
        ("性とsexと", ["sex"]),
        ("Essex sexy sex1 _sex", []),
        ("USJAVA", []),
        ("(AV)", ["AV"]),
    ],
)
def test_latin_words_need_latin_boundaries(text, words):
    assert found(text) == words


def test_hits_are_in_order_apart_and_on_their_own_lines():
    text = "セックス\nエセックス、エロ。\n\nsex エロ"
    assert found(text) == ["セックス", "エロ", "sex", "エロ"]
    spans = matcher().hits(text)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


@pytest.mark.parametrize("filler", ["あいう。", "水" * 50, "㍿", "﷽", "𠮷", "a"])
def test_a_line_longer_than_sudachi_takes_is_judged_like_any_other(filler):
    line = filler * (120_000 // len(filler.encode()))
    assert found(f"{line}。エセックスとセックス。{line}") == ["セックス"]
    assert found(f"{line}「エセックス」と「セックス」{line}") == ["セックス"]


def test_long_lines_are_cut_after_sentences_below_the_limit_of_sudachi():
    text = "あ" * 20_000 + ("水の流れは絶えない。" * 3_000 + "本当？") * 2
    pieces = list(_pieces(text, 5, len(text)))
    assert "".join(text[begin:end] for begin, end in pieces) == text[5:]
    assert max(len(text[begin:end].encode()) for begin, end in pieces) <= 40_000
    assert all(text[end - 1] in "。？" for _, end in pieces[1:])


def test_a_line_of_nothing_but_hits_is_not_slow_work():
    assert matcher().letters("エロ、" * 20_000) == 40_000
    assert matcher().letters("エロ\n" * 5_000) == 10_000


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["エロ", "性的", "理", "sex", "y", "。", "\n", "𠮷", "㍿", "の"]), max_size=30).map("".join))
def test_hits_lie_in_the_text_and_are_words_of_the_list(text):
    words = set(read_words(packaged_list("adult_keywords_ja")))
    assert set(found(text)) <= words


def test_the_share_is_of_the_japanese_letters_and_zero_without_any():
    texts = pa.array(["セックスの話です。", "sex", "", "水"])
    signals = measure_ng_words(texts, np.array([9, 0, 0, 1], np.int32))
    assert signals["ng_letters"].tolist() == [4, 3, 0, 0]
    assert signals["ng_share"].tolist() == [4 / 9, 0, 0, 0]
    assert (signals["ng_letters"].dtype, signals["ng_share"].dtype) == (np.int32, np.float64)


def test_own_lists_replace_the_default_and_are_read_once(tmp_path):
    own, other = tmp_path / "own.txt", tmp_path / "other.txt"
    own.write_text("\ufeff禁句\r\n\n 秘密 \n", "utf-8")
    other.write_text("内緒", "utf-8")
    ng = matcher((str(own), str(other)))
    assert [ng.letters(text) for text in ("禁句と秘密と内緒。", "セックス")] == [6, 0]
    assert matcher((str(own), str(other))) is ng


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("水\n".encode() + "禁句\n".encode("cp932"), r"list\.txt, line 2: not UTF-8"),
        (b" \n\n", r"list\.txt, line 1: the word list holds no word"),
        (None, r"list\.txt: the word list cannot be read: No such file"),
    ],
)
def test_a_list_that_cannot_be_used_says_where_and_why(tmp_path, content, message):
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        matcher((str(path),))


def test_a_packaged_list_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="hojichar has no such word list"):
        packaged_list("adult_keywords_jp")
