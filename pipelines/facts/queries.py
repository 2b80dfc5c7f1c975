"""The questions to the table of a run, in SQL: pure functions from a connection of `Facts.cursor` to Arrow tables in a fixed order.

No SQL is made of what comes from the web or from a user's text: names of columns are those of the table, numbers are written by
`number`, all else is a parameter. Letters and tokens are those of the texts as they were extracted.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from seiryu.filters.rules import Rule
from seiryu.pipelines.facts.masks import added_up

SUMS = "count(*) AS documents, coalesce(sum(letters), 0)::BIGINT AS letters, coalesce(sum(tokens), 0)::BIGINT AS tokens"
GROUPED = ("host", "site", "tld", "year", "charset", "extractor", "blocked")
_FATES = "('rejected', 'blocked', 'duplicate', 'cleaned', 'final', 'passing')"
PASSES = "reject_mask = 0 AND blocked = ''"
LISTED = (
    "unit, row, doc_id, url, title, host, letters, tokens, reject_mask, blocked, fate, verdict, duplicate_of, similarity, duplicates, "
    "cluster"
)


def ask(con: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, object] | None = None) -> pa.Table:
    """The answer to one question."""
    return con.sql(sql, params=parameters).to_arrow_table()


def column(name: str) -> str:
    """A column as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def number(value: float) -> str:
    """A float64 as SQL writes it, with all its digits: a bare 0.1 would be a decimal."""
    return f"'{float(value)!r}'::DOUBLE"


def bits(mask: int) -> str:
    return f"{mask}::UBIGINT"


def rejects(rule: Rule) -> str:
    """When a rule rejects, as a condition: the same comparisons as `Rule.rejects`."""
    name = column(rule.signal)
    limits = (("<", rule.low), (">", rule.high), (">=", rule.below))
    given = [f"{name} {sign} {number(value)}" for sign, value in limits if abs(value) != float("inf")]
    return f"({' OR '.join(given)})" if given else "false"


def masks(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """What all counts of rules follow from: reject_mask, blocked (bool), documents, letters, tokens; a row for each that occurs."""
    return ask(con, f"SELECT reject_mask, blocked != '' AS blocked, {SUMS} FROM facts GROUP BY ALL ORDER BY ALL")


def masks_under(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule], other: Sequence[Rule]) -> pa.Table:
    """As `masks`, judged by other rules: bit i is other[i]; `before`: whether the documents pass the rules they were judged by.

    Only the signals of rules that differ are read: the others' bits are moved to where they belong.
    """
    return ask(con, f"SELECT {mask_under(rules, other)} AS reject_mask, blocked != '' AS blocked, {PASSES} AS before, {SUMS} "
                    "FROM facts GROUP BY ALL ORDER BY ALL")  # fmt: skip


def mask_under(rules: Sequence[Rule], other: Sequence[Rule]) -> str:
    """The mask of other rules as an expression."""
    bit_of = {(rule.signal, rule.low, rule.high, rule.below): bit for bit, rule in enumerate(rules)}
    same, parts = 0, []
    for i, rule in enumerate(other):
        bit = bit_of.get((rule.signal, rule.low, rule.high, rule.below))
        if bit == i:
            same |= 1 << i
        elif bit is not None:
            parts.append(f"(((reject_mask >> {bit}) & {bits(1)}) << {i})")
        else:
            parts.append(f"CASE WHEN {rejects(rule)} THEN {bits(1 << i)} ELSE {bits(0)} END")
    return " | ".join([f"(reject_mask & {bits(same)})", *parts])


def fates(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """What became of the documents: fate, documents, letters, tokens; those that occur, in the order of the pipeline."""
    return ask(con, f"SELECT fate, {SUMS} FROM facts GROUP BY fate ORDER BY list_position({_list(_FATES)}, fate)")


def _list(names: str) -> str:
    return "[" + names.strip("()") + "]"


def histogram(con: duckdb.DuckDBPyConnection, signal: str, edges: Sequence[float]) -> pa.Table:
    """bin, documents, passing: bin k holds edges[k-1] <= x < edges[k]; bin 0 what is below the first, the last all from there on."""
    return ask(
        con,
        f"SELECT bin, coalesce(documents, 0) AS documents, coalesce(passing, 0) AS passing FROM range({len(edges) + 1}) AS bins(bin) "
        f"LEFT JOIN (SELECT {_bin(column(signal), edges)} AS bin, count(*) AS documents, count(*) FILTER ({PASSES}) AS passing "
        "FROM facts GROUP BY 1) USING (bin) ORDER BY bin",
    )


def _bin(value: str, edges: Sequence[float], begin: int = 0, end: int | None = None) -> str:
    """How many of the edges are not above a value, found by halving: few comparisons a row, each of them exact."""
    end = len(edges) if end is None else end
    if begin == end:
        return str(begin)
    middle = (begin + end) // 2
    below, above = _bin(value, edges, begin, middle), _bin(value, edges, middle + 1, end)
    return f"CASE WHEN {value} < {number(edges[middle])} THEN {below} ELSE {above} END"


def at_stops(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule], rule: str, side: str, stops: Sequence[float]) -> pa.Table:
    """What a rule would do with other limits, all else as it is; a row for each of `stops`, which rise.

    `side`: low, high or below, the limit that moves. stop; hit_: rejected by it; only_: by nothing else; kept_: passes all; each in
    documents, letters and tokens.
    """
    bit = [each.name for each in rules].index(rule)
    mine = rules[bit]
    others = [limit for name, limit in (("low", f"< {number(mine.low)}"), ("high", f"> {number(mine.high)}"),
              ("below", f">= {number(mine.below)}")) if name != side and abs(getattr(mine, name)) != float("inf")]  # fmt: skip
    name = column(mine.signal)
    fixed = " OR ".join(f"{name} {limit}" for limit in others) or "false"  # what the limits that stay reject
    place = _steps(name, stops, "<" if side == "high" else "<=")
    rows = ask(
        con,
        f"SELECT {place} AS place, {fixed} AS fixed, (reject_mask & {bits(~(1 << bit) & (1 << 64) - 1)}) = 0 AND blocked = '' AS free, "
        f"{SUMS} FROM facts GROUP BY ALL ORDER BY ALL",
    )
    return added_up(rows, side, stops)


def _steps(value: str, stops: Sequence[float], sign: str, begin: int = 0, end: int | None = None) -> str:
    """How many of the stops are `sign` a value: stops rise, so those that are come first."""
    end = len(stops) if end is None else end
    if begin == end:
        return str(begin)
    middle = (begin + end) // 2
    above, below = _steps(value, stops, sign, middle + 1, end), _steps(value, stops, sign, begin, middle)
    return f"CASE WHEN {number(stops[middle])} {sign} {value} THEN {above} ELSE {below} END"


def by(con: duckdb.DuckDBPyConnection, name: str, most: int, order: str = "documents") -> pa.Table:
    """value, documents, letters, tokens, passing, final: the `most` values of a column with the most documents.

    `name`: one of GROUPED; a year that is not known is "". `order`: year and such by "value".
    """
    if name not in GROUPED or order not in ("documents", "value"):
        raise ValueError(f"{name} by {order}")
    value = "CASE WHEN year = 0 THEN '' ELSE year::VARCHAR END" if name == "year" else column(name)
    first, only = ("documents DESC, value", _largest(column(name), most)) if order == "documents" else ("value", "")
    return ask(
        con,
        f"SELECT {value} AS value, {SUMS}, count(*) FILTER ({PASSES}) AS passing, count(*) FILTER (fate = 'final') AS final "
        f"FROM facts {only} GROUP BY 1 ORDER BY {first} LIMIT {int(most)}",
    )


def _largest(name: str, most: int) -> str:
    """Leaves only rows of values that may be among the largest, so that nothing is added up for hosts that nobody sees."""
    return (
        f"SEMI JOIN (SELECT {name}, rank() OVER (ORDER BY count(*) DESC) AS place FROM facts GROUP BY {name} "
        f"QUALIFY place <= {int(most)}) USING ({name})"
    )


def distinct(con: duckdb.DuckDBPyConnection, name: str) -> int:
    """How many values a column has."""
    if name not in GROUPED:
        raise ValueError(name)
    return int(ask(con, f"SELECT count(DISTINCT {column(name)}) AS n FROM facts")["n"][0].as_py())


def cluster_sizes(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """size, clusters, documents: kept documents that stand for `size` documents, themselves among them."""
    return ask(con, "SELECT (duplicates + 1)::BIGINT AS size, count(*) AS clusters, sum(duplicates + 1)::BIGINT AS documents "
                    "FROM facts WHERE verdict = 'kept' GROUP BY 1 ORDER BY 1")  # fmt: skip


def verdicts(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """What deduplication said: verdict, documents, letters, tokens."""
    return ask(con, f"SELECT verdict, {SUMS} FROM facts WHERE verdict != '' GROUP BY 1 ORDER BY documents DESC, verdict")


def sample(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule], rule: str | None, most: int, seed: int = 0) -> pa.Table:
    """Documents that a rule rejects, with the `value` of its signal; for None those that pass. Drawn by a hash of doc_id and seed."""
    bit = None if rule is None else [each.name for each in rules].index(rule)
    where = PASSES if bit is None else f"reject_mask & {bits(1 << bit)} != 0"
    value = "0" if bit is None else column(rules[bit].signal)
    return ask(
        con,
        f"SELECT {LISTED}, {value}::DOUBLE AS value FROM facts WHERE {where} ORDER BY md5(doc_id || $seed), doc_id LIMIT {int(most)}",
        {"seed": f" {seed}"},
    )
