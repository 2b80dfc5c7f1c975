"""The run that a page looks at: its table, and what is asked of it while somebody moves limits and opens documents."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import duckdb

from seiryu.corpus.storage import Store
from seiryu.filters.explaining import Span, spans
from seiryu.filters.rules import Rule
from seiryu.pipelines.facts import documents, facts_of
from seiryu.pipelines.facts.table import connect
from seiryu.pipelines.facts.texts import documents_at
from seiryu.pipelines.reporting.explanation import Explanation, explain_at, explain_text, instruments_of
from seiryu.pipelines.reporting.page.scales import span_of, stops
from seiryu.pipelines.reporting.recount import Recount, recounted
from seiryu.pipelines.state import State

Answer = TypeVar("Answer")
_REMEMBERED = 64  # recounts, so that going back costs nothing


@dataclass(frozen=True)
class Opened:
    """A document: its row in the table, all that is known of it, and of a duplicate the text of the one that was kept for it."""

    row: dict[str, Any]
    explanation: Explanation
    survivor: dict[str, Any] | None
    survivor_text: str | None


class Looked:
    """One run, for all pages of one process. Each thread asks through a connection of its own."""

    def __init__(self, state: State, progress: Callable[[int, int], None] = lambda *_: None) -> None:
        self.state, self.facts = state, facts_of(state, progress)
        self._own, self._measuring, self._remembering = threading.local(), threading.Lock(), threading.Lock()
        self._recounts: OrderedDict[tuple[Rule, ...], Recount] = OrderedDict()

    @property
    def store(self) -> Store:
        return self.state.store

    def own(self, make: Callable[[], Answer]) -> Answer:
        """What this thread has of its own: made when it first asks, gone when it ends."""
        mine: dict[Callable[[], Any], Any] = self._own.__dict__.setdefault("mine", {})
        if make not in mine:
            mine[make] = make()
        found: Answer = mine[make]
        return found

    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection of this thread."""
        return self.own(self._connect)

    def _connect(self) -> duckdb.DuckDBPyConnection:
        return connect(self.facts.path)

    def recount(self, rules: tuple[Rule, ...]) -> Recount:
        """The run under other rules."""
        with self._remembering:
            if (known := self._recounts.get(rules)) is not None:
                self._recounts.move_to_end(rules)
                return known
        found = recounted(self.state, self.facts, rules, self.con())
        with self._remembering:
            self._recounts[rules] = found
            if len(self._recounts) > _REMEMBERED:
                self._recounts.popitem(last=False)
        return found

    def stops(self) -> dict[str, list[float]]:
        """Where the slider of each limit stops, by "rule.side"; the limit of the run among them."""
        whole = {signal.name: signal.kind == "int" for signal in self.facts.signals}
        found = {}
        for rule in self.facts.rules:
            for side in ("low", "high", "below"):
                limit = getattr(rule, side)
                if abs(limit) != float("inf"):
                    row = self.facts.spread.get(rule.signal)
                    found[f"{rule.name}.{side}"] = (
                        stops(span_of(row, whole[rule.signal], [limit]), limit) if row else [float(limit)]
                    )
        return found

    def open(self, doc_id: str) -> Opened | None:
        """A document by its doc_id; None if it is not in the table."""
        row = documents.one(self.con(), doc_id)
        if row is None:
            return None
        with self._measuring:
            explanation = explain_at(self.state, str(row["unit"]), int(str(row["row"])))
        survivor = documents.one(self.con(), str(row["duplicate_of"])) if row["duplicate_of"] else None
        text = self.texts([survivor])[0] if survivor else None
        return Opened(row, explanation, survivor, text)

    def texts(self, rows: Sequence[dict[str, Any]]) -> list[str]:
        """The texts of rows of the table."""
        return [each["text"] for each in documents_at(self.state, [(row["unit"], row["row"]) for row in rows])]

    def spans(self, text: str, rule: Rule, value: float) -> list[Span]:
        """Where in a text a rule finds what it judges."""
        with self._measuring:
            return spans(text, rule, value, instruments_of(self.state))

    def explain(self, text: str) -> Explanation:
        """A text of nobody's by the rules of the run."""
        with self._measuring:
            return explain_text(self.state, text)


_looked: list[Looked] = []


def look_at(looked: Looked) -> None:
    """Say which run the pages of this process show; before the first is opened."""
    _looked[:] = [looked]


def looked_at() -> Looked:
    """The run that the pages of this process show."""
    return _looked[0]
