"""What one machine says of itself: run in the driver, and in a worker on every node, which needs nothing but the package."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from seiryu.pipelines.config import Config
from seiryu.pipelines.doctoring.disk import limits, room, shard_bytes
from seiryu.pipelines.doctoring.finding import DRIVER, PATIENCE, Finding, bounded
from seiryu.pipelines.doctoring.named import Named, named
from seiryu.pipelines.doctoring.source import reads
from seiryu.pipelines.doctoring.storage import Left, put, sees
from seiryu.pipelines.doctoring.versions import versions


@dataclass(frozen=True, slots=True)
class Asked:
    """`token`: of this doctor's files; `who`: whose file this machine puts into the run directory; `first`: an archive to look at;
    `cpus`: of the node, for a unit each.
    """

    config: str
    token: str
    who: str
    first: str = ""
    object_store: int = 0
    cpus: int = 0
    patience: float = PATIENCE


@dataclass(slots=True)
class Seen:
    """`sees_driver`: whether the driver's file was read here."""

    versions: dict[str, str] = field(default_factory=dict)
    named: Named = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    left: Left = field(default_factory=Left)
    sees_driver: bool = False


def look(asked: Asked) -> Seen:
    """All that is looked at on a machine. Each check has its time, and what goes wrong in one stops no other."""
    config, seen = Config.model_validate_json(asked.config), Seen()

    def at_storage() -> list[Finding]:
        found = put(config.run, asked.token, asked.who, seen.left)
        if all(finding.state != "fail" for finding in found):
            seen.sees_driver = sees(config.run, asked.token, DRIVER)
        return found

    def at_versions() -> list[Finding]:
        seen.versions = versions()
        return []

    def at_named() -> list[Finding]:
        seen.named = named(config)
        return []

    checks = {
        "versions": at_versions,
        "storage": at_storage,
        "source": lambda: reads(asked.first, config) if asked.first else [],
        "disk": lambda: room(config.run, asked.cpus * shard_bytes(config)),
        "limits": lambda: limits(asked.object_store),
        "files": at_named,
    }
    seen.findings = bounded(checks, asked.patience)
    return seen


def now() -> float:
    return time.time()
