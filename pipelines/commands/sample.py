"""The command that shows documents of a rule, drawn by a hash of their doc_id: the same every time, in whatever order files lie."""

from __future__ import annotations

import json
from typing import Any

from rich.table import Table

from seiryu.filters.explaining import spans
from seiryu.filters.rules import Rule, nearest
from seiryu.pipelines.commands.checks import begun
from seiryu.pipelines.commands.explain import show_spans
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.facts import facts_of, queries
from seiryu.pipelines.facts.texts import documents_at
from seiryu.pipelines.reporting.explanation import Judged, instruments_of
from seiryu.pipelines.telling.screen import out, plain, say

_LONGEST = 300  # letters of a text where no place in it decided


def sample_command(run: str, name: str, number: int, seed: int, *, as_json: bool) -> int:
    state = begun(run)
    facts = facts_of(state)
    rule = next((each for each in facts.rules if each.name == name), None)
    if name and rule is None:
        known = [each.name for each in facts.rules]
        raise ConfigError(
            f"--rule {name}: no rule of this run{nearest(name, known)}; its rules: {', '.join(known) or 'none, nothing is judged yet'}"
        )
    with facts.cursor() as con:
        rows = queries.sample(con, facts.rules, name or None, number, seed).to_pylist()
    texts = [each["text"] for each in documents_at(state, [(row["unit"], row["row"]) for row in rows])]
    made = instruments_of(state) if rule and rows else None
    judged = [Judged(rule, row["value"], True, spans(text, rule, row["value"], made)) if rule and made else None
              for row, text in zip(rows, texts, strict=True)]  # fmt: skip
    if as_json:
        print(
            json.dumps(
                [_json(facts.rules, *each) for each in zip(rows, texts, judged, strict=True)], ensure_ascii=False, indent=1
            )
        )
        return 0
    if facts.note:
        say(facts.note)
    if not rows:
        say(f"{name} rejects no document" if rule else "no document passes all rules")
    for row, text, found in zip(rows, texts, judged, strict=True):
        _show(facts.rules, row, text, found)
    return 0


def _json(rules: tuple[Rule, ...], row: dict[str, Any], text: str, judged: Judged | None) -> dict[str, Any]:
    names = ("doc_id", "url", "title", "host", "letters", "tokens", "fate")
    own = {"rule": judged.rule.name, "signal": judged.rule.signal, "value": row["value"], "spans": judged.spans} if judged else {}
    return {name: row[name] for name in names} | own | {"rejected_by": _names(rules, row["reject_mask"]), "text": text}


def _names(rules: tuple[Rule, ...], mask: int) -> list[str]:
    return [rule.name for i, rule in enumerate(rules) if mask >> i & 1]


def _show(rules: tuple[Rule, ...], row: dict[str, Any], text: str, judged: Judged | None) -> None:
    out.print(plain(row["title"]) or "without a title", style="bold")
    table = Table(box=None, pad_edge=False, show_header=False)
    lines = [("doc_id", row["doc_id"]), ("url", plain(row["url"])), ("fate", row["fate"]), ("letters", f"{row['letters']:,}")]
    if names := _names(rules, row["reject_mask"]):
        lines.append(("rejected by", ", ".join(names)))
    if judged:
        lines.append((judged.rule.signal, f"{row['value']:.5g}, rejected if {judged.rule.limits()}"))
    for line in lines:
        table.add_row(*line)
    out.print(table)
    if judged:
        show_spans(text, judged)
    if not judged or not judged.spans:
        out.print(f"  {plain(text[:_LONGEST])}{' ...' if len(text) > _LONGEST else ''}")
    out.print()
