"""Other rules over a finished run: what they would keep, lose and gain, from narrow tables alone.

Each rule is counted for itself: all it rejects, and what it alone rejects, in documents, letters and tokens. What a run without these
documents would look like behind the rules (near-duplicates, cleaning) is not guessed; `seiryu run --from decide` makes it. Only the
columns that the rules ask for are read, file by file, on all cores; memory does not grow with the run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.corpus import schema
from seiryu.filters.instruments import MORPHOLOGY
from seiryu.filters.rules import Rule, RuleError, judge
from seiryu.filters.rules.plain_yaml import YamlError, read_yaml
from seiryu.filters.rules.presets import change, load_preset, preset_names
from seiryu.pipelines.chain import counted_elsewhere
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.measured import measured_by, read_signals
from seiryu.pipelines.rules_in_force import check_against_extraction
from seiryu.pipelines.stages.decide import judged_by, passes
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar

Sums = npt.NDArray[np.int64]  # documents, letters, tokens


def _nothing() -> Sums:
    return np.zeros(3, np.int64)


@dataclass
class Tally:
    """What one rule does: all that it rejects, and what it alone rejects."""

    hit: Sums = field(default_factory=_nothing)
    only: Sums = field(default_factory=_nothing)


@dataclass
class Recount:
    """Documents, letters and tokens of a run under other rules.

    `measured`: all; `blocked`: of those, on addresses that are not wanted, which no rule can bring back; `before`: what passes the
    run's own rules; `kept`: what passes these; `gained` and `lost`: the difference. `note`: what the count cannot know.
    """

    rules: tuple[Rule, ...]
    tallies: dict[str, Tally]
    measured: Sums = field(default_factory=_nothing)
    blocked: Sums = field(default_factory=_nothing)
    before: Sums = field(default_factory=_nothing)
    kept: Sums = field(default_factory=_nothing)
    gained: Sums = field(default_factory=_nothing)
    lost: Sums = field(default_factory=_nothing)
    note: str = ""

    def add(self, other: Recount) -> None:
        for name in ("measured", "blocked", "before", "kept", "gained", "lost"):
            getattr(self, name).__iadd__(getattr(other, name))
        for name, tally in self.tallies.items():
            tally.hit += other.tallies[name].hit
            tally.only += other.tallies[name].only

    def to_json(self) -> dict[str, Any]:
        names = ("measured", "blocked", "before", "kept", "gained", "lost")
        rules = [
            {"name": rule.name, "signal": rule.signal, "rejected_if": rule.limits(), "rejects": _named(self.tallies[rule.name].hit),
             "only": _named(self.tallies[rule.name].only)}
            for rule in self.rules
        ]  # fmt: skip
        return {**{name: _named(getattr(self, name)) for name in names}, "rules": rules, "note": self.note}


def _named(sums: Sums) -> dict[str, int]:
    return dict(zip(("documents", "letters", "tokens"), sums.tolist(), strict=True))


def recount(state: State, preset: str = "", changes: Sequence[str] = ()) -> Recount:
    """Judge a run's documents by a preset (else by the run's own rules) with changes such as `few_hiragana.low=0.1`.

    ConfigError for rules that are wrong or that ask for a signal the run did not measure.
    """
    rules = other_rules(state, own_rules(state), preset, changes)
    columns = ["letters", "tokens", *dict.fromkeys(rule.signal for rule in rules if rule.signal not in ("letters", "tokens"))]
    total = Recount(rules, {rule.name: Tally() for rule in rules}, note=_note(rules, state))

    annotated = state.completed("annotate")

    def one(unit: str) -> Recount:
        return _count(state, annotated[unit], rules, columns)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for part in pool.map(one, state.completed("decide")):
            total.add(part)
    return total


def own_rules(state: State) -> tuple[Rule, ...]:
    """The rules that the run's documents were judged by. ConfigError if none were, or not all by the same."""
    decided = list(state.completed("decide").values())
    if not decided:
        raise ConfigError(
            f"{state.store.root}: nothing is judged there, or it has changed since; `seiryu run CONFIG --until decide` judges it"
        )
    if any(done.made_of["settings"] != decided[0].made_of["settings"] for done in decided):
        raise ConfigError(f"{state.store.root}: its units were judged by different rules; let the run come to its end first")
    return judged_by(decided[0], state.config)


def other_rules(state: State, own: tuple[Rule, ...], preset: str, changes: Sequence[str]) -> tuple[Rule, ...]:
    """The rules that were asked for. A change of a rule that only another preset has takes that rule from there."""
    known = _measured(state)
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


def _measured(state: State) -> list[str]:
    """The signals that were measured of all documents that were judged."""
    annotated = state.completed("annotate")
    first, *others = ([signal.name for signal in measured_by(annotated[unit])] for unit in state.completed("decide"))
    return [name for name in first if all(name in names for names in others)]


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


def _note(rules: tuple[Rule, ...], state: State) -> str:
    notes = []
    read, judged = len(state.completed("extract")), len(state.completed("decide"))
    if judged < read:
        notes.append(f"{read - judged:,} of {read:,} archives are not judged yet and not counted")
    try:
        check_against_extraction(rules, state.config)
    except ConfigError:
        left_out = state.counts("extract").rejected
        pages = left_out["cannot_pass"] + left_out["quick_screen"]
        why = "were not extracted because they could not pass extract.counts_on"
        notes.append(f"{pages:,} pages {why}; these rules might have kept some of them")
    return "; ".join(notes)


def _count(state: State, annotated: Sidecar, rules: tuple[Rule, ...], columns: list[str]) -> Recount:
    unit = annotated.unit
    signals = read_signals(state.store, measured_by(annotated), unit, columns)
    verdicts = schema.read_table(state.store, f"verdicts/{unit}.parquet", schema.VERDICTS, ["reject_mask", "blocked"])
    values = {name: signals[name].to_numpy() for name in columns}
    amounts = np.stack([np.ones(len(signals), np.int64), values["letters"].astype(np.int64), values["tokens"].astype(np.int64)])
    mask = judge(rules, values)
    blocked = np.array([bool(why) for why in verdicts["blocked"].to_pylist()], np.bool_)
    before = passes(verdicts).to_numpy()
    kept = (mask == 0) & ~blocked
    found = Recount(rules, {})
    for name, chosen in (("measured", np.ones(len(mask), np.bool_)), ("blocked", blocked), ("before", before), ("kept", kept),
                         ("gained", kept & ~before), ("lost", before & ~kept)):  # fmt: skip
        setattr(found, name, amounts[:, chosen].sum(axis=1))
    for i, rule in enumerate(rules):
        bit = np.uint64(1) << np.uint64(i)
        found.tallies[rule.name] = Tally(
            amounts[:, mask & bit != 0].sum(axis=1), amounts[:, (mask == bit) & ~blocked].sum(axis=1)
        )
    return found
