import hashlib
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import ROOT, labelled_pages

from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction import main_text
from seiryu.filters.finding.japanese_bytes import look_for_kana
from seiryu.filters.finding.language import KANA_OF_A_JAPANESE_PAGE, MODEL, accepted, language, model_sha256

TEXTS = {
    "ja": "清流は、山あいを流れる澄んだ水のことである。\n子供たちは夏になると川で遊び、魚を捕まえた。",
    "en": "A clear stream runs down from the mountains.\nIn summer the children played in the river and caught fish.",
    "zh": "清澈的溪流从山间流过。\n夏天，孩子们在河里玩耍，捉鱼。这是一个美丽的地方。",
    "ko": "맑은 시냇물이 산에서 흘러내린다.\n여름이면 아이들은 강에서 놀며 물고기를 잡았다.",
}


@pytest.mark.parametrize("code", TEXTS)
def test_a_text_is_of_its_language(code):
    found, score = language(TEXTS[code])
    assert found == code
    assert 0.9 < score <= 1
    assert score == round(score, 4)


@pytest.mark.parametrize("blank", ["", " ", "\n\n", "\t\u3000\xa0"])
def test_blank_text_is_of_no_language(blank):
    assert language(blank) == ("", 0.0)


def test_the_answer_depends_on_the_text_alone():
    before = [language(text) for text in TEXTS.values()]
    assert [language(text) for text in reversed(TEXTS.values())] == before[::-1]
    assert language(TEXTS["ja"].replace("\n", "  \n\u3000")) == language(TEXTS["ja"].replace("\n", " "))


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8")))
def test_every_text_has_an_answer(text):
    found, score = language(text)
    assert 0 <= score <= 1
    assert (found == "") == (not text.split())


def test_the_hash_is_that_of_the_model_in_use():
    assert model_sha256() == hashlib.sha256((files("seiryu.filters") / "models" / MODEL).read_bytes()).hexdigest()


def test_a_text_the_model_takes_for_japanese_is_accepted():
    assert accepted(*language(TEXTS["ja"]), kana_share=0)
    for code in ("en", "zh", "ko"):
        assert not accepted(*language(TEXTS[code]), kana_share=0)


def test_a_page_written_in_kana_is_japanese_whatever_piece_of_it_was_taken():
    found = language(TEXTS["en"])
    assert accepted(*found, kana_share=KANA_OF_A_JAPANESE_PAGE)
    assert not accepted(*found, kana_share=KANA_OF_A_JAPANESE_PAGE - 0.01)
    assert not accepted(*language(""), kana_share=1)  # a page that gave no text


def test_the_score_and_the_languages_are_the_callers():
    assert not accepted("ja", 0.49, 0)
    assert accepted("ja", 0.49, 0, min_score=0.4)
    assert accepted("en", 0.9, 0, accept=("en", "ja"))
    assert not accepted("fr", 0.9, 0.9, accept=("en",))  # kana make no English


def test_a_statute_in_kanji_and_katakana_is_japanese_though_the_model_says_chinese():
    statute = "船舶積量互認ノ件ニ関シ帝国政府ト英国政府トノ間ニ取極ヲ為シタル条規大正十二年六月八日逓信省令第五十二号" * 2
    assert not accepted(*language(statute), kana_share=0)
    evidence = look_for_kana(f"<p>{statute}左ノ通定ム但シ本令ハ公布ノ日ヨリ之ヲ施行スルモノトスベカラザルコト</p>".encode())
    assert accepted(*language(statute), evidence.kana_share)


def test_of_a_long_text_pieces_are_read_and_they_tell_the_same():
    japanese, english = TEXTS["ja"] * 500, TEXTS["en"] * 500
    assert language(japanese)[0] == "ja"
    assert language(english)[0] == "en"
    assert language(TEXTS["en"] * 3 + japanese)[0] == "ja"
    assert language("\n" * 100_000 + TEXTS["ja"])[0] == "ja"


def test_japanese_sample_pages_are_told_from_all_others_by_both_tests():
    """TP, FP and FN as `python -m benchmarks japanese` counts them; the pack's are in docs/log.md."""
    taken = {True: [0, 0], False: [0, 0]}
    for row, body, charset in labelled_pages(ROOT / "samples"):
        evidence = look_for_kana(body, charset)
        text = "" if evidence.refused else main_text(decode(body, charset).text)
        taken[row["lang"] == "ja"][accepted(*language(text), evidence.kana_share)] += 1
    (fn, tp), (_, fp) = taken[True], taken[False]
    assert tp + fn > 700
    assert 2 * tp / (2 * tp + fp + fn) >= 0.995
