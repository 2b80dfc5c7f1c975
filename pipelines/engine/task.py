"""A unit as a task of Ray: what runs in a worker, and what it means when the worker says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from seiryu.pipelines.config import Config
from seiryu.pipelines.engine.attempt import Outcome, attempt
from seiryu.pipelines.engine.cluster import answers
from seiryu.pipelines.isolation.isolated import close_kept
from seiryu.pipelines.unit import Stage, Unit


def make_unit(
    told: tuple[Stage, dict[str, Any]], unit: Unit, reads: tuple[Any, ...], config: str, fence: str
) -> Iterator[str | Outcome]:
    """In a worker: the id of its node, then what the attempt came to. `told`: the stage, and its settings as the driver has them."""
    import pyarrow
    import ray

    ray._raylet.setproctitle(f"ray::{unit.stage}:{unit.name}")  # type: ignore[attr-defined]  # for those who look at processes
    yield ray.get_runtime_context().get_node_id()
    pyarrow.set_cpu_count(1)
    stage, settings = told
    if stage.name != "extract":
        close_kept()  # a child that will have no more pages
    yield attempt(stage, replace(unit, reads=reads), _config(config), fence, settings)


@lru_cache(maxsize=1)
def _config(text: str) -> Config:
    return Config.model_validate_json(text)


def failed(error: BaseException, node: str) -> Outcome:
    """What it means that a task ended without an outcome of its own."""
    from ray.exceptions import (
        LocalRayletDiedError,
        NodeDiedError,
        ObjectLostError,
        OutOfMemoryError,
        WorkerCrashedError,
    )

    detail = str(error)
    if isinstance(error, NodeDiedError | LocalRayletDiedError | ObjectLostError):
        return Outcome("lost", "its node was lost", detail)
    if isinstance(error, OutOfMemoryError):
        return Outcome("retry", "the worker was stopped because memory ran out; raise engine.memory", detail)
    if isinstance(error, WorkerCrashedError):
        if node and not answers(node):  # the worker is seen to go before its node is
            return Outcome("lost", "its node was lost", detail)
        return Outcome("retry", "the worker process died, mostly for lack of memory (see the kernel log of its node)", detail)
    lines = detail.strip().splitlines() or [type(error).__name__]
    return Outcome("retry", lines[-1].strip(), detail)
