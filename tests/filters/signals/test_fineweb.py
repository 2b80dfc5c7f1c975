"""FineWeb-2's numbers, against a plain-Python twin, on whatever Unicode holds and on all shared pages."""

import hashlib
import itertools
import time
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
import yaml
from fineweb_twin import twin, twin_words
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import ROOT, shared_pages

from seiryu.filters.letters import codepoints
from seiryu.filters.morphology import short_units
from seiryu.filters.signals.fineweb import SIGNALS, WORD_SIGNALS, measure_fineweb, measure_fineweb_words
from seiryu.filters.signals.fineweb_letters import ALPHABETIC, CLASSES, LINE_END, PUNCTUATION, SENTENCE_END

FITTED = {
    "duplicate_lines": ("fineweb_duplicate_line_share", "high", 0.328),
    "top_2gram": ("fineweb_top_2gram_letter_share", "high", 0.239),
    "top_3gram": ("fineweb_top_3gram_letter_share", "high", 0.196),
    "top_4gram": ("fineweb_top_4gram_letter_share", "high", 0.172),
    "duplicate_5gram": ("fineweb_duplicate_5gram_letter_share", "high", 0.243),
    "duplicate_6gram": ("fineweb_duplicate_6gram_letter_share", "high", 0.225),
    "duplicate_7gram": ("fineweb_duplicate_7gram_letter_share", "high", 0.207),
    "duplicate_8gram": ("fineweb_duplicate_8gram_letter_share", "high", 0.19),
    "duplicate_9gram": ("fineweb_duplicate_9gram_letter_share", "high", 0.175),
    "duplicate_10gram": ("fineweb_duplicate_10gram_letter_share", "high", 0.159),
    "lines_without_end": ("fineweb_line_punctuation_share", "low", 0.096),
    "many_lines": ("fineweb_new_line_ratio", "high", 0.13),
    "words_too_short": ("fineweb_mean_word_letters", "low", 1),
    "words_too_long": ("fineweb_mean_word_letters", "high", 6),
    "few_alphabetic_words": ("fineweb_alphabetic_word_share", "low", 0.759),
    "few_stop_words": ("fineweb_stop_words", "low", 2),
}
FOR_EVERY_LANGUAGE = {
    "duplicate_line_letters": ("fineweb_duplicate_line_letter_share", "high", 0.1),
    "too_few_words": ("fineweb_words", "low", 50),
    "too_many_words": ("fineweb_words", "high", 100_000),
    "hashes": ("fineweb_hash_ratio", "high", 0.1),
    "dots": ("fineweb_ellipsis_ratio", "high", 0.1),
    "bullets": ("fineweb_bullet_line_share", "high", 0.9),
    "ellipses": ("fineweb_ellipsis_line_share", "high", 0.3),
}
ASSIGNED = st.characters(codec="utf-8", exclude_categories=("Cn", "Cs"))  # of others another Python may know more
PARTS = [*"あア水。！….・-• 3#\n\r\n　𠮷\u2028\x00\x1d\x85", "いう", "あいう。", "\nあい\n", "...", "\r\n", "の", "で"]
TEXTS = st.one_of(st.lists(st.sampled_from(PARTS), max_size=80).map("".join), st.text(ASSIGNED, max_size=60))


def lines_of(texts):
    return measure_fineweb(*codepoints(pa.array(texts, pa.string())))


def words_of(text, *cuts):
    """The signals of one text whose words end at the cuts, or are its letters."""
    ends = [0, *(cuts or range(1, len(text) + 1))]
    spans = np.array(list(itertools.pairwise(ends)), np.int32).reshape(-1, 2)
    return {name: values[0].item() for name, values in measure_fineweb_words([text], [spans]).items()}


@st.composite
def texts_with_words(draw):
    text = draw(TEXTS)
    steps = draw(st.lists(st.integers(0, 3), max_size=2 * len(text)))  # words may be empty, white space, or leave gaps
    places = [place for place in np.cumsum([0, *steps]).tolist() if place <= len(text)]
    spans = [(a, b) for a, b in itertools.pairwise(places) if draw(st.integers(0, 9))]
    return text, np.array(spans, np.int32).reshape(-1, 2)


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_numbers_of_lines_equal_their_plain_twin_on_any_text(texts):
    measured = lines_of(texts)
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(texts_with_words(), min_size=1, max_size=4))
def test_numbers_of_words_equal_their_plain_twin_on_any_text_and_any_words(texts):
    measured = measure_fineweb_words([text for text, _ in texts], [spans for _, spans in texts])
    for i, (text, spans) in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin_words(text, spans)


def test_numbers_of_lines_equal_their_plain_twin_on_all_shared_pages():
    texts = shared_pages()
    assert len(texts) > 100
    measured = lines_of(texts)
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin(text)


def test_numbers_of_words_equal_their_plain_twin_on_shared_pages():
    texts = shared_pages()[::4]  # all of them take Sudachi two minutes
    words = [short_units(text) for text in texts]
    measured = measure_fineweb_words(texts, words)
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin_words(text, words[i].tolist())


def test_each_signal_is_named_once_and_has_the_type_it_says():
    one = np.array([[0, 1]], np.int32)
    measured = lines_of(["水"]) | measure_fineweb_words(["水"], [one])
    assert [(name, values.dtype) for name, values in measured.items()] == [(s.name, s.dtype) for s in (*SIGNALS, *WORD_SIGNALS)]
    assert {len(values) for values in (lines_of([]) | measure_fineweb_words([], [])).values()} == {0}


@pytest.mark.parametrize("nothing", ["", "\n", " \r\n　", "\n\n\n"])
def test_a_text_of_nothing_has_no_share_of_anything_but_empty_lines(nothing):
    signals = {name: values[0].item() for name, values in lines_of([nothing]).items()}
    assert signals.pop("fineweb_duplicate_line_share") == (0.5 if nothing.strip("\n") != nothing and "　" not in nothing else 0)
    assert set(signals.values()) == {0}
    assert set(words_of(nothing).values()) == {0}


def test_a_line_ends_in_punctuation_only_where_nothing_follows_it():
    assert lines_of(["はい。\nはい。 \n\n　\n店(東京)\nok?"])["fineweb_line_punctuation_share"][0] == 2 / 4


def test_of_several_most_frequent_ngrams_the_first_counts_with_its_spaces():
    assert words_of("あい水木火山", 2, 3, 4, 5, 6)["fineweb_top_2gram_letter_share"] == len("あい 水") / 6
    assert words_of("水木火山あい火山", 1, 2, 3, 4, 6, 7, 8)["fineweb_top_2gram_letter_share"] == 2 * len("火 山") / 8


def test_duplicates_are_told_by_letters_and_not_by_words_and_do_not_overlap():
    cuts = (2, 3, 4, 5, 6, 7, 9, 10, 11, 12)  # あい う え お か, then あ いう え お か
    assert words_of("あいうえおか" * 2, *cuts)["fineweb_duplicate_5gram_letter_share"] == 0.5
    assert words_of("あ" * 12)["fineweb_duplicate_5gram_letter_share"] == 10 / 12  # at 1 and at 6
    assert words_of("あ" * 12)["fineweb_duplicate_10gram_letter_share"] == 10 / 12


def test_a_stop_word_must_be_a_word():
    assert words_of("ので年月", 2, 3, 4)["fineweb_stop_words"] == 2
    assert words_of("のののは", 1, 2, 3, 4)["fineweb_stop_words"] == 2


@pytest.mark.parametrize("spans", [[[0, 3]], [[-1, 1]], [[1, 0]], [[0, 2], [1, 2]], [[1, 2], [0, 1]], [0, 1], [[0, 1, 2]]])
def test_words_that_overlap_or_lie_outside_their_text_are_refused(spans):
    good = np.array([[0, 1]], np.int32)
    with pytest.raises(ValueError, match="text 1: its words are not pairs of begin and end") as caught:
        measure_fineweb_words(["水", "水木"], [good, np.array(spans, np.int32)])
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="2 texts with the words of 1"):
        measure_fineweb_words(["水", "水"], [good])


def test_neighbours_do_not_change_a_text():
    texts = ["あいうえお。" * 40, "", "水" * 5000, "a\nb", "\n" * 50]
    words = [short_units(text) for text in texts]
    together = lines_of(texts) | measure_fineweb_words(texts, words)
    for i, text in enumerate(texts):
        alone = lines_of([text]) | measure_fineweb_words([text], [words[i]])
        assert {name: values[0] for name, values in alone.items()} == {name: values[i] for name, values in together.items()}


@pytest.mark.parametrize("cuts", [range(1, 1_000_001), (1_000_000,)], ids=["words of one letter", "one word"])
def test_a_million_letters_take_linear_time(cuts):
    words_of("水")
    begin = time.perf_counter()
    signals = words_of("あ" * 1_000_000, *cuts)
    assert time.perf_counter() - begin < 20
    assert signals["fineweb_duplicate_10gram_letter_share"] == (len(cuts) > 1 and (10**6 - 10) // 10 * 10 / 10**6)


def test_the_kinds_of_letters_are_those_of_python_and_datatrove():
    letters = [chr(point) for point in range(0x110000)]
    known = np.array([unicodedata.category(letter) not in ("Cn", "Cs") for letter in letters])
    assert np.array_equal((CLASSES & ALPHABETIC > 0)[known], np.array([letter.isalpha() for letter in letters])[known])
    assert [len(f"a{letter}a".splitlines()) > 1 for letter in letters] == (CLASSES & LINE_END > 0).tolist()
    ends = [letter for letter in letters if CLASSES[ord(letter)] & SENTENCE_END]
    marks = [letter for letter in letters if CLASSES[ord(letter)] & PUNCTUATION]
    assert set("。．.！!？?｡") <= set(ends) < set(marks)
    assert not set("、，…」\n\tーあ") & set(ends)
    of_datatrove = [hashlib.sha256("".join(found).encode()).hexdigest()[:16] for found in (ends, marks)]  # of its lists, sorted
    assert (len(ends), len(marks), of_datatrove) == (159, 281, ["223fdebf0f768738", "add6d54a8847e51e"])


def test_the_preset_holds_the_fitted_limits_and_those_for_every_language():
    rules = yaml.safe_load((ROOT / "configs" / "presets" / "fineweb2-ja.yaml").read_text("utf-8"))["rules"]
    found = {rule["name"]: (rule["signal"], key, rule[key]) for rule in rules for key in ("low", "high", "below") if key in rule}
    assert found == FITTED | FOR_EVERY_LANGUAGE
    assert len(rules) == len(found)
    assert {rule["signal"] for rule in rules} == {signal.name for signal in (*SIGNALS, *WORD_SIGNALS)}
    assert all(rule["why"] and rule["source"] for rule in rules)
