"""How many units fit at once on a node, by what it declares to Ray and what the config asks for."""

from __future__ import annotations

from typing import Any

from seiryu.pipelines.doctoring.finding import Finding
from seiryu.pipelines.sizes import human


def memory(resources: dict[str, Any], unit: int) -> Finding:
    """`unit`: bytes declared for one."""
    cpus, offered = int(resources.get("CPU", 0)), int(resources.get("memory", 0))
    if not cpus:
        return Finding("memory", "warn", "no unit will run here: it offers no CPU; well if that is meant, as of a head node")
    fit = min(cpus, offered // unit) if unit else cpus
    what = f"{fit:,} of {cpus:,} CPUs can have a unit of {human(unit)}; the node offers {human(offered)}"
    if not fit:
        return Finding("memory", "fail", f"{what}: lower engine.memory, or give Ray more (ray start --memory)")
    if fit < cpus:
        return Finding("memory", "warn", f"{what}: the others will idle; lower engine.memory, or take nodes with more")
    return Finding("memory", "ok", f"as many units of {human(unit)} at once as it has CPUs, {fit:,}")
