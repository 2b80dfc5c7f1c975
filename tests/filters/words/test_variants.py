import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_words import known_as, letters_of

from seiryu.filters.words import WordLists
from seiryu.filters.words.variants import encode, folded, in_other_kana, numbering, pattern, places_in_text

KANA = "うかきくはひふほわをんウカキクハヒフホワヲンゝヽ｡｢･ｦｧｯｰｱｳｶｷﾊﾋﾌﾎﾜﾝﾞﾟ゙゚゛ばパヴﾍ"
texts = st.one_of(st.text(alphabet=KANA + "aAＡａ！　1１\0水𠮷", max_size=12), st.text(max_size=12))


def found(text, words):
    return [text[hit.begin : hit.end] for hit in WordLists.of_words({"own": words}).hits(text)]


@settings(max_examples=500, deadline=None)
@given(texts)
def test_a_word_is_known_by_its_letters_at_one_width(word):
    assert folded(word) == known_as(word)
    assert folded(folded(word)) == folded(word)


@settings(max_examples=500, deadline=None)
@given(st.lists(texts, max_size=5))
def test_texts_are_encoded_as_their_letters_are_folded_and_places_lead_back(parts):
    letters = [letter for part in parts for letter in letters_of(part)]
    codes = numbering([folded(letter * 3)[:1] for letter, _, _ in letters])
    points = np.frombuffer("".join(parts).encode("utf-32-le", "surrogatepass"), np.uint32)
    offsets = np.cumsum([0, *map(len, parts)])
    found, joined = encode(points, offsets, codes)
    assert found.tolist() == [codes[ord(letter)] for letter, _, _ in letters]
    begins = [first + begin for first, part in zip(offsets, parts, strict=False) for _, begin, _ in letters_of(part)]
    assert places_in_text(np.arange(len(found)), joined).tolist() == begins
    ends = [first + end for first, part in zip(offsets, parts, strict=False) for _, _, end in letters_of(part)]
    assert places_in_text(np.arange(len(found)) + 1, joined).tolist() == ends


def test_codes_are_two_bytes_of_which_only_the_first_is_high_and_small_letters_stand_for_capitals():
    codes = numbering([chr(0x4E00 + i) for i in range(16_000)] + ["a"])
    low, high = codes.view(np.uint8).reshape(-1, 2).T
    assert ((low >= 0x80) == (codes > 0)).all()
    assert (high < 0x80).all()
    assert len(set(codes[codes > 0].tolist())) == 16_001
    assert codes[[ord(letter) for letter in "aAａＡ"]].tolist() == [codes[ord("a")]] * 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ＳＥＸとＡＶとｓｅｘ", ["ＳＥＸ", "ＡＶ", "ｓｅｘ"]),
        ("ｾｯｸｽの話、ﾊﾞｲﾌﾞと", ["ｾｯｸｽ", "ﾊﾞｲﾌﾞ"]),
        ("ハ\u3099イフ\u3099の話", ["ハ\u3099イフ\u3099"]),
        ("ハイフの話、ﾊｲﾌの話", []),
        ("Sex、tenga、av、sm、AV", ["Sex", "tenga", "AV"]),
        ("援　交の話", ["援　交"]),
    ],
)
def test_width_is_alike_and_case_in_words_of_three_letters_or_more(text, words):
    assert found(text, ["SEX", "AV", "SM", "TENGA", "セックス", "バイブ", "援 交"]) == words


def test_the_case_of_one_letter_counts_behind_a_mark_of_its_own():
    assert found("バHの話", ["バH"]) == ["バH"]
    assert found("ﾊﾞHの話", ["バH"]) == ["ﾊﾞH"]
    assert found("ﾊﾞhの話", ["バH"]) == []
    assert found("ﾊﾞhの話", ["バh"]) == ["ﾊﾞh"]


def test_long_words_of_one_kana_script_are_found_in_the_other():
    assert found("「でりばりーへるす」と「デリバリーヘルス」", ["デリバリーヘルス"]) == ["でりばりーへるす", "デリバリーヘルス"]
    assert found("「カワカブリ」", ["かわかぶり"]) == ["カワカブリ"]


@pytest.mark.parametrize(
    "word", ["イク", "スラット", "えろつべ", "ヤりたいこと", "立ちばっくす", "ーーーーー", "ｓｅｘｅｓ", "ヷヷヷヷヷ"]
)
def test_short_words_and_mixed_ones_are_not(word):
    assert in_other_kana(folded(word)) == ""


def test_a_word_that_the_list_has_in_both_scripts_counts_as_the_one_that_stands_there():
    lists = WordLists.of_words({"own": ["スカートめくり", "ピンクサロン", "ぴんくさろん"]})
    assert [hit.word for hit in lists.hits("「ぴんくさろん」、「ピンクサロン」")] == ["ぴんくさろん", "ピンクサロン"]


def test_patterns_are_small_letters_with_the_capitals_of_short_words():
    assert [pattern(folded(word)) for word in ("AV", "av", "Hの", "3P", "SEX", "性")] == [
        ("av", 3), ("av", 0), ("hの", 1), ("3p", 2), ("sex", -1), ("性", 0),
    ]  # fmt: skip
