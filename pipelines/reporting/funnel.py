"""The funnel of a run: what each test and rule left, in documents, letters and tokens. From sidecars alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages import decide
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Stage

# Sums that stand between two stages, named for people.
_AFTER = {
    "extract": "Japanese documents",
    "decide": "pass all rules",
    "select": "without duplicates",
    "clean": "final documents",
}
# Records that are no web page; what is left before the next reason are the pages.
_NOT_PAGES = ("warcinfo", "request", "metadata", "revisit", "http_status", "not_html", "empty")


@dataclass(frozen=True, slots=True)
class Step:
    """One line. `kind`: total, rejected or failed; `documents`: records in this line (a total's: what is left); unknown: None."""

    kind: str
    stage: str
    name: str
    documents: int
    letters: int | None = None
    tokens: int | None = None


def funnel(state: State) -> list[Step]:
    """All lines, from the records read to the final documents; stages without a completed unit are left out."""
    steps = []
    for stage in CHAIN:
        if stage.name not in _AFTER or not state.completed(stage.name):
            continue
        counts = state.counts(stage.name)
        if stage.name == "extract":
            steps += _pages(counts, stage, stage.reasons(state.config))
        else:
            steps += list(_reasons(counts, stage, _known(state, stage), skip=()))
        if counts.letters["cut"]:
            steps.append(Step("rejected", stage.name, "cut from texts", 0, counts.letters["cut"]))
        tokens = _tokens(state) if stage.name == "clean" else None
        steps.append(Step("total", stage.name, _AFTER[stage.name], counts.kept, counts.letters.get("kept", 0), tokens))
    return steps


def _known(state: State, stage: Stage) -> Sequence[str]:
    """The reasons of a stage in their order: of rules those that the documents were judged by, whatever the config says by now."""
    if stage is not decide.STAGE:
        return stage.reasons(state.config)
    done = next(iter(state.completed(stage.name).values()))
    return (*(rule.name for rule in decide.judged_by(done, state.config)), *decide.BLOCKED)


def _pages(counts: Counts, stage: Stage, known: Sequence[str]) -> list[Step]:
    """Records of the archives, less those that hold no web page, and what became of the pages."""
    no_page = sum(counts.rejected[name] for name in counts.rejected if name not in set(known) - set(_NOT_PAGES))
    unread = counts.records - no_page - counts.extra["pages"]
    steps = [
        Step("total", "extract", "records in the archives", counts.records),
        Step("rejected", "extract", "no web page", no_page),
    ]
    if unread:
        steps.append(Step("failed", "extract", "cannot be read", unread))
    steps.append(Step("total", "extract", "pages read", counts.extra["pages"]))
    failed = counts.failed.total() - unread
    if failed:
        steps.append(Step("failed", "extract", "failed in extraction", failed))
    return steps + list(_reasons(counts, stage, known, skip=_NOT_PAGES))


def _reasons(counts: Counts, stage: Stage, known: Sequence[str], skip: tuple[str, ...]) -> Iterator[Step]:
    for reason in (*known, *sorted(counts.rejected.keys() - set(known))):  # the others: of rules that the config no longer has
        if reason not in skip and counts.rejected[reason]:
            yield Step("rejected", stage.name, reason, counts.rejected[reason], counts.letters.get(reason))


def _tokens(state: State) -> int | None:
    extra = state.counts("tokenize").extra
    return extra["tokens.train"] + extra["tokens.validation"] if extra else None


def as_json(state: State) -> list[dict[str, Any]]:
    """The funnel as plain values."""
    return [asdict(step) for step in funnel(state)]
