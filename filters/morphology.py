"""Words and their parts of speech by Sudachi, of texts of any length.

Sudachi refuses more than 49,149 bytes, so a line is cut after ends of sentences into pieces below that, and anywhere if a
sentence is longer. 0.5 M letters a second: whoever asks, asks only for what he needs.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

SUDACHI_BYTES = 40_000  # it refuses 49,149; the rest is for letters that grow when it normalises them
SENTENCE_ENDS = "。．！？!?"


def boundaries(text: str, begin: int, end: int, spans: Sequence[tuple[int, int]]) -> set[int]:
    """Where words begin or end in the pieces of a line that hold a hit."""
    found: set[int] = set()
    k = 0
    for first, last in _pieces(text, begin, end):
        while k < len(spans) and spans[k][1] <= first:
            k += 1
        if k < len(spans) and spans[k][0] < last:
            found.update(_morphemes(text, first, last))
    return found


def _pieces(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The line cut after ends of sentences into pieces for Sudachi; anywhere if a sentence is longer."""
    while begin < end:
        piece = text[begin : min(end, begin + SUDACHI_BYTES)].encode()[:SUDACHI_BYTES].decode(errors="ignore")
        last = begin + len(piece)
        if last < end:
            cut = max(piece.rfind(mark) for mark in SENTENCE_ENDS) + 1
            last = begin + cut if cut else last
        yield begin, last
        begin = last


def _morphemes(text: str, begin: int, end: int) -> Iterator[int]:
    from sudachipy.errors import SudachiError

    try:
        morphemes = _tokenizer().tokenize(text[begin:end])
    except SudachiError:
        if end - begin < 2:
            raise
        middle = (begin + end) // 2  # letters such as ㍿ become four when normalised, which it refuses as too long
        yield from _morphemes(text, begin, middle)
        yield from _morphemes(text, middle, end)
        return
    yield begin
    yield from (begin + morpheme.end() for morpheme in morphemes)


@functools.cache
def _tokenizer() -> Any:
    from sudachipy import Dictionary, SplitMode

    return Dictionary().tokenizer(mode=SplitMode.C)
