"""The numbers of the released code, against a plain-Python twin, on whatever Unicode holds and on all shared pages."""

import numpy as np
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import ROOT, shared_pages, twin_v1

from seiryu.filters.letters import codepoints
from seiryu.filters.signals import swallow
from seiryu.filters.signals.swallow_v1 import SIGNALS, measure_swallow_v1

PRESETS = ROOT / "configs" / "presets"
FIELD = {
    "too_short": ("v1_letters", "<", 400),
    "few_japanese_letters": ("v1_japanese_letters", "<", 400),
    "few_hiragana": ("v1_hiragana_share", "<", 0.2),
    "much_katakana": ("v1_katakana_share", ">", 0.5),
    "little_japanese": ("v1_japanese_share", "<", 0.5),
    "sentences_too_short": ("v1_mean_sentence_letters", "<", 20),
    "sentences_too_long": ("v1_mean_sentence_letters", ">", 90),
    "sentence_too_long": ("v1_longest_sentence_letters", ">", 200),
    "ellipses": ("v1_ellipsis_share", ">", 0.2),
    "repeated_paragraphs": ("v1_repeated_paragraph_share", ">", 0.3),
    "repeated_sentences": ("v1_repeated_sentence_share", ">", 0.3),
    "repeated_paragraph_letters": ("v1_repeated_paragraph_letter_share", ">", 0.2),
    "repeated_sentence_letters": ("v1_repeated_sentence_letter_share", ">", 0.2),
    "top_2gram": ("v1_top_2gram_share", ">", 0.2),
    "top_3gram": ("v1_top_3gram_share", ">", 0.18),
    "top_4gram": ("v1_top_4gram_share", ">", 0.16),
    "duplicate_5gram": ("v1_duplicate_5gram_share", ">", 0.15),
    "duplicate_6gram": ("v1_duplicate_6gram_share", ">", 0.14),
    "duplicate_7gram": ("v1_duplicate_7gram_share", ">", 0.13),
    "duplicate_8gram": ("v1_duplicate_8gram_share", ">", 0.12),
    "duplicate_9gram": ("v1_duplicate_9gram_share", ">", 0.11),
    "duplicate_10gram": ("v1_duplicate_10gram_share", ">", 0.1),
    "ng_words": ("ng_share", ">=", 0.05),
}


def measure(texts):
    return measure_swallow_v1(*codepoints(pa.array(texts, pa.string())))


def of(text):
    return {name: values[0].item() for name, values in measure([text]).items()}


PARTS = [*"あアー水。！…・ 3．\n\r　𠮷ｱ\u2028\x00", "いう", "あいう。", "\nあい\n"]
REPETITIVE = st.lists(st.sampled_from(PARTS), max_size=80).map("".join)
ANY = st.text(st.characters(codec="utf-8"), max_size=60)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(REPETITIVE, ANY), min_size=1, max_size=6))
def test_every_number_equals_its_plain_twin_on_any_text(texts):
    measured = measure(texts)
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin_v1(text)


def test_every_number_equals_its_plain_twin_on_all_shared_pages():
    texts = shared_pages()
    assert len(texts) > 100
    measured = measure(texts)
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin_v1(text)


def test_each_signal_is_named_once_and_has_the_type_it_says():
    measured = measure(["水"])
    assert [(name, values.dtype) for name, values in measured.items()] == [(s.name, s.dtype) for s in SIGNALS]
    assert len(measured) == len(SIGNALS)
    assert all(name.startswith("v1_") for name in measured)
    assert {len(values) for values in measure([]).values()} == {0}


@pytest.mark.parametrize(
    ("text", "sentences", "longest", "paragraphs"),
    [
        ("円周率は３．１４です。", 2, 6, 1),
        ("本当！？まさか！！", 2, 4, 1),
        ("。。。", 0, 0, 1),
        ("　", 1, 1, 1),
        ("一行目\n\n　\r\n三行目\n", 3, 3, 5),
        ("", 0, 0, 1),
    ],
)
def test_sentences_and_paragraphs_are_those_of_the_released_code(text, sentences, longest, paragraphs):
    signals = of(text)
    assert (signals["v1_sentences"], signals["v1_longest_sentence_letters"], signals["v1_paragraphs"]) == (
        sentences,
        longest,
        paragraphs,
    )


def test_what_is_between_two_ends_of_sentences_is_left_out_of_a_paragraph():
    signals = of("本当！？\n本当！\n\n")  # the lines 本当！, 本当！ and two that are blank
    assert signals["v1_repeated_paragraph_share"] == 2 / 4
    assert signals["v1_repeated_paragraph_letter_share"] == 3 / 6


def test_duplicate_ngrams_are_a_share_of_distinct_ones_over_line_breaks():
    signals = of("あいうえ\nあいうえ\n")  # あいうえ\n, いうえ\nあ, うえ\nあい, え\nあいう, \nあいうえ
    assert signals["v1_duplicate_5gram_share"] == 1 / 5
    assert signals["v1_duplicate_6gram_share"] == 0


@pytest.mark.parametrize(
    ("letter", "japanese"), [("ー", 0), ("ｱ", 0), ("ゝ", 0), ("ヵ", 1), ("𠮷", 0), ("〇", 1), ("，", 1), ("!", 0)]
)
def test_japanese_letters_are_those_of_the_released_code(letter, japanese):
    assert of(letter)["v1_japanese_letters"] == japanese


def test_a_million_letters_take_linear_time_and_count_right():
    signals = of("あ" * 1_000_000)
    assert signals["v1_top_2gram_share"] == signals["v1_duplicate_10gram_share"] == 1
    assert of("\n" * 1_000_000)["v1_repeated_paragraph_share"] == 1_000_000 / 1_000_001


def test_neighbours_do_not_change_a_text():
    texts = ["あいうえお。" * 40, "", "水" * 5000, "a\nb", "ア" * 3, "\n" * 50]
    together = measure(texts)
    for i, text in enumerate(texts):
        assert of(text) == {name: values[i].item() for name, values in together.items()}
    both = codepoints(pa.array(texts[2:]))
    assert np.array_equal(measure_swallow_v1(*both)["v1_letters"], together["v1_letters"][2:])


def test_the_preset_is_the_table_of_the_paper_with_the_names_of_swallow():
    rules = yaml.safe_load((PRESETS / "swallow-v1.yaml").read_text("utf-8"))["rules"]
    signs = {"low": "<", "high": ">", "below": ">="}
    assert {r["name"]: (r["signal"], signs[key], r[key]) for r in rules for key in signs if key in r} == FIELD
    known = {signal.name for signal in (*SIGNALS, *swallow.SIGNALS)} | {"ng_share"}
    assert all(rule["signal"] in known and rule["why"] and rule["source"] for rule in rules)
    names = [rule["name"] for rule in yaml.safe_load((PRESETS / "swallow.yaml").read_text("utf-8"))["rules"]]
    assert [rule["name"] for rule in rules] == names
