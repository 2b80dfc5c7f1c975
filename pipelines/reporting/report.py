"""The report of a run: one HTML file that opens from disk, with no script and nothing from outside.

Everything shown comes from sidecars and narrow tables; text from the web is escaped by the template engine, always.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.reporting.contamination import contamination
from seiryu.pipelines.reporting.funnel import funnel
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.sizes import human
from seiryu.pipelines.stages.addresses import lists_of_pages
from seiryu.pipelines.stages.decide import judged_by
from seiryu.pipelines.stages.hosts import hosts_schema
from seiryu.pipelines.state import State
from seiryu.pipelines.version import VERSION

_HOSTS, _FAILURES = 25, 50


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("seiryu.pipelines.reporting", "")
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"thousands": lambda number: f"{number:,}", "human": human}
    return environment.get_template("report.html.j2")


def write_report(state: State) -> str:
    """Write report/index.html; its path."""
    page = _template().render(
        run=state.store.root, version=VERSION, steps=_steps(state), rules=_rules(state), stages=_stages(state), hosts=_hosts(state),
        failures=_failures(state), cleaning=_cleaning(state), shards=_shards(state), config=state.config.model_dump_json(indent=1),
        benchmarks=contamination(state), action=state.config.decontaminate.action,
        set_aside=[(stage.name, unit, why) for stage in CHAIN for unit, why in state.set_aside(stage.name).items()],
    )  # fmt: skip
    state.store.write("report/index.html", page.encode())
    return state.store.path("report/index.html")


def _steps(state: State) -> list[dict[str, Any]]:
    """Lines of the funnel with the width of their bars: what is left, and what is lost at its right end, in percent of the pages.

    What comes before the pages are counted, such as the rows of an index, has none.
    """
    lines: list[dict[str, Any]] = []
    steps = funnel(state)
    first = next((place for place, step in enumerate(steps) if step.name == "pages read"), len(steps))
    share = 100 / ((steps[first].documents if first < len(steps) else 0) or 1)
    left = 0
    for place, step in enumerate(steps):
        left = step.documents if step.kind == "total" else left - step.documents
        lost = 0 if step.kind == "total" else step.documents
        lines.append(
            {"step": step, "left": share * left, "lost": share * lost} if place >= first else {"step": step, "left": 0, "lost": 0}
        )
    return lines


def _rules(state: State) -> list[dict[str, Any]]:
    counts, decided = state.counts("decide"), list(state.completed("decide").values())
    return [
        {
            "rule": rule, "first": counts.rejected[rule.name], "hit": counts.extra[f"hit.{rule.name}"],
            "only": counts.extra[f"only.{rule.name}"], "share": counts.extra[f"hit.{rule.name}"] / max(1, counts.records),
        }
        for rule in (judged_by(decided[0], state.config) if decided else rules_in_force(state.config))
    ]  # fmt: skip


def _stages(state: State) -> list[dict[str, Any]]:
    rows = []
    for stage in CHAIN:
        if not stage.wanted(state.config):
            continue
        counts, seconds = state.counts(stage.name), state.seconds(stage.name)
        size = sum(output.size for done in state.completed(stage.name).values() for output in done.outputs)
        rows.append(
            {
                "stage": stage, "units": len(state.completed(stage.name)), "counts": counts, "rejected": counts.rejected.total(),
                "failed": counts.failed.total(), "seconds": seconds, "size": size,
                "rate": counts.records / seconds if seconds else 0.0,
            }
        )  # fmt: skip
    return rows


def _hosts(state: State) -> dict[str, Any]:
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
    return {
        "rows": top.to_pylist(), "total": counts.records, "blocked": blocked.to_pylist(), "left_out": counts.rejected.total(),
        "lists": lists_of_pages(state.config),
    }  # fmt: skip


def _cleaning(state: State) -> dict[str, Any]:
    """What cleaning did, in sums, and the lines and paragraphs that were cut from the most pages."""
    return {
        "counts": state.counts("clean"), "found": state.counts("boilerplate").extra,
        "lines": _repeated(state, "line", schema.BOILERPLATE, ["pages", "site", "text"]),
        "paragraphs": _repeated(state, "paragraph", schema.PARAGRAPHS, ["documents", "text"]),
    }  # fmt: skip


def _repeated(state: State, kind: str, wanted: pa.Schema, order: list[str]) -> list[dict[str, Any]]:
    """The first of what stands often, most often first; a partition at a time."""
    most, *rest = order
    rows = wanted.empty_table()
    for name in state.completed("boilerplate"):
        if name.startswith(kind):
            table = schema.read_table(state.store, f"boilerplate/{name}.parquet", wanted)
            rows = pa.concat_tables([rows, table]).sort_by([(most, "descending"), *((column, "ascending") for column in rest)])
            rows = rows.slice(0, _HOSTS)
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def _failures(state: State) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for name in state.completed("extract"):
        if len(rows) >= _FAILURES:
            break
        rows += _ledger(state.store, name)
    return {"rows": rows[:_FAILURES], "total": state.counts("extract").failed.total()}


def _ledger(store: Store, unit: str) -> list[dict[str, Any]]:
    table = schema.read_table(store, f"ledger/{unit}.parquet", schema.LEDGER)
    found: list[dict[str, Any]] = table.slice(0, _FAILURES).to_pylist()
    return found


def _shards(state: State) -> list[dict[str, Any]]:
    return [
        {"name": output.name.removeprefix("shards/"), "counts": done.counts, "size": output.size, "sha256": output.sha256}
        for done in state.completed("shards").values()
        for output in done.outputs
        if output.name.startswith("shards/")
    ]
