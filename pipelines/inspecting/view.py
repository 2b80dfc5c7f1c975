"""What the page shows, as a value that stands in its address: any state can be sent to a colleague as a link."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from typing import Any

from seiryu.filters.rules import Rule, plain
from seiryu.pipelines.facts import Facts
from seiryu.pipelines.facts.brush import NO_BRUSH, Brush
from seiryu.pipelines.facts.documents import Wanted

TABS = ("limits", "flips", "near", "distributions", "documents", "judge", "text")
SIDES = ("low", "high", "below")
_WHOLE = re.compile(r"[0-9]{1,6}")
MOST_DRAWN = 8  # signals in the distributions
KEPT = "kept"  # instead of a rule: what all rules keep


@dataclass(frozen=True)
class View:
    """`moves`: "rule.side" -> limit; `drops`: rules that are left out; `rule`: the rule looked at, or KEPT; `doc`: the document opened;
    `way`: gained or lost; `alone`: only what this rule decides; `draws`: signals of the distributions, `brush`: what is drawn over in
    them; `words`: letters to look for in the texts, from the `archive`-th archive on; the rest as in `Wanted`."""

    tab: str = TABS[0]
    moves: Mapping[str, float] = field(default_factory=dict)
    drops: tuple[str, ...] = ()
    rule: str = ""
    way: str = "gained"
    alone: bool = True
    fate: str = ""
    host: str = ""
    cluster: str = ""
    signal: str = ""
    low: float | None = None
    high: float | None = None
    find: str = ""
    sort: str = ""
    page: int = 0
    doc: str = ""
    seed: int = 0
    draws: tuple[str, ...] = ()
    brush: Brush = NO_BRUSH
    words: str = ""
    archive: int = 0

    @classmethod
    def of(cls, params: Mapping[str, str | Sequence[str]], facts: Facts) -> View:
        """From an address. What the run does not know, or what makes no sense, is as if it were not there."""
        given = {name: value if isinstance(value, str) else value[-1] if value else "" for name, value in params.items()}
        rules, signals = {rule.name for rule in facts.rules}, {signal.name for signal in facts.signals}
        known = {
            "tab": set(TABS),
            "rule": rules | {KEPT},
            "way": {"gained", "lost"},
            "signal": signals,
            "sort": {"value", "-value"},
        }
        found: dict[str, Any] = {name: given[name] for name, values in known.items() if given.get(name) in values}
        found |= {name: given[name] for name in ("fate", "host", "cluster", "find", "doc", "words") if given.get(name)}
        found |= {name: value for name in ("low", "high") if (value := _number(given.get(name, ""))) is not None}
        found |= {name: int(given[name]) for name in ("page", "seed", "archive") if _WHOLE.fullmatch(given.get(name, ""))}
        drawn = dict.fromkeys(name for name in given.get("draws", "").split(",") if name in signals)
        found["draws"] = tuple(drawn)[:MOST_DRAWN]
        found["moves"], found["drops"] = _changes(given.get("set", ""), facts)
        found["alone"] = given.get("alone") != "0"
        found["brush"] = Brush.of_text(given.get("brush", ""), signals)
        return cls(**found)

    def params(self) -> dict[str, str]:
        """As it stands in an address: only what is not as at the beginning."""
        found: dict[str, str] = {}
        start = View()
        for each in fields(self):
            value = getattr(self, each.name)
            if value == getattr(start, each.name) or each.name in ("moves", "drops"):
                continue
            if isinstance(value, Brush):
                found[each.name] = value.text()
            elif isinstance(value, tuple):
                found[each.name] = ",".join(value)
            elif isinstance(value, bool):
                found[each.name] = str(int(value))
            else:
                found[each.name] = plain(value) if isinstance(value, float) else str(value)
        changes = [
            *(f"{name}={plain(value)}" for name, value in sorted(self.moves.items())),
            *(f"{name}=null" for name in self.drops),
        ]
        return found | ({"set": ",".join(changes)} if changes else {})

    def rules(self, facts: Facts) -> tuple[Rule, ...]:
        """The rules of the run with the limits moved and without those that are left out."""
        found = []
        for rule in facts.rules:
            moved: dict[str, Any] = {
                side: self.moves[f"{rule.name}.{side}"] for side in SIDES if f"{rule.name}.{side}" in self.moves
            }
            if rule.name not in self.drops:
                found.append(replace(rule, **moved))
        return tuple(found)

    def wanted(self) -> Wanted:
        """The documents to list."""
        rule = "" if self.rule == KEPT else self.rule
        return Wanted(
            rule,
            self.fate,
            self.host,
            self.cluster,
            self.signal,
            self.low,
            self.high,
            self.find,
            self.sort,
            self.brush,
            kept=self.rule == KEPT,
        )


def limits_of(rule: Rule) -> list[tuple[str, float]]:
    """(side, limit) of each limit that a rule has."""
    return [(side, getattr(rule, side)) for side in SIDES if isfinite(getattr(rule, side))]


def patch(view: View, facts: Facts) -> str:
    """The changed limits as YAML for a config, empty if none is: what the page shows, as a run would be made with it."""
    lines = []
    for rule in facts.rules:
        moved = [
            f"{side}: {plain(view.moves[f'{rule.name}.{side}'])}"
            for side, _ in limits_of(rule)
            if f"{rule.name}.{side}" in view.moves
        ]
        if rule.name in view.drops:
            lines.append(f"    {rule.name}: null")
        elif moved:
            lines.append(f"    {rule.name}: {{{', '.join(moved)}}}")
    return "rules:\n  change:\n" + "\n".join(lines) + "\n" if lines else ""


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _changes(text: str, facts: Facts) -> tuple[dict[str, float], tuple[str, ...]]:
    known = {f"{rule.name}.{side}": limit for rule in facts.rules for side, limit in limits_of(rule)}
    moves, drops = {}, []
    for change in text.split(","):
        name, _, value = change.partition("=")
        if value == "null" and name in {rule.name for rule in facts.rules}:
            drops.append(name)
        elif name in known and (limit := _number(value)) is not None and limit != known[name]:
            moves[name] = limit
    return moves, tuple(drops)
