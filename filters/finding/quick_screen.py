"""A guess at the verdict of the rules from a quick extraction, to spare the costly one.

resiliparse finds the main content in a fifth of trafilatura's time, and much the same of it. Its text is measured, and judged by the
rules with slack, because the other extractor draws other bounds: shares may be off by SHARE, all else by FACTOR. Texts shorter
than BELIEVED_FROM tell nothing: what one extractor misses the other may find.

Of the pages of samples/ and the larger pack that could pass, trafilatura and the rules of configs/sample.yaml keep 700; slack, share of
the extracted letters that need no costly extraction, and documents lost (the file's own: `python -m benchmarks quick_screen`):

    .10 and 3    .82   20        .25 and 3    .63    2     this file
    .20 and 3    .71    4        .30 and 3    .52    1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import pyarrow as pa

from seiryu.filters.rules import Rule, judge
from seiryu.filters.signals import measure
from seiryu.filters.signals.swallow import SIGNALS

BELIEVED_FROM = 400  # letters
SHARE = 0.25
FACTOR = 3.0
_ASKED = frozenset(signal.name for signal in SIGNALS) - {"letters", "japanese_letters"}


def screened(rule: Rule) -> bool:
    """Whether the screen asks for a rule's signal: not for the length of the text, and not for what takes a dictionary."""
    return rule.signal in _ASKED


def widened(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules that the screen asks for, with slack."""
    slack = []
    for rule in filter(screened, rules):
        share = rule.signal.endswith("share")
        low, high = (rule.low - SHARE, rule.high + SHARE) if share else (rule.low / FACTOR, rule.high * FACTOR)
        slack.append(replace(rule, low=low, high=high, below=inf))
    return tuple(slack)


def fails_by_far(text: str, rules: Sequence[Rule]) -> bool:
    """Whether a text from a quick extraction is long enough to be believed and fails one of the widened rules."""
    columns = measure(pa.array([text]), ("swallow",))
    return bool(columns["letters"][0] >= BELIEVED_FROM and judge(rules, columns)[0])
