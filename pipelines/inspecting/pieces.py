"""Pieces of the page as markup, in which all that comes from a document is text: every value goes through `escape`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from seiryu.filters.cleaning.difference import difference
from seiryu.filters.explaining import Span
from seiryu.filters.rules import Rule
from seiryu.pipelines.inspecting.labels import Precision
from seiryu.pipelines.inspecting.looking import Looked, Opened
from seiryu.pipelines.reporting.explanation import Explanation, Judged
from seiryu.pipelines.reporting.page.shown import visible
from seiryu.pipelines.reporting.recount import Recount

_LONGEST = 20_000  # code points of a text that are shown
_AMOUNTS = ("documents", "letters", "tokens")


def said(value: Any) -> Markup:
    """A value as text that no page obeys."""
    return escape(visible(f"{value:,}" if isinstance(value, int) else f"{value:.5g}" if isinstance(value, float) else str(value)))


def wrong(message: str) -> Markup:
    """What went wrong, in one line."""
    return Markup('<p class="sr wrong">{}</p>').format(visible(message))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[int] = (), name: str = "") -> Markup:
    """A table; `numbers`: columns that are aligned to the right. Cells that are Markup stand as they are."""
    out = Markup('<table class="sr {}"><thead><tr>').format(name)
    for i, title in enumerate(head):
        out += Markup("<th{}>{}</th>").format(_right(i, numbers), title)
    out += Markup("</tr></thead><tbody>")
    for row in rows:
        cells = Markup().join(
            Markup("<td{}>{}</td>").format(_right(i, numbers), cell if isinstance(cell, Markup) else said(cell))
            for i, cell in enumerate(row)
        )
        out += Markup("<tr>{}</tr>").format(cells)
    return out + Markup("</tbody></table>")


def _right(column: int, numbers: Sequence[int]) -> Markup:
    return Markup(' class="n"') if column in numbers else Markup()


def totals(found: Recount) -> Markup:
    """What these rules keep, large, beside what the run kept."""
    out = Markup()
    for name in _AMOUNTS:
        now, before = found.totals["kept"][name], found.totals["before"][name]
        change = now - before
        out += Markup('<div class="sr-stat"><small>{}</small><b id="kept-{}">{:,}</b><span class="{}">{}</span></div>').format(
            name, name, now, "up" if change > 0 else "down" if change < 0 else "", f"{change:+,}" if change else "as in the run"
        )
    moved = ((name, found.totals[name]["documents"]) for name in ("gained", "lost"))
    for name, number in moved:
        out += Markup('<div class="sr-stat small"><small>documents {}</small><b id="{}">{:,}</b></div>').format(
            name, name, number
        )
    return Markup('<div class="sr sr-stats">{}</div>').format(out)


def top(looked: Looked, found: Recount) -> Markup:
    """Which run this is, and what the limits keep."""
    note = Markup('<p class="sr soft">{}</p>').format(found.note) if found.note else Markup()
    name = Markup('<p class="sr soft">{} · {:,} judged documents</p>').format(looked.store.root, looked.facts.documents)
    return name + totals(found) + note


def marked(text: str, spans: Sequence[Span], longest: int = _LONGEST) -> Markup:
    """A text with spans of it marked; `longest`: code points that are shown."""
    out, at = Markup(), 0
    for begin, end in spans:
        if begin >= longest:
            break
        begin, end = max(begin, at), min(end, longest)
        if end > begin:
            out += escape(visible(text[at:begin])) + Markup("<mark>{}</mark>").format(visible(text[begin:end]))
            at = end
    out += escape(visible(text[at:longest]))
    rest = (
        Markup('<p class="soft">... and {:,} letters more</p>').format(len(text) - longest) if len(text) > longest else Markup()
    )
    return Markup('<div class="sr text" lang="ja">{}</div>{}').format(out, rest)


def changes(before: str, after: str, what: tuple[str, str]) -> Markup:
    """What differs between two texts; `what`: names of what is gone and what is new."""
    if before == after:
        return Markup('<p class="sr soft">the two texts are the same, letter for letter</p>')
    out, tags = Markup(), {"gone": "del", "new": "ins"}
    for kind, piece in difference(before, after):
        if kind == "skipped":
            out += Markup('<span class="soft">... {:,} lines as they were\n</span>').format(piece.count("\n"))
        elif kind == "same":
            out += escape(visible(piece))
        else:
            out += Markup("<{0}>{1}</{0}>").format(Markup(tags[kind]), visible(piece))
    key = Markup('<p class="sr soft"><del>{}</del> <ins>{}</ins></p>').format(*what)
    return key + Markup('<div class="sr text" lang="ja">{}</div>').format(out)


def rules_table(judged: Sequence[Judged]) -> Markup:
    """Every rule's verdict, those that reject first."""
    rows = [
        (
            each.rule.name,
            each.rule.signal,
            each.value,
            each.rule.limits(),
            Markup("<b>rejects</b>") if each.rejects else "",
            each.rule.why,
        )
        for each in sorted(judged, key=lambda each: not each.rejects)
    ]
    return table(("rule", "signal", "value", "rejects if", "", "why"), rows, numbers=(2,))


def signals_table(signals: Mapping[str, float], rules: Sequence[Rule]) -> Markup:
    """Every signal with the limits set on it."""
    limits: dict[str, list[str]] = {}
    for rule in rules:
        limits.setdefault(rule.signal, []).append(f"{rule.name} {rule.limits()}")
    return table(("signal", "value", "limits"), [(name, value, "; ".join(limits.get(name, []))) for name, value in signals.items()],
                 numbers=(1,))  # fmt: skip


def spans_of(explanation: Explanation, rule: str) -> list[Span]:
    """What a rule found; of all rules that reject where none is named or the named one does not reject."""
    chosen = [each for each in explanation.rules if each.rejects and each.rule.name == rule]
    chosen = chosen or [each for each in explanation.rules if each.rejects]
    return sorted(span for each in chosen for span in each.spans)


def heading(opened: Opened) -> Markup:
    """Where a document comes from and what became of it."""
    place, row = opened.explanation.place, opened.row
    fate = table(("stage", "what it said"), opened.explanation.fate)
    facts = [
        (name, place[name])
        for name in ("doc_id", "url", "crawl_date", "warc", "warc_offset", "charset", "extractor")
        if name in place
    ]
    title = Markup('<h3 class="sr" lang="ja">{}</h3>').format(visible(str(row["title"])) or "without a title")
    return title + table(("", ""), [(name, str(value)) for name, value in facts], name="plain") + fate


def precision_line(found: Precision, what: str) -> Markup:
    """A precision with its interval."""
    if not found.judged:
        return Markup('<p class="sr">nothing judged yet for <b>{}</b></p>').format(what)
    return Markup(
        '<p class="sr">precision of <b>{}</b>: <b id="precision">{:.1%}</b>, 95 % interval {:.1%} to {:.1%} ({:,} of {:,} judged)</p>'
    ).format(what, found.share, found.low, found.high, found.right, found.judged)
