"""The final documents: what was kept, cleaned, and looked at again. One unit is one file.

What holds an item of a benchmark is removed, loses the sentences that do, or is marked, before anything else is done.
A text that was changed is measured again and judged by all rules in force, so that no cut leaves behind what the rules would not have
let in; one that was not changed has passed them as it is. The score of the language and what the page asks of robots stay those of
the page. Every text must have the letters that `clean` asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.dedup.contamination import without_spans
from seiryu.filters.cleaning import Cleaned, CleanSettings, clean
from seiryu.filters.instruments import Instruments
from seiryu.filters.rules import Rule, judge
from seiryu.filters.signals import opt_outs
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import identities, instruments, read_signals, to_measure
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.stages import contamination, decide
from seiryu.pipelines.stages.boilerplate import lines_of, paragraphs_of, whole
from seiryu.pipelines.stages.lines import survivors, wanted
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

REASONS = ("contaminated", "short_after_cleaning", "fails_after_cleaning")
_SIGNALS = ("letters", "japanese_letters")
_ASKED = tuple(signal.name for signal in opt_outs.SIGNALS)


def units(state: State) -> list[Unit]:
    if not whole(state):
        return []
    lines = {"boilerplate": identity(state.completed("boilerplate"))} if wanted(state.config) else {}
    return [Unit("clean", name, {}, inputs | lines) for name, inputs in contamination.looked_at_inputs(state).items()]


def settings(config: Config) -> dict[str, Any]:
    return (
        config.clean.model_dump(mode="json", exclude={"repeated_lines", "repeated_paragraphs"})
        | decide.settings(config)
        | {"measured": identities(config)}
        | ({"contaminated": config.decontaminate.action} if contamination.wanted(config) else {})
    )


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents = survivors(store, config, unit.name)
    found = contamination.found_in(store, config, unit.name, documents["doc_id"])
    cleaned = _cleaned(documents, found, config, store)
    texts = pa.chunked_array([pa.array([result.text for result in cleaned], pa.string())])
    changed = pc.not_equal(texts, documents["text"]).to_numpy()
    signals = _signals(store, config, unit.name, documents["doc_id"])
    before = signals["letters"].copy()
    mask = np.zeros(len(texts), np.uint64)
    rules = rules_in_force(config)
    if changed.any():
        scores = documents["language_score"].to_numpy()[changed]
        asked = {name: signals[name][changed] for name in _ASKED}
        again = instruments(config).measure(texts.filter(pa.array(changed)), scores, [rule.signal for rule in rules], asked)
        mask[changed] = judge(rules, again)
        for name in _SIGNALS:
            signals[name][changed] = again[name]
    action = config.decontaminate.action
    bad = np.zeros(len(texts), np.bool_)
    bad[list(found) if action == "remove" else []] = True
    short = (signals["letters"] < config.clean.min_letters) | (signals["japanese_letters"] < config.clean.min_japanese_letters)
    gone = {"contaminated": bad, "short_after_cleaning": short & ~bad, "fails_after_cleaning": (mask != 0) & ~short & ~bad}
    counts = _count(cleaned, changed, gone, before, signals["letters"])
    for i, rule in enumerate(rules):
        if here := int(((mask >> np.uint64(i) & np.uint64(1) != 0) & gone["fails_after_cleaning"]).sum()):
            counts.extra[f"again.{rule.name}"] = here
    marks = {place: ",".join(each.benchmarks) for place, each in found.items()} if action == "mark" else {}
    columns = {name: documents[name].combine_chunks() for name in schema.CORPUS.names if name in documents.column_names}
    columns |= {"text": texts.combine_chunks(), "letters": signals["letters"]}
    columns["contaminated"] = [marks.get(place, "") for place in range(len(texts))]
    target = f"corpus/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(schema.table(schema.CORPUS, columns).filter(pa.array(~np.any(list(gone.values()), axis=0))), out)
    return Result(counts, [out.written(target)])


def settings_of_clean(config: Config) -> CleanSettings:
    """What a config asks of `clean`."""
    elsewhere = {"repeated_lines", "repeated_paragraphs", "min_letters", "min_japanese_letters"}
    return CleanSettings(**config.clean.model_dump(exclude=elsewhere))


def why_not(config: Config, made: Instruments, rules: Sequence[Rule], text: str, before: Mapping[str, Any]) -> list[str]:
    """Why a text that was cleaned does not stay: what it lacks, and the rules that reject it; nothing if it stays.

    `before`: the signals of the text as it was, for those that are the page's.
    """
    only = [*_SIGNALS, *(rule.signal for rule in rules)]
    asked = {name: np.array([before[name]]) for name in _ASKED}
    signals = made.measure(pa.array([text]), np.array([before["language_score"]]), only, asked)
    least = {"letters": config.clean.min_letters, "japanese_letters": config.clean.min_japanese_letters}
    short = [f"{signals[name][0]:,} {name}, {wanted:,} wanted" for name, wanted in least.items() if signals[name][0] < wanted]
    fails = [f"{rule.name} ({rule.signal} {rule.limits()})" for rule in rules if rule.rejects(signals[rule.signal])[0]]
    return [f"short_after_cleaning: {what}" for what in short] or [f"fails_after_cleaning: {what}" for what in fails]


def without_items(config: Config, text: str, found: contamination.Found | None) -> str:
    """The text without the sentences that hold items of benchmarks, if that is what the config asks for."""
    return without_spans(text, found.spans) if found and config.decontaminate.action == "cut" else text


def _cleaned(documents: pa.Table, found: dict[int, contamination.Found], config: Config, store: Store) -> list[Cleaned]:
    lines, paragraphs = lines_of(store, config, documents["site"]), paragraphs_of(store, config, documents["text"])
    chosen, cleaned = settings_of_clean(config), []
    for place, (text, site) in enumerate(zip(documents["text"].to_pylist(), documents["site"].to_pylist(), strict=True)):
        cleaned.append(clean(without_items(config, text, found.get(place)), chosen, lines.get(site, frozenset()), paragraphs))
    return cleaned


def _signals(store: Store, config: Config, unit: str, doc_id: pa.ChunkedArray) -> dict[str, npt.NDArray[Any]]:
    """What was measured of these documents as they were extracted, and what their pages ask for."""
    names = (*_SIGNALS, *_ASKED)
    table = read_signals(store, to_measure(config), unit, ["doc_id", *names])
    rows = pc.index_in(doc_id, table["doc_id"])
    if rows.null_count:
        raise InputError(f"{store.path(f'signals/{unit}.parquet')} belongs to other documents; delete it and run again")
    return {name: table[name].take(rows).to_numpy().copy() for name in names}


def _count(
    cleaned: list[Cleaned], changed: Any, gone: dict[str, Any], before: npt.NDArray[Any], letters: npt.NDArray[Any]
) -> Counts:
    """`cut`: letters that the texts which stay have lost; the sums in `extra` are over all texts that were cleaned."""
    kept = ~np.any(list(gone.values()), axis=0)
    counts = Counts(records=len(cleaned), kept=int(kept.sum()))
    for reason, here in gone.items():
        counts.rejected[reason] = int(here.sum())
        counts.letters[reason] = int(before[here].sum())
    counts.letters["kept"] = int(letters[kept].sum())
    counts.letters["cut"] = int(before[kept].sum()) - counts.letters["kept"]
    counts.extra["changed"] = int(changed.sum())
    for result in cleaned:
        counts.extra["repeated_line_letters"] += result.repeated_line_letters
        counts.extra["repeated_paragraph_letters"] += result.repeated_paragraph_letters
        counts.extra["footer_letters"] += result.footer_letters
        counts.extra["punctuation_letters"] += result.punctuation_letters
        counts.extra.update({f"masked.{kind}": number for kind, number in result.masked.items()})
        counts.extra.update({f"refused.{name}": 1 for name in result.refused})
    return counts


STAGE = Stage("clean", 4, "documents kept", settings, units, work, lambda _: REASONS)
