"""Sampled documents of a rule, one after the other, to be called good or bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from seiryu.corpus.errors import SeiryuError
from seiryu.filters.rules import Rule
from seiryu.pipelines.facts import queries
from seiryu.pipelines.inspecting import labels, pieces
from seiryu.pipelines.inspecting.looking import Looked
from seiryu.pipelines.inspecting.telling import telling, told
from seiryu.pipelines.inspecting.view import View
from seiryu.pipelines.reporting.page.shown import excerpt, visible

_SAMPLE, _SHOWN = 50, 4000  # documents of a sample; code points of a text


@dataclass(frozen=True)
class Asked:
    """The next document to judge, if there is one; `known`: all judgements; `sampled`, `left`: of this sample in all, and to judge;
    `why`: what stands in the way."""

    rule: Rule | None
    row: dict[str, Any] | None
    text: str
    known: list[labels.Label]
    sampled: int
    left: int
    why: str = ""


def asked(looked: Looked, view: View) -> Asked:
    """The first document of the sample that is not judged for the rule."""
    if not view.rule:
        return Asked(None, None, "", [], 0, 0)
    try:
        return _asked(looked, view)
    except SeiryuError as error:
        return Asked(None, None, "", [], 0, 0, str(error))


def _asked(looked: Looked, view: View) -> Asked:
    known = labels.read_labels(looked.store)
    mine = {label.doc_id for label in known if label.rule == view.rule}
    rule = next((each for each in looked.facts.rules if each.name == view.rule), None)
    sampled = queries.sample(looked.con(), looked.facts.rules, rule.name if rule else None, _SAMPLE, view.seed).to_pylist()
    left = [row for row in sampled if row["doc_id"] not in mine]
    text = looked.texts(left[:1])[0] if left else ""
    return Asked(rule, left[0] if left else None, text, known, len(sampled), len(left))


def buttons(mo: Any, looked: Looked, view: View, asked: Asked, set_judged: Callable[[Any], None]) -> Any:
    """Good, bad, undo, each with its key."""
    row = asked.row

    def say(what: str) -> None:
        with telling(mo):
            if row:
                labels.judge(looked.store, labels.Label(row["doc_id"], view.rule, what, row["value"], row["url"], asked.text))
                set_judged(lambda number: number + 1)

    def undo() -> None:
        with telling(mo):
            if last := next((each for each in reversed(labels.read_labels(looked.store)) if each.rule == view.rule), None):
                labels.take_back(looked.store, view.rule, last.doc_id)
                set_judged(lambda number: number + 1)

    button = mo.ui.button
    return mo.ui.array(
        [
            button(label="good (g)", kind="success", keyboard_shortcut="g", on_click=lambda _: say("good")),
            button(label="bad (b)", kind="danger", keyboard_shortcut="b", on_click=lambda _: say("bad")),
            button(label="undo (u)", keyboard_shortcut="u", on_click=lambda _: undo()),
        ]
    )


@told
def judging(mo: Any, looked: Looked, view: View, picked: Any, asked: Asked, buttons: Any) -> Any:
    """The document with what the rule found in it, and the precision so far."""
    head = mo.hstack([picked["rule"], picked["seed"]], justify="start", gap=2)
    if not view.rule:
        tip = "Choose a rule, or *kept* for what passes all. Your judgements measure how often it is right."
        return mo.vstack([head, mo.md(tip)])
    if asked.why:
        return mo.vstack([head, mo.Html(pieces.wrong(asked.why))])
    line = mo.Html(pieces.precision_line(labels.of_rule(asked.known, view.rule), view.rule))
    row, rule, text = asked.row, asked.rule, asked.text
    if row is None:
        done = f"All {asked.sampled} documents of this sample are judged; another number of *sample* draws others."
        return mo.vstack([head, line, buttons[2], mo.md(done if asked.sampled else "There is no such document.")])
    saved = Markup('<span class="sr soft"><b id="left">{:,}</b> of {:,} of this sample left · saved in {}</span>').format(
        asked.left, asked.sampled, looked.store.path(labels.NAME)
    )
    spans = looked.spans(text, rule, row["value"]) if rule else []
    why = Markup(" · {} = {}, rejected if {}").format(rule.signal, pieces.said(row["value"]), rule.limits()) if rule else ""
    out = Markup(
        '<h3 class="sr" id="judged" lang="ja">{}</h3><p class="sr soft">{} · <span id="judged-id">{}</span>{}</p>'
    ).format(visible(row["title"]), row["host"], row["doc_id"], why)
    if spans:
        out += Markup('<p class="sr places" lang="ja">{}</p>').format(excerpt(text, spans))
    body = mo.Html(out + pieces.marked(text, spans, _SHOWN))
    return mo.vstack([head, line, mo.hstack([*buttons, mo.Html(saved)], justify="start", gap=1), body])
