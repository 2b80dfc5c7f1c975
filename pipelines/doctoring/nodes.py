"""Asks every node of a cluster: tasks pinned to it, all nodes at once, none waited for longer than it is worth.

The tasks ask for no CPU, so a cluster at work answers too. They are pickled by name, as those of a run: a node without the package
cannot load them, which is how it is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from seiryu.pipelines.doctoring.clock import judged as judged_clock
from seiryu.pipelines.doctoring.clock import offset
from seiryu.pipelines.doctoring.finding import PATIENCE, Finding
from seiryu.pipelines.doctoring.look import Asked, Seen, look, now
from seiryu.pipelines.doctoring.storage import Left, take_away

ANSWERS = 30.0  # seconds for the first answer, for which a node starts a process
_AT_ONCE = 64
_LACKS = re.compile(r"No module named '(seiryu[\w.]*)'")


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    name: str
    resources: dict[str, Any]

    @property
    def short(self) -> str:
        """The beginning of its id, as the other commands show it."""
        return self.id[:12]

    @property
    def works(self) -> bool:
        """Whether units can run there."""
        return bool(self.resources.get("CPU", 0) >= 1)


@dataclass(slots=True)
class Visit:
    """`seen` is None of a node that did not answer, or could not."""

    node: Node
    findings: list[Finding]
    seen: Seen | None = None


def named_nodes(found: Sequence[dict[str, Any]]) -> list[Node]:
    """Nodes as Ray lists them, called by a name and the beginning of the id."""
    return [Node(node["NodeID"], f"{node['NodeName']} {node['NodeID'][:12]}", node["Resources"]) for node in found]


def visit_all(nodes: Sequence[Node], asked: Asked, signs: bool, answers: float = ANSWERS) -> Iterator[Visit]:
    """Ask all nodes at once. `answers`: seconds for a node's first answer."""
    with ThreadPoolExecutor(_AT_ONCE, "seiryu-doctor") as pool:
        yield from pool.map(lambda node: _visit(node, replace(asked, who=node.short), signs, answers), nodes)


def clean_all(nodes: Sequence[tuple[Node, Left]], run: str) -> Iterator[Finding]:
    """Let nodes take away what they have left there."""
    with ThreadPoolExecutor(_AT_ONCE, "seiryu-doctor") as pool:
        for found in pool.map(lambda each: _clean(each[0], each[1], run), nodes):
            yield from found


def _visit(node: Node, asked: Asked, signs: bool, answers: float) -> Visit:
    found: list[Finding] = []
    try:
        _call(node, answers, now)
        found.append(judged_clock(offset(lambda: float(_call(node, answers, now))), signs))
        offers = {name: int(node.resources.get(name, 0)) for name in ("object_store_memory", "CPU")}
        asked = replace(asked, object_store=offers["object_store_memory"], cpus=offers["CPU"])
        return Visit(node, found, _call(node, answers + asked.patience, look, asked))
    except Exception as error:  # noqa: BLE001 - a node that cannot answer is what is looked for
        return Visit(node, [*found, Finding("node", "fail", _why(error, answers))])


def _clean(node: Node, left: Left, run: str) -> list[Finding]:
    try:
        stay = _call(node, PATIENCE, take_away, run, left)
    except Exception as error:  # noqa: BLE001
        stay = [f"{', '.join(left.names)} below {run} ({_why(error, PATIENCE)})"]
    return [Finding("storage", "warn", f"could not be deleted: {name}; delete it", node.name) for name in stay]


def _call(node: Node, seconds: float, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function says on a node. TimeoutError, or what Ray raises."""
    import ray
    from ray.exceptions import GetTimeoutError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node.id, soft=False)
    remote = ray.remote(num_cpus=0, max_retries=0)(function).options(
        scheduling_strategy=there, name=f"doctor:{function.__name__}"
    )
    task = remote.remote(*arguments)
    try:
        return ray.get(task, timeout=seconds)
    except GetTimeoutError as error:
        ray.cancel(task, force=True)
        raise TimeoutError from error


def _why(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"does not answer within {seconds:.0f} s: its raylet hangs, starts no worker, or the network between is cut"
    text = str(error)
    if lacks := _LACKS.search(text):
        if lacks[1] == "seiryu":
            return "seiryu is not installed on this node: install the driver's version in the Python that Ray is started with"
        return f"the seiryu on this node has no {lacks[1]}: install the driver's version"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"cannot answer: {type(error).__name__}: {lines[-1] if lines else ''}"
