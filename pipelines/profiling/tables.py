"""A profile and a cost as tables for a person."""

from __future__ import annotations

from collections.abc import Mapping

from rich.padding import Padding
from rich.table import Table

from seiryu.pipelines.profiling.cost import Cost, Range
from seiryu.pipelines.profiling.profile import CHILD, Profile, StageProfile
from seiryu.pipelines.sizes import duration, human

# What the parts of extraction are, in the order of the work.
PARTS = {
    "start": "starting: what the tests of bytes need",
    "read": "bytes of the archive, from disk or server",
    "records": "inflating, framing of records",
    "page": "headers and content codings of pages",
    "kana": "kana in the bytes",
    "decode": "decoding",
    "letters": "letters that a text could hold at most",
    "request": "handing over to the child",
    "wait": "waiting for the child",
    "settle": "answers into rows",
    "tables": "writing documents and ledger",
    "other": "none of these",
    "child.start": "starting: imports, models (CPU time)",
    "child.readable": "making pages readable",
    "child.screen": "quick screen",
    "child.text": "main text",
    "child.language": "language",
    "child.page": "opt-outs, title, languages declared",
}


def stages_table(profile: Profile, other: Profile | None, ratios: Mapping[str, Mapping[str, float | None]]) -> Table:
    """Each stage; of another run CPU time stands beside, and how many times as long a record takes."""
    table = Table("stage", box=None, pad_edge=False)
    heads = [
        "units",
        "worker time",
        "share",
        "CPU time",
        "records",
        "a s and core",
        "in",
        "out",
        "MB a s and core",
        "memory",
        "wall",
    ]
    for head in heads + (["CPU time there", "a record, times"] if other else []):
        table.add_column(head, justify="right")
    for stage in profile.stages:
        cpu, known = stage.cpu_seconds, stage.bytes_in
        cells = [
            stage.stage, f"{len(stage.units):,}", duration(stage.seconds), _share(stage.seconds, profile.seconds), _time(cpu),
            f"{stage.records:,}", _rate(stage.records, cpu), "" if known is None else human(known), human(stage.bytes_out),
            "" if known is None else _rate(known / 1e6, cpu), "" if stage.memory is None else human(stage.memory),
            duration(stage.wall_seconds) if stage.wall_seconds >= 1 else "< 1 s",
        ]  # fmt: skip
        if other:
            there = other.stage(stage.stage)
            ratio = ratios.get(stage.stage, {}).get("cpu_a_record")
            cells += [_time(there.cpu_seconds) if there else "-", "" if ratio is None else f"{ratio:.2f}"]
        table.add_row(*cells)
    total = ["all", "", duration(profile.seconds), "100 %", _time(profile.cpu_seconds)]
    table.add_row(*total, *[""] * (7 if not other else 9))
    return table


def parts_table(stage: StageProfile, other: StageProfile | None) -> Table:
    """The parts of extraction: the worker's add up to its time, the child's are of the same time once more."""
    table = Table("", "", box=None, pad_edge=False)
    for head in ["time", "share", "a page"] + (["a page there", "times"] if other else []):
        table.add_column(head, justify="right")
    parts, there = stage.parts, other.parts if other else {}
    for name, what in PARTS.items():
        if not parts.get(name) and not there.get(name):
            continue
        each = _each(parts.get(name), stage.pages)
        cells = [duration(parts.get(name, 0.0)), _share(parts.get(name, 0.0), stage.seconds), _micro(each)]
        if other:
            its = _each(there.get(name), other.pages)
            cells += [_micro(its), f"{each / its:.2f}" if each and its else ""]
        table.add_row("  in the child" if name.startswith(CHILD) else "  worker", what, *cells)
    return table


def cost_table(cost: Cost) -> Table:
    """Each stage of a snapshot."""
    table = Table("stage", box=None, pad_edge=False)
    for head in ("units", "CPU hours", "95 %", "wall hours", "disk", "memory of a unit", "times the profile"):
        table.add_column(head, justify="right")
    for stage in cost.stages:
        hours = stage.cpu_hours
        table.add_row(
            stage.stage, f"{stage.units:,}", number(hours.value), between(hours), number(stage.wall_hours),
            human(stage.disk), human(stage.memory), number(stage.growth),
        )  # fmt: skip
    table.add_row("all", "", number(cost.cpu_hours.value), between(cost.cpu_hours), number(cost.wall_hours.value), human(cost.disk),
                  human(cost.memory), "")  # fmt: skip
    return table


def indented(table: Table) -> Padding:
    return Padding(table, (0, 2))


def between(found: Range) -> str:
    """Nothing where nothing was drawn."""
    if found.low == found.high:
        return ""
    return f"{number(found.low)} - {number(found.high)}"


def number(value: float) -> str:
    """Three digits or more, no exponent."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def _time(seconds: float | None) -> str:
    return "not known" if seconds is None else duration(seconds)


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _rate(amount: float, seconds: float | None) -> str:
    return number(amount / seconds) if seconds else ""


def _each(seconds: float | None, pages: int) -> float | None:
    return seconds / pages if seconds is not None and pages else None


def _micro(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e6:,.0f} µs"
