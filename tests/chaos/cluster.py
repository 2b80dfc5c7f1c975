"""A Ray cluster whose parts can be killed one by one: what its processes are, and how it is mended."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from nodes_of_ray import Nodes, processes

from seiryu.pipelines.isolation.quiet import quiet_libraries

# Ray asks after a node every second and not every three.
IMPATIENT = {"RAY_health_check_period_ms": "1000"}
SIZE = ("--num-cpus=1", "--memory=2000000000")


class Victims:
    """A head and two more nodes of a core each."""

    def __init__(self, nodes: Nodes, environment: dict[str, str]) -> None:
        self._nodes, self._environment = nodes, quiet_libraries() | IMPATIENT | environment
        self._made = 0
        self.others: list[str] = []

    @property
    def address(self) -> str:
        return self._nodes.address

    def start(self) -> None:
        """All of it, anew."""
        self.stop()
        self._nodes.address = ""
        self._nodes.nodes.clear()
        self._nodes.start("head", *SIZE, environment=self._environment)
        self.others = []
        for _ in range(2):
            self.add()

    def add(self) -> None:
        """One more node; none if it does not come up, as happens where the head has just gone."""
        self._made += 1
        name = f"node{self._made}"
        with suppress(RuntimeError):
            self._nodes.start(name, *SIZE, environment=self._environment)
            self.others.append(name)

    def mend(self) -> None:
        """As many nodes as there were; all of it anew if the head is gone."""
        if not self._alive("head"):
            self.start()
            return
        self.others = [name for name in self.others if self._alive(name)]
        for _ in range(2 - len(self.others)):
            self.add()

    def kill_raylet(self, name: str) -> bool:
        """SIGKILL to a node's raylet and to nothing else: its workers are left to see it."""
        for pid in self._pids(name):
            if _name(pid) == "raylet":
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def workers(self) -> list[int]:
        """Processes that are at work on a unit, wherever."""
        return sorted(pid for name in ("head", *self.others) for pid in self._pids(name) if _at_work(pid))

    def stop(self) -> None:
        self._nodes.stop()

    def _alive(self, name: str) -> bool:
        return any(_name(pid) == "raylet" for pid in self._pids(name))

    def _pids(self, name: str) -> list[int]:
        node = self._nodes.nodes.get(name)
        return processes(node.process.pid) if node and node.process.poll() is None else []


def _name(pid: int) -> str:
    with suppress(OSError):
        state, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
        return "" if rest.split()[0] == "Z" else state
    return ""


def _at_work(pid: int) -> bool:
    with suppress(OSError):
        return bool(re.match(rb"ray::[a-z]+:", Path(f"/proc/{pid}/cmdline").read_bytes()))
    return False


def until(seconds: float, step: float = 0.05) -> Iterator[None]:
    """So long, in steps."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(step)
