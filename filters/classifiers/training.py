"""A fastText classifier from labelled texts, and its card: what it was made of, how, and how good it is on texts held out.

Two kinds of text, and defaults for each. Raw Japanese has no spaces, so what fastText calls a word is a whole run of text up to
the next one, and what it learns from are the n-grams of letters in it; a run must occur ten times to count as a word, or each
would be learnt by heart. Segmented text has words, and pairs of them. One thread by default: with the same examples, settings
and version of fastText the model is the same to the last byte.

Measured on 1,681 manuals of two kinds (4.8 M letters), one core: 5 s to train, 10 with four times the dimensions and no better.
Learning rate 0.1, fastText's own, is too slow for pages: the mean over thousands of n-grams hardly moves (accuracy .77 instead
of .97 after five epochs).
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from seiryu.filters.classifiers.evaluation import evaluate
from seiryu.filters.classifiers.examples import Examples, Source, divide
from seiryu.filters.classifiers.model_file import read_model_file
from seiryu.filters.classifiers.scoring import PREFIX, Scorer, card_path

_INT = 2**31  # fastText's integers are below it


@dataclass(frozen=True, slots=True)
class Training:
    """How to train; `of` gives the defaults. The last eight are fastText's, and mean what it says of them."""

    segmented: bool = False
    held_out: float = 0.2
    quantize: bool = False
    positive: str = ""
    threads: int = 1
    seed: int = 0
    dim: int = 32
    epoch: int = 10
    lr: float = 0.5
    word_ngrams: int = 1
    minn: int = 1
    maxn: int = 3
    bucket: int = 1_000_000
    min_count: int = 10

    @classmethod
    def of(cls, *, segmented: bool = False, **changes: Any) -> Training:
        """The defaults for raw or segmented text, with changes; those that are None are none."""
        words = {"word_ngrams": 2, "minn": 0, "maxn": 0, "min_count": 2} if segmented else {}
        return cls(**{"segmented": segmented, **words, **{name: value for name, value in changes.items() if value is not None}})


def train(source: Source, out: str, training: Training, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Train a model, write it to `out` and its card beside it, and return the card. ValueError for what cannot be trained on.

    Both appear complete or not at all. Needs twice the room of the decompressed texts beside `out` while it works.
    """
    _check(training)
    _check_places(source, out)
    target = Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        folder = Path(name)
        tell(f"reading {source.path}")
        examples = divide(source, folder, training.held_out, segmented=training.segmented)
        positive = _positive(source, examples, training)
        tell(f"training on {len(examples.train_labels):,} examples, {len(examples.held_out_labels):,} held out")
        made = folder / "model"
        _fasttext(examples, training, made)
        scorer = Scorer(read_model_file(str(made)), "probability", f"{PREFIX}{positive}", segmented=training.segmented)
        card = _card(source, examples, training, scorer)
        card["held_out"] = _measure(examples, scorer, positive) if training.held_out else None
        (folder / "card").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        card_path(out).unlink(missing_ok=True)  # the old card would belong to no model for a moment
        os.replace(made, target)  # noqa: PTH105
        (folder / "card").replace(card_path(out))
    return card


def _check(training: Training) -> None:
    if not 0 <= training.held_out <= 0.9:
        raise ValueError(f"held_out is {training.held_out:g}, and 0 to 0.9 is possible")
    if (training.maxn or training.word_ngrams > 1) and training.bucket < 1:
        raise ValueError("bucket must be 1 or more where there are n-grams")
    if training.minn > training.maxn:
        raise ValueError(f"minn {training.minn} is more than maxn {training.maxn}")
    if not 0 < training.lr < math.inf:
        raise ValueError(f"lr is {training.lr:g}, and a finite number above 0 is wanted")
    for name, value in asdict(training).items():
        if isinstance(value, int) and not -_INT <= value < _INT:
            raise ValueError(f"{name} is {value}, and fastText takes {-_INT:,} to {_INT - 1:,}")


def _check_places(source: Source, out: str) -> None:
    """ValueError where the model or its card would take the place of the labelled texts, or of what is no file."""
    if Path(out).is_dir() or not Path(out).name:
        raise ValueError(f"{out}: is a directory; the path of the model to write (.bin) is wanted")
    for what, path in (("model", Path(out)), ("card", card_path(out))):
        if os.path.realpath(path) == os.path.realpath(source.path):
            raise ValueError(f"{path}: the {what} would replace the labelled texts; give the model another name")
        if path.exists() and not path.is_file():
            raise ValueError(f"{path}: is no file that the {what} could replace; give the model another name")


def _positive(source: Source, examples: Examples, training: Training) -> str:
    """The label whose probability is looked at, where there are two: the last in order (1 of 0 and 1) unless it was said."""
    seen = [label for label, number in examples.counts(examples.train_labels).items() if number]
    if len(seen) < 2:
        found = f"only {seen[0]} is there" if seen else "there are none"
        raise ValueError(f"{source.path}: two labels or more are wanted among the examples for training, and {found}")
    positive = training.positive.removeprefix(PREFIX) or seen[-1]
    if positive not in seen:
        raise ValueError(f"{source.path}: no example for training has the label {positive}; there are {', '.join(seen[:8])}")
    return positive


def _fasttext(examples: Examples, training: Training, made: Path) -> None:
    import fasttext

    try:
        model = fasttext.train_supervised(
            str(examples.train), thread=training.threads, seed=training.seed, dim=training.dim, epoch=training.epoch, lr=training.lr,
            wordNgrams=training.word_ngrams, minn=training.minn, maxn=training.maxn, bucket=training.bucket,
            minCount=training.min_count, loss="softmax", verbose=0,
        )  # fmt: skip
        if training.quantize:
            model.quantize(qnorm=True, verbose=0)
    except MemoryError as error:
        wanted = f"dim {training.dim:,} for each word and each of bucket {training.bucket:,}"
        raise ValueError(f"fastText finds no memory for {wanted}; a lower dim or bucket may help") from error
    except (RuntimeError, ValueError) as error:  # weights that grow without end, no word often enough, too little to quantize
        hint = f"; a lower lr than {training.lr:g} may help" if "NaN" in str(error) else ""
        raise ValueError(f"fastText gave up: {str(error).rstrip('.')}{hint}") from error
    model.save_model(str(made))


def _card(source: Source, examples: Examples, training: Training, scorer: Scorer) -> dict[str, Any]:
    settings = asdict(training)
    return {
        "model_sha256": scorer.sha256,
        "segmented": settings.pop("segmented"),
        "labels": list(examples.labels),
        "data": {
            "sha256": examples.sha256,
            "fields": {"text": source.text, "label": source.label},
            "train": examples.counts(examples.train_labels),
            "held_out": examples.counts(examples.held_out_labels),
            "duplicates": examples.duplicates,
        },
        "training": settings,
        "words": scorer.file.words,
        "libraries": {name: version(name) for name in ("fasttext-community", "sudachipy", "sudachidict-core")},
    }


def _measure(examples: Examples, scorer: Scorer, positive: str) -> dict[str, Any]:
    """The figures on the texts held out, by the file that was written: what quantizing costs is in them."""
    with examples.held_out.open(encoding="utf-8", newline="\n") as lines:
        found = scorer.line_probabilities(line.removesuffix("\n") for line in lines)
    probabilities = np.zeros((len(found), len(examples.labels)))
    probabilities[:, [examples.labels.index(label.removeprefix(PREFIX)) for label in scorer.labels]] = found
    return evaluate(examples.labels, examples.held_out_labels, np.round(probabilities, 4), positive)
