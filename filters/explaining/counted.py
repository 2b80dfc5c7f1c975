"""What each signal counts, as places in the text; by the same definitions as the kernels, which the tests hold it to.

Where a signal is decided line by line and within the line by letters (mojibake, traditional han), the line is shown. Nothing is shown
of signals that the text as a whole decides: lengths, ratios of counts, classifiers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from seiryu.filters.cleaning.personal_data import KINDS, find
from seiryu.filters.cleaning.personal_data import SIGNALS as PERSONAL
from seiryu.filters.explaining.pieces import (
    Span,
    duplicate_grams,
    lines,
    paragraphs,
    repeats,
    runs,
    sentences,
    top_gram,
)
from seiryu.filters.instruments import Instruments
from seiryu.filters.letters import HIRAGANA, JAPANESE, KATAKANA, RANGES
from seiryu.filters.morphology import KINDS as WORD_KINDS
from seiryu.filters.morphology import short_units, words
from seiryu.filters.signals import han
from seiryu.filters.signals.writing import LATIN, SYMBOLS

Counted = Callable[[str, Instruments], list[Span]]
Ranges = Sequence[tuple[int, int]]


def _class(*ranges: Ranges) -> re.Pattern[str]:
    """A run of letters of these ranges."""
    inner = "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for part in ranges for first, last in part)
    return re.compile(f"[{inner}]+")


_KATAKANA_V1, _HIRAGANA_V1 = ((0x30A1, 0x30FA),), ((0x3041, 0x3096),)
_KANJI_V1 = ((0x3005, 0x3005), (0x3007, 0x3007), (0x303B, 0x303B), (0x3400, 0x9FFF), (0xF900, 0xFAFF))
_MARKS = tuple((ord(mark), ord(mark)) for mark in "。．！？、，")
_RUNS = {
    "hiragana_share": _class(RANGES[HIRAGANA]),
    "katakana_share": _class(RANGES[KATAKANA]),
    "japanese_share": _class(*(ranges for flag, ranges in RANGES.items() if flag & JAPANESE)),
    "v1_hiragana_share": _class(_HIRAGANA_V1),
    "v1_katakana_share": _class(_KATAKANA_V1),
    "v1_japanese_share": _class(_HIRAGANA_V1, _KATAKANA_V1, _KANJI_V1, _MARKS),
    "simplified_han_share": re.compile(f"[{re.escape(han.SIMPLIFIED)}]+"),
    "digit_share": re.compile("[0-9０-９]+"),
    "latin_share": _class(LATIN),
    "symbol_share": _class(SYMBOLS),
    "fineweb_hash_ratio": re.compile("#"),
    "fineweb_ellipsis_ratio": re.compile(r"\.\.\.|…"),
}
_BY_LINE = ("mojibake_share", "traditional_han_share", "list_share", "url_share", "fineweb_line_punctuation_share",
            "fineweb_bullet_line_share", "fineweb_ellipsis_line_share")  # fmt: skip
_V1_SENTENCE = re.compile("[^。．！？!?\n]+[。．！？!?]?")


def counted(signal: str) -> Counted | None:
    """The function that finds what a signal counts; None for a signal of the text as a whole."""
    return _SIGNALS.get(signal)


def _of_class(text: str, _: Instruments, pattern: re.Pattern[str]) -> list[Span]:
    return runs(text, pattern)


def _of_lines(text: str, made: Instruments, signal: str) -> list[Span]:
    spans = lines(text)
    values = made.measure(pa.array([text[begin:end] for begin, end in spans], pa.string()), np.zeros(len(spans)), only=[signal])
    return [span for span, value in zip(spans, values[signal], strict=True) if value > 0]


def _repeated(text: str, _: Instruments, pieces: Callable[[str], list[Span]]) -> list[Span]:
    return repeats(text, pieces(text))


def v1_sentences(text: str) -> list[Span]:
    """Sentences as the family `swallow-v1` counts them: not stripped, ３．１４ two of them."""
    return runs(text, _V1_SENTENCE)


def _v1_repeated_paragraphs(text: str, _: Instruments) -> list[Span]:
    """A paragraph is its sentences joined, so two lines may be one and differ in a second ！."""
    seen: set[str] = set()
    found, begin = [], 0
    for line in text.split("\n"):
        joined = "".join(_V1_SENTENCE.findall(line))
        if joined in seen and line:
            found.append((begin, begin + len(line)))
        seen.add(joined)
        begin += len(line) + 1
    return found


def _ellipses(text: str, _: Instruments, pieces: Callable[[str], list[Span]]) -> list[Span]:
    return [(begin, end) for begin, end in pieces(text) if text[begin:end].rstrip()[-1:] in ("・", "…")]


def _top(text: str, _: Instruments, n: int, whole: bool) -> list[Span]:
    return top_gram(text, n, [(0, len(text))] if whole else paragraphs(text))


def _duplicate(text: str, _: Instruments, n: int, whole: bool) -> list[Span]:
    return duplicate_grams(text, n, [(0, len(text))] if whole else paragraphs(text))


def _blocks(text: str, _: Instruments) -> list[Span]:
    """FineWeb's duplicate lines: what lies between runs of line feeds."""
    return repeats(text, runs(text, re.compile("[^\n]+")))


def _units(text: str) -> list[Span]:
    return [(int(begin), int(end)) for begin, end in short_units(text)]


def _top_words(text: str, _: Instruments, n: int) -> list[Span]:
    """The most frequent n words in a row, the first of several."""
    units = _units(text)
    rows = [tuple(text[begin:end] for begin, end in units[k : k + n]) for k in range(len(units) - n + 1)]
    if not rows:
        return []
    top = Counter(rows).most_common(1)[0][0]
    return [(units[k][0], units[k + n - 1][1]) for k, row in enumerate(rows) if row == top]


def _duplicate_words(text: str, _: Instruments, n: int) -> list[Span]:
    """Each word of n in a row that came before, from left to right, going on behind each that is found."""
    units = _units(text)
    seen: set[str] = set()
    found: list[Span] = []
    k = 0
    while k < len(units) - n + 1:
        row = "".join(text[begin:end] for begin, end in units[k : k + n])
        if row in seen:
            found += units[k : k + n]
            k += n
        else:
            seen.add(row)
            k += 1
    return found


def _words(text: str, _: Instruments, kinds: tuple[str, ...]) -> list[Span]:
    found = words(text)
    wanted = np.isin(found.kinds, [WORD_KINDS.index(kind) for kind in kinds])
    return [(int(begin), int(end)) for begin, end in found.spans[wanted]]


def _alphabetic(text: str, _: Instruments) -> list[Span]:
    return [(begin, end) for begin, end in _units(text) if any(letter.isalpha() for letter in text[begin:end])]


def _personal(text: str, _: Instruments, kind: str) -> list[Span]:
    return [(begin, end) for begin, end, _ in find(text, (kind,))]


_SIGNALS: dict[str, Counted] = {
    **{signal: partial(_of_class, pattern=pattern) for signal, pattern in _RUNS.items()},
    **{signal: partial(_of_lines, signal=signal) for signal in _BY_LINE},
    **{f"repeated_{what}_share": partial(_repeated, pieces=paragraphs) for what in ("paragraph", "paragraph_letter")},
    **{f"repeated_{what}_share": partial(_repeated, pieces=sentences) for what in ("sentence", "sentence_letter")},
    **{f"v1_repeated_{what}_share": _v1_repeated_paragraphs for what in ("paragraph", "paragraph_letter")},
    **{f"v1_repeated_{what}_share": partial(_repeated, pieces=v1_sentences) for what in ("sentence", "sentence_letter")},
    **{f"top_{n}gram_share": partial(_top, n=n, whole=False) for n in range(2, 5)},
    **{f"v1_top_{n}gram_share": partial(_top, n=n, whole=True) for n in range(2, 5)},
    **{f"duplicate_{n}gram_share": partial(_duplicate, n=n, whole=False) for n in range(5, 11)},
    **{f"v1_duplicate_{n}gram_share": partial(_duplicate, n=n, whole=True) for n in range(5, 11)},
    "ellipsis_share": partial(_ellipses, pieces=sentences),
    "v1_ellipsis_share": partial(_ellipses, pieces=v1_sentences),
    **{f"fineweb_duplicate_line_{what}": _blocks for what in ("share", "letter_share")},
    **{f"fineweb_top_{n}gram_letter_share": partial(_top_words, n=n) for n in range(2, 5)},
    **{f"fineweb_duplicate_{n}gram_letter_share": partial(_duplicate_words, n=n) for n in range(5, 11)},
    "fineweb_alphabetic_word_share": _alphabetic,
    "noun_share": partial(_words, kinds=("名詞",)),
    "function_word_share": partial(_words, kinds=("助詞", "助動詞")),
    **{signal.name: partial(_personal, kind=kind) for kind, signal in zip(KINDS, PERSONAL, strict=True)},
}
