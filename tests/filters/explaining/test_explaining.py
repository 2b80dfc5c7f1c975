"""The spans that explain a signal are what its kernel counted."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.corpus.tokenizers import load_tokenizer
from seiryu.filters.explaining import gaps, spans
from seiryu.filters.explaining.counted import counted, v1_sentences
from seiryu.filters.explaining.pieces import joined, lines, paragraphs, sentences
from seiryu.filters.instruments import Instruments
from seiryu.filters.rules import Rule
from seiryu.filters.words import WordLists

SENTENCE = re.compile("[^。．！？!?\n]+[。．！？!?]?")
LABELS = Path(__file__).parents[3] / "samples" / "labels.jsonl.gz"
MADE = Instruments(WordLists({"ng": ("hojichar:adult_keywords_ja",)}), load_tokenizer("llama3"), morphology=True)
TEXT = st.lists(
    st.sampled_from(
        [*"あいアイ水火。．！？!?…・#,3４ａbﾃﾞ 　\n\r-•«»", "ー", "あいう。", "\nあい\n", "...", "読む…", "the ", "\ufffd", "𠮷"]
    ),
    max_size=60,
).map("".join)


def letters(spans):
    return sum(end - begin for begin, end in spans)


def real_texts():
    with gzip.open(LABELS, "rt") as rows:
        return [text for row in rows if (text := json.loads(row).get("gold_text")) and len(text) < 6000][::25]


# signal -> (what of the spans is counted, what that is a share of); letters of a line count without its break
PIECES = {
    "repeated_paragraph_share": lambda text: len(paragraphs(text)),
    "repeated_sentence_share": lambda text: len(sentences(text)),
    "ellipsis_share": lambda text: len(sentences(text)),
    "v1_repeated_sentence_share": lambda text: len(v1_sentences(text)),
    "v1_repeated_paragraph_share": lambda text: text.count("\n") + 1 if text else 0,
    "v1_ellipsis_share": lambda text: len(v1_sentences(text)),
}
LETTERS = {
    "repeated_paragraph_letter_share": lambda text: letters(paragraphs(text)),
    "repeated_sentence_letter_share": lambda text: letters(sentences(text)),
    "v1_repeated_sentence_letter_share": lambda text: letters(v1_sentences(text)),
    "digit_share": lambda text: letters(lines(text)),
    "latin_share": lambda text: letters(lines(text)),
    "symbol_share": lambda text: letters(lines(text)),
    "japanese_share": lambda text: letters(lines(text)),
    **{f"fineweb_duplicate_{n}gram_letter_share": len for n in range(5, 11)},
}


def check(text):
    measured = MADE.measure(pa.array([text]), np.zeros(1))
    value = {name: column[0].item() for name, column in measured.items()}
    same = [line for line in text.split("\n") if not SENTENCE.findall(line)]  # paragraphs of no sentence are all the same one
    empty = same[1:].count("")  # repeats that have no letter to show
    for amount, signals in ((len, PIECES), (letters, LETTERS)):
        for signal, whole in signals.items():
            found = counted(signal)(text, MADE)
            shown = amount(found) + (empty if signal == "v1_repeated_paragraph_share" else 0)
            assert value[signal] == (shown / whole(text) if whole(text) else 0), signal
    for n in range(5, 11):
        places = sum(max(0, end - begin - n + 1) for begin, end in paragraphs(text))
        found = counted(f"duplicate_{n}gram_share")(text, MADE)
        assert value[f"duplicate_{n}gram_share"] == (len(found) / places if places else 0)
    for kind in ("hiragana", "katakana"):
        if value["japanese_letters"]:
            assert value[f"{kind}_share"] == letters(counted(f"{kind}_share")(text, MADE)) / value["japanese_letters"]
        if value["v1_japanese_letters"]:
            assert value[f"v1_{kind}_share"] == letters(counted(f"v1_{kind}_share")(text, MADE)) / value["v1_japanese_letters"]
    for n in range(2, 5):
        top = counted(f"top_{n}gram_share")(text, MADE)
        places = sum(max(0, end - begin - n + 1) for begin, end in paragraphs(text))
        assert value[f"top_{n}gram_share"] == ((len(top) or 1) / places if places else 0)
    assert value["emails"] == len(counted("emails")(text, MADE))
    assert max((end - begin for begin, end in sentences(text)), default=0) == value["longest_sentence_letters"]


@settings(max_examples=150, deadline=None)
@given(TEXT)
def test_what_is_shown_is_what_was_counted_on_any_text(text):
    check(text)


def test_what_is_shown_is_what_was_counted_on_real_pages():
    texts = real_texts()
    assert len(texts) > 20
    for text in texts:
        check(text)


@settings(max_examples=60, deadline=None)
@given(TEXT)
def test_every_signal_has_spans_that_lie_in_the_text_and_apart_or_none(text):
    measured = MADE.measure(pa.array([text]), np.zeros(1))
    for signal in MADE.signals():
        value = measured[signal.name][0].item()
        for rule in (Rule("r", signal.name, high=value - 0.01), Rule("r", signal.name, low=value + 0.01)):
            found = spans(text, rule, value, MADE)
            assert found == sorted(found)
            assert all(0 <= begin < end <= len(text) for begin, end in found)


@pytest.mark.parametrize(
    ("text", "rule", "shown"),
    [
        ("水曜日。エロとセックスの話。", Rule("r", "ng_share", below=0.05), ["エロ", "セックス"]),
        ("ひらがな漢字漢字ひらがな", Rule("r", "hiragana_share", low=0.9), ["漢字漢字"]),
        ("短い。これは少し長めの文である。", Rule("r", "mean_sentence_letters", low=12), ["短い。"]),
        ("短い。これは少し長めの文である。", Rule("r", "longest_sentence_letters", high=8), ["これは少し長めの文である。"]),
        (
            "一行目の文です。\n縺薙ｌ縺ｯ譁�ｭ怜喧縺代\n三行目の文です。",
            Rule("r", "mojibake_share", high=0.0),
            ["縺薙ｌ縺ｯ譁�ｭ怜喧縺代"],
        ),
        ("短い。これは少し長めの文である。", Rule("r", "longest_sentence_letters", below=13), ["これは少し長めの文である。"]),
        ("問い合わせは info@example.jp まで", Rule("r", "emails", high=0), ["info@example.jp"]),
        ("这个软件们的说明、日本語", Rule("r", "simplified_han_share", high=0.1), ["这", "软", "们", "说"]),
        ("長さだけ", Rule("r", "letters", low=400), []),
    ],
)
def test_a_rule_shows_where_it_found_too_much_or_what_stands_where_it_found_too_little(text, rule, shown):
    value = MADE.measure(pa.array([text]), np.zeros(1))[rule.signal][0].item()
    assert rule.rejects(np.array([value]))[0]
    found = [text[begin:end] for begin, end in spans(text, rule, value, MADE)]
    assert [piece for piece in shown if piece not in "".join(found)] == []
    assert len("".join(found)) <= len("".join(shown)) + 2


def test_gaps_are_the_longest_stretches_between():
    assert gaps("aaXbbbbXc", [(2, 3), (7, 8)]) == [(0, 2), (3, 7), (8, 9)]
    assert joined([(3, 5), (0, 1), (4, 9), (1, 2)]) == [(0, 1), (1, 2), (3, 9)]
