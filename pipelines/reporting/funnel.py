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
_OF_INDEX = ("index", "choose", "ranges")
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
    steps = _index(state)
    for stage in CHAIN:
        if stage.name not in _AFTER or not state.completed(stage.name):
            continue
        counts = state.counts(stage.name)
        if stage.name == "extract":
            steps += _pages(counts, stage, stage.reasons(state.config), by_index=bool(steps))
        else:
            steps += list(_reasons(counts, stage, _known(state, stage), skip=()))
        if counts.letters["cut"]:
            steps.append(Step("rejected", stage.name, "cut from texts", 0, counts.letters["cut"]))
        tokens = _tokens(state) if stage.name == "clean" else None
        steps.append(Step("total", stage.name, _AFTER[stage.name], counts.kept, counts.letters.get("kept", 0), tokens))
    return steps + _after_the_end(state)


def _after_the_end(state: State) -> list[Step]:
    """What of the final documents is not in the shards; nothing if all are."""
    failed, taken = state.counts("tokenize").failed, state.counts("takedown").extra["documents"]
    if not failed and not taken:
        return []
    steps = [Step("failed", "tokenize", reason, number) for reason, number in sorted(failed.items())]
    if taken:
        steps.append(Step("rejected", "takedown", "taken_down", taken))
    left = state.counts("tokenize").kept - taken
    return [*steps, Step("total", "shards", "documents in shards", left, tokens=state.counts("shards").extra["tokens"])]


def _known(state: State, stage: Stage) -> Sequence[str]:
    """The reasons of a stage in their order: of rules those that the documents were judged by, whatever the config says by now."""
    if stage is not decide.STAGE:
        return stage.reasons(state.config)
    done = next(iter(state.completed(stage.name).values()))
    return (*(rule.name for rule in decide.judged_by(done, state.config)), *decide.BLOCKED)


def _index(state: State) -> list[Step]:
    """Rows of a crawl's index, less those that are not wanted; nothing where whole archives are read."""
    steps: list[Step] = []
    for stage in CHAIN:
        if stage.name in _OF_INDEX and state.completed(stage.name):
            counts = state.counts(stage.name)
            if stage.name == "index":
                steps.append(Step("total", "index", "rows of the index", counts.records))
            steps += list(_reasons(counts, stage, stage.reasons(state.config), skip=()))
    return steps


def _pages(counts: Counts, stage: Stage, known: Sequence[str], *, by_index: bool) -> list[Step]:
    """Records of the archives, less those that hold no web page, and what became of the pages."""
    no_page = sum(counts.rejected[name] for name in counts.rejected if name not in set(known) - set(_NOT_PAGES))
    unread = counts.records - no_page - counts.extra["pages"]
    steps = [Step("total", "extract", "records that the index chose" if by_index else "records in the archives", counts.records)]
    if no_page or not by_index:
        steps.append(Step("rejected", "extract", "no web page", no_page))
    if unread:
        steps.append(Step("failed", "extract", "did not come, or cannot be read" if by_index else "cannot be read", unread))
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
    return extra["tokens"] if extra else None


def as_json(state: State) -> list[dict[str, Any]]:
    """The funnel as plain values."""
    return [asdict(step) for step in funnel(state)]
