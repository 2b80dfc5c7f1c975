"""What a person moves on the page, and the view that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from seiryu.filters.rules import plain
from seiryu.pipelines.facts.brush import NO_BRUSH, Brush
from seiryu.pipelines.inspecting.looking import Looked
from seiryu.pipelines.inspecting.view import KEPT, MOST_DRAWN, View, limits_of

TITLES = {
    "limits": "Limits", "flips": "What flips", "near": "About a limit", "distributions": "Distributions", "documents": "Documents",
    "judge": "Judge", "text": "A text",
}  # fmt: skip
_FATES = ("rejected", "blocked", "duplicate", "cleaned", "final", "passing")
_SORTS = {"by doc_id": "", "smallest value first": "value", "largest value first": "-value"}
_SAID = ("rule", "way", "fate", "host", "cluster", "signal", "low", "high", "find", "sort", "words")
_ANY = "any"


def tab(mo: Any, start: View) -> Any:
    """Which tab is open."""
    return mo.ui.radio(options={title: name for name, title in TITLES.items()}, value=TITLES[start.tab], inline=True)


def limits(mo: Any, looked: Looked, start: View) -> tuple[Any, Any]:
    """A slider for each limit, and which rules are left out."""
    sliders = {}
    for name, steps in looked.stops().items():
        rule, side = name.split(".")
        now = start.moves.get(
            name, next(limit for each in looked.facts.rules if each.name == rule for at, limit in limits_of(each) if at == side)
        )
        sliders[name] = mo.ui.slider(steps=sorted({*steps, now}), value=now, debounce=True, full_width=True, include_input=False)
    names = [rule.name for rule in looked.facts.rules]
    return mo.ui.dictionary(sliders), mo.ui.multiselect(
        options=names, value=list(start.drops), label="rules left out", full_width=True
    )


def picked(mo: Any, looked: Looked, start: View) -> Any:
    """Which rule, which documents: one dictionary, shown in parts by the tabs that ask for them."""
    rules = [rule.name for rule in looked.facts.rules]
    signals = [signal.name for signal in looked.facts.signals]
    ui = mo.ui
    return ui.dictionary(
        {
            "rule": ui.dropdown(options=[_ANY, *rules, KEPT], value=start.rule or _ANY, label="rule", searchable=True),
            "way": ui.radio(options={"gained": "gained", "lost": "lost"}, value=start.way, inline=True),
            "alone": ui.switch(value=start.alone, label="only documents that this limit decides"),
            "fate": ui.dropdown(options=[_ANY, *_FATES], value=start.fate if start.fate in _FATES else _ANY, label="fate"),
            "host": ui.text(value=start.host, placeholder="www.example.jp", label="host"),
            "cluster": ui.text(value=start.cluster, placeholder="doc_id", label="cluster of"),
            "signal": ui.dropdown(options=[_ANY, *signals], value=start.signal or _ANY, label="signal", searchable=True),
            "low": ui.text(value=_shown(start.low), placeholder="from", label="from"),
            "high": ui.text(value=_shown(start.high), placeholder="to", label="to"),
            "find": ui.text(value=start.find, placeholder="address, title, doc_id", label="search"),
            "sort": ui.dropdown(
                options=_SORTS, value=next(title for title, name in _SORTS.items() if name == start.sort), label="order"
            ),
            "page": ui.number(start=1, stop=1_000_000, step=1, value=start.page + 1, label="page"),
            "seed": ui.number(start=0, stop=1_000_000, step=1, value=start.seed, label="sample"),
            "words": ui.text(value=start.words, placeholder="in the texts themselves", label="words"),
            "archive": ui.number(start=1, stop=10_000_000, step=1, value=start.archive + 1, label="from archive"),
            "draws": ui.multiselect(options=signals, value=list(start.draws), label="signals", max_selections=MOST_DRAWN),
        }
    )


def _shown(value: float | None) -> str:
    return "" if value is None else plain(value)


def view_of(
    looked: Looked, tab: str, moves: Mapping[str, float], drops: Sequence[str], picked: Mapping[str, Any], doc: str, brush: Brush
) -> View:
    """The view that the controls say."""
    now = {f"{rule.name}.{side}": limit for rule in looked.facts.rules for side, limit in limits_of(rule)}
    said = {name: "" if value in (None, _ANY) else value for name, value in picked.items()}
    changes = [f"{name}={value!r}" for name, value in moves.items() if value is not None and float(value) != now[name]]
    changes += [f"{name}=null" for name in drops]
    params = {name: str(said[name]) for name in _SAID}
    params |= {name: str(int(said[name] or 1) - 1) for name in ("page", "archive")}
    params |= {"seed": str(int(said["seed"] or 0)), "alone": str(int(bool(said["alone"]))), "draws": ",".join(said["draws"])}
    params |= {"tab": tab or "", "doc": doc, "set": ",".join(changes), "brush": brush.text()}
    return View.of(params, looked.facts)


def brushed(params: MutableMapping[str, Any], looked: Looked, base: Brush, said: object) -> Brush:
    """What is drawn over now, beside what was when the distributions were drawn; it stands in the address at once.

    `said`: what the widget sent of itself, whatever that is.
    """
    for name in ("params", "drawn", "predicate"):
        said = said.get(name) if isinstance(said, Mapping) else None
    predicate = said if isinstance(said, str) else ""
    now = base.within(Brush.of_predicate(predicate, {signal.name for signal in looked.facts.signals}))
    if now.text() != params.get("brush", ""):
        if now:
            params["brush"] = now.text()
        else:
            del params["brush"]
    return now


def write_address(params: MutableMapping[str, Any], view: View) -> None:
    """The address of the page says what it shows."""
    wanted = view.params()
    for name in [name for name in params if name not in wanted and name in View.__dataclass_fields__ | {"set": None}]:
        del params[name]
    for name, value in wanted.items():
        if params.get(name) != value:
            params[name] = value


__all__ = ["NO_BRUSH", "TITLES", "brushed", "limits", "picked", "tab", "view_of", "write_address"]
