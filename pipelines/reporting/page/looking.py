"""What the table of a run says of rules, their overlaps, sources and duplicates; every number an answer of `facts.queries`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from seiryu.filters.rules import Rule
from seiryu.pipelines.facts import Facts, masks, queries
from seiryu.pipelines.reporting.page import charts
from seiryu.pipelines.reporting.page.asking import answers
from seiryu.pipelines.reporting.page.shown import visible
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.state import State

_SETS, _VALUES, _YEARS, _SIZES = 40, 20, 200, 2000
_BY = ("tld", "host", "charset", "extractor")


def rules(state: State, facts: Facts, counted: pa.Table) -> dict[str, Any]:
    """A row a rule with all that it counts, and the sums they stand against; `counted`: of `queries.masks`."""
    known: Sequence[Rule] = facts.rules or rules_in_force(state.config)
    rows = masks.rule_counts(counted, known).to_pylist()
    totals = masks.totals(counted)
    all_documents = max(1, totals["measured"]["documents"])
    for row, rule in zip(rows, known, strict=True):
        row |= {"of": rule, "share": 100 * row["hit_documents"] / all_documents}
    return {"rows": rows, "totals": totals}


def overlaps(facts: Facts, counted: pa.Table) -> dict[str, Any]:
    """The largest sets of rules that reject together, drawn and as rows; `total`: how many sets there are."""
    rejecting = {mask for mask in counted["reject_mask"].to_pylist() if mask}
    rows = masks.overlaps(counted, facts.rules, _SETS).to_pylist()
    if not rows:
        return {"rows": [], "total": 0, "chart": None}
    named = [[visible(name) for name in row["rules"]] for row in rows]
    present = [visible(rule.name) for rule in facts.rules if any(rule.name in row["rules"] for row in rows)]
    sets = [
        {"set": i, "documents": row["documents"], "names": " + ".join(names)}
        for i, (row, names) in enumerate(zip(rows, named, strict=True))
    ]
    dots = [{"set": i, "rule": name, "on": name in names} for name in present for i, names in enumerate(named)]
    links = [{"set": i, "first": names[0], "last": names[-1]} for i, names in enumerate(named) if len(names) > 1]
    return {"rows": rows, "total": len(rejecting), "chart": charts.overlap_chart(sets, dots, links)}


def sources(facts: Facts) -> dict[str, Any]:
    """Documents by top-level domain, host, charset and extractor, the most frequent, and by year."""
    asked = [partial(queries.by, name=name, most=_VALUES) for name in _BY]
    *tables, years = answers(facts, [*asked, partial(queries.by, name="year", most=_YEARS, order="value")])
    numbers = answers(facts, [partial(queries.distinct, name=name) for name in _BY])
    groups = []
    for name, table, number in zip(_BY, tables, numbers, strict=True):
        rows = table.to_pylist()
        most = max((row["documents"] for row in rows), default=1)
        for row in rows:
            row["part"] = 100 * row["documents"] / most
        groups.append({"key": name, "rows": rows, "total": number})
    by_year = years.to_pylist()
    drawn = [
        {"year": row["value"] or "?", "kind": kind, "documents": number}
        for row in by_year
        for kind, number in enumerate((row["final"], row["passing"] - row["final"], row["documents"] - row["passing"]))
        if number
    ]
    return {"groups": groups, "years": by_year, "chart": charts.years_chart(drawn) if drawn else None}


def duplicates(facts: Facts) -> dict[str, Any]:
    """How large the clusters are, and what deduplication said."""
    sizes, said = answers(facts, [queries.cluster_sizes, queries.verdicts])
    rows = sizes.to_pylist()
    clusters = sum(row["clusters"] for row in rows)
    return {
        "rows": rows[:_SIZES], "clusters": clusters, "larger": sum(row["clusters"] for row in rows if row["size"] > 1),
        "verdicts": said.to_pylist(), "chart": charts.clusters_chart(rows[:_SIZES]) if rows else None,
    }  # fmt: skip
