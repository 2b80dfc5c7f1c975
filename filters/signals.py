"""What is measured of a text: the signals of the Swallow corpus as its paper and Gopher mean them.

A *letter* is a code point other than a line break. A *paragraph* is a line that is not blank, stripped of
white space (U+3000 too). A *sentence* is, within a paragraph, a run without 。．！？!? and one of these if it
follows, stripped; a blank run is none, so the second ！ of ！！ belongs to no sentence; ．！？!? between two
digits end none. *n-grams* are of letters and lie within a paragraph: over line breaks they would tell of the
layout, and equal neighbours of repeated lines are counted by the lines already. "Repeated" is each occurrence
after the first; "duplicate" n-grams are all occurrences of those that occur twice or more, the first among
them.

Whole numbers are counted (`kernels`) and divided once, in float64: the quotient of 3 and 10 is then the very
number that `0.3` means in a preset, so a text that lies on a limit is on the same side of it everywhere.
float32 would put 3 / 10 above 0.3. A share of nothing is 0. 7,500 documents of 2,000 letters a second and
core, four fifths of the time for n-grams.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.kernels import COUNTS, count
from seiryu.filters.letters import CLASSES, blocks, codepoints


@dataclass(frozen=True, slots=True)
class Signal:
    """One column of the table of signals; `share`: for a quotient, what of what in `kernels.COUNTS`."""

    name: str
    kind: Literal["int", "float"]
    meaning: str
    share: tuple[str, str] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """int32 for counts, float64 for shares and means."""
        return np.dtype(np.int32 if self.kind == "int" else np.float64)


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
    Signal("ng_letters", "int", "letters in words of the NG lists that stand as words of their own"),
    Signal("ng_share", "float", "letters in NG words / Japanese letters"),
)  # fmt: skip
NAMES = tuple(signal.name for signal in SIGNALS)
MEASURED = tuple(signal for signal in SIGNALS if not signal.name.startswith("ng_"))  # the others: ng_words


def measure(texts: pa.Array | pa.ChunkedArray) -> dict[str, npt.NDArray[Any]]:
    """Every signal of MEASURED by name, one value a text in the order of the texts.

    `texts` is an Arrow array of string or large_string; any length is valid, the empty text too. Raises as
    `letters.codepoints` does: TypeError for another type, ValueError for a null. Memory: 50 bytes a letter of
    the longest text, a few MB for the block in work, and the answer.
    """
    parts = [count(*codepoints(block), CLASSES) for block in blocks(texts)]
    counts = np.concatenate(parts) if parts else np.zeros((0, len(COUNTS)), np.int64)
    column = dict(zip(COUNTS, counts.T, strict=True))
    return {
        signal.name: column[signal.name].astype(signal.dtype) if signal.share is None
        else divide(column[signal.share[0]], column[signal.share[1]])
        for signal in MEASURED
    }  # fmt: skip


def divide(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """part / whole in float64, each divided once; 0 where there is nothing to divide by."""
    shares = np.zeros(len(part), np.float64)
    np.divide(part, whole, out=shares, where=np.asarray(whole) > 0)
    return shares
