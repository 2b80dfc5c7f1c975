"""The command that says where the time of a run goes, and what a whole snapshot would take by the same measure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seiryu.pipelines.commands.checks import checked, finished
from seiryu.pipelines.config import Config
from seiryu.pipelines.profiling.assumptions import FEW, assumptions
from seiryu.pipelines.profiling.cost import Cluster, Cost, cost
from seiryu.pipelines.profiling.machine import machine
from seiryu.pipelines.profiling.profile import Profile, compared, profile
from seiryu.pipelines.profiling.tables import between, cost_table, indented, number, parts_table, stages_table
from seiryu.pipelines.run import run as make_run
from seiryu.pipelines.sizes import duration, human
from seiryu.pipelines.sources.telling import telling
from seiryu.pipelines.telling.screen import out, say


def profile_command(
    path: str, changes: Sequence[str], archives: int, nodes: int, cores: int | None, against: str, *, as_json: bool
) -> int:
    config = checked(path, changes)
    other = profile(finished(against)) if against else None
    with telling(config):
        ended = make_run(config)
    if not ended.made:
        say("all is done, nothing to make: the figures are of when it was made")
    for problem in ended.over:
        say(f"not well: {problem}")
    here = machine()
    mine, cluster = profile(ended.state), Cluster(nodes, cores or here["cores"])
    try:
        found, why_not = cost(mine, config, archives, cluster), ""
    except ValueError as error:
        found, why_not = None, str(error)
    told = _Told(mine, other, found, why_not, here, ended.made, config)
    if as_json:
        print(json.dumps(_as_json(told), ensure_ascii=False, indent=1))
    else:
        _show(told)
    return 3 if ended.over else 0


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of a run. `found`: its cost, or `why_not`; `here`: this machine; `made`: units by stage, made just now."""

    mine: Profile
    other: Profile | None
    found: Cost | None
    why_not: str
    here: dict[str, Any]
    made: dict[str, int]
    config: Config


def _as_json(told: _Told) -> dict[str, Any]:
    """The same keys whatever is known. `machine`: this one; what `made` does not name was made before, maybe on another."""
    mine, other, found = told.mine, told.other, told.found
    said = found.as_json() | {"assumptions": list(assumptions(found, mine, told.config))} if found else None
    against = {**other.as_json(), "times": compared(mine, other)} if other else None
    return {"machine": told.here, "made": told.made, **mine.as_json(), "against": against, "cost": said, "no_cost": told.why_not}


def _show(told: _Told) -> None:
    mine, other, found, here = told.mine, told.other, told.found, told.here
    with_ = mine.made_with
    out.print(
        f"{mine.run}, seiryu {with_['seiryu']}, Python {with_['python']}, config {str(with_['config_sha256'])[:8]}, {with_['written']}"
    )
    out.print(
        f"on {here['cpu']}, {here['cores']:,} cores, {human(here['memory'])}"
        + ("" if told.made else "; made before, maybe elsewhere")
    )
    if other:
        out.print(f"against {other.run}, seiryu {other.made_with['seiryu']}, {other.made_with['written']}")
    out.print()
    out.print(indented(stages_table(mine, other, compared(mine, other) if other else {})))
    for old in (mine, other) if other else (mine,):
        if lacking := [f"{stage.stage} ({stage.unmeasured:,} units)" for stage in old.stages if stage.unmeasured]:
            out.print(f"  CPU time not recorded when {old.run} was made: {', '.join(lacking)}")
    extracted = mine.stage("extract")
    if extracted and extracted.pages:
        _show_extraction(extracted, other.stage("extract") if other else None)
    if not found:
        out.print(f"\nno cost of a snapshot: {told.why_not}; run the config anew, in another directory (--set run=DIRECTORY)")
        return
    _show_cost(found, mine, told.config)


def _show_extraction(extracted: Any, there: Any) -> None:
    rate = f", {extracted.pages / extracted.cpu_seconds:,.0f} a second and core" if extracted.cpu_seconds else ""
    out.print(f"\ninside extraction: {extracted.pages:,} pages{rate}")
    if not extracted.parts:
        out.print("  its parts were not recorded when it was made")
        return
    out.print(indented(parts_table(extracted, there if there and there.parts else None)))
    out.print("  the child works while the worker reads on or waits for it, so its time is of the same seconds once more")


def _show_cost(found: Cost, mine: Profile, config: Config) -> None:
    out.print(f"\na snapshot of {found.archives:,} archives on {found.nodes:,} nodes of {found.cores:,} cores")
    if found.sample < FEW:
        few = f"{found.sample:,} archive{'s were' if found.sample != 1 else ' was'} measured"
        out.print(f"  {few}: take this for an order of magnitude, and measure {FEW} or more for a figure to pay by")
    out.print(indented(cost_table(found)))
    wall = found.wall_hours
    out.print(f"  {duration(3600 * wall.value)} ({between(wall)} hours with 95 %), {number(found.cpu_hours.value)} CPU hours, "
              f"{human(found.disk)} on disk")  # fmt: skip
    if found.money:
        out.print(f"  {found.currency} {found.money.value:,.2f} ({found.money.low:,.2f} - {found.money.high:,.2f})")
    for sentence in assumptions(found, mine, config):
        out.print(f"  - {sentence}", markup=False)
