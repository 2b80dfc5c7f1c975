"""The signals of the code that was released with the Swallow corpus, for those who compare with it: the same numbers to the last digit.

What differs from the family `swallow`, which is as the paper means them:

- A *letter* is a code point, line breaks among them. Hiragana are U+3041-3096, katakana U+30A1-30FA (ー and half-width kana are
  none), kanji 々〇〻, U+3400-9FFF and U+F900-FAFF; Japanese letters are these and 、，。．！？.
- A *sentence* is, within what lies between two line feeds, a run without 。．！？!? and one of these if it follows, not stripped:
  a run of white space is one, ３．１４ are two.
- A *paragraph* is the sentences of such a line joined again, so without the second ！ of ！！; a blank line is an empty paragraph.
- *n-grams* are of the whole text, line breaks among their letters. The share of duplicates is of distinct n-grams: those that
  occur twice or more / all.

Where that code raises an error, every share of nothing is 0: the empty text, a text without sentences (its longest has 0 letters),
a text shorter than n. It is right about every other text that UTF-8 can hold. As fast as `swallow`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.filters.letters import CLASSES
from seiryu.filters.signals.ngrams import tally_of_letters
from seiryu.filters.signals.signal import Signal, quotients
from seiryu.filters.signals.swallow_v1_kernels import COUNTS, count

TOP_GRAMS, DUPLICATE_GRAMS = range(2, 5), range(5, 11)
SIGNALS: tuple[Signal, ...] = (
    Signal("v1_letters", "int", "code points, line breaks too"),
    Signal("v1_japanese_letters", "int", "hiragana, katakana, kanji of the BMP and 。．！？、，, without ー and half-width kana"),
    Signal("v1_hiragana_share", "float", "hiragana / Japanese letters", ("hiragana", "v1_japanese_letters")),
    Signal("v1_katakana_share", "float", "katakana / Japanese letters", ("katakana", "v1_japanese_letters")),
    Signal("v1_japanese_share", "float", "Japanese letters / code points", ("v1_japanese_letters", "v1_letters")),
    Signal("v1_paragraphs", "int", "lines, blank ones too"),
    Signal("v1_sentences", "int", "runs without 。．！？!? within a line, blank ones too, with one of these if it follows"),
    Signal(
        "v1_repeated_paragraph_share", "float", "paragraphs that occurred before / paragraphs",
        ("repeated_paragraphs", "v1_paragraphs"),
    ),
    Signal(
        "v1_repeated_sentence_share", "float", "sentences that occurred before / sentences",
        ("repeated_sentences", "v1_sentences"),
    ),
    Signal(
        "v1_repeated_paragraph_letter_share", "float", "letters in paragraphs that occurred before / in all",
        ("repeated_paragraph_letters", "sentence_letters"),
    ),
    Signal(
        "v1_repeated_sentence_letter_share", "float", "letters in sentences that occurred before / in all",
        ("repeated_sentence_letters", "sentence_letters"),
    ),
    *(
        Signal(
            f"v1_top_{n}gram_share", "float", f"occurrences of the most frequent {n}-gram / of all {n}-grams",
            (f"top_{n}gram", f"all_{n}grams"),
        )
        for n in TOP_GRAMS
    ),
    *(
        Signal(
            f"v1_duplicate_{n}gram_share", "float", f"distinct {n}-grams seen twice or more / distinct {n}-grams",
            (f"duplicate_{n}gram_types", f"{n}gram_types"),
        )
        for n in DUPLICATE_GRAMS
    ),
    Signal("v1_mean_sentence_letters", "float", "letters in sentences / sentences", ("sentence_letters", "v1_sentences")),
    Signal("v1_longest_sentence_letters", "int", "letters of the longest sentence"),
    Signal(
        "v1_ellipsis_share", "float", "sentences whose last letter that is no white space is ・ or … / sentences",
        ("ellipses", "v1_sentences"),
    ),
)  # fmt: skip


def measure_swallow_v1(points: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """SIGNALS of texts as `letters.codepoints` gives them. Memory: 50 bytes a letter of the longest text."""
    counts = dict(zip(COUNTS, count(points, offsets, CLASSES, tally_of_letters()).T, strict=True))
    for name in ("letters", "japanese_letters", "paragraphs", "sentences", "longest_sentence_letters"):
        counts[f"v1_{name}"] = counts[name]
    for n in DUPLICATE_GRAMS:  # an n-gram that does not come back is one of its kind
        counts[f"{n}gram_types"] = counts[f"all_{n}grams"] - counts[f"duplicate_{n}grams"] + counts[f"duplicate_{n}gram_types"]
    return quotients(SIGNALS, counts)
