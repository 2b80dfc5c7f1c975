"""What is measured of a text: the signals of the Swallow corpus as its paper and Gopher mean them.

A *letter* is a code point other than a line break. A *paragraph* is a line that is not blank, stripped of
white space (U+3000 too). A *sentence* is, within a paragraph, a run without 。．！？!? and one of these if it
follows, stripped; a blank run is none, so the second ！ of ！！ belongs to no sentence; ．！？!? between two
digits end none. *n-grams* are of letters and lie within a paragraph: over line breaks they would tell of the
layout, and equal neighbours of repeated lines are counted by the lines already. "Repeated" is each occurrence
after the first; "duplicate" n-grams are all occurrences of those that occur twice or more, the first among
them.

Whole numbers are counted (`swallow_kernels`) and divided once, in float64: the quotient of 3 and 10 is then the very
number that `0.3` means in a preset, so a text that lies on a limit is on the same side of it everywhere.
float32 would put 3 / 10 above 0.3. A share of nothing is 0. 7,500 documents of 2,000 letters a second and
core, four fifths of the time for n-grams.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.filters.letters import CLASSES
from seiryu.filters.signals.ngrams import tally_of_letters
from seiryu.filters.signals.signal import Signal, quotients
from seiryu.filters.signals.swallow_kernels import COUNTS, count


def _grams(what: str, meaning: str, lengths: range) -> tuple[Signal, ...]:
    plural = "s" if what == "duplicate" else ""
    return tuple(
        Signal(f"{what}_{n}gram_share", "float", meaning.format(n=n), (f"{what}_{n}gram{plural}", f"all_{n}grams"))
        for n in lengths
    )


SIGNALS: tuple[Signal, ...] = (
    Signal("letters", "int", "code points except line breaks"),
    Signal("japanese_letters", "int", "hiragana, katakana, kanji and 。．！？、，"),
    Signal("hiragana_share", "float", "hiragana / Japanese letters", ("hiragana", "japanese_letters")),
    Signal("katakana_share", "float", "katakana / Japanese letters", ("katakana", "japanese_letters")),
    Signal("japanese_share", "float", "Japanese letters / letters", ("japanese_letters", "letters")),
    Signal("paragraphs", "int", "lines that are not blank"),
    Signal("sentences", "int", "runs without 。．！？!? within a line, with one of these if it follows"),
    Signal(
        "repeated_paragraph_share", "float", "paragraphs that occurred before / paragraphs",
        ("repeated_paragraphs", "paragraphs"),
    ),
    Signal(
        "repeated_sentence_share", "float", "sentences that occurred before / sentences",
        ("repeated_sentences", "sentences"),
    ),
    Signal(
        "repeated_paragraph_letter_share", "float", "letters in paragraphs that occurred before / in all",
        ("repeated_paragraph_letters", "paragraph_letters"),
    ),
    Signal(
        "repeated_sentence_letter_share", "float", "letters in sentences that occurred before / in all",
        ("repeated_sentence_letters", "sentence_letters"),
    ),
    *_grams("top", "occurrences of the most frequent {n}-gram / of all {n}-grams", range(2, 5)),
    *_grams("duplicate", "occurrences of {n}-grams seen twice or more / of all {n}-grams", range(5, 11)),
    Signal(
        "mean_sentence_letters", "float", "letters in sentences / sentences",
        ("sentence_letters", "sentences"),
    ),
    Signal("longest_sentence_letters", "int", "letters of the longest sentence"),
    Signal(
        "ellipsis_share", "float", "sentences whose last letter is ・ or … / sentences",
        ("ellipses", "sentences"),
    ),
)  # fmt: skip


def measure_swallow(points: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """SIGNALS of texts as `letters.codepoints` gives them. Memory: 40 bytes a letter of the longest text."""
    counts = count(points, offsets, CLASSES, tally_of_letters())
    return quotients(SIGNALS, dict(zip(COUNTS, counts.T, strict=True)))
