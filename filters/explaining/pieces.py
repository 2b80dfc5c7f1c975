"""The pieces that signals count, as places in the text: paragraphs, sentences, repeats, n-grams. One text at a time, in plain Python.

The definitions are those of `signals.swallow`; where a family has others it says so. Spans are (begin, end) in code points.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]

_LINE = re.compile(r"[^\n\r]+")
# A run without an end of sentence, a mark between two digits being none, and the mark that ends it.
_SENTENCE = re.compile(r"((?:[^。．！？!?]|(?<=[0-9０-９])[．！？!?](?=[0-9０-９]))*)([。．！？!?]?)", re.DOTALL)


def lines(text: str) -> list[Span]:
    """What stands between line breaks, as it is, blank or not, but not empty."""
    return [match.span() for match in _LINE.finditer(text)]


def paragraphs(text: str) -> list[Span]:
    """Lines that are not blank, stripped."""
    return [span for line in _LINE.finditer(text) if (span := stripped(text, line.start(), line.end()))]


def sentences(text: str) -> list[Span]:
    """Sentences within paragraphs, stripped, with the mark that ends them."""
    found = []
    for begin, end in paragraphs(text):
        for match in _SENTENCE.finditer(text[begin:end]):
            if match[1].strip() and (span := stripped(text, begin + match.start(), begin + match.end())):
                found.append(span)
    return found


def stripped(text: str, begin: int, end: int) -> Span | None:
    """The span without white space at its ends; None if nothing is left."""
    piece = text[begin:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    return (begin + left, begin + right) if left < right else None


def repeats(text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans whose letters stood in an earlier one."""
    seen: set[str] = set()
    found = []
    for begin, end in spans:
        piece = text[begin:end]
        if piece in seen:
            found.append((begin, end))
        seen.add(piece)
    return found


def grams(n: int, within: Sequence[Span]) -> Iterator[Span]:
    """Every n-gram of letters within the spans."""
    for begin, end in within:
        for place in range(begin, end - n + 1):
            yield place, place + n


def top_gram(text: str, n: int, within: Sequence[Span]) -> list[Span]:
    """All places of the most frequent n-gram, the first one met where several are; none if none occurs twice."""
    places = list(grams(n, within))
    counts = Counter(text[begin:end] for begin, end in places)
    if not counts or counts.most_common(1)[0][1] < 2:
        return []
    top = counts.most_common(1)[0][0]
    return [(begin, end) for begin, end in places if text[begin:end] == top]


def duplicate_grams(text: str, n: int, within: Sequence[Span]) -> list[Span]:
    """All places of n-grams that occur twice or more."""
    places = list(grams(n, within))
    counts = Counter(text[begin:end] for begin, end in places)
    return [(begin, end) for begin, end in places if counts[text[begin:end]] > 1]


def runs(text: str, pattern: re.Pattern[str]) -> list[Span]:
    """Where the pattern matches."""
    return [match.span() for match in pattern.finditer(text)]


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that overlap made one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found
