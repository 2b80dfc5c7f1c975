"""Distributions that filter each other: Mosaic draws them in the browser and asks the table of the run for every bar."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import duckdb

from seiryu.pipelines.facts.brush import Brush
from seiryu.pipelines.facts.queries import column, number
from seiryu.pipelines.facts.table import connect, quoted_text
from seiryu.pipelines.inspecting.looking import Looked
from seiryu.pipelines.inspecting.view import View, limits_of
from seiryu.pipelines.reporting.page.scales import span_of

_FIRST, _WIDTH, _HEIGHT = 6, 420, 150


def mosaic(mo: Any, looked: Looked, view: View) -> Any:
    """The widget, with a database of its own; None if there is nothing to draw."""
    from mosaic_widget import MosaicWidget

    if not looked.facts.documents:
        return None
    drawing = looked.own(Drawing)
    con = drawing.begun(looked.facts.path, view.brush)

    class Guarded(MosaicWidget):  # type: ignore[misc]
        """Answers what reads, and keeps what Mosaic adds up in memory: a page must not write over the table it is shown."""

        def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
            if harmless(self.con, str(content.get("sql", "")), str(content.get("type", ""))):
                super()._handle_custom_msg(content, buffers)
            else:
                self.send({"error": "only questions are answered", "uuid": content.get("uuid")})

    drawing.widget = Guarded(spec(looked, view), con=con)
    return mo.ui.anywidget(drawing.widget)


class Drawing:
    """The distributions of one thread, of which one stands at a time: its widget, and the database in which Mosaic adds up for it.

    The register of all widgets would keep each of them, and its database, until the process ends.
    """

    def __init__(self) -> None:
        self.widget: Any = None
        self._con: duckdb.DuckDBPyConnection | None = None

    def begun(self, path: str, brush: Brush) -> duckdb.DuckDBPyConnection:
        """A fresh database that knows the table's rows under a brush as `chosen`, in place of the one before."""
        self.close()
        self._con = connect(path)
        self._con.execute(f"CREATE VIEW chosen AS SELECT * FROM facts WHERE {_where(brush)}")
        return self._con

    def close(self) -> None:
        """End what stands."""
        con, widget, self._con, self.widget = self._con, self.widget, None, None
        if con is not None:
            con.close()
        if widget is not None:
            with suppress(Exception):  # its window may be gone, and nobody is left to be told
                widget.close()

    def __del__(self) -> None:
        self.close()


def harmless(con: duckdb.DuckDBPyConnection, sql: str, kind: str) -> bool:
    """Whether SQL from the page is one question, or makes tables and schemas in memory and nothing else."""
    try:
        types = [statement.type for statement in con.extract_statements(sql)]
    except duckdb.Error:
        return kind == "arrow"  # no SQL at all: it fails where it is run, with its message
    asked, made = duckdb.StatementType.SELECT, duckdb.StatementType.CREATE
    return types == [asked] if kind == "arrow" else bool(types) and all(each == made for each in types)


def _where(brush: Brush) -> str:
    """A view takes no parameters: names and values of a brush are letters, digits and . + - alone."""
    parts = [f"{column(name)} BETWEEN {number(low)} AND {number(high)}" for name, (low, high) in brush.ranges.items()]
    for name, values in brush.values.items():
        parts.append(f"{column(name)}::VARCHAR IN ({', '.join(map(quoted_text, values))})")
    return " AND ".join(parts) or "true"


def drawn(looked: Looked, view: View) -> list[str]:
    """The signals that are drawn: those asked for, else those of the rules that reject the most."""
    if view.draws:
        return list(view.draws)
    counted = looked.recount(looked.facts.rules).by_rule.to_pylist()
    most = sorted(counted, key=lambda row: (-row["hit_documents"], row["rule"]))
    signal_of = {rule.name: rule.signal for rule in looked.facts.rules}
    return list(dict.fromkeys(signal_of[row["rule"]] for row in most))[:_FIRST]


def spec(looked: Looked, view: View) -> dict[str, Any]:
    """Mosaic's specification: a histogram a signal with its limits, and the fates and largest hosts; a stretch that is drawn over with
    the pointer, or a bar that is clicked, filters all others."""
    signals = drawn(looked, view)
    whole = {signal.name: signal.kind == "int" for signal in looked.facts.signals}
    spread = looked.facts.spread
    tails = {name: spread[name]["least"] >= 1 and span_of(spread[name], whole[name]).log for name in signals}
    plots = [_histogram(looked, view, signal, tail=tails[signal]) for signal in signals]
    lines = [{"hconcat": plots[i : i + 3]} for i in range(0, len(plots), 3)]
    bars = {"hconcat": [_bars(name) for name in ("fate", "year", "charset")]}
    return {"params": {"drawn": {"select": "crossfilter"}}, "vconcat": [*lines, bars]}


def _histogram(looked: Looked, view: View, signal: str, *, tail: bool) -> dict[str, Any]:
    limits = [
        {"x": view.moves.get(f"{rule.name}.{side}", limit)}
        for rule in looked.facts.rules
        for side, limit in limits_of(rule)
        if rule.signal == signal
    ]
    lines = [{"mark": "ruleX", "data": limits, "x": "x", "stroke": "#c0533a", "strokeWidth": 2}] if limits else []
    bar = {"mark": "rectY", "x": {"bin": signal}, "y": {"count": None}}
    everything = bar | {"data": {"from": "chosen"}, "fill": "#d3e8ef"}
    filtered = bar | {"data": {"from": "chosen", "filterBy": "$drawn"}, "fill": "#2a7f9e"}
    select = {"select": "intervalX", "as": "$drawn", "field": signal}
    return {
        "plot": [everything, filtered, *lines, select], "xLabel": signal, "xScale": "log" if tail else "linear", "yLabel": None,
        "xDomain": "Fixed", "yTickFormat": "s", "width": _WIDTH, "height": _HEIGHT, "marginLeft": 50,
    }  # fmt: skip


def _bars(name: str) -> dict[str, Any]:
    bar = {"mark": "barX", "data": {"from": "chosen", "filterBy": "$drawn"}, "x": {"count": None}, "y": name, "fill": "#2a7f9e",
           "sort": {"y": "-x", "limit": 10}}  # fmt: skip
    return {
        "plot": [bar, {"select": "toggleY", "as": "$drawn", "fields": [name]}], "xLabel": None, "yLabel": None, "xTickFormat": "s",
        **({"yTickFormat": "d"} if name == "year" else {}), "yDomain": "Fixed", "width": _WIDTH, "height": _HEIGHT, "marginLeft": 110,
    }  # fmt: skip
