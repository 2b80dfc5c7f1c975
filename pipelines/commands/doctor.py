"""The command that looks whether a run can be made, on the driver and on every node, before hours are lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.table import Table

from seiryu.pipelines.commands.checks import checked
from seiryu.pipelines.config_file import ConfigError, located
from seiryu.pipelines.doctoring.examine import Examined, examine
from seiryu.pipelines.doctoring.finding import DRIVER, Finding
from seiryu.pipelines.sources.telling import telling
from seiryu.pipelines.telling.screen import out, plain

_NAMED = 4  # places that find the same are named up to so many
_STYLES = {"ok": "", "warn": "yellow", "fail": "bold red"}


def doctor_command(path: str, changes: Sequence[str], *, as_json: bool) -> int:
    config = checked(path, changes, need_archives=False)
    try:
        with telling(config):
            found = examine(config)
    except ConfigError as error:
        raise located(error, path, changes) from error
    if as_json:
        checks = [{name: getattr(finding, name) for name in ("check", "node", "state", "text")} for finding in found.findings]
        print(json.dumps({"checks": checks, "nodes": found.nodes}, ensure_ascii=False, indent=1))
    else:
        _show(found)
    return int(any(finding.state == "fail" for finding in found.findings))


def _show(found: Examined) -> None:
    table = Table("check", "where", "state", "", box=None, pad_edge=False)
    for finding, places in _together(found.findings):
        table.add_row(finding.check, _where(places), finding.state, plain(finding.text), style=_STYLES[finding.state])
    out.print(table)
    number = Counter(finding.state for finding in found.findings)
    nodes = f"{found.nodes:,} node{'s' * (found.nodes != 1)}"
    warned = f"{number['warn']:,} warning{'s' * (number['warn'] != 1)}"
    failed = f"{number['fail']:,} failure{'s' * (number['fail'] != 1)}"
    verdict = "a run would go wrong" if number["fail"] else "a run can be made"
    out.print(f"\nthe driver and {nodes}: {number['ok']:,} ok, {warned}, {failed}: {verdict}")


def _together(findings: Sequence[Finding]) -> Iterator[tuple[Finding, list[str]]]:
    """What several places find alike, once; of nodes that are well what one says for all, where it is more than some."""
    for _, of_check in groupby(findings, key=lambda finding: finding.check):
        places: dict[tuple[str, str], list[Finding]] = {}
        group = list(of_check)
        well = [finding for finding in group if finding.state == "ok" and finding.node != DRIVER]
        for finding in group:
            text = "" if finding in well and len(well) > _NAMED else finding.text
            places.setdefault((finding.state, text), []).append(finding)
        for (_, text), alike in places.items():
            yield (
                (alike[0] if text or len({finding.text for finding in alike}) == 1 else _well(alike[0])),
                [finding.node for finding in alike],
            )


def _well(finding: Finding) -> Finding:
    return Finding(finding.check, finding.state, "well on each (--json tells the figures)", finding.node)


def _where(places: Sequence[str]) -> str:
    if len(places) <= _NAMED:
        return ", ".join(places)
    return f"{places[0]} and {len(places) - 1:,} others"
