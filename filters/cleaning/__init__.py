"""The last touch on a document that stays: Japanese punctuation, and no footer.

Punctuation: horizontal texts of offices and schools write ，．for 、。. What a document mostly does is made
the common form, for commas and full stops apart; mostly is told by those that stand after a Japanese letter
or a closing bracket. Those after a full-width letter or digit (３．１４, Ｎｏ．３) or between digits are part
of a name or number and stay.

Footers: in the last ten lines the first that consists to more than 30 % of words such as コメントを書く cuts
the document there. The code released for the Swallow corpus can empty a document that way; here a cut of more
than 30 % of the letters is none. Lines are those that are not blank, so that blank ones do not shield a
footer. The words, `words/lists/footer_words.txt`, are long or unmistakable on purpose: one line of prose in ten
that says コメント must stay below 30 %.
"""

import functools
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

import ahocorasick_rs

from seiryu.filters.letters import HIRAGANA, KANJI, KATAKANA, RANGES
from seiryu.filters.words.matching import read_words


@dataclass(frozen=True, slots=True)
class CleanSettings:
    """What `clean` does. Of letters: `footer_share` of a line's, `max_cut_share` of the document's."""

    punctuation: bool = True
    footers: bool = True
    footer_lines: int = 10
    footer_share: float = 0.3
    max_cut_share: float = 0.3


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The text, how many ，． were changed in it, how many letters (line breaks apart) cut off its end."""

    text: str
    punctuation_letters: int = 0
    footer_letters: int = 0


_JAPANESE = "）」』］〕】〉》" + "".join(
    f"{chr(first)}-{chr(last)}" for kind in (HIRAGANA, KATAKANA, KANJI) for first, last in RANGES[kind]
)
_MARKS = tuple(  # the mark first and what precedes it second: re then looks for the mark alone
    (
        re.compile(f"{old}(?<=[{_JAPANESE}]{old})"),
        re.compile(f"{new}(?<=[{_JAPANESE}]{new})"),
        re.compile(f"{old}(?<![０-９Ａ-Ｚａ-ｚ]{old})(?!(?<=[0-9]{old})[0-9０-９])"),
        new,
    )
    for old, new in ("，、", "．。")
)
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def clean(text: str, settings: CleanSettings = CleanSettings()) -> Cleaned:
    """The text with common punctuation and no footer; a text that needs neither comes back as it is."""
    marks = footer = 0
    if settings.punctuation:
        text, marks = _punctuate(text)
    if settings.footers:
        text, footer = _cut_footer(text, settings)
    return Cleaned(text, marks, footer)


def _punctuate(text: str) -> tuple[str, int]:
    changed = 0
    for old_use, new_use, to_change, new in _MARKS:
        if sum(1 for _ in old_use.finditer(text)) > sum(1 for _ in new_use.finditer(text)):
            text, times = to_change.subn(new, text)
            changed += times
    return text, changed


def _cut_footer(text: str, settings: CleanSettings) -> tuple[str, int]:
    words = _footer_words()
    for begin, end in _last_lines(text, settings.footer_lines):
        line = text[begin:end].strip().translate(_ASCII_LOWER)
        hits = words.find_matches_as_indexes(line)
        if sum(last - first for _, first, last in hits) <= settings.footer_share * len(line):
            continue
        kept = text[:begin].rstrip()
        cut = _letters(text) - _letters(kept)
        if cut > settings.max_cut_share * _letters(text):
            return text, 0
        return kept, cut
    return text, 0


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


def _letters(text: str) -> int:
    return len(text) - text.count("\n") - text.count("\r")


@functools.cache
def _footer_words() -> Any:
    words = read_words(resources.files("seiryu.filters") / "words" / "lists" / "footer_words.txt")
    lowered = sorted({word.translate(_ASCII_LOWER) for word in words})
    return ahocorasick_rs.AhoCorasick(lowered, ahocorasick_rs.MatchKind.LeftmostLongest)
