"""Distributions and the limits that move over them: data of the charts, every number an answer of `facts.queries`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any

import pyarrow as pa

from seiryu.filters.rules import Rule, plain
from seiryu.pipelines.facts import Facts, queries
from seiryu.pipelines.reporting.page import charts, scales
from seiryu.pipelines.reporting.page.asking import answers
from seiryu.pipelines.reporting.page.scales import Span

SIDES = (("low", "<"), ("high", ">"), ("below", "≥"))
_LENGTHS = ("letters", "tokens")
_DEEP = 20  # a bin of so many times the middle one makes the others vanish on a plain axis
_COUNTED = ("hit_documents", "hit_letters", "hit_tokens", "only_documents", "only_letters", "only_tokens", "kept_documents",
            "kept_letters", "kept_tokens")  # fmt: skip


@dataclass(frozen=True)
class Distribution:
    """One signal. `cut`: the edges of its bins; `counts`: of `queries.histogram`."""

    signal: str
    span: Span
    cut: list[float]
    counts: list[dict[str, int]]

    def bins(self) -> list[dict[str, Any]]:
        """What the chart draws: from, to, a and b (ends of a bar), documents, passing; the outer ones only if they hold any."""
        rows = []
        for row in self.counts:
            k = row["bin"]
            outer = "low" if k == 0 else "high" if k == len(self.cut) else ""
            begin = scales.beyond(self.cut, self.span, below=True) if k == 0 else self.cut[k - 1]
            end = scales.beyond(self.cut, self.span, below=False) if k == len(self.cut) else self.cut[k]
            if not outer or row["documents"]:
                rows.append({"from": begin, "to": end, "a": begin, "b": end, "outer": outer, "documents": row["documents"],
                             "passing": row["passing"]})  # fmt: skip
        return rows

    def frame(self) -> dict[str, Any]:
        """The axes. `deep`: whether counts are so uneven that they are drawn logarithmically."""
        bins = self.bins()
        counts = sorted(row["documents"] for row in bins if row["documents"])
        deep = bool(counts) and counts[-1] > _DEEP * counts[len(counts) // 2]
        return {"span": [bins[0]["a"], bins[-1]["b"]], "ticks": scales.ticks(self.span), "log": self.span.log, "deep": deep}

    @property
    def axes(self) -> str:
        """Which axes are logarithmic: the key of a text, empty for none."""
        frame = self.frame()
        return {(True, True): "axis.both", (True, False): "axis.x", (False, True): "axis.y"}.get(
            (frame["log"], frame["deep"]), ""
        )


@dataclass(frozen=True)
class Distributions:
    """All signals by name, what `Facts.spread` says of them, and the charts of limits, lengths and other signals."""

    signals: dict[str, Distribution] = field(default_factory=dict)
    spread: dict[str, dict[str, float]] = field(default_factory=dict)
    limits: list[dict[str, Any]] = field(default_factory=list)
    lengths: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)


def distributions(facts: Facts) -> Distributions:
    """All of them; none of a table without rows."""
    if not facts.documents or not facts.rules:
        return Distributions()
    names = [signal.name for signal in facts.signals]
    spread = facts.spread
    spans = {signal.name: scales.span_of(spread[signal.name], signal.kind == "int", _limits(facts.rules, signal.name))
             for signal in facts.signals}  # fmt: skip
    cuts = {name: scales.edges(spans[name]) for name in names}
    moving = [(rule, side, sign, scales.stops(spans[rule.signal], getattr(rule, side)))
              for rule in facts.rules for side, sign in SIDES if isfinite(getattr(rule, side))]  # fmt: skip
    questions: list[Callable[[Any], pa.Table]] = [partial(queries.histogram, signal=name, edges=cuts[name]) for name in names]
    questions += [
        partial(queries.at_stops, rules=facts.rules, rule=rule.name, side=side, stops=stops) for rule, side, _, stops in moving
    ]
    said = answers(facts, questions)
    drawn = {name: Distribution(name, spans[name], cuts[name], said[i].to_pylist()) for i, name in enumerate(names)}
    limits = [_limit(drawn[rule.signal], rule, side, sign, table, place)
              for place, ((rule, side, sign, _), table) in enumerate(zip(moving, said[len(names) :], strict=True))]  # fmt: skip
    judged = {rule.signal for rule in facts.rules}
    meanings = {signal.name: signal.meaning for signal in facts.signals}

    def plainly(chosen: Sequence[str]) -> list[dict[str, Any]]:
        return [{"signal": name, "meaning": meanings[name], "spread": spread[name], "axes": drawn[name].axes,
                 "chart": charts.distribution_chart(drawn[name].bins(), drawn[name].frame())} for name in chosen]  # fmt: skip

    lengths = [name for name in _LENGTHS if name in drawn]
    return Distributions(drawn, spread, limits, plainly(lengths), plainly([name for name in names if name not in judged]))


def _limits(rules: Sequence[Rule], signal: str) -> list[float]:
    return [getattr(rule, side) for rule in rules if rule.signal == signal for side, _ in SIDES]


def _limit(drawn: Distribution, rule: Rule, side: str, sign: str, table: pa.Table, place: int) -> dict[str, Any]:
    """One slider with its chart. `now`: the stop at which the run stands."""
    rows = table.to_pylist()
    now = next(k for k, row in enumerate(rows) if row["stop"] == float(getattr(rule, side)))
    stops = [
        {"k": k, "stop": row["stop"], "shown": f"{sign} {plain(row['stop'])}", "is_now": int(k == now),
         **{name: row[name] for name in _COUNTED}}
        for k, row in enumerate(rows)
    ]  # fmt: skip
    name = f"limit-{place}"
    frame = {**drawn.frame(), "side": side}
    return {"rule": rule, "side": side, "sign": sign, "name": name, "now": now, "last": len(stops) - 1, "axes": drawn.axes,
            "chart": charts.limit_chart(drawn.bins(), stops, now, frame, name)}  # fmt: skip
