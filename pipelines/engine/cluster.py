"""The connection to Ray: a cluster that is there, or a local one that lives as long as the run. What its nodes offer, and whether they
answer.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seiryu.corpus.errors import SeiryuError
from seiryu.pipelines.config import Config
from seiryu.pipelines.isolation.quiet import quiet_libraries
from seiryu.pipelines.shared_budget import budget_for
from seiryu.pipelines.sizes import human
from seiryu.pipelines.sources.asking import asks_servers, limits

_OBJECT_STORE = 200_000_000
_ANSWERING = 3.0  # seconds that a raylet may take to accept a connection
_ASK = """
import sys
from ray._private.services import canonicalize_bootstrap_address
from ray._raylet import GcsClient
GcsClient(address=canonicalize_bootstrap_address(sys.argv[1])).check_alive([], timeout=2)
"""


class EngineError(SeiryuError):
    """The cluster cannot be used, or the run cannot go on."""


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
    if os.environ.get("RAY_AUTH_MODE") == "token" and config.engine.address != "local":
        _check_token(config.engine.address)
    import ray

    # A local Ray guards itself with a token, as it should; that it does is no news to whoever runs this.
    logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)
    # What happens to nodes is told by the run; Ray would print it to stdout, whatever `log_to_driver` says.
    ray._private.worker._worker_logs_enabled = False
    local = config.engine.address == "local"
    options: dict[str, Any] = (
        {"num_cpus": config.engine.workers, "object_store_memory": _OBJECT_STORE, "include_dashboard": False} if local else {}
    )
    told_to_end = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=config.engine.address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False, **options
        )
    except SystemExit as error:  # Ray's way to end at a SIGTERM that comes while it starts
        raise KeyboardInterrupt from error
    except Exception as error:
        token = (
            ""
            if local or "connect" not in str(error)
            else "; if its nodes were started with a token, RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH must name it here too"
        )
        raise EngineError(f"engine.address: no Ray at {config.engine.address}: {error}{token}") from error
    if callable(told_to_end) and signal.getsignal(signal.SIGTERM) is not told_to_end:
        signal.signal(signal.SIGTERM, told_to_end)  # Ray has put its own in its place, which ends in no order
    try:
        if local and (lacking := no_room(config)):
            raise EngineError(lacking)
        if asks_servers(config):  # by the driver, who outlives the workers, and with him the one who keeps the budget
            budget_for(limits(config.fetch))
        yield
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    """EngineError for an address where nobody listens; Ray would go on trying for minutes."""
    if address.startswith("ray://"):
        raise EngineError(
            f"engine.address: {address} is a client's; run the command on a node of the cluster (ray job submit) with address auto"
        )
    host, colon, port = address.rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise EngineError(f"engine.address: no Ray at {address} (host:port is wanted, auto or local): {error}") from error


def _check_token(address: str) -> None:
    """EngineError where this driver wants tokens and the cluster knows none: its nodes' word of what is done would be refused, and the
    run would wait for ever (Ray 2.60). A process of its own asks the cluster, without a token.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _ASK, address], env=os.environ | {"RAY_AUTH_MODE": "disabled"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as asked:  # fmt: skip
        assert asked.stderr is not None
        for line in asked.stderr:  # Ray tries again and again
            if "Unauthenticated" in line:
                asked.kill()
    if asked.returncode == 0:
        raise EngineError(f"engine.address: RAY_AUTH_MODE is token here, and the Ray at {address} was started without: unset it")


def nodes() -> list[dict[str, Any]]:
    """The nodes that Ray holds for alive, in the order of their ids."""
    import ray

    found: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return sorted((node for node in found if node["Alive"]), key=lambda node: node["NodeID"])


class Members:
    """Who is in a cluster, as of the last look: ids of the nodes that are alive, their cores, and who had gone at the last change."""

    def __init__(self) -> None:
        self.alive, self.able, self.departed, self.cpus = set[str](), set[str](), tuple[str, ...](), 1

    def look(self, memory: int) -> bool:
        """Look anew; whether a node has gone since. `able`: nodes that can take a unit of so much memory."""
        there = nodes()
        alive = {node["NodeID"] for node in there}
        gone, self.alive = self.alive - alive, alive
        self.able = {node["NodeID"] for node in there if can_take(node, memory)}
        self.cpus = max(1, int(sum(node["Resources"].get("CPU", 0) for node in there)))
        if gone:
            self.departed = tuple(sorted(gone))
        return bool(gone)


def can_take(node: dict[str, Any], memory: int) -> bool:
    """Whether a node has the core and the memory of a unit."""
    return bool(node["Resources"].get("CPU", 0) >= 1 and node["Resources"].get("memory", 0) >= memory)


def no_room(config: Config) -> str:
    """Why no node of now could take a unit, for which Ray would wait without a word; empty if one can."""
    found = nodes()
    if any(can_take(node, config.engine.memory) for node in found):
        return ""
    there = [node["Resources"] for node in found]
    if not any(each.get("CPU", 0) >= 1 for each in there):
        return "engine.address: no node of the cluster offers a CPU"
    largest = max(each.get("memory", 0) for each in there if each.get("CPU", 0) >= 1)
    return f"engine.memory: a unit asks for {human(config.engine.memory)}, the largest node offers {human(largest)}; lower it"


def answers(node_id: str) -> bool:
    """Whether a node is alive: Ray says so, and its raylet takes a connection. Ray notices a dead one after some ten seconds."""
    for node in nodes():
        if node["NodeID"] == node_id:
            try:
                socket.create_connection((node["NodeManagerAddress"], node["NodeManagerPort"]), timeout=_ANSWERING).close()
            except OSError:
                return False
            return True
    return False
