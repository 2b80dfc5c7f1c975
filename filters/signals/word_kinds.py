"""Parts of speech of a text: prose needs particles, lists and rows of keywords have nouns alone.

A *word* is one of Sudachi's longest units (mode C), without punctuation and signs (補助記号, 空白). *Function words* are particles
(助詞) and auxiliaries (助動詞); *nouns* are 名詞: common and proper nouns, numerals, and the Latin words that the dictionary does not
know, but not 代名詞 and 形状詞. Cost: Sudachi's, see `filters.morphology`; the counting adds 20 µs a text.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.filters.morphology import KINDS, Morphemes
from seiryu.filters.signals.signal import Signal, quotients

SIGNALS = (
    Signal("function_word_share", "float", "particles and auxiliaries / words", ("function_words", "words")),
    Signal("noun_share", "float", "nouns / words", ("nouns", "words")),
    Signal("mean_word_letters", "float", "letters in words / words", ("word_letters", "words")),
)  # fmt: skip
_FUNCTION_WORD = np.array([kind in ("助詞", "助動詞") for kind in KINDS])
_WORD = np.array([kind not in ("補助記号", "空白") for kind in KINDS])


def measure_word_kinds(texts: Sequence[Morphemes]) -> dict[str, npt.NDArray[Any]]:
    """SIGNALS of texts as `morphology.words` gives them, one value a text."""
    counts = {name: np.zeros(len(texts), np.int64) for name in ("words", "function_words", "nouns", "word_letters")}
    for i, text in enumerate(texts):
        kinds = np.bincount(text.kinds, minlength=len(KINDS))
        counts["words"][i] = kinds[_WORD].sum()
        counts["function_words"][i] = kinds[_FUNCTION_WORD].sum()
        counts["nouns"][i] = kinds[KINDS.index("名詞")]
        counts["word_letters"][i] = np.diff(text.spans)[_WORD[text.kinds]].sum()
    return quotients(SIGNALS, counts)
