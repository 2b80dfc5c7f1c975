import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters.cleaning import Cleaned, CleanSettings, clean

PROSE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n" * 8


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("これは，本である．それも，本である．", "これは、本である。それも、本である。"),
        ("これは，本である。それも，本である。", "これは、本である。それも、本である。"),
        ("値は３，１４１．５で，ある，", "値は３，１４１．５で、ある、"),
        ("図Ｎｏ．３を見よ．終わる．", "図Ｎｏ．３を見よ。終わる。"),
        ("円は3．14です．5，000人，例，", "円は3．14です。5，000人、例、"),
        ("（注），「例」．カー，𠮷．abc，", "（注）、「例」。カー、𠮷。abc、"),
    ],
)
def test_what_the_document_mostly_does_becomes_the_common_form(before, after):
    cleaned = clean(before)
    assert cleaned.text == after
    assert cleaned.punctuation_letters == sum(a != b for a, b in zip(before, after, strict=True)) > 0


@pytest.mark.parametrize("text", ["これは、本である。一つ，だけ、違う。", "半々，半々、である", "Ａ，Ｂ，Ｃ、と", "a, b. c"])
def test_a_document_that_does_not_mostly_do_so_stays(text):
    assert clean(text) == Cleaned(text)


@pytest.mark.parametrize(
    "footer",
    [
        "この記事へのコメント",
        "コメントを書く\n名前：\n本文：",
        "前の記事 次の記事\n太郎の日記",
        "Copyright © 2024 Taro All Rights Reserved.",
        "COPYRIGHT 2024 水の会 ALL RIGHTS RESERVED",
        "\n\n　スポンサーリンク　\n\nよそのページ",
    ],
)
def test_a_footer_goes_with_all_that_follows(footer):
    cleaned = clean(PROSE + footer + "\n")
    assert cleaned.text == PROSE.rstrip()
    assert cleaned.footer_letters == len(footer.replace("\n", ""))


def test_prose_that_speaks_of_comments_stays():
    text = PROSE + "たくさんのコメントをいただき、関連記事も書きましたのでご覧ください。\n"
    assert clean(text) == Cleaned(text)


def test_a_footer_word_before_the_last_lines_cuts_nothing():
    text = "関連記事\n" + PROSE + "終わり。\n\n" * 10
    assert clean(text) == Cleaned(text)
    assert clean(PROSE + "関連記事" + "\n\n猫" * 10) == Cleaned(PROSE + "関連記事" + "\n\n猫" * 10)
    assert clean(PROSE + "関連記事" + "\n\n猫" * 9).text == PROSE.rstrip()


def test_a_cut_of_more_than_the_share_is_none():
    text = "本文。\n関連記事\n" + "とても長い続き。" * 10
    assert clean(text) == Cleaned(text)
    assert clean(text, CleanSettings(max_cut_share=1)).text == "本文。"


def test_a_document_of_footers_alone_is_not_emptied():
    for text in ("トップページ", "前の記事\n次の記事\nコメントを書く"):
        assert clean(text) == Cleaned(text)


def test_each_part_can_be_left_out():
    text = "あ，い，う．え．" * 10 + "\nコメントを書く"
    assert clean(text, CleanSettings(punctuation=False, footers=False)) == Cleaned(text)
    assert clean(text, CleanSettings(punctuation=False)).text == text.split("\n")[0]
    assert clean(text, CleanSettings(footers=False)).text.endswith("\nコメントを書く")
    assert clean(text, CleanSettings(punctuation=False, footer_lines=0)) == Cleaned(text)


PARTS = [
    "あ",
    "，",
    "．",
    "、",
    "。",
    "1",
    "２",
    "Ａ",
    "\n",
    "　",
    "関連記事",
    "長い本文がここに続きます。",
    "𠮷",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=60).map("".join), st.floats(0, 1))
def test_nothing_but_marks_and_a_bounded_end_changes(text, most):
    cleaned = clean(text, CleanSettings(max_cut_share=most))
    common = str.maketrans("，．", "、。")
    assert text.translate(common).startswith(cleaned.text.translate(common))
    lost = sum(letter not in "\n\r" for letter in text[len(cleaned.text) :])
    assert lost == cleaned.footer_letters <= most * sum(letter not in "\n\r" for letter in text)
    assert clean("\r\n" + text, CleanSettings(footers=False)).text == "\r\n" + clean(text, CleanSettings(footers=False)).text
