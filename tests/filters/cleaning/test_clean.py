"""Cleaning: what is changed and cut, what is not, and that every letter is accounted for."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters.cleaning import Cleaned, CleanSettings, clean

LABELS = Path(__file__).parents[3] / "samples" / "labels.jsonl.gz"

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
    assert clean(text) == Cleaned(text, refused=("footer",))
    assert clean(text, CleanSettings(max_cut_share=1)).text == "本文。"


def test_a_document_of_footers_alone_is_not_emptied():
    for text in ("トップページ", "前の記事\n次の記事\nコメントを書く"):
        assert clean(text) == Cleaned(text, refused=("footer",))


def test_repeated_lines_go_with_their_line_breaks_and_nothing_else_does():
    text = "ホーム　商品　会社\n" + PROSE + "　無料で登録する \nホーム　商品　会社に行く\n終わり。"
    cleaned = clean(text, repeated={"ホーム　商品　会社", "無料で登録する"})
    assert cleaned == Cleaned(PROSE + "ホーム　商品　会社に行く\n終わり。", repeated_line_letters=9 + 9)
    assert clean(text, repeated={"ホーム"}) == clean(text) == Cleaned(text)


def test_a_page_of_nothing_but_repeated_lines_stays_and_is_told():
    assert clean(PROSE, repeated=set(PROSE.split("\n"))) == Cleaned(PROSE, refused=("repeated_lines",))
    assert clean(PROSE, CleanSettings(max_cut_share=1), set(PROSE.split("\n"))).text == ""


def test_repeated_paragraphs_go_as_repeated_lines_do_and_what_both_would_take_counts_once():
    notice, text = (
        "当サイトはクッキーを使用します",
        "ホーム　商品　会社\n" + PROSE + "　当サイトはクッキーを使用します \n終わり。",
    )
    assert clean(text, paragraphs={notice}) == Cleaned(
        text.replace(f"　{notice} \n", ""), repeated_paragraph_letters=len(notice) + 2
    )
    cleaned = clean(text, repeated={"ホーム　商品　会社"}, paragraphs={notice, "ホーム　商品　会社"})
    assert cleaned == Cleaned(PROSE + "終わり。", repeated_line_letters=9, repeated_paragraph_letters=len(notice) + 2)
    assert clean(PROSE, paragraphs=set(PROSE.split("\n"))) == Cleaned(PROSE, refused=("repeated_paragraphs",))


def test_of_two_cuts_that_are_too_much_together_the_lines_of_the_site_go():
    text = "\n".join(["メ" * 20, "通" * 20, "本" * 60])
    cleaned = clean(text, repeated={"メ" * 20}, paragraphs={"通" * 20})
    assert cleaned == Cleaned(text[21:], repeated_line_letters=20, refused=("repeated_paragraphs",))
    cleaned = clean(text, CleanSettings(max_cut_share=0.4), repeated={"メ" * 20}, paragraphs={"通" * 20})
    assert cleaned == Cleaned("本" * 60, repeated_line_letters=20, repeated_paragraph_letters=20)


@pytest.mark.parametrize(
    ("menu", "footer", "refused"),
    [(20, 10, ()), (30, 0, ()), (20, 11, ("footer",)), (31, 10, ("repeated_lines",)), (31, 31, ("repeated_lines", "footer"))],
)
def test_both_cuts_together_take_no_more_than_the_share_and_a_refused_one_takes_no_room(menu, footer, refused):
    end = ["©" * footer] if footer else []
    text = "\n".join(["メ" * menu, "本" * (100 - menu - footer), *end])
    cleaned = clean(text, repeated={"メ" * menu})
    assert cleaned.refused == refused
    assert cleaned.repeated_line_letters == (0 if "repeated_lines" in refused else menu)
    assert cleaned.footer_letters == (0 if "footer" in refused else footer)


def test_a_footer_is_looked_for_among_the_lines_that_are_left():
    text = PROSE + "関連記事\n" + "ここは広告の場所です\n" * 10
    assert clean(text) == Cleaned(text)
    assert clean(text, CleanSettings(max_cut_share=0.5), {"ここは広告の場所です"}).text == PROSE.rstrip()


def test_lines_that_are_cut_have_no_vote_on_punctuation():
    text = "あ、い、う。\n" * 3 + "め，に，ゅ，う，め，に，ゅ，う．"
    assert clean(text, repeated={"め，に，ゅ，う，め，に，ゅ，う．"}, settings=CleanSettings(max_cut_share=0.5)).text == text[:20]
    assert clean(text).text.endswith("め、に、ゅ、う、め、に、ゅ、う．")


def test_personal_data_is_masked_last_and_counted_by_kind():
    text = PROSE + "連絡はtaro@example.comか電話03-1234-5678まで。"
    cleaned = clean(text)
    assert cleaned.masked == {"email": 1, "phone": 1}
    assert "example.com" not in cleaned.text
    assert "5678" not in cleaned.text
    assert cleaned.punctuation_letters == 0
    assert clean(text, CleanSettings(personal_data=())) == Cleaned(text)
    assert clean(text, CleanSettings(personal_data=("email",))).masked == {"email": 1}
    assert clean(PROSE + "お問い合わせ a@b.jp").masked == {}


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


TEXTS = st.lists(st.sampled_from(PARTS), max_size=60).map("".join)
UNMASKED = CleanSettings(personal_data=())


def letters(text):
    return sum(letter not in "\n\r" for letter in text)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.floats(0, 1))
def test_nothing_but_marks_and_a_bounded_end_changes(text, most):
    cleaned = clean(text, CleanSettings(max_cut_share=most, personal_data=()))
    common = str.maketrans("，．", "、。")
    assert text.translate(common).startswith(cleaned.text.translate(common))
    lost = letters(text[len(cleaned.text) :])
    assert lost == cleaned.footer_letters <= most * letters(text)
    assert clean("\r\n" + text, CleanSettings(footers=False)).text == "\r\n" + clean(text, CleanSettings(footers=False)).text


LINES = st.sampled_from(
    ["あ、い", "う，え，お．", "関連記事", "  メニュー\t", "メニュー", "", "\r", "長い本文がここに続きます。", "𠮷" * 9]
)

NAMED = st.sets(LINES.map(str.strip).filter(bool))


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=20).map("\n".join), NAMED, NAMED, st.floats(0, 1))
def test_the_counts_are_what_the_text_has_lost_and_what_is_left_is_its_other_lines(text, repeated, paragraphs, most):
    cleaned = clean(text, CleanSettings(punctuation=False, max_cut_share=most, personal_data=()), repeated, paragraphs)
    cut = cleaned.repeated_line_letters + cleaned.repeated_paragraph_letters + cleaned.footer_letters
    assert letters(text) - letters(cleaned.text) == cut <= most * letters(text)
    gone = set() if "repeated_lines" in cleaned.refused else repeated
    gone = gone if "repeated_paragraphs" in cleaned.refused else gone | paragraphs
    left = [line for line in text.split("\n") if line.strip() not in gone]
    assert "\n".join(left).startswith(cleaned.text)
    assert set(cleaned.refused) <= {"repeated_lines", "repeated_paragraphs", "footer"}


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=20).map("\n".join), st.sets(LINES.map(str.strip).filter(bool)))
def test_cleaning_twice_is_cleaning_once_but_for_footers(text, repeated):
    apart = [CleanSettings(punctuation=False, footers=False), CleanSettings(footers=False)]
    for chosen, lines in zip(apart, (repeated, set()), strict=True):
        once = clean(text, chosen, lines)
        twice = clean(once.text, chosen, lines)
        assert twice == Cleaned(once.text, refused=once.refused)


def test_real_pages_lose_what_is_counted_and_are_left_as_they_are_where_nothing_is():
    with gzip.open(LABELS, "rt", encoding="utf-8") as lines:
        texts = [text for text in (json.loads(line).get("gold_text") for line in lines) if text]
    assert len(texts) > 1000
    for text in texts:
        cleaned = clean(text, UNMASKED)
        assert letters(text) - letters(cleaned.text) == cleaned.footer_letters <= 0.3 * letters(text)
        if not cleaned.footer_letters:
            assert len(text) == len(cleaned.text)
            assert sum(a != b for a, b in zip(text, cleaned.text, strict=True)) == cleaned.punctuation_letters


@pytest.mark.parametrize(
    "text", ["あ，\n" * 1_000_000, "あ，い．" * 2_500_000, "\n" * 5_000_000, "関連記事" * 1_000_000, "　" * 5_000_000]
)
def test_a_page_of_a_million_lines_or_of_one_endless_line_is_cleaned_like_any_other(text):
    cleaned = clean(text, UNMASKED, {"関連"})
    assert letters(text) - letters(cleaned.text) == cleaned.footer_letters
