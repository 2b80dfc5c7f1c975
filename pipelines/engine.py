"""Runs the units of a stage on Ray: core tasks with paths in and small counts out.

A bounded number is in flight, so the driver's memory does not grow with the number of units. Retries are decided here and not by
Ray, so that they can be told apart: a unit that fails `attempts` times is set aside with its reason and the rest goes on; a lost node
costs no attempt (up to LOST_NODES times); bad input gets no second try. Whatever is started twice is harmless: outputs appear whole,
and the same bytes whoever makes them. Workers stay for the whole run: what leaks, hangs or crashes lives in a child process of
its own (isolation.py).
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from seiryu.corpus.errors import SeiryuError
from seiryu.pipelines.attempt import Outcome, attempt, quiet_libraries
from seiryu.pipelines.config import Config
from seiryu.pipelines.isolation.isolated import close_kept
from seiryu.pipelines.shared_budget import budget_for
from seiryu.pipelines.sizes import human
from seiryu.pipelines.sources.asking import asks_servers, limits
from seiryu.pipelines.unit import Unit

LOST_NODES = 20
# Ready tasks beyond the running ones: enough that no worker waits for the driver, few enough that a lost driver loses little.
QUEUED_PER_CPU = 2
_OBJECT_STORE = 200_000_000


class EngineError(SeiryuError):
    """The cluster cannot be used, or the run cannot go on."""


@dataclass
class Progress:
    """What a stage has come to; handed to a watcher after every unit."""

    stage: str
    total: int
    done: int = 0
    retries: int = 0
    records: int = 0
    set_aside: dict[str, Outcome] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)


@contextmanager
def cluster(config: Config) -> Iterator[None]:
    """A connection to Ray for as long as the block lasts; a local Ray is started and stopped with it."""
    # `uv run` would make Ray ship the working directory to the workers; they need nothing but the installed package.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # A thread that asks while Ray is being shut down would start another one.
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.update(quiet_libraries())
    _check_address(config.engine.address)
    import ray

    # A local Ray guards itself with a token, as it should; that it does is no news to whoever runs this.
    logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)
    local = config.engine.address == "local"
    options: dict[str, Any] = (
        {"num_cpus": config.engine.workers, "object_store_memory": _OBJECT_STORE, "include_dashboard": False} if local else {}
    )
    try:
        ray.init(
            address=config.engine.address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False, **options
        )
    except Exception as error:
        raise EngineError(f"engine.address: no Ray at {config.engine.address}: {error}") from error
    try:
        _check_memory(config)
        if asks_servers(config):  # by the driver, who outlives the workers, and with him the one who keeps the budget
            budget_for(limits(config.fetch))
        yield
    finally:
        ray.shutdown()


def run_units(units: Sequence[Unit], config: Config, watch: Callable[[Progress], None]) -> Progress:
    """Make all units of one stage. EngineError when the run cannot go on; whatever else fails is in `Progress.set_aside`."""
    import ray

    progress = Progress(units[0].stage if units else "", len(units))
    task = ray.remote(num_cpus=1, memory=config.engine.memory, max_retries=0)(_attempt)
    settings = config.model_dump_json()
    waiting: deque[Unit] = deque(units)
    running: dict[Any, Unit] = {}
    lost: dict[str, int] = {}
    shared: dict[int, Any] = {}  # what units read, told to Ray once for all that read the same
    try:
        while waiting or running:
            room = _room() if waiting else 0
            while waiting and len(running) < room:
                unit = waiting.popleft()
                if id(unit.reads) not in shared:
                    shared[id(unit.reads)] = ray.put(unit.reads)
                named = task.options(name=f"{unit.stage}:{unit.name}")
                running[named.remote(replace(unit, reads=()), shared[id(unit.reads)], settings)] = unit
            ready, _ = ray.wait(list(running), num_returns=1, timeout=1.0)
            for reference in ready:
                unit = running.pop(reference)
                outcome, node_lost = _outcome(reference)
                if node_lost and lost.get(unit.name, 0) < LOST_NODES:
                    lost[unit.name] = lost.get(unit.name, 0) + 1
                    waiting.append(unit)
                    continue
                _settle(unit, outcome, config, progress, waiting)
            watch(progress)
    except BaseException:
        for reference in running:
            ray.cancel(reference, force=True)
        raise
    return progress


def _settle(unit: Unit, outcome: Outcome, config: Config, progress: Progress, waiting: deque[Unit]) -> None:
    """Count an outcome: done, tried again when the others have been, set aside, or the end of the run."""
    if outcome.kind == "stop":
        raise EngineError(outcome.reason)
    tries = progress.attempts.get(unit.name, 0) + 1
    if outcome.kind == "done" or (outcome.kind == "part" and tries >= config.engine.attempts):
        progress.done += 1
        progress.records += outcome.records
        return
    progress.attempts[unit.name] = tries
    if outcome.kind in ("retry", "part") and tries < config.engine.attempts:
        progress.retries += 1
        waiting.append(unit)
    else:
        progress.set_aside[unit.name] = outcome


def _attempt(unit: Unit, reads: tuple[Any, ...], config: str) -> Outcome:
    import pyarrow

    pyarrow.set_cpu_count(1)
    if unit.stage != "extract":
        close_kept()  # a child that will have no more pages
    return attempt(replace(unit, reads=reads), Config.model_validate_json(config))


def _outcome(reference: Any) -> tuple[Outcome, bool]:
    """What a task came to, and whether its node was lost."""
    import ray
    from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, WorkerCrashedError

    try:
        outcome: Outcome = ray.get(reference)
    except NodeDiedError as error:
        return Outcome("retry", "its node was lost", str(error)), True
    except OutOfMemoryError as error:
        return Outcome("retry", "the worker was stopped because memory ran out; raise engine.memory", str(error)), False
    except WorkerCrashedError as error:
        return Outcome("retry", "the worker process died", str(error)), False
    except RayError as error:
        return Outcome("retry", str(error).strip().splitlines()[0], str(error)), False
    return outcome, False


def _check_address(address: str) -> None:
    """EngineError for an address where nobody listens; Ray would go on trying for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise EngineError(f"engine.address: no Ray at {address} (host:port is wanted, auto or local): {error}") from error


def _check_memory(config: Config) -> None:
    """EngineError where no node could ever take a unit, for which Ray would wait without a word."""
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    largest = max((node["Resources"].get("memory", 0) for node in nodes), default=0)
    if config.engine.memory > largest:
        wanted, there = human(config.engine.memory), human(largest)
        raise EngineError(f"engine.memory: a unit asks for {wanted}, the largest node offers {there}; lower it")


def _room() -> int:
    """How many units may be in flight on the cluster as it is now."""
    import ray

    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1))) * (1 + QUEUED_PER_CPU)
