"""Every signal against a plain-Python twin, on whatever Unicode holds and on all shared pages."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import shared_pages, twin

from seiryu.filters.instruments import possible
from seiryu.filters.signals import FAMILIES, SIGNALS, measure, repeats


def of(text, families=("swallow",)):
    return {name: values[0].item() for name, values in measure(pa.array([text]), families).items()}


# few letters, so that all kinds of repeats come about
PARTS = [*"あア水。！…・3４．\n\r　 𠮷", "いう", "あいう。", "\nあい\n"]
REPETITIVE = st.lists(st.sampled_from(PARTS), max_size=80).map("".join)
ANY = st.text(st.characters(codec="utf-8"), max_size=60)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(REPETITIVE, ANY), min_size=1, max_size=6))
def test_every_signal_equals_its_plain_twin_on_any_text(texts):
    measured = measure(pa.array(texts, pa.string()), ("swallow",))
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin(text)


def test_every_signal_equals_its_plain_twin_on_all_shared_pages():
    texts = shared_pages()
    assert len(texts) > 100
    measured = measure(pa.array(texts), ("swallow",))
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin(text)


def test_each_signal_is_named_once_and_has_the_type_it_says():
    names = [signal.name for signal in possible(("ng", "dating"))]
    assert len(set(names)) == len(names)
    measured = measure(pa.array(["水"]))
    assert [(name, values.dtype) for name, values in measured.items()] == [(s.name, s.dtype) for s in SIGNALS]


@pytest.mark.parametrize("nothing", ["", "\n", "\r\n\n", " \n　\n\t"])
def test_a_text_of_nothing_has_no_share_of_anything(nothing):
    assert set(of(nothing).values()) <= {0, len(nothing.replace("\n", "").replace("\r", ""))}


def test_no_text_gives_empty_columns():
    assert {len(values) for values in measure(pa.array([], pa.string())).values()} == {0}


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("円周率は３．１４です。次。", 2),
        ("円周率は3.14です。5!3と言う。", 2),
        ("本当！？まさか！！", 2),
        ("。。。", 0),
        ("一行目\n二行目\n\n　\n三行目", 3),
        ("３。４。", 2),
        ("第３．", 1),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, sentences):
    assert of(text)["sentences"] == sentences


def test_indented_copies_of_a_line_are_copies():
    signals = of("　同じ行\n同じ行　\n\n\n違う行")
    assert signals["paragraphs"] == 3
    assert signals["repeated_paragraph_share"] == 1 / 3
    assert signals["repeated_paragraph_letter_share"] == 3 / 9


def test_ngrams_do_not_run_over_line_breaks():
    assert of("あ\nい\nあ\nい")["top_2gram_share"] == 0
    assert of("あい\nあい")["top_2gram_share"] == 1


def test_letters_beyond_the_bmp_are_not_taken_for_other_letters():
    first, second = "a\U00020bb7", "c\u0bb7"  # alike if a letter had 16 bits
    assert of(f"{first}\n{second}")["top_2gram_share"] == 0.5


def test_a_share_on_a_limit_is_the_very_number_of_the_limit():
    assert of("ああああああああああ" + "アア" + "水" * 8)["hiragana_share"] == 0.5
    assert of("あああ" + "水" * 7)["hiragana_share"] == 0.3


def test_neighbours_in_a_batch_do_not_change_a_text(monkeypatch):
    texts = ["あいうえお。" * 40, "", "水" * 5000, "a\nb", "ア" * 3]
    together = measure(pa.array(texts))
    for i, text in enumerate(texts):
        assert of(text, tuple(FAMILIES)) == {name: values[i].item() for name, values in together.items()}
    monkeypatch.setattr("seiryu.filters.signals.blocks", lambda array: [array.slice(k, 1) for k in range(len(array))])
    one_by_one = measure(pa.array(texts))
    assert all(np.array_equal(one_by_one[name], together[name]) for name in together)


def test_equal_hashes_of_unequal_lines_do_not_make_them_repeats():
    first, second = "恰躣虉一", "僜沝勂寄"  # found by a search over 2^25 strings
    body = np.array([ord(letter) for letter in first + second], np.uint32)
    assert repeats.hash_letters(body, 0, 4) == repeats.hash_letters(body, 4, 8)
    assert of(f"{first}\n{second}")["repeated_paragraph_share"] == 0
    assert of(f"{first}\n{second}\n{first}\n{second}")["repeated_paragraph_share"] == 0.5


def test_a_million_letters_take_linear_time_and_count_right():
    signals = of("あ" * 1_000_000)
    assert signals["top_2gram_share"] == signals["duplicate_10gram_share"] == 1
    signals = of("\n".join(str(i) for i in range(200_000)))
    assert (signals["paragraphs"], signals["repeated_paragraph_share"]) == (200_000, 0)
