"""Word lists over texts of 2,000 letters that are mostly Japanese, one thread: with the boundaries of words and without.

Each round begins with no clause remembered, as a fresh process does. Against: what one writes first, the same matcher over Python
strings, leftmost longest, without variants and boundaries.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import ahocorasick_rs
import numpy as np
import pyarrow as pa

from benchmarks.inputs import ROOT, Inputs
from benchmarks.memory import resident
from benchmarks.timing import Figure, alternate, rate
from seiryu.filters.letters import CLASSES, JAPANESE, codepoints
from seiryu.filters.words import WordLists, edges, matching
from seiryu.filters.words.sources import words_of

LETTERS = 2_000
OTHERS = ("adult_keywords_en", "discrimination_keywords_ja", "violence_keywords_ja", "advertisement_keywords_ja",
          "header_footer_keywords_ja", "dummy_ng_words")  # fmt: skip
SOURCES = {"adult_keywords_ja": ("hojichar:adult_keywords_ja",)}
ALL_SOURCES = SOURCES | {name: (f"hojichar:{name}",) for name in OTHERS}


def figures(inputs: Inputs) -> Iterator[Figure]:
    texts = pa.array(inputs.texts(LETTERS, 10_000))
    japanese = CLASSES[codepoints(texts)[0]].reshape(-1, LETTERS) & JAPANESE != 0
    texts = texts.filter(pa.array(japanese.mean(axis=1) > 0.5))
    strings, million = texts.to_pylist(), LETTERS * len(texts) / 1e6
    held = resident(os.getpid())
    everything = [WordLists(ALL_SOURCES) for _ in range(5)]
    held = (resident(os.getpid()) - held) / len(everything)
    for what, lists, sources in (("adult", WordLists(SOURCES), SOURCES), ("all", everything[0], ALL_SOURCES)):
        words = sorted({word for source in sources.values() for word in words_of(source)})
        plain = ahocorasick_rs.AhoCorasick(words, ahocorasick_rs.MatchKind.LeftmostLongest, store_patterns=False)
        rounds = alternate(
            {
                "with": fresh(lists, texts),
                "without": without_boundaries(lists, texts),
                "plain": lambda plain=plain: [plain.find_matches_as_indexes(text) for text in strings],
            }
        )
        number = f"{len(words):,} words, {len(texts):,} texts"
        yield rounds.figure(f"{what}, {number}, with boundaries", "with", "M letters/s", rate(million), "plain")
        yield rounds.figure(f"{what}, {number}, without", "without", "M letters/s", rate(million), "plain")
        with_letters, without_letters = (int(task().sum()) for task in (fresh(lists, texts), without_boundaries(lists, texts)))
        yield Figure(f"{what}, letters hit with boundaries, of those without", with_letters / without_letters * 100, "%")
        matches = sum(len(lists.hits(text)) + len(lists.refused(text)) for text in strings)
        yield Figure(f"{what}, matches a million letters", matches / million, "")
    yield Figure("all, memory of the automaton and its tables", held, "MB")
    yield from innocent_words(everything[0])


def fresh(lists: WordLists, texts: pa.Array) -> Callable[[], Any]:
    def count() -> Any:
        edges.remembered.cache_clear()
        return lists.count(texts)[0]

    return count


def without_boundaries(lists: WordLists, texts: pa.Array) -> Callable[[], Any]:
    def count() -> Any:
        with patch.object(matching, "verdicts", lambda *hits: np.zeros(len(hits[1]), np.uint8)):
            return lists.count(texts)[0]

    return count


def innocent_words(lists: WordLists) -> Iterator[Figure]:
    with (ROOT / "tests" / "data" / "innocent_words.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with_boundaries = without = 0
    for row in rows:
        text, word = f"それは{row['phrase']}でした。", (row["word"], row["list"])
        counts = word in {hit[2:] for hit in lists.hits(text)}
        with_boundaries += counts
        without += counts or word in {refusal[2:4] for refusal in lists.refused(text)}
    yield Figure(f"innocent words hit without boundaries, of {len(rows)}", without, "")
    yield Figure(f"innocent words hit with boundaries, of {len(rows)}", with_boundaries, "")
