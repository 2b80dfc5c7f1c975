"""Shares of parts of speech, counted word by word."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters.morphology import KINDS, words
from seiryu.filters.signals.word_kinds import SIGNALS, measure_word_kinds

LABELS = Path(__file__).parents[3] / "samples" / "labels.jsonl.gz"


def of(text):
    return {name: values[0].item() for name, values in measure_word_kinds([words(text)]).items()}


def twin(text):
    found = words(text)
    kinds = [KINDS[kind] for kind in found.kinds]
    lengths = [end - begin for begin, end in found.spans.tolist()]
    counted = [(kind, length) for kind, length in zip(kinds, lengths, strict=True) if kind not in ("補助記号", "空白")]
    share = 1 / len(counted) if counted else 0
    return {
        "function_word_share": pytest.approx(sum(kind in ("助詞", "助動詞") for kind, _ in counted) * share),
        "noun_share": pytest.approx(sum(kind == "名詞" for kind, _ in counted) * share),
        "mean_word_letters": pytest.approx(sum(length for _, length in counted) * share),
    }


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("私は東京で暮らします。\n　、彼女の声˘★ab1"), max_size=40))
def test_shares_equal_those_counted_word_by_word(text):
    assert of(text) == twin(text)


def test_shares_equal_those_counted_word_by_word_on_real_pages():
    with gzip.open(LABELS, "rt", encoding="utf-8") as lines:
        texts = [text for line in lines if (text := json.loads(line).get("gold_text"))][::30]
    assert len(texts) > 30
    together = measure_word_kinds([words(text) for text in texts])
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in together.items()} == twin(text)


def test_punctuation_and_signs_are_no_words():
    assert of("私は、学生です。★") == of("私は学生です")
    assert of("私は学生です") == {"function_word_share": 0.5, "noun_share": 0.25, "mean_word_letters": 1.5}


def test_prose_has_particles_and_a_row_of_keywords_has_none():
    prose = of("昨日は雨が降っていたので、家で本を読みながら音楽を聴いていました。")
    keywords = of("財布 バッグ 時計 激安 通販 ブランド 新作 人気 送料 無料")
    assert prose["function_word_share"] > 0.4 > 0.3 > prose["noun_share"]
    assert keywords["function_word_share"] == 0
    assert keywords["noun_share"] > 0.7


@pytest.mark.parametrize("nothing", ["", "\n", "。、★"])
def test_a_text_without_words_has_no_share_of_anything(nothing):
    assert set(of(nothing).values()) == {0}


def test_no_text_gives_empty_columns_and_each_signal_has_the_type_it_says():
    measured = measure_word_kinds([])
    assert [(name, values.dtype) for name, values in measured.items()] == [(s.name, s.dtype) for s in SIGNALS]
    assert {len(values) for values in measured.values()} == {0}
    assert all(values.dtype == np.float64 for values in measure_word_kinds([words("水")]).values())
