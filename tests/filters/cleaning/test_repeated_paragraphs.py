"""Paragraphs of many documents: against a plain count of real texts, and on whatever Unicode holds."""

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seiryu.corpus import schema
from seiryu.filters.cleaning import line_sums
from seiryu.filters.cleaning.line_sums import in_many_documents
from seiryu.filters.cleaning.repeated_lines import count_lines, count_paragraphs, paragraph_places

SAMPLES = Path(__file__).parents[3] / "samples" / "labels.jsonl.gz"

WORDS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["", " お知らせ　", "お知らせ", "\t\x85", "あ\rい", "𠮷"]
)
TEXTS = st.lists(st.lists(WORDS, max_size=8).map("\n".join), max_size=12)


def counted(texts, min_letters):
    return count_paragraphs(pa.chunked_array([texts], pa.string()), min_letters)


def plain_count(texts, min_letters):
    """paragraph -> documents, as one writes it down first."""
    found = Counter()
    for text in texts:
        found.update({line.strip() for line in text.split("\n") if len(line.strip()) >= min_letters})
    return found


def part(table):
    return lambda columns: table.select(list(columns))


def rows(table):
    return {row["text"]: row["documents"] for row in table.to_pylist()}


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(1, 4))
def test_a_paragraph_counts_once_a_document_whatever_the_site_and_has_a_hash_for_all_time(texts, min_letters):
    table = counted(texts, min_letters)
    assert table.schema.equals(schema.PARAGRAPHS)
    assert rows(table) == dict(plain_count(texts, min_letters))
    assert len(table) == len(rows(table))
    assert table["place"].to_pylist() == paragraph_places(table["text"]).tolist() == sorted(table["place"].to_pylist())


def test_the_hash_is_of_the_letters_alone():
    assert paragraph_places(pa.array(["お知らせ", ""])).tolist() == [0xFFFAEDDE1CAAB730, 0x250B9A396BE2F85C]
    one = count_lines(pa.array(["お知らせ"]), pa.array(["a.jp"]), 1)
    assert paragraph_places(pa.array(["お知らせ"]))[0] not in one["line"].to_pylist()


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 3), st.integers(1, 3), st.integers(1, 5), st.randoms(), st.sampled_from([1, 1 << 27]))
@example(["おしらせ"] * 3, 2, 1, 3, None, 1)
@example(["おしらせ"] * 3, 3, 1, 3, None, 1)
def test_the_sums_are_those_of_a_plain_count_however_the_texts_lie_in_files(texts, most, min_letters, files, random, slots):
    parts = [part(counted(texts[number::files], min_letters)) for number in range(files)]
    if random:
        random.shuffle(parts)
    keep, line_sums.MOST_SLOTS = line_sums.MOST_SLOTS, slots
    try:
        found = in_many_documents(parts, len(texts), most)
    finally:
        line_sums.MOST_SLOTS = keep
    want = {text: number for text, number in plain_count(texts, min_letters).items() if number > most}
    assert rows(found.table) == want
    assert found.table.schema.equals(schema.PARAGRAPHS)
    assert found.table["place"].to_pylist() == sorted(found.table["place"].to_pylist())
    assert found.rows == sum(len(part(["place"])) for part in parts)


@pytest.mark.parametrize("files", [1, 7])
def test_real_texts_have_the_paragraphs_of_a_plain_count_whole_and_in_shuffled_files(files):
    with gzip.open(SAMPLES, "rt", encoding="utf-8") as lines:
        texts = [text for text in (json.loads(line).get("gold_text") for line in lines) if text]
    want = {text: number for text, number in plain_count(texts, 10).items() if number > 5}
    assert len(want) > 10
    order = np.random.default_rng(0).permutation(len(texts))
    parts = [part(counted([texts[row] for row in order[number::files]], 10)) for number in range(files)]
    assert rows(in_many_documents(parts, 0, 5).table) == want


def test_paragraphs_that_stand_once_are_not_held(monkeypatch):
    """Nearly all do, and only what shares a slot with a repeated one may come into the second reading."""
    seen = []
    add = line_sums._Sums.add
    monkeypatch.setattr(
        line_sums._Sums, "add", lambda self, hashes, numbers: seen.append(len(hashes)) or add(self, hashes, numbers)
    )
    texts = [f"お知らせの文章です\n{number}番の文書にしかない" for number in range(20_000)]
    parts = [part(counted(texts[start : start + 1000], 5)) for start in range(0, 20_000, 1000)]
    assert rows(in_many_documents(parts, 20_020, 100).table) == {"お知らせの文章です": 20_000}
    assert sum(seen) < 40


def test_no_text_at_all_has_no_paragraphs():
    assert counted([], 1).equals(schema.PARAGRAPHS.empty_table())
    for parts in ([], [part(counted(["", "\n \n"], 1))]):
        found = in_many_documents(parts, 0, 1)
        assert found.table.equals(schema.PARAGRAPHS.empty_table())
        assert found.rows == found.sites == 0
