"""Personal data: what looking for it costs, in texts as they are and in such as are full of it, against a pattern a kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.inputs import Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.filters.cleaning.personal_data import find, mask

# What one would write first: word boundaries, one search a kind, no check digit.
PLAIN = [
    re.compile(pattern)
    for pattern in (
        r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",
        r"\b0\d{1,4}-\d{1,4}-\d{4}\b",
        r"\b\d{4}-\d{4}-\d{4}\b",
        r"\b\d{4}-\d{4}-\d{4}-\d{4}\b",
        r"〒?\d{3}-\d{4}\s*\S{2,3}[都道府県]\S{2,30}",
    )
]
FULL = "連絡先は〒100-0001 東京都千代田区千代田1-1、電話03-1234-5678、メールinfo@example.jpまで。あとは普通の文が続く。\n"


def figures(inputs: Inputs) -> Iterator[Figure]:
    texts, full = inputs.texts(2000, 300), [FULL * 30] * 20
    letters = sum(map(len, texts)) / 1e6
    rounds = alternate(
        {
            "find": lambda: [find(text) for text in texts],
            "a pattern a kind": lambda: [pattern.findall(text) for text in texts for pattern in PLAIN],
            "mask": lambda: [mask(text) for text in full],
        }
    )
    yield rounds.figure("find, texts as they are", "find", "M letters/s", rate(letters), "a pattern a kind")
    yield rounds.figure("mask, three in 70 letters", "mask", "M letters/s", rate(sum(map(len, full)) / 1e6))
    yield Figure("hits in the texts as they are", sum(len(find(text)) for text in texts), "")
