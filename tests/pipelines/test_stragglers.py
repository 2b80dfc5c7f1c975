"""Which units are started once more, on other nodes: the first to commit wins, and a dead worker costs an attempt only on a live node."""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray import cloudpickle
from ray.cluster_utils import Cluster

from seiryu.corpus.errors import NodeFull
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.engine.running import run_units
from seiryu.pipelines.engine.stragglers import Stragglers, Taken
from seiryu.pipelines.telling.events import Event, Progress
from seiryu.pipelines.unit import Result, Stage, Unit

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers need nothing but the package


def test_a_unit_is_late_when_it_takes_far_longer_than_nearly_all_others() -> None:
    found = Stragglers(factor=3, least_seconds=10)
    taken = {"slow": Taken("a", 0.0), "later": Taken("a", 60.0), "slower": Taken("b", -50.0)}
    for _ in range(4):
        found.finished(20)
    assert found.limit == math.inf  # too few to tell
    for seconds in [20] * 15 + [1000]:
        found.finished(seconds)
    assert found.limit == 60  # one outlier in twenty moves nothing
    assert list(found.among(taken, 100)) == ["slower", "slow"]
    assert list(found.among(taken, 5)) == []


@pytest.mark.parametrize(("factor", "least", "limit"), [(0, 10, math.inf), (3, 10, 10), (3, 1, 3)])
def test_short_units_are_no_stragglers_and_none_are_if_so_asked(factor: float, least: float, limit: float) -> None:
    found = Stragglers(factor, least)
    for _ in range(20):
        found.finished(1)
    assert found.limit == limit


def slow_once(unit: Unit, config: Config, store: Store) -> Result:
    """Whoever comes first to the unit `slow` sleeps; all write the same."""
    first = Path(config.run) / "first"
    try:
        first.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(first, os.O_CREAT | os.O_EXCL)) if unit.name == "slow" else None
        took = unit.name == "slow"
    except FileExistsError:
        took = False
    if took:
        first.write_text(str(os.getpid()))
        time.sleep(300)
    return Result(Counts(1, 1), [store.write(f"made/{unit.name}", unit.name.encode())])


def dies_with_its_node(unit: Unit, config: Config, store: Store) -> Result:
    """The first unit that comes to another node than the head ends the raylet there, and with it itself."""
    mark = Path(config.run) / "ended"
    if ray.get_runtime_context().get_node_id() != unit.params["head"] and not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(unit.name)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(300)
    time.sleep(0.3)
    return Result(Counts(1, 1), [store.write(f"made/{unit.name}", unit.name.encode())])


def works_where_it_did_not_fail(unit: Unit, config: Config, store: Store) -> Result:
    """Fails on the node where it is first tried, as one would whose disk is full."""
    mark, node = Path(config.run) / f"bad-{unit.name}", ray.get_runtime_context().get_node_id()
    if not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(node)
    if mark.read_text() == node:
        raise OSError(28, "No space left on device")
    return Result(Counts(1, 1), [store.write(f"made/{unit.name}", unit.name.encode())])


def no_room_anywhere(*_: object) -> Result:
    raise NodeFull("no room in /tmp; set TMPDIR")


def stage(work) -> Stage:
    return Stage("trial", 1, "records", lambda _: {}, lambda _: [], work)


def units(*names: str, head: str = "") -> list[Unit]:
    return [Unit("trial", name, {"head": head}, {}) for name in names]


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Cluster]:
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    args = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=args)
    cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def config(folder: Path, **engine: object) -> Config:
    wanted = {"memory": "100MB", "straggler_seconds": 1, "straggler_factor": 3, "attempts": 1} | engine
    return Config.model_validate({"run": str(folder), "source": {"paths": ("none.warc.gz",)}, "engine": wanted})


@pytest.mark.usefixtures("two_nodes")
def test_a_straggler_is_started_elsewhere_and_the_first_to_commit_wins(tmp_path: Path) -> None:
    told: list[Event] = []

    def tell(event: Event | None, _: Progress) -> None:
        told.extend([event] if event else [])

    begin = time.monotonic()
    progress = run_units(stage(slow_once), units("slow", *map(str, range(8))), config(tmp_path), tell)
    assert time.monotonic() - begin < 60
    assert (progress.done, progress.copies, progress.retries, progress.set_aside) == (9, 1, 0, {})
    copied = next(event for event in told if event.what == "copied")
    done = next(event for event in told if event.what == "done" and event.unit == "slow")
    assert copied.unit == "slow"
    assert "others took 1 at most" in copied.reason
    assert {copied.node, done.node} == {node["NodeID"] for node in ray.nodes()}
    assert (tmp_path / "made/slow").read_text() == "slow"
    assert json.loads((tmp_path / "units/trial/slow.json").read_text())["counts"]["kept"] == 1
    sleeper = int((tmp_path / "first").read_text())
    until = time.monotonic() + 10
    while Path(f"/proc/{sleeper}").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert not Path(f"/proc/{sleeper}").exists()  # nobody works for nothing


@pytest.mark.usefixtures("two_nodes")
def test_nothing_is_started_twice_while_other_units_wait(tmp_path: Path) -> None:
    wanted = units(*map(str, range(40)))
    progress = run_units(stage(slow_once), wanted, config(tmp_path, straggler_factor=1, straggler_seconds=30), lambda *_: None)
    assert (progress.done, progress.copies, progress.set_aside) == (40, 0, {})


@pytest.mark.usefixtures("two_nodes")
def test_what_failed_on_a_node_is_tried_again_on_another(tmp_path: Path) -> None:
    wanted = units(*map(str, range(8)))
    progress = run_units(stage(works_where_it_did_not_fail), wanted, config(tmp_path, attempts=2), lambda *_: None)
    assert (progress.done, progress.retries, progress.set_aside) == (8, 8, {})


@pytest.mark.usefixtures("two_nodes")
def test_a_unit_for_which_no_node_has_room_is_set_aside(tmp_path: Path) -> None:
    progress = run_units(stage(no_room_anywhere), units("0"), config(tmp_path, attempts=2), lambda *_: None)
    assert (progress.done, progress.retries, list(progress.set_aside)) == (0, 1, ["0"])


def test_a_node_that_dies_with_its_units_costs_no_attempt(two_nodes: Cluster, tmp_path: Path) -> None:
    told: list[Event] = []
    wanted = units(*map(str, range(40)), head=two_nodes.head_node.node_id)
    progress = run_units(
        stage(dies_with_its_node),
        wanted,
        config(tmp_path, straggler_factor=0),
        lambda event, _: told.extend([event] if event else []),
    )
    assert (progress.done, progress.set_aside, progress.attempts) == (40, {}, {})
    lost = [event.unit for event in told if event.what == "node_lost"]
    assert (tmp_path / "ended").read_text() in lost
    assert len(list((tmp_path / "made").iterdir())) == 40
