"""How good a classifier is on texts that it has not seen: precision and recall, calibration, and for graded labels the error of
the grade.

All of it is counting over a matrix of probabilities, texts x labels; a share of nothing is 0. A text's predicted label is its
most probable one, of equals the first.

Of two labels one is the positive one: what a threshold on its probability keeps and misses is told. The threshold of the best
tenth is that of these texts, whose mix of labels is the trainer's choice; the one for a corpus is a quantile of the corpus.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.filters.classifiers.scoring import grade

THRESHOLDS = tuple(k / 10 for k in range(1, 10))
BINS = 10
TOP = 0.1  # the share of its documents that the Swallow corpus, version 2, takes by their score

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int32]


def evaluate(labels: tuple[str, ...], truth: Numbers, probabilities: Floats, positive: str) -> dict[str, Any]:
    """Every figure that makes sense for the labels. `truth`: which of `labels` each text has; `positive`: one of two labels."""
    predicted = probabilities.argmax(axis=1).astype(np.int32)
    by_label = per_label(labels, truth, predicted)
    figures: dict[str, Any] = {
        "texts": len(truth),
        "accuracy": _share((truth == predicted).sum(), len(truth)),
        "macro_f1": float(np.mean([row["f1"] for row in by_label])),
        "labels": by_label,
    }
    if len(labels) == 2:
        place = labels.index(positive)
        scores, right = probabilities[:, place], truth == place
        figures |= {
            "positive": positive,
            "thresholds": [at_threshold(right, scores, limit) for limit in THRESHOLDS],
            "top": top(right, scores),
        }
        figures["calibration"] = calibration(right, scores) | {"of": f"the probability of {positive}"}
        return figures
    best = probabilities.max(axis=1, initial=0)
    figures["calibration"] = calibration(truth == predicted, best) | {"of": "the most probable label's probability"}
    grades = [grade(label) for label in labels]
    if None not in grades:
        figures["grades"] = graded(np.array(grades, np.float64), truth, probabilities)
    return figures


def per_label(labels: tuple[str, ...], truth: Numbers, predicted: Numbers) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support (texts that have the label) of each label."""
    rows = []
    for k, label in enumerate(labels):
        hits, said, there = (int(found.sum()) for found in ((truth == k) & (predicted == k), predicted == k, truth == k))
        rows.append({
            "label": label, "precision": _share(hits, said), "recall": _share(hits, there), "f1": _share(2 * hits, said + there),
            "support": there,
        })  # fmt: skip
    return rows


def at_threshold(right: npt.NDArray[np.bool_], scores: Floats, limit: float) -> dict[str, float]:
    """What is kept when scores of `limit` or more are: share of all texts, precision, recall."""
    kept = scores >= limit
    hits = int((kept & right).sum())
    return {
        "threshold": limit,
        "share": _share(kept.sum(), len(scores)),
        "precision": _share(hits, kept.sum()),
        "recall": _share(hits, right.sum()),
    }


def top(right: npt.NDArray[np.bool_], scores: Floats, share: float = TOP) -> dict[str, float]:
    """The same at the score that the best `share` of the texts reach; more are kept where scores are equal."""
    place = int(np.ceil(len(scores) * share)) - 1
    return at_threshold(right, scores, float(np.sort(scores)[::-1][place]) if len(scores) else 1.0)


def calibration(right: npt.NDArray[np.bool_], scores: Floats) -> dict[str, Any]:
    """Whether of the texts with probability p a share p is right.

    `bins`: ten of equal width, the upper end in the last only; `expected_error`: mean over the bins of the difference between share
    right and mean probability, weighted by their texts; `brier`: mean of (probability - 1 or 0) squared.
    """
    place = np.searchsorted(np.arange(1, BINS) / BINS, scores, side="right")
    counts, sums, hits = (np.bincount(place, weights, BINS) for weights in (None, scores, right.astype(np.float64)))
    bins = [
        {
            "low": k / BINS,
            "high": (k + 1) / BINS,
            "texts": int(counts[k]),
            "probability": _share(sums[k], counts[k]),
            "right": _share(hits[k], counts[k]),
        }
        for k in range(BINS)
    ]
    return {
        "bins": bins,
        "expected_error": _share(np.abs(hits - sums).sum(), len(scores)),
        "brier": _share(((scores - right) ** 2).sum(), len(scores)),
    }


def graded(grades: Floats, truth: Numbers, probabilities: Floats) -> dict[str, float]:
    """Of the expected grade: mean absolute error against the true one, and Spearman's rank correlation with it."""
    total = probabilities.sum(axis=1)
    expected = np.divide((probabilities * grades).sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)
    true = grades[truth]
    return {
        "mean_absolute_error": _share(np.abs(expected - true).sum(), len(true)),
        "rank_correlation": rank_correlation(expected, true),
    }


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's: Pearson's correlation of the ranks, equal values sharing the mean of theirs. 0 where all values of one are equal."""
    a, b = (_ranks(values) - (len(values) - 1) / 2 for values in (first, second))
    return _share((a * b).sum(), np.sqrt((a * a).sum() * (b * b).sum()))


def _ranks(values: Floats) -> Floats:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[place]


def _share(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0
