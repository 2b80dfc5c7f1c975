"""The tabs of the page. Each takes marimo, the run and the view, and gives what marimo shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from seiryu.corpus.errors import InputError
from seiryu.filters.rules import Rule, plain
from seiryu.pipelines.facts import documents
from seiryu.pipelines.facts.texts import search_texts
from seiryu.pipelines.inspecting import pieces
from seiryu.pipelines.inspecting.distributions import mosaic
from seiryu.pipelines.inspecting.looking import Looked
from seiryu.pipelines.inspecting.telling import told
from seiryu.pipelines.inspecting.view import View, limits_of, patch
from seiryu.pipelines.reporting.page.shown import visible
from seiryu.pipelines.reporting.recount import Recount

_PAGE, _PAIRS = 20, 8
_HITS, _SECONDS = 200, 5.0  # after so many documents whose texts hold the words, or so long, no further archive is searched
_SIGNS = {"low": "<", "high": ">", "below": "≥"}


def limits(mo: Any, looked: Looked, view: View, found: Recount, moves: Any, drops: Any) -> Any:
    """Every rule with its sliders and what it does now."""
    if not looked.facts.rules:
        return mo.md("No document has been judged yet; the stage `decide` does it. Come back when the run has gone so far.")
    now = {row["rule"]: row for row in found.by_rule.to_pylist()}
    run = {row["rule"]: row for row in looked.recount(looked.facts.rules).by_rule.to_pylist()}
    rows = []
    for rule in looked.facts.rules:
        line, before = now.get(rule.name), run[rule.name]
        for side, limit in limits_of(rule):
            name = f"{rule.name}.{side}"
            at = view.moves.get(name, limit)
            moved = Markup(' class="moved"') if at != limit else ""
            shown = Markup('<b id="limit-{}"{}>{} {}</b>').format(name, moved, _SIGNS[side], plain(at))
            title = Markup('<span title="{}">{}</span>').format(rule.why, rule.name)
            counts = [line["hit_documents"] if line else "left out", before["hit_documents"],
                      line["only_documents"] if line else "", before["only_documents"]]  # fmt: skip
            rows.append((title, rule.signal, Markup(moves[name].text), shown, *counts))
    head = ("rule", "signal", "limit", "rejects if", "rejects", "in the run", "only this", "in the run")
    changed = patch(view, looked.facts)
    yaml = mo.md(f"As it stands in a config; the button at its right copies it:\n\n```yaml\n{changed}```")
    nothing = mo.md(
        "Move a limit: documents, letters and tokens are counted again, and the change stands here as YAML for a config."
    )
    table = pieces.table(head, rows, numbers=(4, 5, 6, 7), name="limits")
    return mo.vstack([mo.Html(table), drops, yaml if changed else nothing])


@dataclass(frozen=True)
class Listed:
    """Documents of one page of a list; `note`: how many there are, and what was looked through."""

    rows: list[dict[str, Any]]
    note: Markup


def flipped(looked: Looked, view: View, rules: Sequence[Rule]) -> Listed:
    """The documents that the moved limits keep or drop."""
    found = documents.flipped(looked.con(), looked.facts.rules, rules, view.way, _PAGE, view.page * _PAGE).to_pylist()
    total = looked.recount(tuple(rules)).totals[view.way]["documents"]
    rows = [
        {"title": visible(row["title"]), "host": row["host"], "letters": row["letters"], "doc_id": row["doc_id"],
         "rejected in the run by": _names(looked.facts.rules, row["reject_mask"]), "rejected now by": _names(rules, row["mask"])}
        for row in found
    ]  # fmt: skip
    return Listed(rows, _of(total, view.page, "documents flip"))


def flips(mo: Any, looked: Looked, view: View, picked: Any, listed: Listed, opens: Any, close: Any) -> Any:
    """The documents that flip, as a list."""
    head = mo.hstack([picked["way"], picked["page"], mo.Html(listed.note)], justify="start", gap=2)
    nothing = mo.md("None. Move limits on the first tab.")
    return mo.vstack([head, _list(mo, looked, view, listed, opens, close) if listed.rows else nothing])


@told
def near(mo: Any, looked: Looked, view: View, rules: Sequence[Rule], picked: Any) -> Any:
    """Pairs of documents about a limit: what it rejects on the left, what it lets pass on the right."""
    rule = next((rule for rule in rules if rule.name == view.rule), None)
    head = mo.hstack([picked["rule"], picked["alone"]], justify="start", gap=2)
    if rule is None:
        return mo.vstack([head, mo.md("Choose a rule: the documents nearest to its limit on both sides stand side by side.")])
    out, found = Markup(), []
    for side, limit in limits_of(rule):
        sides = documents.about(looked.con(), looked.facts.rules, rules, rule.name, side, _PAIRS, alone=view.alone)
        found.append((side, limit, *(each.to_pylist() for each in sides)))
    listed = [row for *_, rejected, passed in found for row in (*rejected, *passed)]
    texts = {row["doc_id"]: text for row, text in zip(listed, looked.texts(listed), strict=True)}
    for side, limit, rejected, passed in found:
        out += Markup('<h3 class="sr">{} {} {} <small>{}</small></h3>').format(rule.signal, _SIGNS[side], plain(limit), rule.why)
        cells = Markup("<h4>rejects</h4><h4>lets pass</h4>")
        for pair in zip_longest(rejected, passed):
            cells += Markup().join(_card(looked, row, rule, texts[row["doc_id"]]) if row else Markup("<i></i>") for row in pair)
        out += Markup('<div class="sr pairs">{}</div>').format(cells)
        if view.alone and not rejected:
            out += Markup('<p class="sr soft">Whatever it rejects is rejected by other rules too; the switch shows those.</p>')
    return mo.vstack([head, mo.Html(out)])


def _card(looked: Looked, row: dict[str, Any], rule: Rule, text: str) -> Markup:
    shown = pieces.marked(text, looked.spans(text, rule, row["value"]), longest=600)
    head = Markup('<b class="value">{}</b> <span lang="ja">{}</span><small>{} · {}</small>').format(
        pieces.said(row["value"]), visible(row["title"]), row["host"], row["doc_id"]
    )
    return Markup('<article class="sr card"><header>{}</header>{}</article>').format(head, shown)


def distributions(mo: Any, view: View, picked: Any, drawn: Any, clear: Any) -> Any:
    """Distributions that filter each other; what was drawn over before this page was opened is taken as given."""
    if drawn is None:
        return mo.md("No document has been judged yet, so there is nothing to draw.")
    head = [picked["draws"]]
    if view.brush:
        said = [f"{name} {low:g} to {high:g}" for name, (low, high) in view.brush.ranges.items()]
        said += [f"{name} {', '.join(values)}" for name, values in view.brush.values.items()]
        head += [mo.Html(Markup('<p class="sr" id="brush">only {}</p>').format("; ".join(said))), clear]
    tip = "Draw over a stretch, or click a bar: all others count what is chosen. The tab Documents lists it."
    return mo.vstack([mo.hstack(head, justify="start", gap=2), drawn, mo.md(tip)])


def listed(looked: Looked, view: View) -> Listed:
    """Documents by rule, fate, host, cluster, value, what was drawn over, and words of their address, title or text."""
    wanted, note = view.wanted(), Markup()
    if view.words:
        try:
            ids, searched, archives = search_texts(looked.state, view.words, view.archive, _HITS, _SECONDS)
        except InputError as error:
            return Listed([], pieces.wrong(str(error)))
        wanted = replace(wanted, ids=tuple(ids))
        last = view.archive + searched
        rest = f"; there may be more in the others: go on from {last + 1:,}" if last < archives else ""
        note = Markup('<p class="sr soft">texts of archives {:,} to {:,} of {:,} were searched{}</p>').format(
            min(view.archive + 1, last), last, archives, rest
        )
    if view.brush:
        note += Markup('<p class="sr soft">only what is drawn over in Distributions: {}</p>').format(view.brush.text())
    total = documents.how_many(looked.con(), looked.facts.rules, wanted)
    found = documents.listed(looked.con(), looked.facts.rules, wanted, _PAGE, view.page * _PAGE).to_pylist()
    value = documents.valued(looked.facts.rules, wanted)
    rows = [
        {"title": visible(row["title"]), "host": row["host"], "fate": row["fate"], value: row["value"],
         "rejected by": _names(looked.facts.rules, row["reject_mask"]), "duplicates": row["duplicates"], "doc_id": row["doc_id"]}
        for row in found
    ]  # fmt: skip
    return Listed(rows, _of(total, view.page, "documents") + note)


def listing(mo: Any, looked: Looked, view: View, picked: Any, listed: Listed, opens: Any, close: Any) -> Any:
    """The list with what it is asked by."""
    one = mo.hstack([picked[name] for name in ("find", "words", "archive", "rule", "fate")], justify="start", gap=1, wrap=True)
    two = [picked[name] for name in ("host", "cluster", "signal", "low", "high", "sort", "page")]
    more = mo.hstack(two, justify="start", gap=1, wrap=True)
    body = _list(mo, looked, view, listed, opens, close) if listed.rows else mo.md("No document is like that.")
    return mo.vstack([one, more, mo.Html(listed.note), body])


def opens(mo: Any, listed: Listed, set_doc: Callable[[str], None]) -> Any:
    """A button for each document of a list. marimo forgets what no variable of a cell holds, so the cell keeps them."""

    def button(doc_id: str) -> Any:
        return mo.ui.button(label="open", on_click=lambda _: set_doc(doc_id))

    return mo.ui.array([button(row["doc_id"]) for row in listed.rows])


def _list(mo: Any, looked: Looked, view: View, listed: Listed, opens: Any, close: Any) -> Any:
    """A list, and below it the document that was opened in it or is named by the address."""
    names = list(listed.rows[0])
    cells = [(Markup(opens[i].text), *(row[name] for name in names)) for i, row in enumerate(listed.rows)]
    numbers = [i + 1 for i, name in enumerate(names) if isinstance(listed.rows[0][name], int | float)]
    table = pieces.table(("", *names), cells, numbers=numbers, name="list")
    shown = mo.Html(Markup('<div class="sr-list">{}</div>').format(table))
    return mo.vstack([shown, close, document(mo, looked, view)] if view.doc else [shown])


@told
def document(mo: Any, looked: Looked, view: View) -> Any:
    """One document: what became of it and why, what cleaning changed, what it is a duplicate of."""
    opened = looked.open(view.doc)
    if opened is None:
        return mo.Html(Markup('<p class="sr">No document {} in this run.</p>').format(visible(view.doc)))
    found, row = opened.explanation, opened.row
    spans = pieces.spans_of(found, view.rule)
    more: dict[str, Any] = {"Rules": mo.Html(pieces.rules_table(found.rules)),
                            "All signals": mo.Html(pieces.signals_table(found.signals, looked.facts.rules))}  # fmt: skip
    if found.cleaned is not None:
        more["Before and after cleaning"] = mo.Html(pieces.changes(found.text, found.cleaned, ("cut", "new")))
    if opened.survivor is not None and opened.survivor_text is not None:
        title = Markup('<p class="sr">{}: similarity {:.3f} to {} <span lang="ja">{}</span></p>').format(
            row["verdict"], row["similarity"], opened.survivor["doc_id"], visible(opened.survivor["title"])
        )
        difference = pieces.changes(found.text, opened.survivor_text, ("only in this one", "only in the one kept"))
        more["Beside the one kept"] = mo.Html(title + difference)
    kept = row["duplicate_of"] or (row["doc_id"] if row["duplicates"] else "")
    link = Markup('<p class="sr"><a href="?{}">all documents of its cluster</a></p>').format(
        urlencode({"tab": "documents", "cluster": kept, "doc": row["doc_id"]})
    )
    head = pieces.heading(opened) + (link if kept else Markup()) + pieces.marked(found.text, spans)
    return mo.vstack([mo.Html(head), mo.accordion(more, multiple=True)])


def pasted(mo: Any) -> Any:
    """Where a text is put in."""
    return mo.ui.text_area(
        placeholder="Paste a text: every signal is measured and every rule judged.", rows=8, full_width=True, debounce=600
    )


@told
def explained(mo: Any, looked: Looked, area: Any) -> Any:
    """A text of nobody's by the rules of the run."""
    if not area.value.strip():
        return mo.md("")
    found = looked.explain(area.value)
    parts = [pieces.table(("stage", "what it says"), found.fate), pieces.marked(found.text, pieces.spans_of(found, "")),
             pieces.rules_table(found.rules), pieces.signals_table(found.signals, looked.facts.rules)]  # fmt: skip
    return mo.vstack([mo.Html(part) for part in parts])


def _names(rules: Sequence[Rule], mask: int) -> str:
    return ", ".join(rule.name for i, rule in enumerate(rules) if mask >> i & 1)


def _of(total: int, page: int, what: str) -> Markup:
    first, last = min(page * _PAGE + 1, total), min((page + 1) * _PAGE, total)
    return Markup('<p class="sr soft"><b id="total">{:,}</b> {}; {:,} to {:,} are shown</p>').format(total, what, first, last)


__all__ = ["distributions", "explained", "flipped", "flips", "limits", "listed", "listing", "mosaic", "near", "opens", "pasted"]
