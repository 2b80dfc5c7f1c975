"""Why a document was kept or not: all that a run knows of it, and where in its text it comes from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.filters.cleaning import clean
from seiryu.filters.cleaning.difference import difference
from seiryu.filters.explaining import Span, spans
from seiryu.filters.finding.language import language
from seiryu.filters.instruments import Instruments
from seiryu.filters.rules import Rule
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.measured import instruments, measured_by, read_signals
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.stages import contamination
from seiryu.pipelines.stages.boilerplate import lines_of, paragraphs_of, whole
from seiryu.pipelines.stages.clean import STAGE as CLEAN
from seiryu.pipelines.stages.clean import settings_of_clean, why_not, without_items
from seiryu.pipelines.stages.decide import judged_by
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar, as_read

_PLACE = (
    "doc_id",
    "url",
    "host",
    "title",
    "crawl_date",
    "warc",
    "warc_offset",
    "charset",
    "language",
    "language_score",
    "extractor",
    "robots",
    "tdm_reservation",
    "tdm_policy",
)


@dataclass(frozen=True)
class Judged:
    """One rule on one document; `spans`: where in the text it found what it judges, for the rules that reject."""

    rule: Rule
    value: float
    rejects: bool
    spans: list[Span] = field(default_factory=list)


@dataclass(frozen=True)
class Explanation:
    """A document, all its signals, every rule's verdict, and what became of it behind the rules.

    `place`: where it comes from, empty for a text of nobody's; `fate`: (stage, what it said) in the order of the stages; `cleaned`:
    what cleaning made of it, None if it never came so far; `final`: its text in the corpus, None if it is not there.
    """

    text: str
    place: dict[str, Any]
    signals: dict[str, float]
    rules: list[Judged]
    fate: list[tuple[str, str]]
    cleaned: str | None = None
    final: str | None = None

    def to_json(self) -> dict[str, Any]:
        rules = [
            {"rule": judged.rule.name, "signal": judged.rule.signal, "value": judged.value, "rejects_if": judged.rule.limits(),
             "rejects": judged.rejects, "why": judged.rule.why, "spans": judged.spans}
            for judged in self.rules
        ]  # fmt: skip
        place = {name: str(value) if name == "crawl_date" else value for name, value in self.place.items()}
        return {"place": place, "signals": self.signals, "rules": rules, "fate": [list(step) for step in self.fate], "text": self.text,
                "final": self.final, "cleaned": self.cleaned,
                "changes": difference(self.text, self.text if self.cleaned is None else self.cleaned)}  # fmt: skip


def explain_text(state: State, text: str) -> Explanation:
    """A text of nobody's by the rules of a run: measured now."""
    found, score = language(text)
    measured = instruments_of(state).measure(pa.array([text]), np.array([score]))
    signals = {name: values[0].item() for name, values in measured.items()}
    decided = state.completed("decide").values()
    rules = _judged(
        state, judged_by(next(iter(decided)), state.config) if decided else rules_in_force(state.config), text, signals
    )
    fate = [("extract", f"language {found or 'unknown'} ({score:g})"), ("decide", _verdict(rules, ""))]
    cleaned = _cleaned(state, text, "")
    why = why_not(state.config, instruments_of(state), [judged.rule for judged in rules], cleaned, signals)
    fate.append(("clean", f"would not stay: {'; '.join(why)}" if why else "would stay"))
    return Explanation(text, {}, signals, rules, fate, cleaned)


def explain_document(state: State, doc_id: str) -> Explanation:
    """A document of a run by its doc_id or the beginning of it. ConfigError if none has it, or several."""
    return explain_at(state, *_find(state, doc_id))


def explain_at(state: State, unit: str, row: int) -> Explanation:
    """The document in this row of documents/."""
    document = _row(state, f"documents/{unit}.parquet", schema.DOCUMENTS, row)
    place, text = {name: document[name] for name in _PLACE}, document["text"]
    if unit not in state.completed("annotate"):
        return Explanation(text, place, {}, [], [("extract", "kept; the run has not measured it yet")])
    signals = read_signals(state.store, measured_by(state.completed("annotate")[unit]), unit).slice(row, 1).to_pylist()[0]
    del signals["doc_id"]
    decided = state.completed("decide")
    if unit not in decided:
        return Explanation(text, place, signals, [], [("decide", "not done yet")])
    rules = _judged(state, judged_by(decided[unit], state.config), text, signals)
    verdict = _row(state, f"verdicts/{unit}.parquet", schema.VERDICTS, row)
    fate = [("decide", _verdict(rules, verdict["blocked"]))]
    if verdict["reject_mask"] or verdict["blocked"]:
        return Explanation(text, place, signals, rules, fate)
    return Explanation(text, place, signals, rules, fate, *_behind_the_rules(state, unit, document | signals, row, fate))


def _judged(state: State, rules: Sequence[Rule], text: str, signals: dict[str, float]) -> list[Judged]:
    made = instruments_of(state)
    judged = []
    for rule in rules:
        value = signals[rule.signal]
        rejects = bool(rule.rejects(np.array([value]))[0])
        judged.append(Judged(rule, value, rejects, spans(text, rule, value, made) if rejects else []))
    return judged


def instruments_of(state: State) -> Instruments:
    """What the run measured with; its rules may have changed since."""
    annotated = state.completed("annotate").values()
    return instruments(state.config, any(done.setting("morphology") for done in annotated) if annotated else None)


def _duplicate(state: State, found: dict[str, Any]) -> str:
    """Why a document was removed, of what, and how alike they are."""
    where = f" in {state.config.dedup.against[found['run'] - 1]}" if found["run"] else ""
    return f"{found['verdict']}: similarity {found['similarity']:.3f} to {found['duplicate_of']}{where}, which is kept"


def _verdict(rules: Sequence[Judged], blocked: str) -> str:
    names = [judged.rule.name for judged in rules if judged.rejects]
    said = [f"rejected by {', '.join(names)}"] if names else ["passes all rules"]
    return "; ".join(said + ([f"on an address that is not wanted: {blocked}"] if blocked else []))


def _behind_the_rules(
    state: State, unit: str, document: dict[str, Any], row: int, fate: list[tuple[str, str]]
) -> tuple[str | None, str | None]:
    """(the cleaned text, the final one), and what deduplication and cleaning said, added to `fate`; `document`: with its signals."""
    if not state.completed("select") or not state.store.exists(f"dedup/{unit}.parquet"):
        return None, None
    found = _by_id(state, f"dedup/{unit}.parquet", schema.DECISIONS, document["doc_id"])
    if found and found["verdict"] != "kept":
        fate.append(("select", _duplicate(state, found)))
        return None, None
    fate.append(("select", f"kept; {found['duplicates'] if found else 0:,} duplicates were removed for it"))
    if not (done := state.completed("clean").get(unit)):
        return None, None
    final = _by_id(state, f"corpus/{unit}.parquet", schema.CORPUS, document["doc_id"])
    if final:
        fate.append(("clean", "in the corpus"))
        return str(final["text"]), str(final["text"])
    if not _made_so(done, state.config):
        fate.append(("clean", "not in the corpus; the run's config has changed since, so why cannot be told: run it again"))
        return None, None
    site = _row(state, f"addresses/{unit}.parquet", schema.ADDRESSES, row)["site"]
    items, why = _items(state, unit, document["doc_id"]), list[str]()
    cleaned = _cleaned(state, without_items(state.config, document["text"], items), site)
    if items and state.config.decontaminate.action == "remove":
        why = [f"contaminated: it holds items of {', '.join(items.benchmarks)}"]
    why += why_not(state.config, instruments_of(state), rules_in_force(state.config), cleaned, document)
    fate.append(("clean", f"not in the corpus: {'; '.join(why)}"))
    return cleaned, None


def _items(state: State, unit: str, doc_id: str) -> contamination.Found | None:
    """What of benchmarks stands in a document."""
    if not contamination.wanted(state.config):
        return None
    rows = contamination.read_found(state.store, unit, ["doc_id"])["doc_id"]
    everything = pa.chunked_array([pc.unique(rows)], pa.string())
    found = contamination.found_in(state.store, state.config, unit, everything)
    place = pc.index(everything, doc_id).as_py()
    return found.get(place)


def _cleaned(state: State, text: str, site: str) -> str:
    """A text as the run cleans those of a site; of no site, "", only paragraphs are known to be repeated."""
    store, config, lines, paragraphs = state.store, state.config, dict[str, frozenset[str]](), frozenset[str]()
    if whole(state):
        lines, paragraphs = (
            lines_of(store, config, pa.chunked_array([[site]])),
            paragraphs_of(store, config, pa.chunked_array([[text]])),
        )
    return clean(text, settings_of_clean(config), lines.get(site, frozenset()), paragraphs).text


def _made_so(done: Sidecar, config: Config) -> bool:
    """Whether a unit of `clean` was made by what the config says now."""
    try:
        now = as_read(CLEAN.settings(config))
    except ConfigError:  # a preset or a list that is gone
        return False
    return bool(done.made_of["settings"] == now)


def _find(state: State, doc_id: str) -> tuple[str, int]:
    """(unit, row) of the only document whose doc_id begins so."""
    wanted = doc_id.strip().lower()
    units = list(state.completed("extract"))

    def look(unit: str) -> list[tuple[str, int, str]]:
        column = schema.read_table(state.store, f"documents/{unit}.parquet", schema.DOCUMENTS, ["doc_id"])["doc_id"]
        return [(unit, row, column[row].as_py()) for row in pc.indices_nonzero(pc.starts_with(column, wanted)).to_pylist()]

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = [place for places in pool.map(look, units) for place in places]
    if not found:
        raise ConfigError(
            f"{doc_id}: no document of {state.store.root} has this doc_id; pages that extraction rejected have none"
        )
    if len(found) > 1:
        raise ConfigError(
            f"{doc_id}: {len(found):,} documents begin so: {', '.join(name for _, _, name in found[:3])} ...; give more of it"
        )
    return found[0][0], found[0][1]


def _row(state: State, path: str, wanted: pa.Schema, row: int) -> dict[str, Any]:
    found: dict[str, Any] = schema.read_table(state.store, path, wanted).slice(row, 1).to_pylist()[0]
    return found


def _by_id(state: State, path: str, wanted: pa.Schema, doc_id: str) -> dict[str, Any] | None:
    table = schema.read_table(state.store, path, wanted)
    found: list[dict[str, Any]] = table.filter(pc.equal(table["doc_id"], doc_id)).to_pylist()
    return found[0] if found else None
