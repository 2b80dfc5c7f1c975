"""Other rules over a finished run: what they would keep, lose and gain, from the table of its documents alone.

Each rule is counted for itself: all it rejects, and what it alone rejects, in documents, letters and tokens. What a run without these
documents would look like behind the rules (near-duplicates, cleaning) is not guessed; `seiryu run --from decide` makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from seiryu.filters.instruments import MORPHOLOGY
from seiryu.filters.rules import Rule, RuleError
from seiryu.filters.rules.plain_yaml import YamlError, read_yaml
from seiryu.filters.rules.presets import change, load_preset, preset_names
from seiryu.pipelines.chain import counted_elsewhere
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.facts import Facts, facts_of, queries
from seiryu.pipelines.facts.masks import AMOUNTS, rule_counts, totals
from seiryu.pipelines.rules_in_force import check_against_extraction
from seiryu.pipelines.state import State

Sums = dict[str, int]  # documents, letters, tokens


@dataclass(frozen=True)
class Recount:
    """Documents, letters and tokens of a run under other rules.

    `totals`: measured: all; blocked: of those, on addresses that are not wanted, which no rule can bring back; before: what passes the
    run's own rules; kept: what passes these; gained and lost: the difference. `by_rule`: as `masks.rule_counts`. `note`: what the
    count cannot know.
    """

    rules: tuple[Rule, ...]
    totals: dict[str, Sums]
    by_rule: pa.Table
    note: str = ""

    def tallies(self, prefix: str) -> list[Sums]:
        """Of each rule what it rejects ("hit") or alone rejects ("only")."""
        rows = self.by_rule.to_pylist()
        return [{name: row[f"{prefix}_{name}"] for name in AMOUNTS} for row in rows]

    def to_json(self) -> dict[str, Any]:
        rules = [
            {"name": rule.name, "signal": rule.signal, "rejected_if": rule.limits(), "rejects": hit, "only": only}
            for rule, hit, only in zip(self.rules, self.tallies("hit"), self.tallies("only"), strict=True)
        ]
        return {**self.totals, "rules": rules, "note": self.note}


def recount(state: State, preset: str = "", changes: Sequence[str] = ()) -> Recount:
    """Judge a run's documents by a preset (else by the run's own rules) with changes such as `few_hiragana.low=0.1`.

    ConfigError for rules that are wrong or that ask for a signal the run did not measure.
    """
    facts = facts_of(state)
    own_rules(state, facts)
    rules = other_rules(state, facts, preset, changes)
    with facts.cursor() as con:
        return recounted(state, facts, rules, con)


def recounted(state: State, facts: Facts, rules: tuple[Rule, ...], con: duckdb.DuckDBPyConnection) -> Recount:
    """A run's documents judged by these rules, whose signals were measured."""
    masks = queries.masks_under(con, facts.rules, rules)
    return Recount(rules, totals(masks), rule_counts(masks, rules), _note(rules, state, facts))


def own_rules(state: State, facts: Facts) -> tuple[Rule, ...]:
    """The rules that the run's documents were judged by. ConfigError if none were, or not all by the same."""
    decided = list(state.completed("decide").values())
    if not decided:
        raise ConfigError(
            f"{state.store.root}: nothing is judged there, or it has changed since; `seiryu run CONFIG --until decide` judges it"
        )
    if any(done.made_of["settings"] != decided[0].made_of["settings"] for done in decided):
        raise ConfigError(f"{state.store.root}: its units were judged by different rules; let the run come to its end first")
    return facts.rules


def other_rules(state: State, facts: Facts, preset: str, changes: Sequence[str]) -> tuple[Rule, ...]:
    """The rules that were asked for. A change of a rule that only another preset has takes that rule from there."""
    own, known = facts.rules, [signal.name for signal in facts.signals]
    possible = list(dict.fromkeys([*known, *(signal.name for signal in MORPHOLOGY)]))
    try:
        rules = load_preset(preset, possible) if preset else own
        wanted = _changes(changes)
        here = {rule.name for rule in rules}
        missing = [
            name for name in wanted if name not in here and wanted[name] is not None and "signal" not in (wanted[name] or {})
        ]
        rules = change((*rules, *_elsewhere(missing, own, possible)), wanted, "--set", possible) if wanted else rules
    except RuleError as error:
        raise ConfigError(str(error)) from error
    taken = counted_elsewhere(state.config)
    for rule in rules:
        if rule.name in taken:
            raise ConfigError(f"rule {rule.name!r}: documents are counted under this name elsewhere; choose another")
        if rule.signal not in known:
            raise ConfigError(
                f"rule {rule.name!r} asks for {rule.signal}, which this run did not measure: "
                "`seiryu run CONFIG --from annotate --set signals.morphology=true` measures it, without reading archives again"
            )
    return rules


def _elsewhere(names: Sequence[str], own: tuple[Rule, ...], possible: Sequence[str]) -> list[Rule]:
    """Rules by name from the run's own and then from the packaged presets, in that order."""
    found: dict[str, Rule] = {}
    if not names:
        return []
    for rules in (own, *(load_preset(preset, possible) for preset in preset_names())):
        for rule in rules:
            if rule.name in names:
                found.setdefault(rule.name, rule)
    return [found[name] for name in names if name in found]


def _changes(texts: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """`few_hiragana.low=0.1` and `ng_words=null` as the changes that a config would hold."""
    wanted: dict[str, dict[str, Any] | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        rule, _, key = name.removeprefix("rules.change.").strip().partition(".")
        try:
            parsed = read_yaml(value)[0]
        except YamlError as error:
            raise ConfigError(f"--set {text}: {error}") from error
        if not equals or not rule or (not key and parsed is not None and not isinstance(parsed, dict)):
            raise ConfigError(f"--set {text}: RULE.low=0.1, RULE.high=0.5, or RULE=null to drop it is wanted")
        if key == "name":
            raise ConfigError(f"--set {text}: a rule keeps its name; drop it by {rule}=null and set a new one with its signal")
        wanted[rule] = {**(wanted.get(rule) or {}), key: parsed} if key else parsed
    return wanted


def _note(rules: tuple[Rule, ...], state: State, facts: Facts) -> str:
    notes = [facts.note] if facts.note else []
    if not rules:
        return "; ".join(notes)
    try:
        check_against_extraction(rules, state.config)
    except ConfigError:
        left_out = state.counts("extract").rejected
        pages = left_out["cannot_pass"] + left_out["quick_screen"]
        why = "were not extracted because they could not pass extract.counts_on"
        notes.append(f"{pages:,} pages {why}; these rules might have kept some of them")
    return "; ".join(notes)
