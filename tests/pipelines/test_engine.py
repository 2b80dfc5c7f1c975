"""The engine on a real Ray: what fails again and again is set aside, and the rest goes on."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from commandline import ALONE, ROOT, command, hashes, seiryu, workers, write_config

UNLUCKY = "CC-MAIN-2025-05-00000"


def kill_its_workers(process: subprocess.Popen[str], unit: str) -> int:
    """SIGKILL every worker that takes up a unit, until the run ends; how many there were."""
    killed = set()
    while process.poll() is None:
        for pid, task in workers(process.pid):
            if pid not in killed and task.endswith(f":{unit}"):
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
    return len(killed)


def test_a_unit_whose_worker_dies_three_times_is_set_aside_and_the_next_run_makes_it(
    small_run: Path, small_archives: Path, tmp_path: Path
) -> None:
    config, run = write_config(tmp_path, small_archives, engine=ALONE), tmp_path / "run"
    process = subprocess.Popen(command("run", config), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    killed = kill_its_workers(process, UNLUCKY)
    _, err = process.communicate()
    assert (process.returncode, killed) == (3, 3), err
    assert f"set aside: extract {UNLUCKY}: the worker process died" in err
    assert "1 units were set aside, 0 are allowed" in err
    record = json.loads((run / f"units/extract/{UNLUCKY}.failed").read_text())
    assert record["attempts"] == 3
    assert len(list((run / "corpus").iterdir())) == 2
    ended = seiryu("run", config)
    assert ended.code == 0, ended.err
    assert "extract: 1 units" in ended.err
    assert not list(run.glob("units/*/*.failed"))
    result = ("shards", "provenance", "corpus", "signals", "dedup")
    assert hashes(run, *result) == hashes(small_run / "run", *result)


def test_a_unit_that_no_node_can_hold_is_an_error_and_not_a_wait(small_archives: Path, tmp_path: Path) -> None:
    ended = seiryu("run", write_config(tmp_path, small_archives, engine=ALONE), "--set", "engine.memory=900TB", timeout=60)
    assert ended.code == 1
    assert "engine.memory: a unit asks for 900.0 TB, the largest node offers" in ended.err


def test_a_cluster_that_is_not_there_is_an_error(small_archives: Path, tmp_path: Path) -> None:
    ended = seiryu(
        "run", write_config(tmp_path, small_archives, engine=ALONE), "--set", "engine.address=127.0.0.1:1", timeout=120
    )
    assert ended.code == 1
    assert "engine.address: no Ray at 127.0.0.1:1" in ended.err
    assert "Traceback" not in ended.err


def test_a_driver_that_wants_tokens_is_told_that_the_cluster_knows_none(
    small_archives: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path, small_archives)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    ended = seiryu("run", config, timeout=60)
    assert ended.code == 1
    assert "RAY_AUTH_MODE is token here" in ended.err


def test_an_address_of_a_client_is_refused_with_what_to_do(small_archives: Path, tmp_path: Path) -> None:
    ended = seiryu("run", write_config(tmp_path, small_archives, engine={"address": "ray://head:10001"}), timeout=60)
    assert ended.code == 1
    assert "run the command on a node of the cluster (ray job submit)" in ended.err
