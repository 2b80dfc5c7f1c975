"""What `run` would do: for each stage what is done, what is to be made, and why what is done would be made again."""

from __future__ import annotations

from collections import Counter
from typing import Any

from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.config import Config
from seiryu.pipelines.sizes import human
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.sources import files
from seiryu.pipelines.state import State

# Of compressed archives on one core if every other page is Japanese, as in the samples (docs/log.md); a crawl, of which one page
# in twenty is, goes several times as fast.
_BYTES_A_SECOND = 1_000_000


def plan(state: State) -> list[dict[str, Any]]:
    """One entry a stage: `stage`, `what` in words, `why` (reason -> units), `to_make`."""
    steps: list[dict[str, Any]] = []
    waits_for = ""
    for stage in CHAIN:
        if not stage.wanted(state.config):
            continue
        standing = state.look(stage)
        if waits_for:
            steps.append({"stage": stage.name, "to_make": None, "what": f"is planned when {waits_for} is done", "why": {}})
            continue
        done, make = len(standing.done), len(standing.to_make)
        what = f"all {done:,} units are done" if not make else f"{done:,} units done, {make:,} to make"
        if stage.name == "extract" and make and isinstance(state.config.source, Files):
            what += _cost(archive_bytes(state.config.source, state.config))
        if standing.orphans:
            what += f"; {len(standing.orphans):,} that the config does not name"
        steps.append(
            {"stage": stage.name, "to_make": make, "what": what, "why": dict(Counter(standing.stale.values()).most_common(5))}
        )
        waits_for = stage.name if make else ""
    return steps


def archive_bytes(source: Files, config: Config) -> int:
    """Size of all archives."""
    paths = files.archives(source, config)
    return sum(int(known.get("size", 0)) for known in files.identities(paths, config))


def _cost(size: int) -> str:
    """Size of all archives, and the time that extraction takes at the measured rate."""
    return f"; {human(size)} of archives, at most about {max(1, round(size / _BYTES_A_SECOND / 60)):,} core minutes"
