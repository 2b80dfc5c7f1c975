"""Everything that is measured of a text, in one table: kernels' signals, word lists, morphology, personal data, tokens, classifiers.

What is always measured costs about as much as tokenizing. Morphology (Sudachi, 0.8 M letters a second) and classifiers are measured
where somebody asks. `only` measures no more than a few signals need: a text that was cleaned is judged again without its dictionary.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.corpus.tokenizers import Tokenizer, TokenizerError
from seiryu.filters.classifiers.scoring import Scorer
from seiryu.filters.cleaning import personal_data
from seiryu.filters.morphology import words_and_short_units
from seiryu.filters.signals import FAMILIES, fineweb, measure, opt_outs, word_kinds
from seiryu.filters.signals.signal import Signal, divide
from seiryu.filters.words import WordLists, measure_lists, signals_of_lists

TOKENS = (
    Signal("tokens", "int", "tokens of the text, without an end of document"),
    Signal("tokens_per_letter", "float", "tokens / letters: rare letters and garbage take many"),
)
LANGUAGE = Signal("language_score", "float", "probability of the document's language, by fastText lid.176")
STATIC = (
    *(signal for family in FAMILIES.values() for signal in family.signals),
    *TOKENS,
    *personal_data.SIGNALS,
    LANGUAGE,
    *opt_outs.SIGNALS,
)
MORPHOLOGY = (*word_kinds.SIGNALS, *fineweb.WORD_SIGNALS)
Columns = dict[str, npt.NDArray[Any]]


def possible(lists: Collection[str] = (), classifiers: Collection[str] = ()) -> tuple[Signal, ...]:
    """Every signal that can be asked for with these word lists and classifiers, in the order of the table."""
    scores = (Signal(name, "float", f"score of the classifier {name}") for name in classifiers)
    return (*STATIC, *signals_of_lists(lists), *scores, *MORPHOLOGY)


@dataclass(frozen=True)
class Instruments:
    """What a run measures with."""

    lists: WordLists
    tokenizer: Tokenizer
    classifiers: Mapping[str, Scorer] = field(default_factory=dict)
    morphology: bool = False

    def signals(self) -> tuple[Signal, ...]:
        """The signals that are measured, in the order of the table."""
        found = possible(self.lists.names, tuple(self.classifiers))
        return found if self.morphology else tuple(signal for signal in found if signal not in MORPHOLOGY)

    def measure(
        self,
        texts: pa.Array | pa.ChunkedArray,
        language_score: npt.NDArray[Any],
        only: Collection[str] | None = None,
        asked: Mapping[str, npt.NDArray[Any]] | None = None,
    ) -> Columns:
        """Every signal by name, or those in `only` and what comes with them; one value a text.

        `asked`: the signals of `opt_outs`, which are their pages' and no text tells; texts without pages ask for nothing.
        A text that the tokenizer cannot encode has 0 tokens. Raises as `letters.codepoints` does.
        """
        wanted = {signal.name for signal in self.signals()} if only is None else set(only)
        families = [family.name for family in FAMILIES.values() if family.name == "swallow" or wanted & _names(family.signals)]
        columns: Columns = measure(texts, families)
        columns[LANGUAGE.name] = np.asarray(language_score, np.float64)
        columns |= opt_outs.nothing_asked(len(texts)) if asked is None else asked
        if wanted & _names(TOKENS):
            columns |= self._tokens(texts, columns["letters"])
        if wanted & _names(personal_data.SIGNALS):
            columns |= personal_data.measure_personal_data(texts)
        if wanted & _names(signals_of_lists(self.lists.names)):
            columns |= measure_lists(texts, columns["japanese_letters"], self.lists)
        for name, scorer in self.classifiers.items():
            if name in wanted:
                columns[name] = scorer.scores(texts)
        if wanted & _names(MORPHOLOGY):
            columns |= _morphology(texts)
        return columns

    def _tokens(self, texts: pa.Array | pa.ChunkedArray, letters: npt.NDArray[Any]) -> Columns:
        found = self.tokenizer.encode_each(texts.to_pylist())
        counts = np.array([0 if isinstance(ids, TokenizerError) else len(ids) for ids in found], np.int32)
        return {"tokens": counts, "tokens_per_letter": divide(counts, letters)}


def _morphology(texts: pa.Array | pa.ChunkedArray) -> Columns:
    """One analysis a text for all that asks for words."""
    strings = texts.to_pylist()
    found = [words_and_short_units(text) for text in strings]
    return word_kinds.measure_word_kinds([words for words, _ in found]) | fineweb.measure_fineweb_words(
        strings, [short for _, short in found]
    )


def _names(signals: tuple[Signal, ...]) -> set[str]:
    return {signal.name for signal in signals}
