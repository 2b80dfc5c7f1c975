"""Machines of a cluster with addresses of their own: one is cut off in mid-run, comes back too late, another joins."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from commandline import ROOT, SAMPLES, SMALL, command, hashes, seiryu, write_config
from namespaces import Machine, busy, machines
from nodes_of_ray import QUIET, Nodes, nodes, processes

RESULT = ("documents", "ledger", "signals", "verdicts", "dedup", "corpus", "tokens", "shards", "provenance")
# Ray gives up a node after some ten seconds; by default it takes a minute.
IMPATIENT = {
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
}


@dataclass
class Cluster:
    """Three machines: `a` has the head and the driver, `b` a node, `c` none yet."""

    a: Machine
    b: Machine
    c: Machine
    nodes: Nodes

    def start(self, name: str, machine: Machine) -> None:
        options = ("--num-cpus=1", "--memory=2000000000", f"--node-ip-address={machine.address}")
        self.nodes.start(name, *options, environment=IMPATIENT, inside=machine.inside)

    def busy(self, name: str) -> list[int]:
        return busy(processes(self.nodes.nodes[name].process.pid))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    try:
        with machines("a", "b", "c") as (a, b, c), nodes(tmp_path) as started:
            found = Cluster(a, b, c, started)
            found.start("head", a)
            found.start("other", b)
            yield found
    except PermissionError as error:
        pytest.skip(f"network namespaces are not to be had here: {error}")


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


def begin(cluster: Cluster, config: Path) -> subprocess.Popen[str]:
    arguments = command("run", config, "--log", "json", "--set", f"engine.address={cluster.nodes.address}")
    return subprocess.Popen(
        [*cluster.a.inside, *arguments],
        cwd=ROOT,
        env=os.environ | QUIET,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def until_busy(cluster: Cluster, *names: str) -> None:
    end = time.monotonic() + 90
    while not all(cluster.busy(name) for name in names):
        assert time.monotonic() < end, f"not all of {names} have a unit"
        time.sleep(0.05)


def test_a_node_that_is_cut_off_in_mid_run_and_comes_back_too_late_harms_nothing(
    cluster: Cluster, archives: Path, in_peace: dict[str, str], tmp_path: Path
) -> None:
    config = write_config(tmp_path, archives, engine={"memory": "500MB", "attempts": 1})
    with begin(cluster, config) as run:
        until_busy(cluster, "head", "other")
        cluster.b.cut()
        cluster.start("third", cluster.c)
        time.sleep(20)  # Ray has given it up, its worker has gone on
        cluster.b.heal()
        _, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    told = [json.loads(line) for line in err.splitlines()]
    lost = [line for line in told if line["event"] == "node_lost"]
    assert lost, err
    assert {line["stage"] for line in lost} == {"extract"}
    assert not [line for line in told if line["event"] in ("retry", "set_aside")]  # it costs no attempt
    done = {line["node"] for line in told if line["event"] == "done" and line["stage"] != "extract"}
    assert len(done) == 2  # the head, and the one that came later
    assert not done & {line.get("node") for line in lost}
    assert hashes(tmp_path / "run", *RESULT) == in_peace
    assert seiryu("verify", tmp_path / "run").code == 0
