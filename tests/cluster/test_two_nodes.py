"""Machines of a cluster with addresses of their own: one is cut off in mid-run, comes back too late, dies, another joins.

No attempt is charged for any of it (`attempts` is 1), and the bytes are those of a run on one machine.
"""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from commandline import SAMPLES, SMALL, hashes, seiryu, write_config
from faults import Request
from raylets import BUCKET, Cluster, Driver, Member, download

RESULT = ("documents", "ledger", "signals", "verdicts", "dedup", "corpus", "tokens", "shards", "provenance")
ENGINE = {"memory": "500MB", "attempts": 1}
MACHINES = """
import os, signal
from namespaces import machines
with machines(2) as found:
    print(found[0].switch, *(each.space for each in found), flush=True)
    if {killed}:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough units to be in the middle of."""
    folder = tmp_path_factory.mktemp("archives")
    for name in (*SMALL, "CC-MAIN-2024-33-00000.warc.gz", "CC-MAIN-2023-50-00000.warc.gz"):
        (folder / name).write_bytes((SAMPLES / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def in_peace(archives: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("peace")
    ended = seiryu("run", write_config(folder, archives, engine={"workers": 2}))
    assert ended.code == 0, ended.err
    return hashes(folder / "run", *RESULT)


class LateCommit:
    """A plan for a gate: the first sidecar that wants to go through is held until it may, and with it all that comes after."""

    def __init__(self) -> None:
        self.held, self.go, self.path = threading.Event(), threading.Event(), ""

    def __call__(self, request: Request) -> None:
        if request.method == "PUT" and "/units/" in request.path and not self.held.is_set():
            self.path = request.path
            self.held.set()
            self.go.wait(50)  # who asks would ask again after a minute


def until_both_work(run: Driver, cluster: Cluster, other: Member) -> None:
    """And the driver knows: a moment after a worker has called itself after its unit."""
    run.until("both nodes have a unit", lambda: cluster.head.working() and other.working())
    time.sleep(1)
    run.until("both nodes have a unit", lambda: cluster.head.working() and other.working())


def what_was_lost(run: Driver) -> tuple[str, set[str]]:
    """The node that was lost, and its units; each of them was made elsewhere, and nothing failed."""
    lost = run.told("node_lost")
    assert lost, run.log.read_text()
    (node,) = {line["node"] for line in lost if line.get("node")}
    for line in lost:
        made = run.told("done", stage=line["stage"], unit=line["unit"])
        assert made
        assert node not in {each["node"] for each in made}
    assert not run.told("retry") + run.told("set_aside")
    return node, {f"{line['stage']}:{line['unit']}" for line in lost}


def test_a_node_that_is_cut_off_in_mid_run_harms_nothing_and_one_that_joins_gets_units(
    cluster: Cluster, archives: Path, in_peace: dict[str, str], tmp_path: Path
) -> None:
    other = cluster.members[1]
    with cluster.driver(write_config(tmp_path, archives, engine=ENGINE)) as run:
        until_both_work(run, cluster, other)
        with other.held_at_work():  # pulling a cable may take seconds on a machine that has much to do
            other.machine.cut()
        cluster.join()  # while the worker of the other goes on: they share a disk
        run.until("it is given up", lambda: run.told("node_lost"))
        other.machine.heal()
        assert run.end() == 0, run.log.read_text()
        lost, _ = what_was_lost(run)
        after = {line["node"] for line in run.told("done") if line["stage"] != "extract"}
        assert lost not in after
        assert len(after) == 2  # the head, and the one that joined
    assert hashes(tmp_path / "run", *RESULT) == in_peace
    assert seiryu("verify", tmp_path / "run").code == 0


def test_a_unit_on_its_way_to_a_node_that_is_cut_off_for_good_does_not_hold_up_the_run(
    cluster: Cluster, archives: Path, in_peace: dict[str, str], tmp_path: Path
) -> None:
    other = cluster.members[1]
    with cluster.driver(write_config(tmp_path, archives, engine=ENGINE)) as run:
        run.until("a worker was handed a unit", other.stop_before_a_word)
        other.machine.cut()
        assert run.end(100) == 0, run.log.read_text()
        assert len({line["node"] for line in run.told("done")}) == 1
        assert not run.told("retry") + run.told("set_aside")
    assert hashes(tmp_path / "run", *RESULT) == in_peace


def test_a_node_whose_raylet_is_killed_costs_no_attempt(
    cluster: Cluster, archives: Path, in_peace: dict[str, str], tmp_path: Path
) -> None:
    other = cluster.members[1]
    with cluster.driver(write_config(tmp_path, archives, engine=ENGINE)) as run:
        until_both_work(run, cluster, other)
        with other.held_at_work():
            other.to_raylet(signal.SIGKILL)
        assert run.end() == 0, run.log.read_text()
        what_was_lost(run)
    assert hashes(tmp_path / "run", *RESULT) == in_peace


def test_a_unit_that_is_committed_to_the_object_store_long_after_its_node_was_given_up_harms_nothing(
    cluster: Cluster, archives: Path, in_peace: dict[str, str], tmp_path: Path
) -> None:
    other, late = cluster.members[1], LateCommit()
    other.gate.misbehave(late)
    with cluster.driver(write_config(tmp_path, archives, engine=ENGINE), "--set", f"run=s3://{BUCKET}/one") as run:
        run.until("it commits a unit", late.held.is_set)
        other.machine.cut()  # from the cluster, and from the store
        stage, name = late.path.removesuffix(".json").split("/")[-2:]
        run.until("the unit is made elsewhere", lambda: run.told("done", stage=stage, unit=name))
        other.to_raylet(signal.SIGSTOP)  # it would learn that it was given up, and end its workers
        other.machine.heal()
        late.go.set()
        run.until(
            "it is committed again", lambda: [row for row in other.gate.log() if row.path == late.path and row.status == 200]
        )
        other.to_raylet(signal.SIGCONT)
        assert run.end() == 0, run.log.read_text()
        _, units = what_was_lost(run)
        assert f"{stage}:{name}" in units
    cluster.head.machine.call(lambda: download(cluster.store, "one", tmp_path))
    assert hashes(tmp_path / "one", *RESULT) == in_peace
    assert seiryu("verify", tmp_path / "one").code == 0


@pytest.mark.parametrize("killed", [False, True])
def test_machines_go_with_the_process_that_asked_for_them(whole_cluster: Cluster, killed: bool) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", MACHINES.format(killed=killed)], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert asked.returncode == (-signal.SIGKILL if killed else 0), asked.stderr
    names, end = asked.stdout.split(), time.monotonic() + 20
    assert len(names) == 3
    assert whole_cluster.head.machine.space in there()
    while left := [name for name in names if name in there()]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def there() -> str:
    """All namespaces of this machine; links go with theirs."""
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
