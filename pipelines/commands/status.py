"""`status`: where a run stands, how fast it goes, and how long it will take; from its directory alone, while it runs or not."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.commands.checks import begun
from seiryu.pipelines.reporting.funnel import as_json as funnel_json
from seiryu.pipelines.reporting.funnel import funnel
from seiryu.pipelines.sizes import duration, human
from seiryu.pipelines.state import State
from seiryu.pipelines.telling.pace import Course, Pace, Rate, course
from seiryu.pipelines.telling.screen import funnel_table, out, plain


def status_command(run: str, *, as_json: bool) -> int:
    gc.disable()  # a sidecar is a dozen objects that stay, and looking through those of 200,000 again and again is half the time
    state = begun(run)
    found = {stage.name: state.set_aside(stage.name) for stage in CHAIN}
    set_aside = {f"{stage} {unit}": why for stage, units in found.items() for unit, why in units.items()}
    stands = course(state, Counter({stage: len(units) for stage, units in found.items()}))
    if as_json:
        stages = {stage.name: state.counts(stage.name).to_json() for stage in CHAIN if state.completed(stage.name)}
        standing = [pace.to_json() for pace in stands.stages]
        all_of_it: dict[str, Any] = {"funnel": funnel_json(state), "stages": stages, "set_aside": set_aside, "standing": standing}
        all_of_it["damaged"] = {stage: units for stage, units in state.damaged.items() if units}
        print(json.dumps(all_of_it, ensure_ascii=False, indent=1))
        return 0
    out.print(_table(state, stands))
    for line in _lines(state, stands, datetime.now(UTC)):
        out.print(line, markup=False)
    out.print()
    out.print(funnel_table(funnel(state)))
    for name, why in set_aside.items():
        after = "" if why["attempts"] is None else f" after {why['attempts']} attempt{'s' * (why['attempts'] != 1)}"
        out.print(f"set aside{after}: {plain(name)}: {plain(str(why['reason']))}", markup=False)
    for name, units in state.damaged.items():
        for unit in units[:1]:
            which = f"{plain(unit)}{', ...' if len(units) > 1 else ''}"
            out.print(f"damaged: {len(units):,} of units/{name}/*.json ({which}), made again by the next run", markup=False)
    return 0


def _table(state: State, stands: Course) -> Table:
    table = Table(box=None, pad_edge=False)
    for column, justify in (("stage", "left"), ("units", "right"), ("set aside", "right"), ("records", "right"), ("kept", "right"),
                            ("worker time", "right"), ("records/s", "right"), ("remaining", "right")):  # fmt: skip
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for pace in stands.stages:
        if not pace.begun:
            planned = f"0 of {pace.planned:,}" if pace.planned else ""
            table.add_row(pace.stage, planned, "", "", "", "", "", "nothing to do" if pace.planned == 0 else "not begun")
            continue
        counts = state.counts(pace.stage)
        units = f"{pace.done:,}" if pace.planned in (None, pace.done) else f"{pace.done:,} of {pace.planned:,}"
        table.add_row(
            pace.stage, units, f"{pace.set_aside:,}", f"{counts.records:,}", f"{counts.kept:,}",
            f"{state.seconds(pace.stage):,.1f} s", _number(pace.now or pace.overall), _remaining(pace, stands),
        )  # fmt: skip
    return table


def _number(rate: Rate | None) -> str:
    return f"{rate.records:,.0f}" if rate else ""


def _remaining(pace: Pace, stands: Course) -> str:
    """How long a stage takes yet if a run is at it; how much is left of one that none is at."""
    if pace.left == 0:
        return ""
    if stands.held and pace.stage == stands.at:
        return "unknown" if pace.remaining_seconds is None else duration(pace.remaining_seconds)
    return f"{pace.left:,} units" if pace.left else "unknown"


def _lines(state: State, stands: Course, now: datetime) -> Iterator[str]:
    """What else is to say: how it goes now, whether it goes at all, what was fetched."""
    yield ""
    for pace in stands.stages:
        if stands.held and pace.stage == stands.at:
            yield _going(pace)
    yield f"{_alive(stands)}; {_since(stands, now)}"
    fetched: list[Any] = [state.counts(name).extra for name in ("index", "extract")]
    if requests := sum(extra["requests"] for extra in fetched):
        yield f"{human(sum(extra['bytes_fetched'] for extra in fetched))} were fetched by {requests:,} requests"


def _going(pace: Pace) -> str:
    parts = [
        f"{_short(rate.units)} units and {_short(rate.records)} records a second {when} {duration(rate.seconds)}"
        for rate, when in ((pace.now, "in the last"), (pace.overall, "over all its"))
        if rate
    ]
    if pace.last and not pace.now and pace.left:
        parts.insert(0, "no unit was finished lately")
    return f"{pace.stage}: {'; '.join(parts) or 'how fast it goes is unknown'}"


def _short(number: float) -> str:
    return f"{number:.3g}" if number < 100 else f"{number:,.0f}"


def _alive(stands: Course) -> str:
    if stands.held:
        return "a run holds the directory"
    return (
        "the run has ended"
        if stands.ended
        else "no run is at work: the last one stopped before its end, the same command goes on"
    )


def _since(stands: Course, now: datetime) -> str:
    if stands.last is None:
        return "when the last unit was finished is unknown"
    return f"the last unit was finished {duration(max(0.0, (now - stands.last).total_seconds()))} ago"
