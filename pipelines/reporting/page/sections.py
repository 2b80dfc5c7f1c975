"""The parts of the page that are told by sidecars and by the tables of hosts, repeated lines and failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.reporting.funnel import Step, funnel
from seiryu.pipelines.reporting.taken_down import TakenDown
from seiryu.pipelines.stages.addresses import lists_of_pages
from seiryu.pipelines.stages.hosts import hosts_schema
from seiryu.pipelines.state import State

_HOSTS, _FAILURES = 25, 50
Row = dict[str, Any]


def steps(state: State) -> list[Row]:
    """Lines of the funnel with the width of their bars: what is left, and what is lost at its right end, in percent of the pages.

    What comes before the pages are counted, such as the rows of an index, has none.
    """
    lines: list[Row] = []
    found = funnel(state)
    first = next((place for place, step in enumerate(found) if step.name == "pages read"), len(found))
    share = 100 / ((found[first].documents if first < len(found) else 0) or 1)
    left = 0
    for place, step in enumerate(found):
        left = step.documents if step.kind == "total" else left - step.documents
        lost = 0 if step.kind == "total" else step.documents
        drawn = place >= first
        lines.append({"step": step, "left": share * left if drawn else 0, "lost": share * lost if drawn else 0})
    return lines


def headline(found: list[Step]) -> list[Row]:
    """The few sums that a person wants first: (key of the text, number), as far as the run has come."""
    totals: dict[str, Step] = {}
    for step in found:
        if step.kind == "total":
            totals.setdefault("records" if step.stage == "extract" and "records" not in totals else step.stage, step)
    known = (("hero.records", "records"), ("hero.japanese", "extract"), ("hero.passing", "decide"), ("hero.final", "clean"))
    # `extract` says three sums: records, pages read, Japanese documents; the last is wanted
    japanese = [step for step in found if step.kind == "total" and step.stage == "extract"]
    if japanese:
        totals["extract"] = japanese[-1]
    shown = [{"key": key, "number": totals[name].documents} for key, name in known if name in totals]
    tokens = totals["clean"].tokens if "clean" in totals else None
    return shown + ([{"key": "hero.tokens", "number": tokens}] if tokens is not None else [])


def stages(state: State) -> Row:
    """The stages that are wanted, and how fast pages were read."""
    rows: list[Row] = []
    for stage in CHAIN:
        if not stage.wanted(state.config):
            continue
        counts, seconds = state.counts(stage.name), state.seconds(stage.name)
        size = sum(output.size for done in state.completed(stage.name).values() for output in done.outputs)
        rows.append({
            "stage": stage, "units": len(state.completed(stage.name)), "counts": counts, "rejected": counts.rejected.total(),
            "failed": counts.failed.total(), "seconds": seconds, "size": size, "rate": counts.records / seconds if seconds else 0.0,
        })  # fmt: skip
    longest = max((row["seconds"] for row in rows), default=0.0) or 1.0
    for row in rows:
        row["part"] = 100 * row["seconds"] / longest
    pages, seconds = state.counts("extract").extra["pages"], state.seconds("extract")
    return {"rows": rows, "any": any(row["units"] for row in rows), "pages": pages, "seconds": seconds,
            "rate": pages / seconds if seconds else 0.0}  # fmt: skip


def hosts(state: State) -> Row:
    """The hosts with the most pages, and what is said against those that are left out; a partition at a time."""
    wanted, order = hosts_schema(state.config), [("documents", "descending"), ("host", "ascending")]
    top = wanted.empty_table()
    blocked = wanted.empty_table()
    for name in state.completed("hosts"):
        table = schema.read_table(state.store, f"hosts/{name}.parquet", wanted)
        top = pa.concat_tables([top, table]).sort_by(order).slice(0, _HOSTS)
        left_out = table.filter(pc.not_equal(table["verdict"], ""))
        blocked = pa.concat_tables([blocked, left_out]).sort_by(order).slice(0, _HOSTS)
    counts = state.counts("hosts")
    return {"rows": top.to_pylist(), "total": counts.records, "blocked": blocked.to_pylist(), "left_out": counts.rejected.total(),
            "lists": lists_of_pages(state.config)}  # fmt: skip


def cleaning(state: State, gone: TakenDown) -> Row:
    """What cleaning did, in sums, and the lines and paragraphs that were cut from the most pages; `hides`: not all are shown."""
    return {
        "hides": bool(gone.sites),
        "done": bool(state.completed("clean")), "counts": state.counts("clean"), "found": state.counts("boilerplate").extra,
        "lines": _repeated(state, "line", schema.BOILERPLATE, ["pages", "site", "text"], gone.without_lines),
        "paragraphs": [] if gone.sites else _repeated(state, "paragraph", schema.PARAGRAPHS, ["documents", "text"], lambda rows: rows),
    }  # fmt: skip


def _repeated(state: State, kind: str, wanted: pa.Schema, order: list[str], shown: Callable[[pa.Table], pa.Table]) -> list[Row]:
    """The first of what stands often and is shown, most often first; a partition at a time."""
    most, *rest = order
    rows = wanted.empty_table()
    for name in state.completed("boilerplate"):
        if name.startswith(kind):
            table = shown(schema.read_table(state.store, f"boilerplate/{name}.parquet", wanted))
            rows = pa.concat_tables([rows, table]).sort_by([(most, "descending"), *((column, "ascending") for column in rest)])
            rows = rows.slice(0, _HOSTS)
    found: list[Row] = rows.to_pylist()
    return found


def failures(state: State) -> Row:
    """Units set aside, records that failed by stage and reason, and the first of them one by one."""
    rows: list[Row] = []
    for name in state.completed("extract"):
        if len(rows) >= _FAILURES:
            break
        rows += _ledger(state.store, name)
    reasons = [
        {"stage": stage.name, "reason": reason, "number": number}
        for stage in CHAIN
        for reason, number in sorted(state.counts(stage.name).failed.items(), key=lambda item: (-item[1], item[0]))
        if number
    ]
    aside = [
        {"stage": stage.name, "unit": unit, "why": why} for stage in CHAIN for unit, why in state.set_aside(stage.name).items()
    ]
    return {"rows": rows[:_FAILURES], "total": sum(row["number"] for row in reasons), "reasons": reasons, "set_aside": aside}


def _ledger(store: Store, unit: str) -> list[Row]:
    table = schema.read_table(store, f"ledger/{unit}.parquet", schema.LEDGER)
    found: list[Row] = table.slice(0, _FAILURES).to_pylist()
    return found


def shards(state: State) -> list[Row]:
    """The files of the shards with what they hold."""
    return [
        {"name": output.name.removeprefix("shards/"), "counts": done.counts, "size": output.size, "sha256": output.sha256}
        for done in state.completed("shards").values()
        for output in done.outputs
        if output.name.startswith("shards/")
    ]
