"""All checks, one after another: the source, the driver, the cluster, its nodes, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from uuid import uuid4

from seiryu.pipelines.config import Config
from seiryu.pipelines.doctoring import named, versions
from seiryu.pipelines.doctoring.finding import DRIVER, PATIENCE, Finding, bounded
from seiryu.pipelines.doctoring.look import Asked, Seen, look
from seiryu.pipelines.doctoring.memory import memory
from seiryu.pipelines.doctoring.nodes import ANSWERS, Visit, clean_all, named_nodes, visit_all
from seiryu.pipelines.doctoring.source import held_up, signs, source
from seiryu.pipelines.doctoring.storage import Left, all_of, sees, shared, take_away
from seiryu.pipelines.engine.cluster import EngineError, cluster
from seiryu.pipelines.engine.cluster import nodes as alive

CHECKS = ("cluster", "node", "versions", "memory", "clock", "storage", "source", "disk", "limits", "files")


@dataclass(frozen=True, slots=True)
class Examined:
    """`nodes`: how many the cluster has."""

    findings: list[Finding]
    nodes: int


def examine(config: Config, patience: float = PATIENCE, answers: float = ANSWERS) -> Examined:
    """Look at everything that a run of this config needs. ConfigError if its source names nothing.

    `patience`: seconds for each check, `answers`: for a node's first answer.
    """
    found, first = source(config)
    asked = Asked(config.model_dump_json(), uuid4().hex[:12], DRIVER, patience=patience)
    here = look(asked)
    number = 0
    try:
        found += here.findings
        found += [versions.of_driver(here.versions)] if here.versions else []
        found += named.of_driver(here.named) if here.named else []
        found = [finding.at(DRIVER) for finding in found]
        try:
            with cluster(config):
                found.append(Finding("cluster", "ok", f"Ray answers at {config.engine.address}", DRIVER))
                number = len(alive())
                found += _nodes(config, replace(asked, first=first), here, answers)
        except EngineError as error:
            found.append(Finding("cluster", "fail", str(error), DRIVER))
    finally:
        stay = bounded({"storage": lambda: _cleaned(config.run, asked.token, here.left)}, patience)
    found += [finding.at(DRIVER) for finding in stay]
    return Examined(sorted(found, key=lambda finding: CHECKS.index(finding.check)), number)


def _nodes(config: Config, asked: Asked, here: Seen, answers: float) -> Iterator[Finding]:
    """What is found on the nodes."""
    cpus = int(sum(node["Resources"].get("CPU", 0) for node in alive()))
    yield from (finding.at(DRIVER) for finding in held_up(config, cpus))
    visits = list(visit_all(named_nodes(alive()), asked, signs(config), answers))
    for visit in visits:
        found = [memory(visit.node.resources, config.engine.memory), *visit.findings]
        if visit.seen:
            found += [*visit.seen.findings, *_beside(config, asked, visit.seen, here, visit.node.short)]
        yield from (weighed(finding, visit) for finding in found)
    yield from clean_all([(visit.node, visit.seen.left) for visit in visits if visit.seen], config.run)


def _beside(config: Config, asked: Asked, seen: Seen, here: Seen, node: str) -> Iterator[Finding]:
    """What a node has otherwise than the driver. What one of both could not tell is a finding of its own already."""
    if seen.versions and here.versions:
        yield from versions.compared(seen.versions, here.versions)
    if seen.named and here.named:
        yield from named.compared(seen.named, here.named)
    if _usable(seen) and _usable(here):
        look_there = partial(_shared, config.run, asked.token, node, seen.sees_driver)
        yield from bounded({"storage": look_there}, asked.patience)


def _shared(run: str, token: str, node: str, sees_driver: bool) -> list[Finding]:
    return shared(run, sees_driver, sees(run, token, node))


def _usable(seen: Seen) -> bool:
    """Whether the run directory could be used there at all."""
    return all(finding.state != "fail" for finding in seen.findings if finding.check == "storage")


def weighed(finding: Finding, visit: Visit) -> Finding:
    """What fails on a node where no unit can run stops no run."""
    if finding.state == "fail" and not visit.node.works:
        finding = replace(finding, state="warn", text=f"{finding.text} (no unit runs here: it offers no CPU)")
    return finding.at(visit.node.name)


def _cleaned(run: str, token: str, left: Left) -> list[Finding]:
    """Nothing is to be deleted where nothing could be put."""
    if not left.names:
        return _undeleted(take_away(run, left))
    return _undeleted(take_away(run, Left(all_of(run, token), left.folders)))


def _undeleted(names: list[str]) -> list[Finding]:
    return [Finding("storage", "warn", f"could not be deleted: {name}; delete it") for name in names]
