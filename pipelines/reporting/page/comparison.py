"""A run beside another: funnel, rules and distributions."""

from __future__ import annotations

from functools import partial
from math import isfinite
from typing import Any

from seiryu.filters.rules import Rule
from seiryu.pipelines.facts import Facts, facts_of, masks, queries
from seiryu.pipelines.reporting.funnel import Step, funnel
from seiryu.pipelines.reporting.page import charts, scales
from seiryu.pipelines.reporting.page.asking import answers
from seiryu.pipelines.reporting.page.distributions import SIDES, Distribution, Distributions
from seiryu.pipelines.state import State

Row = dict[str, Any]


def comparison(state: State, facts: Facts, drawn: Distributions, other: State) -> Row:
    """All that stands side by side; `facts` and `drawn` are of this run."""
    theirs = facts_of(other)
    signals, absent = _signals(facts, drawn, theirs)
    steps = _steps(funnel(state), funnel(other))
    return {"other": other.store.root, "steps": steps, "rules": _rules(facts, theirs), "signals": signals, "absent": absent}


def _steps(here: list[Step], there: list[Step]) -> list[Row]:
    """The lines of both funnels, in the order of the one and of the other between them."""
    names = [(step.stage, step.name) for step in here]
    at = 0
    for name in ((step.stage, step.name) for step in there):
        if name in names:
            at = names.index(name) + 1
        else:
            names.insert(at, name)
            at += 1
    ours, theirs = ({(step.stage, step.name): step for step in steps} for steps in (here, there))
    rows = []
    for name in names:
        mine, its = ours.get(name), theirs.get(name)
        difference = mine.documents - its.documents if mine and its else None
        kind = next(step.kind for step in (mine, its) if step)
        rows.append({"name": name[1], "kind": kind, "here": mine, "there": its, "difference": difference})
    return rows


def _rules(facts: Facts, theirs: Facts) -> list[Row]:
    """Every rule of both, with its limits and what it rejects in each."""
    counts = []
    for each in (facts, theirs):
        with each.cursor() as con:
            counted = queries.masks(con)
        counts.append({row["rule"]: row for row in masks.rule_counts(counted, each.rules).to_pylist()})
    ours, others = ({rule.name: rule for rule in each.rules} for each in (facts, theirs))
    rows = []
    for name in dict.fromkeys([*ours, *others]):
        sides = []
        for rules, counted, documents in ((ours, counts[0], facts.documents), (others, counts[1], theirs.documents)):
            rule: Rule | None = rules.get(name)
            hits = counted[name]["hit_documents"] if rule else None
            only = counted[name]["only_documents"] if rule else None
            share = 100 * hits / documents if hits is not None and documents else None
            sides.append({"limits": rule.limits() if rule else None, "hits": hits, "only": only, "share": share})
        rows.append({"name": name, "here": sides[0], "there": sides[1], "moved": sides[0]["limits"] != sides[1]["limits"]})
    return rows


def _signals(facts: Facts, drawn: Distributions, theirs: Facts) -> tuple[list[Row], list[str]]:
    """The signals of all rules that both measured, drawn over each other by the same bins; and those that only one measured."""
    if not drawn.signals or not theirs.documents:
        return [], []
    judged = dict.fromkeys(rule.signal for rule in (*facts.rules, *theirs.rules))
    measured = {signal.name for signal in theirs.signals}
    names = [name for name in judged if name in measured and name in drawn.signals]
    whole = {signal.name: signal.kind == "int" for signal in facts.signals}
    spread = theirs.spread
    spans = {}
    for name in names:
        mine, its = drawn.spread[name], spread[name]
        both = {"least": min(mine["least"], its["least"]), "low": min(mine["low"], its["low"]), "high": max(mine["high"], its["high"]),
                "median": max(mine["median"], its["median"])}  # fmt: skip
        spans[name] = scales.span_of(both, whole[name], [getattr(rule, side) for rule in (*facts.rules, *theirs.rules)
                                                         if rule.signal == name for side, _ in SIDES])  # fmt: skip
    cuts = {name: scales.edges(spans[name]) for name in names}
    asked = [partial(queries.histogram, signal=name, edges=cuts[name]) for name in names]
    rows = []
    for name, ours, others in zip(names, answers(facts, asked), answers(theirs, asked), strict=True):
        here = Distribution(name, spans[name], cuts[name], ours.to_pylist())
        begin = scales.beyond(cuts[name], spans[name], below=True)
        bins = [{"from": cuts[name][k - 1] if k else None, "a": cuts[name][k - 1] if k else begin,
                 "here_documents": row["documents"], "there_documents": other["documents"]}
                for k, (row, other) in enumerate(zip(ours.to_pylist(), others.to_pylist(), strict=True))]  # fmt: skip
        if not (bins[0]["here_documents"] or bins[0]["there_documents"]):
            bins = bins[1:]
        end = scales.beyond(cuts[name], spans[name], below=False)
        bins.append({**bins[-1], "a": end, "from": None, "again": True})  # steps need where the last one ends
        limits = [{"limit": getattr(rule, side), "colour": colour}
                  for each, colour in ((facts, "var(--water)"), (theirs, "var(--lost)")) for rule in each.rules if rule.signal == name
                  for side, _ in SIDES if isfinite(getattr(rule, side))]  # fmt: skip
        frame = {**here.frame(), "span": [bins[0]["a"], end]}
        rows.append({"signal": name, "axes": "axis.x" if frame["log"] else "",
                     "chart": charts.overlay_chart(bins, limits, (facts.documents, theirs.documents), frame)})  # fmt: skip
    return rows, [name for name in judged if name not in names]
