"""The same input gives the same bytes, whoever makes them and whatever dies on the way."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commandline import ALONE, ROOT, command, hashes, seiryu, workers, write_config

RESULT = (
    "shards",
    "provenance",
    "corpus",
    "documents",
    "signals",
    "hosts",
    "verdicts",
    "dedup",
    "boilerplate",
    "splits",
    "tokens",
)


def sidecars(run: Path) -> int:
    return len(list(run.glob("units/*/*.json")))


def wait_until(condition: object, process: subprocess.Popen[bytes], seconds: float = 120) -> bool:
    """Whether the condition came true while the process was alive."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def start(config: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("run", config), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


@pytest.mark.parametrize("number", [1, 4])
def test_any_number_of_workers_makes_the_bytes_of_two(number: int, small_run: Path, small_archives: Path, tmp_path: Path) -> None:
    ended = seiryu("run", write_config(tmp_path, small_archives, engine={"workers": number}))
    assert ended.code == 0, ended.err
    assert hashes(tmp_path / "run", *RESULT) == hashes(small_run / "run", *RESULT)
    assert any(name.startswith("shards/megatron/train") for name in hashes(small_run / "run", *RESULT))


def test_a_run_whose_driver_is_killed_at_several_points_ends_with_the_same_bytes(
    small_run: Path, small_archives: Path, tmp_path: Path
) -> None:
    config, run = write_config(tmp_path, small_archives, engine={"workers": 2}), tmp_path / "run"
    reached = []
    for wanted in (1, 4, 21, 40, 66):  # in extraction, between stages, among signatures, in selection, among shards
        process = start(config)
        if wait_until(lambda wanted=wanted: sidecars(run) >= wanted, process):
            os.kill(process.pid, signal.SIGKILL)
            reached.append(sidecars(run))
        process.wait()
    assert len(reached) >= 3, f"killed at {reached} sidecars only"
    ended = seiryu("run", config)
    assert ended.code == 0, ended.err
    assert hashes(run, *RESULT) == hashes(small_run / "run", *RESULT)
    assert not list((run / "tmp").iterdir())


def test_a_run_whose_workers_are_killed_ends_with_the_same_bytes(small_run: Path, small_archives: Path, tmp_path: Path) -> None:
    config, run = write_config(tmp_path, small_archives, engine={"workers": 2, "attempts": 10}), tmp_path / "run"
    process, killed = start(config), 0
    for wanted in (0, 2, 5):
        if wait_until(lambda wanted=wanted: sidecars(run) >= wanted and any(workers(process.pid)), process):
            for pid, _ in list(workers(process.pid)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed += 1
    assert process.wait(timeout=240) == 0
    assert killed >= 2
    assert hashes(run, *RESULT) == hashes(small_run / "run", *RESULT)


def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(small_run: Path, small_archives: Path, tmp_path: Path) -> None:
    config, run = write_config(tmp_path, small_archives, engine=ALONE), tmp_path / "run"
    process = subprocess.Popen(command("run", config), cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert wait_until(lambda: sidecars(run) >= 1, process)  # type: ignore[arg-type]
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on" in err
    assert "Traceback" not in err
    done = {file: file.stat().st_mtime_ns for file in run.glob("units/extract/*.json")}
    assert seiryu("run", config).code == 0
    assert {file: file.stat().st_mtime_ns for file in done} == done, "what was done has been made again"
    assert hashes(run, *RESULT) == hashes(small_run / "run", *RESULT)


@pytest.mark.parametrize("folder", ["shards", "corpus"])
def test_a_lost_sidecar_costs_its_unit_and_nothing_else(folder: str, run_copy: Path, small_run: Path) -> None:
    stage = {"shards": "shards", "corpus": "clean"}[folder]
    victim = sorted((run_copy / "run/units" / stage).glob("*.json"))[0]
    victim.unlink()
    ended = seiryu("run", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    assert f"{stage}: 1 units" in ended.err
    assert hashes(run_copy / "run", *RESULT) == hashes(small_run / "run", *RESULT)
