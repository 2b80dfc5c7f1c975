import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.filters.classifiers.evaluation import at_threshold, calibration, evaluate, graded, per_label, rank_correlation, top

LABELS = ("0", "1", "2")


@st.composite
def judged(draw, labels=3):
    """True labels, and for each text a probability a label; with equal and extreme values."""
    truth = draw(st.lists(st.integers(0, labels - 1), max_size=40))
    some = st.one_of(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]), st.floats(0, 1, width=32))
    rows = draw(st.lists(st.lists(some, min_size=labels, max_size=labels), min_size=len(truth), max_size=len(truth)))
    return np.array(truth, np.int32), np.array(rows, np.float64).reshape(len(truth), labels)


def quotient(part, whole):
    return part / whole if whole else 0.0


@given(judged())
def test_precision_recall_and_f1_are_their_counts(case):
    truth, probabilities = case
    predicted = [max(range(3), key=lambda k, row=row: (row[k], -k)) for row in probabilities.tolist()]
    rows = evaluate(LABELS, truth, probabilities, "0")["labels"]
    for k, row in enumerate(rows):
        hits = sum(t == p == k for t, p in zip(truth.tolist(), predicted, strict=True))
        said, there = predicted.count(k), truth.tolist().count(k)
        precision, recall = quotient(hits, said), quotient(hits, there)
        assert row == {"label": LABELS[k], "precision": precision, "recall": recall, "f1": row["f1"], "support": there}
        assert row["f1"] == pytest.approx(quotient(2 * precision * recall, precision + recall))


@given(judged(2), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]))
def test_a_threshold_keeps_what_reaches_it(case, limit):
    truth, probabilities = case
    right, scores = truth == 1, probabilities[:, 1]
    kept = [r for r, s in zip(right.tolist(), scores.tolist(), strict=True) if s >= limit]
    assert at_threshold(right, scores, limit) == {
        "threshold": limit,
        "share": quotient(len(kept), len(scores)),
        "precision": quotient(sum(kept), len(kept)),
        "recall": quotient(sum(kept), sum(right.tolist())),
    }


@given(judged(2))
def test_the_best_tenth_is_a_tenth_and_no_higher_threshold_gives_it(case):
    truth, probabilities = case
    scores = probabilities[:, 1]
    found = top(truth == 1, scores)
    if len(scores):
        wanted = math.ceil(len(scores) / 10)
        assert (scores >= found["threshold"]).sum() >= wanted
        assert (scores > found["threshold"]).sum() < wanted


@given(judged(2))
def test_calibration_is_that_of_the_bins(case):
    truth, probabilities = case
    right, scores = (truth == 1).tolist(), probabilities[:, 1].tolist()
    found = calibration(np.array(right, bool), np.array(scores))
    error = 0.0
    for k, row in enumerate(found["bins"]):
        mine = [(r, s) for r, s in zip(right, scores, strict=True) if k / 10 <= s and (s < (k + 1) / 10 or k == 9)]
        assert row["texts"] == len(mine)
        assert row["right"] == pytest.approx(quotient(sum(r for r, _ in mine), len(mine)))
        assert row["probability"] == pytest.approx(quotient(sum(s for _, s in mine), len(mine)))
        error += len(mine) / len(scores) * abs(row["right"] - row["probability"]) if scores else 0
    assert sum(row["texts"] for row in found["bins"]) == len(scores)
    assert found["expected_error"] == pytest.approx(error)
    assert found["brier"] == pytest.approx(quotient(sum((s - r) ** 2 for r, s in zip(right, scores, strict=True)), len(scores)))


def spearman(first, second):
    def ranks(values):
        return [sum(other < value for other in values) + (values.count(value) - 1) / 2 for value in values]

    a, b = ranks(first), ranks(second)
    if not a or len(set(a)) < 2 or len(set(b)) < 2:
        return 0.0
    mean = (len(a) - 1) / 2
    together = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    return together / math.sqrt(sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b))


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0])), max_size=30))
def test_rank_correlation_is_spearmans_with_ties(pairs):
    first, second = [float(a) for a, _ in pairs], [b for _, b in pairs]
    assert rank_correlation(np.array(first), np.array(second)) == pytest.approx(spearman(first, second), abs=1e-12)


def test_rank_correlation_of_order_kept_turned_and_lost():
    values = np.array([1.0, 2.0, 3.0, 10.0])
    assert rank_correlation(values, values**3) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)
    assert rank_correlation(values, np.ones(4)) == 0
    assert rank_correlation(np.array([1.0, 2, 2, 3]), np.array([1.0, 2, 3, 3])) == pytest.approx(5 / 6)  # by hand


@given(judged())
def test_the_error_of_grades_is_that_of_the_expected_grade(case):
    truth, probabilities = case
    found = graded(np.array([0.0, 0.5, 4.0]), truth, probabilities)
    expected = [quotient(row[1] * 0.5 + row[2] * 4, sum(row)) for row in probabilities.tolist()]
    true = [(0.0, 0.5, 4.0)[k] for k in truth.tolist()]
    error = quotient(sum(abs(a - b) for a, b in zip(expected, true, strict=True)), len(true))
    assert found["mean_absolute_error"] == pytest.approx(error)


def test_two_labels_have_thresholds_and_more_have_grades_if_they_are_numbers():
    truth, two = np.array([0, 1, 1], np.int32), np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
    found = evaluate(("bad", "good"), truth, two, "good")
    assert (found["accuracy"], found["macro_f1"], found["positive"], len(found["thresholds"])) == (1, 1, "good", 9)
    assert found["thresholds"][5] == {"threshold": 0.6, "share": 2 / 3, "precision": 1, "recall": 1}
    assert found["top"] == {"threshold": 0.7, "share": 1 / 3, "precision": 1, "recall": 0.5}
    assert found["calibration"]["brier"] == pytest.approx((0.1**2 + 0.4**2 + 0.3**2) / 3)
    three = np.array([[1, 0, 0], [0, 1, 0], [0, 0.5, 0.5]])
    assert "grades" in evaluate(LABELS, truth, three, "0")
    assert "grades" not in evaluate(("a", "b", "c"), truth, three, "a")


def test_of_no_text_every_figure_is_nothing():
    for labels in (("a", "b"), LABELS):
        found = evaluate(labels, np.zeros(0, np.int32), np.zeros((0, len(labels))), labels[0])
        assert (found["texts"], found["accuracy"], found["calibration"]["brier"]) == (0, 0, 0)


def test_a_label_that_is_never_predicted_has_no_precision():
    rows = per_label(("a", "b"), np.array([0, 1], np.int32), np.array([0, 0], np.int32))
    assert rows[1] == {"label": "b", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
