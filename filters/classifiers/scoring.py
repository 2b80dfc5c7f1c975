"""How good a text is in the eyes of a fastText classifier: one number a text.

`probability`: of one label, for a model of good and other texts. `expectation`: for graded labels, __label__0 to __label__5
say, the mean of the grades weighted by their probabilities. A text's score depends on the text alone; it is rounded to four
digits so that the vector units of different processors give the same table. 13 million letters a second for n-grams of 1 to 3
letters and 32 dimensions; with `segmented` Sudachi's words come first, at 1.1.

A text reaches fastText as one line, its line breaks made spaces, as such models are trained. Two things that a page may hold
are taken out of it, for they steer fastText: a word </s> would end the text there, and a word that begins with __label__ would
be a label when training. So the score is what fastText's own `predict` says of the line, except for a text with </s> in it.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.classifiers.model_file import ModelFile, read_model_file

Value = Literal["probability", "expectation"]
PREFIX = "__label__"
BATCH = 256  # texts a call: fastText gets them as one list
_STEERING = ("</s>", PREFIX)
_SPACES = re.compile("[ \r\t\v\f]+")  # what separates words for fastText


class Scorer:
    """A model and what is asked of it. `labels` and `sha256` are the model's; the model itself is loaded with the first text."""

    def __init__(self, file: ModelFile, value: Value, label: str, *, segmented: bool) -> None:
        self.file, self.value, self.segmented = file, value, segmented
        self.labels, self.sha256 = file.labels, file.sha256
        self.weights = _grades(file, label) if value == "expectation" else _one_label(file, label)

    @cached_property
    def _model(self) -> Any:
        import fasttext  # costs 0.1 s and is needed by workers only

        return fasttext.load_model(self.file.path)

    def scores(self, texts: Iterable[str] | pa.Array | pa.ChunkedArray) -> npt.NDArray[np.float64]:
        """One score a text, in order. 0 for a blank text, and for one in which the model knows nothing.

        ValueError if the model gives no number, which a damaged one does.
        """
        probabilities = self.probabilities(texts)
        if self.value == "probability":
            return _rounded((probabilities * self.weights).sum(axis=1))
        total = probabilities.sum(axis=1)
        means = np.divide((probabilities * self.weights).sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)
        return _rounded(means)

    def probabilities(self, texts: Iterable[str] | pa.Array | pa.ChunkedArray) -> npt.NDArray[np.float64]:
        """Texts x `labels`: what fastText says of each label, at most 1; a row of zeros for a text in which it knows nothing."""
        if isinstance(texts, pa.Array | pa.ChunkedArray):
            texts = texts.to_pylist()
        return self.line_probabilities(one_line(text, segmented=self.segmented) for text in texts)

    def line_probabilities(self, lines: Iterable[str]) -> npt.NDArray[np.float64]:
        """The same of lines as `one_line` makes them."""
        number = {label: k for k, label in enumerate(self.labels)}
        blocks = [np.zeros((0, len(number)))]
        waiting = iter(lines)
        while batch := list(islice(waiting, BATCH)):
            block = np.zeros((len(batch), len(number)))
            filled = [k for k, line in enumerate(batch) if line and not line.isspace()]
            try:
                found = self._model.predict([batch[k] for k in filled], k=-1) if filled else ((), ())
            except RuntimeError as error:
                raise ValueError(f"{self.file.path}: fastText gives up with this model: {error}") from error
            for k, labels, values in zip(filled, *found, strict=True):
                block[k, [number[label] for label in labels]] = values
            if not np.isfinite(block).all():
                raise ValueError(f"{self.file.path}: the model gives a score that is no number; it is damaged")
            blocks.append(np.minimum(block, 1))
        return np.concatenate(blocks)


def _rounded(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.round(scores, 4, out=scores)


def load_classifier(path: str, value: Value = "probability", label: str = "", segmented: bool = False) -> Scorer:
    """The scorer for a model, checked from its first byte to its last, and kept for the next who asks.

    ValueError, one line, for a file that is no supervised fastText model, a label that it has not, labels that are no numbers
    under `expectation`, and a model that `seiryu classifier train` made for the other kind of text (its .json tells).
    """
    state = Path(path).stat() if Path(path).is_file() else None
    scorer = _scorer(path, value, label, segmented, (state.st_mtime_ns, state.st_size) if state else None)
    _hold_to_card(scorer.file, segmented)
    return scorer


@lru_cache(maxsize=8)
def _scorer(path: str, value: Value, label: str, segmented: bool, _: tuple[int, int] | None) -> Scorer:
    return Scorer(read_model_file(path), value, label, segmented=segmented)


def one_line(text: str, *, segmented: bool = False) -> str:
    """A text as fastText is to read it: in one line, without words that steer it; with spaces between its words if `segmented`."""
    if segmented:
        from seiryu.filters import morphology

        text = morphology.segmented(text)
    line = text.replace("\n", " ").replace("\0", " ")
    if any(word in line for word in _STEERING):
        line = " ".join(word for word in _SPACES.split(line) if word != "</s>" and not word.startswith(PREFIX))
    return line


def card_path(model: str) -> Path:
    """Where the card of a model lies, if it was trained here: what it was made of, and how good it is."""
    return Path(f"{model}.json")


def _hold_to_card(file: ModelFile, segmented: bool) -> None:
    path = card_path(file.path)
    try:
        card = json.loads(path.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: the card of the model cannot be read ({error}); mend or delete it") from error
    if not isinstance(card, dict) or "segmented" not in card or "model_sha256" not in card:
        return  # another's file
    if card["model_sha256"] != file.sha256:
        raise ValueError(
            f"{path}: is the card of another model than {file.path}; put back the one that belongs to it, or delete it"
        )
    if card["segmented"] != segmented:
        trained, asked = ("segmented", "raw") if card["segmented"] else ("raw", "segmented")
        hint = f"set segmented: {str(not segmented).lower()}"
        raise ValueError(f"{file.path}: was trained on {trained} text, and {asked} text is to be scored; {hint}")


def _one_label(file: ModelFile, label: str) -> npt.NDArray[np.float64]:
    """1 for the label with or without its prefix, 0 for the others."""
    if not label:
        raise ValueError(f"{file.path}: which label's probability is the score? label must be one of {_listed(file.labels)}")
    chosen = label if label in file.labels else f"{PREFIX}{label}"
    if chosen not in file.labels:
        near = difflib.get_close_matches(chosen, file.labels, 1, 0.8)
        hint = f"did you mean {near[0]}? It" if near else "it"
        raise ValueError(f"{file.path}: has no label {label}; {hint} has {_listed(file.labels)}")
    return np.array([float(name == chosen) for name in file.labels])


def _grades(file: ModelFile, label: str) -> npt.NDArray[np.float64]:
    if label:
        raise ValueError(f"{file.path}: label {label} is of no use with value: expectation, which takes all labels")
    grades = [grade(name) for name in file.labels]
    if None in grades:
        raise ValueError(
            f"{file.path}: value: expectation wants labels that are numbers, such as {PREFIX}3; it has {_listed(file.labels)}"
        )
    return np.array(grades, np.float64)


def grade(label: str) -> float | None:
    """The number that a graded label is, with or without its prefix; None if it is none."""
    try:
        number = float(label.removeprefix(PREFIX))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _listed(labels: Sequence[str], most: int = 8) -> str:
    return ", ".join(labels[:most]) + (f" and {len(labels) - most} more" if len(labels) > most else "")
