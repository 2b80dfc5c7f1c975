"""Questions to the table of a run whose answers are documents: lists to look through, what flips, what lies about a limit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from seiryu.filters.rules import Rule
from seiryu.pipelines.facts.brush import NO_BRUSH, Brush
from seiryu.pipelines.facts.queries import LISTED, PASSES, ask, bits, column, mask_under, number, rejects


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents to list: all that are asked for at once must hold.

    `rule`: rejected by it; `kept`: passes all; `fate`, `host`: as in the table; `cluster`: doc_id of a kept document, which is
    listed with all that were removed for it; `signal`: `low` <= its value <= `high`; `text`: stands in address, title or host, or
    begins the doc_id, whatever the case; `sort`: doc_id, or value of the signal, downwards with -; `brush`: what was drawn over in the
    distributions; `ids`: only these.
    """

    rule: str = ""
    fate: str = ""
    host: str = ""
    cluster: str = ""
    signal: str = ""
    low: float | None = None
    high: float | None = None
    text: str = ""
    sort: str = ""
    brush: Brush = NO_BRUSH
    ids: tuple[str, ...] | None = None
    kept: bool = False


def listed(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule], wanted: Wanted, most: int, offset: int = 0) -> pa.Table:
    """A page of the documents: LISTED, and `value` of the signal (of the rule's, where none is asked for)."""
    where, parameters = _where(rules, wanted)
    value = f"{column(valued(rules, wanted))}::DOUBLE"
    order = {"value": "value, ", "-value": "value DESC, "}.get(wanted.sort, "")
    return ask(
        con,
        f"SELECT {LISTED}, {value} AS value FROM facts WHERE {where} ORDER BY {order}doc_id LIMIT {int(most)} OFFSET {int(offset)}",
        parameters,
    )


def how_many(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule], wanted: Wanted) -> int:
    """How many documents are asked for."""
    where, parameters = _where(rules, wanted)
    return int(ask(con, f"SELECT count(*) AS n FROM facts WHERE {where}", parameters)["n"][0].as_py())


def _where(rules: Sequence[Rule], wanted: Wanted) -> tuple[str, dict[str, object]]:
    parts, parameters = ["true"], dict[str, object]()
    if wanted.rule:
        bit = bits(1 << [rule.name for rule in rules].index(wanted.rule))
        parts.append(f"reject_mask & {bit} != 0")
    if wanted.kept:
        parts.append(PASSES)
    for name in ("fate", "host"):
        if getattr(wanted, name):
            parts.append(f"{name} = ${name}")
            parameters[name] = getattr(wanted, name)
    if wanted.cluster:
        parts.append("(doc_id = $cluster OR duplicate_of = $cluster)")
        parameters["cluster"] = wanted.cluster
    if wanted.signal:
        parts += [f"{column(wanted.signal)} {sign} {number(limit)}" for sign, limit in ((">=", wanted.low), ("<=", wanted.high))
                  if limit is not None]  # fmt: skip
    parts += [f"{column(name)} BETWEEN {number(low)} AND {number(high)}" for name, (low, high) in wanted.brush.ranges.items()]
    for i, (name, values) in enumerate(wanted.brush.values.items()):
        parts.append(f"list_contains($values{i}, {column(name)}::VARCHAR)")
        parameters[f"values{i}"] = list(values)
    if wanted.ids is not None:
        parts.append("doc_id IN (SELECT unnest($ids::VARCHAR[]))")  # may be as many as an archive has
        parameters["ids"] = list(wanted.ids)
    if wanted.text:
        parts.append(
            "(contains(lower(url), $text) OR contains(lower(title), $text) OR contains(host, $text) OR starts_with(doc_id, $text))"
        )
        parameters["text"] = wanted.text.lower()
    return " AND ".join(parts), parameters


def valued(rules: Sequence[Rule], wanted: Wanted) -> str:
    """The signal whose value is listed."""
    return wanted.signal or next((rule.signal for rule in rules if rule.name == wanted.rule), "letters")


def one(con: duckdb.DuckDBPyConnection, doc_id: str) -> dict[str, object] | None:
    """A document of the table by its whole doc_id."""
    found: list[dict[str, object]] = ask(
        con, f"SELECT {LISTED} FROM facts WHERE doc_id = $id LIMIT 1", {"id": doc_id}
    ).to_pylist()
    return found[0] if found else None


def flipped(
    con: duckdb.DuckDBPyConnection, rules: Sequence[Rule], other: Sequence[Rule], way: str, most: int, offset: int = 0
) -> pa.Table:
    """Documents that other rules would keep (`way` gained) or drop (lost): LISTED, and `mask` by the other rules."""
    signs = {"gained": ("!=", "="), "lost": ("=", "!=")}[way]
    return ask(
        con,
        f"SELECT * FROM (SELECT {LISTED}, {mask_under(rules, other)} AS mask FROM facts WHERE blocked = '' "
        f"AND reject_mask {signs[0]} 0) WHERE mask {signs[1]} 0 ORDER BY doc_id LIMIT {int(most)} OFFSET {int(offset)}",
    )


def about(
    con: duckdb.DuckDBPyConnection, rules: Sequence[Rule], other: Sequence[Rule], name: str, side: str, most: int, *, alone: bool
) -> tuple[pa.Table, pa.Table]:
    """The documents nearest to a limit: those that it rejects, and those that it lets pass; nearest first. LISTED and `value`.

    `other`: the rules now, whose limits may be moved; `name`, `side`: of the limit: low, high or below. `alone`: only documents that
    nothing else rejects, so that this limit decides.
    """
    bit = [rule.name for rule in other].index(name)
    rule = other[bit]
    mine = dataclasses.replace(Rule(rule.name, rule.signal), **{side: getattr(rule, side)})
    value, limit = f"{column(rule.signal)}::DOUBLE", number(getattr(rule, side))
    others = f"({mask_under(rules, other)}) & {bits(~(1 << bit) & (1 << 64) - 1)}"
    free = f"blocked = '' AND {others} = 0" if alone else "true"
    decided = rejects(mine)

    def side_of(condition: str) -> pa.Table:
        return ask(
            con,
            f"SELECT {LISTED}, {value} AS value FROM facts WHERE {condition} AND {free} "
            f"ORDER BY abs({value} - {limit}), doc_id LIMIT {int(most)}",
        )

    return side_of(decided), side_of(f"NOT {rejects(rule)}")
