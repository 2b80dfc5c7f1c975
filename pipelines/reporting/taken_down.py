"""What no report shows: texts of pages that takedown.json names.

A page is hidden whether it stood in a shard or was rejected long before; so is one that was removed as a copy of a hidden page, for
its text is the same or much like it. What stands on many pages goes too: repeated lines of the sites of hidden pages, and repeated
paragraphs, which stand anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.filters.addresses.hosts import normal_host, split_address
from seiryu.filters.rules import Rule
from seiryu.pipelines.facts import Facts, queries
from seiryu.pipelines.state import State
from seiryu.pipelines.takedown import Rules, check_not_lost, rules_of

_MOST = 100_000  # documents among which some are looked for that may be shown


@dataclass(frozen=True, slots=True)
class TakenDown:
    """`rules`: in force; `sites`: hosts of the pages of this run that they hit, and all names above these."""

    rules: Rules
    sites: frozenset[str]

    def sample(self, con: duckdb.DuckDBPyConnection, rules: Sequence[Rule], rule: str | None, most: int) -> pa.Table:
        """As `queries.sample`, of the documents that may be shown: the same ones but for those that are hidden."""
        asked = most
        while True:
            rows = queries.sample(con, rules, rule, asked)
            shown = rows.filter(pc.invert(self._hidden(con, rows))) if self.rules else rows
            if len(shown) >= most or len(rows) < asked or asked >= _MOST:
                return shown.slice(0, most)
            asked = min(8 * asked, _MOST)

    def _hidden(self, con: duckdb.DuckDBPyConnection, rows: pa.Table) -> pa.Array:
        asked = "SELECT doc_id, url, host FROM facts WHERE doc_id IN (SELECT unnest($ids::VARCHAR[]))"
        known = queries.ask(con, asked, {"ids": rows["duplicate_of"].unique().to_pylist()})
        gone = [known.filter(self._hit(known))["doc_id"], pa.chunked_array([sorted(self.rules.ids)], pa.string())]
        copies = pc.is_in(rows["duplicate_of"], pa.concat_arrays([chunk for each in gone for chunk in each.chunks]))
        return pc.or_(self._hit(rows), copies)

    def _hit(self, pages: pa.Table) -> pa.Array:
        return pc.not_equal(self.rules.hits(pages), "")

    def without_lines(self, lines: pa.Table) -> pa.Table:
        """Repeated lines (a column `site`) without those of hidden pages' sites."""
        return lines.filter(pc.invert(pc.is_in(lines["site"], pa.array(sorted(self.sites), pa.string()))))


def taken_down(state: State, facts: Facts) -> TakenDown:
    """What is to be hidden in a run. InputError if takedown.json is damaged, or gone though pages were taken down by it."""
    check_not_lost(state.store)
    rules = rules_of(state.store)
    if not rules:
        return TakenDown(rules, frozenset())
    with facts.cursor() as con:
        hosts = queries.ask(con, "SELECT DISTINCT '' AS doc_id, '' AS url, host FROM facts ORDER BY host")
        hit = [hosts.filter(pc.not_equal(Rules(hosts=rules.hosts).hits(hosts), ""))["host"]]
        near: dict[str, object] = {
            "hosts": sorted({normal_host(split_address(url)[0]) for url in rules.urls}),
            "ids": sorted(rules.ids),
        }
        pages = queries.ask(
            con,
            "SELECT doc_id, url, host FROM facts WHERE host IN (SELECT unnest($hosts::VARCHAR[])) OR doc_id IN "
            "(SELECT unnest($ids::VARCHAR[])) ORDER BY doc_id",
            near,
        )
        hit.append(pages.filter(pc.not_equal(Rules(urls=rules.urls, ids=rules.ids).hits(pages), ""))["host"])
    names = {name for each in hit for name in each.to_pylist()}
    return TakenDown(
        rules, frozenset(".".join(parts[i:]) for parts in (name.split(".") for name in names) for i in range(len(parts)))
    )
