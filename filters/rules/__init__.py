"""What is good: rules over signals, as data.

A preset is a YAML file with one line a rule (`rules.presets`); a run names a preset and what it changes. All rules judge every
document, without a short circuit, so that thresholds can be moved and presets compared over the stored
signals alone. The verdict is one 64-bit mask a document: bit i is set when rule i rejects it. A preset thus
has at most 64 rules.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_RULES = 64


class RuleError(ValueError):
    """A preset, a change or a table of signals that is wrong; one line: where, which rule, what was meant.

    `rule`: the name under which a change was asked for, where it is the change that is wrong.
    """

    rule = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A document is rejected when its `signal` is < low, > high, or >= below."""

    name: str
    signal: str
    low: float = -inf
    high: float = inf
    below: float = inf
    why: str = ""
    source: str = ""

    def limits(self) -> str:
        """When it rejects, as a person writes it: < 0.2, > 0.5."""
        limits = (("<", self.low), (">", self.high), ("≥", self.below))
        return ", ".join(f"{sign} {plain(value)}" for sign, value in limits if abs(value) != inf)

    def rejects(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which of the signal's values it rejects."""
        rejected = (values < self.low) | (values > self.high)
        if self.below < inf:
            rejected |= values >= self.below
        return np.asarray(rejected, np.bool_)


def judge(rules: Sequence[Rule], columns: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.uint64]:
    """One mask a document: bit i is set when rule i rejects it. 0: the document passes.

    Raises RuleError for a signal that is not among the columns, for columns of unequal length, and for a NaN,
    which would pass every comparison.
    """
    check(rules, "judge")
    mask: npt.NDArray[np.uint64] | None = None
    for i, rule in enumerate(rules):
        if rule.signal not in columns:
            raise RuleError(f"rule {rule.name!r}: signal {rule.signal!r} was not measured{nearest(rule.signal, columns)}")
        values = np.asarray(columns[rule.signal])
        if mask is None:
            mask = np.zeros(len(values), np.uint64)
        if values.shape != mask.shape:
            raise RuleError(f"rule {rule.name!r}: {len(values)} values of {rule.signal!r} for {len(mask)} documents")
        if np.isnan(values).any():
            first = int(np.isnan(values).argmax())
            raise RuleError(f"rule {rule.name!r}: {rule.signal!r} of document {first} is NaN, which no limit can judge")
        mask |= rule.rejects(values).astype(np.uint64) << np.uint64(i)
    assert mask is not None
    return mask


def first_reason(rules: Sequence[Rule], mask: npt.NDArray[np.uint64]) -> npt.NDArray[np.int8]:
    """Index of the first rule that rejects each document, -1 where none does."""
    mask = np.asarray(mask, np.uint64)
    if len(rules) < MOST_RULES and (mask >> np.uint64(len(rules))).any():
        raise RuleError(f"a mask has bits beyond the {len(rules)} rules: it was made with other rules")
    lowest = mask & (~mask + np.uint64(1))
    return (np.frexp(lowest.astype(np.float64))[1] - 1).astype(np.int8)  # powers of two are exact in float64


def check(rules: Sequence[Rule], where: str) -> tuple[Rule, ...]:
    """The rules, if they can be judged together: at least one, at most MOST_RULES, no name twice. RuleError otherwise."""
    if not rules:
        raise RuleError(f"{where}: no rules; a run that judges nothing must leave the step out")
    if len(rules) > MOST_RULES:
        raise RuleError(f"{where}: {len(rules)} rules; a mask has room for {MOST_RULES}")
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise RuleError(f"{where}: rule {rule.name!r}: stands there twice; rename one")
        seen.add(rule.name)
    return tuple(rules)


def plain(limit: float) -> str:
    """A limit with all its digits, as a person writes it: 0.2, 400, 1234567."""
    return repr(float(limit)).removesuffix(".0")


def nearest(word: Any, words: Iterable[str]) -> str:
    """ " (did you mean 'x'?)" for the word that is most alike, or nothing."""
    near = difflib.get_close_matches(str(word), list(words), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
