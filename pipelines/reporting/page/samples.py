"""Texts that a rule rejects, and kept ones that come near its limit, with what decided marked in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
from markupsafe import Markup

from seiryu.corpus.errors import InputError
from seiryu.filters.explaining import spans
from seiryu.filters.instruments import Instruments
from seiryu.filters.rules import Rule
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.facts import Facts
from seiryu.pipelines.facts.texts import documents_at
from seiryu.pipelines.measured import instruments, read_signals
from seiryu.pipelines.reporting.page.asking import answers
from seiryu.pipelines.reporting.page.distributions import SIDES
from seiryu.pipelines.reporting.page.shown import excerpt
from seiryu.pipelines.reporting.taken_down import TakenDown
from seiryu.pipelines.state import State

_REJECTED, _KEPT, _POOL = 3, 2, 24
_LONGEST = 100_000  # letters of a text that is searched for what decided: marking is plain Python
Row = dict[str, Any]


@dataclass(frozen=True)
class Samples:
    """`rules`: a row a rule with `rejected` and `kept` documents; `why` and `unmarked`: what stood in the way of texts and of marks."""

    rules: list[Row] = field(default_factory=list)
    pool: int = 0
    why: str = ""
    unmarked: str = ""


def samples(state: State, facts: Facts, gone: TakenDown) -> Samples:
    """For every rule; none of a table without rows, and none of what is taken down."""
    if not facts.documents or not facts.rules:
        return Samples()
    asked = [partial(gone.sample, rules=facts.rules, rule=rule.name, most=_REJECTED) for rule in facts.rules]
    *rejected, pool = (
        table.to_pylist() for table in answers(facts, [*asked, partial(gone.sample, rules=facts.rules, rule=None, most=_POOL)])
    )
    rows = []
    try:
        values = _values(state, facts, pool)
        for rule, found in zip(facts.rules, rejected, strict=True):
            near = _nearest(rule, pool, values)
            kept = [{**row, "value": values[row["doc_id"]][rule.signal]} for row in near[:_KEPT]]
            rows.append({"rule": rule, "rejected": found, "kept": kept})
        places = sorted({(each["unit"], each["row"]) for row in rows for each in (*row["rejected"], *row["kept"])})
        texts = dict(zip(places, (str(found["text"]) for found in documents_at(state, places)), strict=True))
    except InputError as error:
        return Samples(why=str(error))
    made, unmarked = _instruments(state)
    for row in rows:
        for each in row["rejected"]:
            each["whole"], each["shown"] = _marked(texts[each["unit"], each["row"]], row["rule"], each["value"], made)
        for each in row["kept"]:
            each["whole"], each["shown"] = False, excerpt(texts[each["unit"], each["row"]], ())
    return Samples(rows, len(pool), unmarked=unmarked)


def _marked(text: str, rule: Rule, value: float, made: Instruments | None) -> tuple[bool, Markup]:
    """Whether the text as a whole decided, and its excerpt."""
    if made is None or len(text) > _LONGEST:
        return False, excerpt(text, ())
    found = spans(text, rule, value, made)
    return not found, excerpt(text, found)


def _distance(rule: Rule, value: float) -> float:
    return min((abs(value - getattr(rule, side)) for side, _ in SIDES if isfinite(getattr(rule, side))), default=0.0)


def _nearest(rule: Rule, pool: list[Row], values: dict[str, dict[str, float]]) -> list[Row]:
    """The kept documents, those first whose value is nearest to a limit of the rule."""
    return sorted(pool, key=lambda row: (_distance(rule, values[row["doc_id"]][rule.signal]), row["doc_id"]))


def _values(state: State, facts: Facts, pool: list[Row]) -> dict[str, dict[str, float]]:
    """The rules' signals of these documents by doc_id."""
    wanted = list(dict.fromkeys(rule.signal for rule in facts.rules))
    found: dict[str, dict[str, float]] = {}
    for unit in sorted({row["unit"] for row in pool}):
        mine = [row for row in pool if row["unit"] == unit]
        table = read_signals(state.store, facts.signals, unit, wanted).take(np.array([row["row"] for row in mine]))
        found |= {row["doc_id"]: values for row, values in zip(mine, table.to_pylist(), strict=True)}
    return found


def _instruments(state: State) -> tuple[Instruments | None, str]:
    """What the run measured with, or why it cannot be had."""
    annotated = list(state.completed("annotate").values())
    try:
        made = instruments(state.config, any(done.setting("morphology") for done in annotated))
    except (ConfigError, InputError) as error:
        return None, str(error)
    lists = dict(annotated[0].setting("lists")) if annotated else made.lists.sha256
    changed = sorted(name for name, sha256 in made.lists.sha256.items() if lists.get(name) != sha256)
    return (None, ", ".join(changed)) if changed else (made, "")
