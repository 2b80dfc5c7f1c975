"""The footer of a page: comment forms, links to other articles, copyright.

In the last lines the first that consists to more than a share of words such as コメントを書く is where it begins. Lines are those
that are not blank, so that blank ones do not shield a footer. The words, `words/lists/footer_words.txt`, are long or
unmistakable on purpose: one line of prose in ten that says コメント must stay below 30 %.
"""

import functools
from importlib import resources
from typing import Any

import ahocorasick_rs

from seiryu.filters.words.sources import read_words

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def without_footer(text: str, lines: int = 10, share: float = 0.3) -> str:
    """The text up to its footer, without white space at its end; the text itself if it has none.

    A footer begins in the last `lines` lines, with one of which more than `share` of the letters lie in footer words.
    """
    words = _footer_words()
    for begin, end in _last_lines(text, lines):
        line = text[begin:end].strip().translate(_ASCII_LOWER)
        hits = words.find_matches_as_indexes(line)
        if sum(last - first for _, first, last in hits) > share * len(line):
            return text[:begin].rstrip()
    return text


def _last_lines(text: str, number: int) -> list[tuple[int, int]]:
    """(begin, end) of the last lines that are not blank, in the order of the text."""
    spans: list[tuple[int, int]] = []
    end = len(text)
    while end >= 0 and len(spans) < number:
        begin = text.rfind("\n", 0, end) + 1
        if text[begin:end].strip():
            spans.append((begin, end))
        end = begin - 1
    return spans[::-1]


@functools.cache
def _footer_words() -> Any:
    words = read_words(resources.files("seiryu.filters") / "words" / "lists" / "footer_words.txt")
    lowered = sorted({word.translate(_ASCII_LOWER) for word in words})
    return ahocorasick_rs.AhoCorasick(lowered, ahocorasick_rs.MatchKind.LeftmostLongest)
