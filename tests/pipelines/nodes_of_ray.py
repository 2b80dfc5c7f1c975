"""Nodes of a Ray cluster on this machine, each by `ray start` as on a machine of its own: with its own Python, environment, mounts, clock.

Each ends with the test, however that ends: it runs below guard.py, and its processes are of one session.
"""

import fcntl
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import servers

STARTING = 60.0
_RUNS = re.compile(r"Ray runtime started(?:.*?--address='([^']+)')?.*--block", re.DOTALL)
# A token that lies in somebody's home would be asked for, or not, depending on who runs the test.
QUIET = {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}


@dataclass
class RayNode:
    """`process`: the guard's, whose group all of the node's processes are in."""

    process: subprocess.Popen[bytes]
    log: Path


@dataclass
class Nodes:
    """A cluster, whose nodes are started one after another: two that start at once on one machine stand in each other's way, be they
    of one test or of two.

    `folder`: for what its nodes say; `short`: for Ray, whose sockets' paths may have 107 letters.
    """

    folder: Path
    short: str
    address: str = ""
    nodes: dict[str, RayNode] = field(default_factory=dict)

    def start(
        self,
        name: str,
        *options: str,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
        mounts: Sequence[str] = (),
        inside: Sequence[str] = (),
    ) -> RayNode:
        """A node, once it runs; `mounts`: commands that change what it sees of the disk, and nobody else; `inside`: what to run it by."""
        ray = [
            python,
            "-m",
            "ray.scripts.scripts",
            "start",
            "--block",
            f"--node-name={name}",
            "--object-store-memory=80000000",
        ]
        where = (
            [f"--address={self.address}"]
            if self.address
            else ["--head", "--port=0", "--include-dashboard=false", f"--temp-dir={self.short}"]
        )
        command = [*inside, *ray, *where, *options]
        if mounts:
            command = ["unshare", "--mount", "sh", "-ec", f"{'; '.join(mounts)}; exec {shlex.join(command)}"]
        with _alone():
            self._start(name, command, environment or {})
        return self.nodes[name]

    def _start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        log = self.folder / f"{name}.log"
        reading, writing = os.pipe()  # guard.py passes on what a server listens to, and there is no such thing here
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, str(Path(servers.__file__).with_name("guard.py")), str(reading), *command],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                pass_fds=[reading],
                env={**os.environ, **QUIET, **environment},
                start_new_session=True,
            )
        os.close(reading)
        os.close(writing)
        self.nodes[name] = RayNode(process, log)
        self._wait(name)

    def _wait(self, name: str) -> None:
        """Until the node runs, and the cluster knows of it."""
        node, until = self.nodes[name], time.monotonic() + STARTING
        while not (told := _RUNS.search(said := node.log.read_text())):
            if node.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{name} did not start: {said}")
            time.sleep(0.1)
        self.address = self.address or told[1]

    def stop(self) -> None:
        for node in self.nodes.values():
            assert node.process.stdin
            node.process.stdin.close()
        for node in self.nodes.values():
            with suppress(subprocess.TimeoutExpired):
                node.process.wait(10)
            for pid in processes(node.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextmanager
def _alone() -> Iterator[None]:
    """The only one on this machine that starts a node."""
    with (Path(tempfile.gettempdir()) / "seiryu-tests-start-ray.lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def nodes(folder: Path) -> Iterator[Nodes]:
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as short:
        found = Nodes(folder, short)
        try:
            yield found
        finally:
            found.stop()


def processes(session: int) -> list[int]:
    """All processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[3]) == session:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found


def virtual_environment(folder: Path, leave_out: str) -> Path:
    """The Python of an environment that has all packages of this one but those whose names hold `leave_out`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for item in Path(os.path.realpath(next(path for path in sys.path if path.endswith("site-packages")))).iterdir():
        if leave_out not in item.name and not (packages / item.name).exists():
            (packages / item.name).symlink_to(item)
    return folder / "bin/python"
