"""The signals of FineWeb-2's filters: Gopher's and FineWeb's rules as datatrove counts them; its limits were fitted to these numbers.

Two families. SIGNALS need the letters only:

- A *line* is what stands between two line feeds and is not blank, as it is: with a space behind its 。 it ends in no sentence end. The
  share of duplicate lines alone counts otherwise: at runs of line feeds the text is cut, and a piece may be blank, or empty where
  the text begins or ends with a line feed. *Bullets* and *dots* are looked for in lines as str.splitlines() cuts them, stripped.

WORD_SIGNALS need words: the units of Sudachi's mode A, as FineWeb-2 takes them through spaCy; what is only white space is none.
`morphology.short_units` gives them. datatrove analyses whole texts in pieces of 40,000 bytes, so a word may lie otherwise there.

- A *top n-gram* is n words joined by spaces, which count as its letters; of several that are most frequent, the first.
- *Duplicate n-grams* are n words joined by nothing that came before with the same letters, however these were cut into words.
  They are looked for from left to right; behind one that is found the search goes on with the word after it.
- Both are shares of all code points of the text, white space and line breaks among them.
- A *solid* word holds a letter that is no punctuation; a word is *alphabetic* if one of its letters is (str.isalpha).

Where datatrove divides by nothing, or calls a text empty, a share of nothing is 0. Lines: 20,000 documents of 2,000 letters a second
and core; words: 3,000, a third of what Sudachi takes before.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.letters import CLASSES, codepoints
from seiryu.filters.signals import fineweb_kernels, fineweb_letters, fineweb_word_kernels
from seiryu.filters.signals.signal import Signal, quotients

SIGNALS: tuple[Signal, ...] = (
    Signal(
        "fineweb_duplicate_line_share", "float", "lines that occurred before / lines, cut at runs of line feeds",
        ("repeated_blocks", "blocks"),
    ),
    Signal(
        "fineweb_duplicate_line_letter_share", "float", "letters in lines that occurred before / letters except line feeds",
        ("repeated_line_letters", "letters"),
    ),
    Signal(
        "fineweb_line_punctuation_share", "float", "lines that end in 。．！？.!? or another script's end of a sentence / lines",
        ("ended_lines", "lines"),
    ),
    Signal("fineweb_bullet_line_share", "float", "lines that begin with • or - / lines", ("bullets", "all_lines")),
    Signal("fineweb_ellipsis_line_share", "float", "lines that end in … or ... / lines", ("teasers", "all_lines")),
)  # fmt: skip
WORD_SIGNALS: tuple[Signal, ...] = (
    Signal("fineweb_words", "int", "words that are not only punctuation"),
    Signal(
        "fineweb_mean_word_letters", "float", "letters in words that are not only punctuation / such words",
        ("solid_word_letters", "fineweb_words"),
    ),
    Signal("fineweb_alphabetic_word_share", "float", "words with an alphabetic letter (kana and kanji too) / words",
           ("alphabetic_words", "words")),
    Signal("fineweb_stop_words", "int", "how many of の に を は た て が と で 年 し ・ 月 れ さ are words of the text"),
    Signal("fineweb_new_line_ratio", "float", "line feeds / words", ("line_feeds", "words")),
    Signal("fineweb_hash_ratio", "float", "# / words", ("hashes", "words")),
    Signal("fineweb_ellipsis_ratio", "float", "... and … / words", ("ellipses", "words")),
    *(
        Signal(
            f"fineweb_top_{n}gram_letter_share", "float",
            f"letters of the most frequent {n} words in a row, spaces between them too, times its occurrences / code points",
            (f"top_{n}gram_letters", "letters"),
        )
        for n in range(2, 5)
    ),
    *(
        Signal(
            f"fineweb_duplicate_{n}gram_letter_share", "float", f"letters in {n} words in a row that came before / code points",
            (f"duplicate_{n}gram_letters", "letters"),
        )
        for n in range(5, 11)
    ),
)  # fmt: skip


def measure_fineweb(points: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """SIGNALS of texts as `letters.codepoints` gives them. Memory: 30 bytes a letter of the longest text."""
    counts = fineweb_kernels.count(points, offsets, CLASSES, fineweb_letters.CLASSES)
    return quotients(SIGNALS, dict(zip(fineweb_kernels.COUNTS, counts.T, strict=True)))


def measure_fineweb_words(texts: Sequence[str], words: Sequence[npt.NDArray[np.int32]]) -> dict[str, npt.NDArray[Any]]:
    """WORD_SIGNALS of texts with their words: for each text int32 (k, 2), begin and end of each word in its code points, in order.

    White space around a word is left off. Raises ValueError for words that overlap or lie outside their text.
    """
    points, offsets = codepoints(pa.array(texts, pa.large_string()))
    if len(words) != len(texts):
        raise ValueError(f"{len(texts)} texts with the words of {len(words)}")
    for number, (spans, letters) in enumerate(zip(words, np.diff(offsets), strict=True)):
        ends = np.asarray(spans, np.int64).reshape(-1)
        if np.shape(spans)[1:] != (2,) or (np.diff(ends, prepend=0, append=letters) < 0).any():
            raise ValueError(
                f"text {number}: its words are not pairs of begin and end, one after the other, within {letters} letters"
            )
    first_spans = np.cumsum([0, *map(len, words)], dtype=np.int64)
    spans = np.concatenate([np.empty((0, 2), np.int32), *words]).astype(np.int32)
    counts = fineweb_word_kernels.count(points, offsets, spans, first_spans, CLASSES, fineweb_letters.CLASSES)
    columns = dict(zip(fineweb_word_kernels.COUNTS, counts.T, strict=True))
    columns |= {"fineweb_words": columns["solid_words"], "fineweb_stop_words": columns["stop_words"]}
    return quotients(WORD_SIGNALS, columns)
