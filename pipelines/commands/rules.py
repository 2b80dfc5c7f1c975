"""The command that recounts a finished run by other rules."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.table import Table

from seiryu.pipelines.commands.checks import finished
from seiryu.pipelines.reporting.recount import Recount, recount
from seiryu.pipelines.telling.screen import out

_LINES = (
    ("measured", "Japanese documents"),
    ("blocked", "on addresses that are not wanted"),
    ("before", "pass the rules of the run"),
    ("kept", "pass these rules"),
    ("gained", "  gained"),
    ("lost", "  lost"),
)


def rules_command(run: str, preset: str, changes: Sequence[str], *, as_json: bool) -> int:
    found = recount(finished(run), preset, changes)
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
        return 0
    out.print(_totals(found))
    out.print()
    out.print(_by_rule(found))
    if found.note:
        out.print(f"\n{found.note}")
    return 0


def _totals(found: Recount) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for title in ("documents", "letters", "tokens"):
        table.add_column(title, justify="right")
    for name, title in _LINES:
        table.add_row(title, *(f"{amount:,}" for amount in found.totals[name].values()), style="bold" if name == "kept" else "")
    return table


def _by_rule(found: Recount) -> Table:
    """A row a rule: what it rejects, and what would be kept if only it were not there."""
    table = Table(box=None, pad_edge=False)
    for title in ("rule", "rejects if"):
        table.add_column(title, no_wrap=True)
    for title in ("rejects", "only this rule", "letters", "tokens"):
        table.add_column(title, justify="right")
    for rule, hit, only in zip(found.rules, found.tallies("hit"), found.tallies("only"), strict=True):
        table.add_row(rule.name, rule.limits(), f"{hit['documents']:,}", *(f"{amount:,}" for amount in only.values()))
    return table
