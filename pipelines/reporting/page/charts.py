"""The charts, each kind made once by altair and filled with data as often as it is wanted.

A spec is a plain dictionary; its data stand in `datasets`, what else differs in `params`. Colours are those of the page's stylesheet
(`var(--water)`), so charts follow light and dark. `ja` is set by the page when its language is switched; `at` by a slider.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from seiryu.pipelines.reporting.page.wording import TILES

Spec = dict[str, Any]
_NAMES = ",".join(f"'{name}'" for name, _, _ in TILES)
_ENGLISH, _JAPANESE = (",".join(f"'{tile[i]}'" for tile in TILES) for i in (1, 2))
_SHORT = "abs(datum.value) >= 10000 ? format(datum.value, '~s') : format(datum.value, ',')"
_BIN = (
    "(datum.outer == 'low' ? '< ' + format(datum.to, ',') : datum.outer == 'high' ? '≥ ' + format(datum.from, ',') : "
    "format(datum.from, ',') + ' – ' + format(datum.to, ',')) + ' · ' + format(datum.documents, ',') + (ja ? ' 文書、通過 ' : "
    "' documents, pass: ') + format(datum.passing, ',')"
)
_PLAIN = {
    "background": "transparent",
    "config": {
        "font": "inherit",
        "view": {"stroke": None},
        "axis": {"labelColor": "var(--soft)", "labelFontSize": 11, "gridColor": "var(--line)", "domainColor": "var(--line)",
                 "tickColor": "var(--line)", "title": None, "labelFont": "sans-serif"},
        "text": {"font": "system-ui, sans-serif"},
    },
}  # fmt: skip


def limit_chart(bins: list[Spec], stops: list[Spec], now: int, frame: Spec, slider: str) -> Spec:
    """A distribution with its limit, which a slider moves. `frame`: of `framed`; `slider`: id of the page's element."""
    far = frame["span"][0 if frame["side"] == "low" else 1]
    return _filled(
        _limit(frame["log"], frame["deep"]),
        {"bins": bins, "stops": stops},
        {"at": str(now), "now": now, "far": far, "span": frame["span"], "ticks": frame["ticks"]},
        {"at": {"element": f"#{slider}", "event": "input"}},
    )


def distribution_chart(bins: list[Spec], frame: Spec) -> Spec:
    """A distribution alone."""
    return _filled(_distribution(frame["log"], frame["deep"]), {"bins": bins}, {"span": frame["span"], "ticks": frame["ticks"]})


def overlay_chart(bins: list[Spec], limits: list[Spec], totals: tuple[int, int], frame: Spec) -> Spec:
    """Two runs' distributions as shares, over each other."""
    params = {"span": frame["span"], "ticks": frame["ticks"], "all_here": totals[0], "all_there": totals[1]}
    return _filled(_overlay(frame["log"]), {"bins": bins, "limits": limits}, params)


def overlap_chart(sets: list[Spec], dots: list[Spec], links: list[Spec]) -> Spec:
    """UpSet: what exactly these rules reject together."""
    return _filled(_overlap(), {"sets": sets, "dots": dots, "links": links}, {})


def years_chart(rows: list[Spec]) -> Spec:
    """Documents by year: rejected, passing, final upon each other."""
    return _filled(_years(), {"years": rows}, {})


def clusters_chart(rows: list[Spec]) -> Spec:
    """Clusters by their size."""
    return _filled(_clusters(), {"sizes": rows}, {})


def _filled(template: Spec, datasets: Spec, params: Spec, bind: Spec | None = None) -> Spec:
    bound = bind or {}
    named = [{"name": "ja", "value": False}]
    named += [
        {"name": name, "value": value, **({"bind": bound[name]} if name in bound else {})} for name, value in params.items()
    ]
    return {**template, **_PLAIN, "datasets": datasets, "params": named}


def _x(log: bool) -> Any:
    import altair as alt

    scale = {"type": "symlog", "constant": 1} if log else {"type": "linear"}
    axis = alt.Axis(values=alt.expr("ticks"), labelExpr=_SHORT, grid=False, labelOverlap=True, labelFlush=True)
    return alt.X("a:Q").scale(domain=alt.expr("span"), nice=False, zero=False, **scale).axis(axis)


def _bars(log: bool, deep: bool) -> tuple[Any, Any]:
    import altair as alt

    scale = alt.Scale(type="symlog" if deep else "linear", nice=False, domainMin=0)
    axis = alt.Axis(tickCount=4, labelExpr=_SHORT, domain=False, ticks=False)
    y = alt.Y("documents:Q").scale(scale).axis(axis)
    rest = {"x2": "b:Q", "y2": alt.datum(0)}
    every = alt.Chart(alt.NamedData("bins")).mark_rect(
        color="var(--pale)", stroke="var(--paper)", strokeWidth=0.5, tooltip=alt.expr(_BIN)
    )
    passing = every.mark_rect(color="var(--water)", stroke="var(--paper)", strokeWidth=0.5, tooltip=alt.expr(_BIN))
    return (
        every.encode(x=_x(log), y=y, **rest),
        passing.encode(x=_x(log), y=alt.Y("passing:Q").scale(scale).axis(axis), **rest),
    )


@cache
def _limit(log: bool, deep: bool) -> Spec:
    import altair as alt

    every, passing = _bars(log, deep)
    chosen = alt.Chart(alt.NamedData("stops")).transform_filter("datum.k == toNumber(at)")
    ground = (
        chosen.transform_calculate(far="far").mark_rect(color="var(--lost)", opacity=0.14).encode(x=alt.X("stop:Q"), x2="far:Q")
    )
    line = chosen.mark_rule(color="var(--lost)", strokeWidth=2).encode(x=alt.X("stop:Q"))
    present = alt.Chart(alt.NamedData("stops")).transform_filter("datum.k == now && toNumber(at) != now")
    before = present.mark_rule(color="var(--soft)", strokeDash=[3, 3]).encode(x=alt.X("stop:Q"))
    tiles = (
        alt.Chart(alt.NamedData("stops"))
        .transform_filter("datum.k == toNumber(at) || datum.k == now")
        .transform_fold([name for name, _, _ in TILES])
        .transform_joinaggregate(present="argmax(is_now)", groupby=["key"])
        .transform_filter("datum.k == toNumber(at)")
        .transform_calculate(n=f"indexof([{_NAMES}], datum.key)")
        .transform_calculate(
            label=f"(ja ? [{_JAPANESE}] : [{_ENGLISH}])[datum.n]",
            px="(datum.n % 3) * min(width / 3, 190)",
            py="datum.n < 3 ? -104 : -54",
            number="datum.n == 0 ? datum.shown : format(datum.value, ',')",
            moved="datum.n == 0 || datum.value == datum.present.value ? '' : format(datum.value - datum.present.value, '+,')",
        )
    )
    near: dict[str, Any] = {"align": "left", "baseline": "alphabetic", "x": alt.expr("datum.px")}
    label = tiles.mark_text(**near, y=alt.expr("datum.py"), fontSize=11, color="var(--soft)").encode(text="label:N")
    number = tiles.mark_text(**near, y=alt.expr("datum.py + 17"), fontSize=15, fontWeight=600, color="var(--ink)").encode(
        text="number:N"
    )
    moved = tiles.mark_text(**near, y=alt.expr("datum.py + 30"), fontSize=11, color="var(--lost)").encode(text="moved:N")
    layers = alt.layer(ground, every, passing, before, line, label, number, moved)
    return dict(
        layers.properties(width="container", height=130, padding={"top": 6, "left": 4, "right": 8, "bottom": 4}).to_dict()
    )


@cache
def _distribution(log: bool, deep: bool) -> Spec:
    import altair as alt

    return dict(alt.layer(*_bars(log, deep)).properties(width="container", height=110).to_dict())


@cache
def _overlay(log: bool) -> Spec:
    import altair as alt

    base = alt.Chart(alt.NamedData("bins")).transform_calculate(
        here="datum.here_documents / all_here", there="datum.there_documents / all_there"
    )
    axis = alt.Axis(format="~%", tickCount=4, domain=False, ticks=False)
    curves = []
    for name, colour in (("here", "var(--water)"), ("there", "var(--lost)")):
        y = alt.Y(f"{name}:Q").axis(axis)
        curves.append(base.mark_line(color=colour, strokeWidth=2, interpolate="step-after").encode(x=_x(log), y=y))
    limits = alt.Chart(alt.NamedData("limits")).mark_rule(strokeDash=[4, 3], strokeWidth=1.5)
    lines = limits.encode(x=alt.X("limit:Q"), color=alt.Color("colour:N", scale=None))
    return dict(alt.layer(*curves, lines).properties(width="container", height=120).to_dict())


@cache
def _overlap() -> Spec:
    import altair as alt

    x = alt.X("set:O").axis(None)
    text = "datum.documents >= 10000 ? format(datum.documents, '.3~s') : format(datum.documents, ',')"
    sets = alt.Chart(alt.NamedData("sets")).transform_calculate(label=text).encode(x=x)
    y = alt.Y("documents:Q").axis(alt.Axis(tickCount=4, labelExpr=_SHORT, domain=False, ticks=False))
    tip = alt.expr("format(datum.documents, ',') + ' · ' + datum.names")
    bars = sets.mark_bar(color="var(--water)", cornerRadius=2, tooltip=tip).encode(y=y)
    numbers = sets.mark_text(dy=-7, fontSize=10, color="var(--soft)").encode(y=y, text="label:N")
    rules = (
        alt.Y("rule:N")
        .sort(None)
        .axis(alt.Axis(domain=False, ticks=False, labelLimit=220, labelColor="var(--ink)", labelPadding=10))
    )
    dots = alt.Chart(alt.NamedData("dots")).mark_circle(size=90, opacity=1).encode(
        x=x, y=rules, color=alt.condition("datum.on", alt.value("var(--water)"), alt.value("var(--line)"))
    )  # fmt: skip
    links = alt.Chart(alt.NamedData("links")).mark_rule(color="var(--water)", strokeWidth=2)
    matrix = alt.layer(dots, links.encode(x=x, y=alt.Y("first:N").sort(None), y2="last:N"))
    step = alt.Step(26)
    return dict(
        alt.vconcat(
            (bars + numbers).properties(width=step, height=150), matrix.properties(width=step, height=alt.Step(20)), spacing=4
        )
        .resolve_scale(x="shared")
        .to_dict()
    )


@cache
def _years() -> Spec:
    import altair as alt

    colour = alt.Color(
        "kind:N", scale=alt.Scale(domain=[0, 1, 2], range=["var(--water)", "var(--stream)", "var(--pale)"]), legend=None
    )
    y = alt.Y("documents:Q").axis(alt.Axis(tickCount=4, labelExpr=_SHORT, domain=False, ticks=False))
    tip = alt.expr("datum.year + ' · ' + format(datum.documents, ',')")
    chart = alt.Chart(alt.NamedData("years")).mark_bar(tooltip=tip, cornerRadius=1).encode(
        x=alt.X("year:O").axis(alt.Axis(labelAngle=0, labelOverlap=True)), y=y, color=colour, order="kind:O"
    )  # fmt: skip
    return dict(chart.properties(width="container", height=170).to_dict())


@cache
def _clusters() -> Spec:
    import altair as alt

    x = (
        alt.X("size:Q")
        .scale(type="log", nice=False, domainMin=0.9)
        .axis(alt.Axis(grid=False, labelExpr=_SHORT, tickCount=6, labelOverlap=True))
    )
    y = (
        alt.Y("clusters:Q")
        .scale(type="symlog", domainMin=0)
        .axis(alt.Axis(tickCount=5, labelExpr=_SHORT, domain=False, ticks=False))
    )
    tip = alt.expr("format(datum.size, ',') + ' · ' + format(datum.clusters, ',')")
    base = alt.Chart(alt.NamedData("sizes"))
    stems = base.mark_rule(color="var(--water)", strokeWidth=2).encode(x=x, y=y, y2=alt.datum(0))
    heads = base.mark_circle(color="var(--water)", size=60, opacity=1, tooltip=tip).encode(x=x, y=y)
    return dict(alt.layer(stems, heads).properties(width="container", height=170).to_dict())
