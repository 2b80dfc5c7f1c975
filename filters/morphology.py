"""Words and their parts of speech by Sudachi, of texts of any length.

A line is analysed by itself, so that a word never spans two lines, and what is asked of one line (`boundaries`) is what the
whole text would answer. Lines over 1,900 letters are cut after ends of sentences, else after commas and spaces, else anywhere:
Sudachi refuses 49,149 bytes, or 65,535 after NFKC, which makes 33 bytes of ﷺ; and pieces of 13,000 letters take a third
longer a letter than short ones.

0.9 M letters a second and core, where Sudachi alone makes 1.2 M: the best path through its lattice is the price, and whoever
asks, asks only for what he needs. `segmented` 1.1 M; short units 0.8 M, and words with short units of one analysis as much.
Sudachi releases the GIL: two threads analyse twice as much. Only the fields of the dictionary that the analysis needs are
read. `normalized_form` is one of them: without it numerals such as 2.0 are silently left in three pieces.

A reading in brackets after kanji, 漢字(かんじ), is part of the word before it: Sudachi's own setting, which spaCy and so FineWeb
use too. For `boundaries` its brackets stand between words all the same.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.filters.letters import CLASSES, SPACE

PIECE = 1_900  # letters; 33 bytes a letter at the worst stay below 65,535
CUTS = ("。．！？!?", "、，, \t　")
KINDS = (
    "名詞", "代名詞", "形状詞", "連体詞", "副詞", "接続詞", "感動詞", "動詞", "形容詞", "助動詞", "助詞", "接頭辞", "接尾辞",
    "記号", "補助記号", "空白",
)  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
_BRACKET = re.compile(r"[()（）]")
_here = threading.local()

Spans = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Morphemes:
    """Words of a text in order: `spans` int32 (k, 2), begin and end in its code points; `kinds` int8 (k,), places in KINDS."""

    spans: Spans
    kinds: npt.NDArray[np.int8]


def words(text: str) -> Morphemes:
    """The words of a text, Sudachi's longest units (mode C), punctuation among them; what is only white space is none."""
    pieces = list(_pieces(text, 0, len(text)))
    counts: list[int] = []
    lengths: list[int] = []
    parts: list[int] = []
    for first, last in pieces:
        found = list(_tokenize(text[first:last]))
        counts.append(len(found))
        lengths += map(len, found)
        parts += [morpheme.part_of_speech_id() for morpheme in found]
    spans, solid = _spans(text, pieces, counts, lengths)
    return Morphemes(spans[solid], _kinds()[parts][solid])


def short_units(text: str) -> Spans:
    """int32 (k, 2): begin and end of the shortest units of a text (mode A), white space left out."""
    return words_and_short_units(text)[1]


def words_and_short_units(text: str) -> tuple[Morphemes, Spans]:
    """Both of one analysis, for half the price: mode A is mode C with its words taken apart."""
    from sudachipy import SplitMode

    pieces = list(_pieces(text, 0, len(text)))
    counts: list[int] = []
    lengths: list[int] = []
    parts: list[int] = []
    unit_counts: list[int] = []
    unit_lengths: list[int] = []
    for first, last in pieces:
        found = list(_tokenize(text[first:last]))
        counts.append(len(found))
        parts += [morpheme.part_of_speech_id() for morpheme in found]
        before = len(unit_lengths)
        for morpheme in found:
            lengths.append(length := len(morpheme))
            if length > 1 and len(units := morpheme.split(SplitMode.A, out=_here.units, add_single=False)):
                unit_lengths += map(len, units)
            else:
                unit_lengths.append(length)
        unit_counts.append(len(unit_lengths) - before)
    spans, solid = _spans(text, pieces, counts, lengths)
    unit_spans, solid_units = _spans(text, pieces, unit_counts, unit_lengths)
    return Morphemes(spans[solid], _kinds()[parts][solid]), unit_spans[solid_units]


def segmented(text: str) -> str:
    """The text as one line with a space between any two words, as classifiers of segmented text are trained on."""
    pieces = (str(_tokenize(text[first:last])) for first, last in _pieces(text, 0, len(text)))
    return " ".join(" ".join(pieces).split())


def boundaries(text: str, begin: int, end: int, spans: Sequence[tuple[int, int]]) -> set[int]:
    """Where words begin or end in those pieces of the line text[begin:end] that hold one of the spans, given in order."""
    found: set[int] = set()
    k = 0
    for first, last in _pieces(text, begin, end):
        while k < len(spans) and spans[k][1] <= first:
            k += 1
        if k < len(spans) and spans[k][0] < last:
            found.add(first)
            found.update(first + morpheme.end() for morpheme in _tokenize(text[first:last]))
            for bracket in _BRACKET.finditer(text, first, last):
                found.update(bracket.span())
    return found


@functools.cache
def dictionary_version() -> str:
    """What decides where words end: the versions of the dictionary and of Sudachi."""
    return f"SudachiDict-core {version('sudachidict_core')}, SudachiPy {version('sudachipy')}"


def _pieces(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Lines, and lines that are too long cut at the best place there is."""
    while begin < end:
        line = text.find("\n", begin, end)
        if line == begin:
            begin += 1
            continue
        last = end if line < 0 else line
        if last - begin > PIECE:
            last = begin + PIECE
            cuts = (max(text.rfind(mark, begin, last) for mark in marks) + 1 for marks in CUTS)
            last = next((cut for cut in cuts if cut > begin), last)
        yield begin, last
        begin = last


def _spans(
    text: str, pieces: list[tuple[int, int]], counts: list[int], lengths: list[int]
) -> tuple[Spans, npt.NDArray[np.bool_]]:
    """Begins and ends of words that fill their pieces without a gap, and which of them are more than white space.

    Sudachi has no part of speech for that: ˘ is 空白 to it and \\x1c is 補助記号. No word: the nothing left of a ㍿ taken apart.
    """
    firsts, lasts = np.array(pieces, np.int32).reshape(-1, 2).T
    skipped = firsts - np.cumsum(lasts - firsts, dtype=np.int32) + lasts - firsts  # line breaks before each piece
    sizes = np.array(lengths, np.int32)
    ends = np.cumsum(sizes, dtype=np.int32) + np.repeat(skipped, counts)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    letters = np.zeros(len(points) + 1, np.int32)
    np.cumsum(CLASSES[points] & SPACE == 0, out=letters[1:])
    return np.stack((ends - sizes, ends), 1), letters[ends] > letters[ends - sizes]


def _tokenize(piece: str) -> Any:
    """Sudachi's morphemes of a piece, to be used before the next call: they are written where the last ones were."""
    if not hasattr(_here, "tokenize"):  # one a thread: a tokenizer is not for two at once
        fields = {"pos", "normalized_form", "split_a"}
        _here.tokenize = _dictionary().tokenizer(mode="C", fields=fields).tokenize
        _here.words, _here.units = _here.tokenize(""), _here.tokenize("")
    if not piece.isascii():
        piece = _SURROGATE.sub("\ufffd", piece)  # half a pair is no letter, and has no UTF-8
    return _here.tokenize(piece, out=_here.words)


@functools.cache
def _kinds() -> npt.NDArray[np.int8]:
    """The place in KINDS of each part of speech the dictionary has."""
    kinds: list[int] = []
    while part := _dictionary().pos_of(len(kinds)):
        kinds.append(KINDS.index(part[0]))
    return np.array(kinds, np.int8)


@functools.cache
def _dictionary() -> Any:
    from sudachipy import Dictionary

    return Dictionary()
