"""What lies in deploy/ is started, as far as that goes on one machine: the RayJob's command by `ray job submit`, the Slurm script with
stand-ins for Slurm, the wheel that the image is made of. Ray and seiryu are those of .venv/cluster: the built package, not this folder.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeVar

import pytest
from commandline import ROOT, archives_in, seiryu, write_config
from namespaces import Machine, machines
from nodes_of_ray import QUIET, nodes
from test_deploy import DEPLOY, rayjob

CLUSTER = Path(sys.prefix) / "cluster/bin"
ARCHIVES = ("CC-MAIN-2021-25-00000.warc.gz", "CC-MAIN-2025-05-wire-00000.warc.gz", "CC-MAIN-2024-33-diagnostics-00000.warc.gz")
OBJECT_STORE = {"RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": "80000000"}
IMPATIENT = {"RAY_gcs_rpc_server_reconnect_timeout_s": "4"}  # so long does a node outlive the head; a minute as Ray ships

T = TypeVar("T")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not CLUSTER.exists():
        raise RuntimeError(f"there is no {CLUSTER}, whose Ray takes jobs: `make test` installs it")
    return archives_in(tmp_path_factory.mktemp("archives"), *ARCHIVES)


@pytest.fixture
def config(archives: Path, tmp_path: Path) -> Path:
    engine, shards = {"address": "auto", "memory": "500MB"}, {"formats": ["megatron"], "tokens": 40_000}
    return write_config(tmp_path, archives, engine=engine, shards=shards)


@dataclass
class Told:
    """What a run writes, among other things, to a file."""

    log: Path

    def lines(self, event: str) -> list[dict]:
        """Those of the JSON lines that tell of an event."""
        text = self.log.read_text() if self.log.exists() else ""
        lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
        return [line for line in lines if line["event"] == event]

    def done(self) -> set[tuple[str, str]]:
        return {(line["stage"], line["unit"]) for line in self.lines("done")}

    def was_interrupted(self) -> bool:
        """Whether the last that the run told is that it was, in order."""
        return [line["message"] for line in self.lines("failed")] == [
            "interrupted; what is done is kept, the same command goes on"
        ]


def until(found: Callable[[], T], process: subprocess.Popen[bytes], told: Told, seconds: float = 90) -> T:
    """What `found` finds as soon as that is something, while the process is on."""
    end = time.monotonic() + seconds
    while not (said := found()):
        assert process.poll() is None, f"it ended: {told.log.read_text()}"
        assert time.monotonic() < end, told.log.read_text()
        time.sleep(0.1)
    return said


def is_whole(run: Path) -> None:
    """Every stage of the run is made, and everything is what its sidecars say."""
    said = json.loads(seiryu("status", run, "--json").out)
    assert not said["set_aside"]
    assert [pace for pace in said["standing"] if pace["done"] != pace["planned"]] == []
    assert said["stages"]["shards"]["kept"] > 0
    assert seiryu("verify", run).code == 0


# Jobs of Ray.


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the jobs of a cluster are submitted. As the RayJob asks for, its head takes no unit and another node does."""
    started_by = rayjob()[1]["rayClusterSpec"]["headGroupSpec"]["rayStartParams"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    python = str(CLUSTER / "python")
    environment = {
        "PATH": f"{CLUSTER}:{os.environ['PATH']}",
        "RAY_JOB_STOP_WAIT_TIME_S": "60",
    }  # a busy machine ends nothing in three
    with nodes(tmp_path_factory.mktemp("nodes")) as started:
        for name, *options in (
            ("head", f"--num-cpus={started_by['num-cpus']}", "--include-dashboard=true", f"--dashboard-port={port}"),
            ("worker", "--num-cpus=2"),
        ):
            started.start(name, *options, "--dashboard-agent-listen-port=0", python=python, environment=environment)
        yield f"http://127.0.0.1:{port}"


def job_command(address: str, *arguments: str) -> list[str]:
    return [str(CLUSTER / "ray"), "job", arguments[0], "--address", address, *arguments[1:]]


def stop(jobs: str, job: str) -> None:
    """As `ray job stop` does it, which takes so long to start on a busy machine that the job comes to its end meanwhile."""
    request = urllib.request.Request(f"{jobs}/api/jobs/{job}/stop", method="POST")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        assert json.load(answer)["stopped"]


def test_a_job_of_ray_that_is_stopped_ends_in_order_and_the_same_command_goes_on(jobs: str, config: Path, tmp_path: Path) -> None:
    command = [str(config) if word == "/etc/seiryu/config.yaml" else word for word in rayjob()[1]["entrypoint"].split()]
    assert str(config) in command
    environment, stopped, after = os.environ | QUIET, Told(tmp_path / "stopped.log"), Told(tmp_path / "after.log")

    with stopped.log.open("wb") as log:
        process = subprocess.Popen(
            job_command(jobs, "submit", "--submission-id", "one", "--", *command), stdout=log, stderr=log, env=environment
        )
    until(stopped.done, process, stopped)
    stop(jobs, "one")
    process.wait(60)
    assert stopped.was_interrupted()
    assert not (tmp_path / "run/run.lease").exists()

    with after.log.open("wb") as log:
        submit = job_command(jobs, "submit", "--submission-id", "two", "--", *command)
        ended = subprocess.run(submit, stdout=log, stderr=log, env=environment, timeout=200)
    assert ended.returncode == 0, after.log.read_text()
    assert "Job 'two' succeeded" in after.log.read_text()
    assert after.done()
    assert not after.done() & stopped.done()
    is_whole(tmp_path / "run")


# Jobs of Slurm.

OWN = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


@pytest.fixture(scope="module")
def computers() -> Iterator[list[Machine]]:
    """Two machines, on which processes see none but those of their own machine: `ray stop` ends every Ray that it sees."""
    try:
        with machines(2) as found:
            tried = subprocess.run([*found[0].inside, *OWN, "true"], capture_output=True, text=True)
            if tried.returncode:
                raise PermissionError(tried.stderr.strip())
            yield found
    except PermissionError as error:
        pytest.skip(f"namespaces are not to be had here: {error}")


@dataclass
class Job:
    """A job of Slurm that has been started, with what slurm.py keeps of it in `folder`."""

    folder: Path
    script: subprocess.Popen[bytes]
    told: Told

    def signal(self, number: signal.Signals) -> None:
        """To the script, as `scancel --batch` and the time limit of the script do."""
        (self.folder / f"batch.signal.{number}").touch()

    def end(self, seconds: float = 200) -> int:
        """Its exit code."""
        return self.script.wait(seconds)

    def asked(self) -> str:
        """What it asked of Slurm."""
        log = self.folder / "scontrol.log"
        return log.read_text() if log.exists() else ""


@contextmanager
def job(config: Path, computers: list[Machine]) -> Iterator[Job]:
    with tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp", ignore_cleanup_errors=True) as short:
        folder = Path(short)
        names = {f"node{number}": machine for number, machine in enumerate(computers)}
        (folder / "hosts").write_text("".join(f"{machine.address} {name}\n" for name, machine in names.items()))
        stand_in = [sys.executable, str(Path(__file__).with_name("slurm.py"))]
        for name in ("scontrol", "srun"):
            (folder / name).write_text(f'#!/bin/sh\nexec {" ".join(stand_in)} {name} "$@"\n')
            (folder / name).chmod(0o755)
        environment = os.environ | QUIET | OBJECT_STORE | {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "SEIRYU_VENV": str(CLUSTER.parent),
            "SLURM_JOB_ID": "7",
            "SLURM_JOB_NODELIST": f"node[0-{len(names) - 1}]",
            "SLURM_JOB_NUM_NODES": str(len(names)),
            "SLURM_CPUS_PER_TASK": "1",
            "JOB_FOLDER": str(folder),
            "JOB_NODES": " ".join(names),
        }  # fmt: skip
        first = [
            "sh",
            "-c",
            f'mount --bind {folder}/hosts /etc/hosts && "$@"; exit $?',
            "sh",
        ]  # it buries the dead of its machine
        processes = []
        for name, machine in names.items():
            (folder / name).mkdir()
            script = [str(DEPLOY / "slurm/seiryu.sbatch"), str(config)] if name == "node0" else []
            with (folder / f"{name}.out").open("wb") as out:
                command = [*machine.inside, "setpriv", "--pdeathsig", "KILL", *OWN, *first, *stand_in, "node", *script]
                here = environment | {"JOB_NODE": name, "RAY_TMPDIR": str(folder / name)} | (IMPATIENT if name != "node0" else {})
                processes.append(subprocess.Popen(command, env=here, stdout=out, stderr=out, cwd=folder))
        try:
            yield Job(folder, processes[0], Told(folder / "node0.log"))
        finally:
            for process in processes:
                process.kill()
                process.wait()


def test_a_job_of_slurm_whose_time_is_over_ends_in_order_and_goes_on_when_it_is_started_again(
    computers: list[Machine], config: Path, tmp_path: Path
) -> None:
    with job(config, computers) as first:
        until(first.told.done, first.script, first.told)
        first.signal(signal.SIGUSR1)
        assert first.end() == 130, first.told.log.read_text()
        assert first.told.was_interrupted()
        assert first.asked() == "requeue 7\n"
        done = first.told.done()
    assert not (tmp_path / "run/run.lease").exists()
    with job(config, computers) as again:
        assert again.end() == 0, again.told.log.read_text()
        assert again.asked() == ""
        assert not again.told.done() & done
        assert len({line["node"] for line in again.told.lines("done")}) == 2
    is_whole(tmp_path / "run")


def test_a_job_of_slurm_that_is_told_to_end_ends_in_order_and_for_good(
    computers: list[Machine], config: Path, tmp_path: Path
) -> None:
    with job(config, computers[:1]) as only:
        until(lambda: only.told.lines("stage_begun"), only.script, only.told)
        only.signal(signal.SIGTERM)
        assert only.end() == 130, only.told.log.read_text()
        assert only.told.was_interrupted()
        assert only.asked() == ""
    assert not (tmp_path / "run/run.lease").exists()


def test_a_job_of_slurm_ends_with_the_exit_code_of_its_run(computers: list[Machine], config: Path) -> None:
    config.write_text(json.dumps(json.loads(config.read_text()) | {"no_such_key": 1}))
    with job(config, computers[:1]) as only:
        assert only.end() == 2, only.told.log.read_text()
        assert "no_such_key" in only.told.lines("failed")[0]["message"]


# The wheel.


def test_the_wheel_holds_all_files_of_the_package_and_no_others(tmp_path: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    rooms = {"corpus", "filters", "dedup", "pipelines", "configs"}
    wanted = {
        name for name in tracked if PurePath(name).parts[:1] and PurePath(name).parts[0] in rooms and (ROOT / name).exists()
    }
    for name in (*wanted, "pyproject.toml", "README.md", "LICENSE"):
        target = tmp_path / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    build = [
        "pip",
        "--disable-pip-version-check",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
    ]
    subprocess.run([sys.executable, "-m", *build, "."], cwd=tmp_path / "source", check=True, timeout=120)
    (wheel,) = tmp_path.glob("seiryu-*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == {f"seiryu/{name}" for name in wanted}
