"""A cluster over machines of their own: the head and the driver on one, a node on each other, an object store that all reach by cable.

Ray gives up a node that does not answer after some ten seconds here, and a node that is cut off lives on for minutes: longer than
either in a cluster as Ray ships it would make a test take.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import boto3
import servers
from commandline import ROOT, command
from namespaces import Machine
from nodes_of_ray import QUIET, Nodes, RayNode, processes
from proxy import FaultProxy

IMPATIENT = {
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
}
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
BUCKET = "runs"
_HANDED = re.compile(r"ray::[a-z]+[ \0]*")
_PORT = 9000  # of a machine that has no other server

T = TypeVar("T")


@dataclass
class Member:
    """A node of the cluster, and the machine that it has for itself. `gate`: its way to the object store, on that machine."""

    machine: Machine
    node: RayNode
    gate: FaultProxy

    def working(self) -> dict[int, str]:
        """Units that its workers are at, by the id of the process; as `stage:unit`."""
        names = {pid: re.match(r"ray::([a-z]+:[^\0]+)", _read(pid, "cmdline")) for pid in processes(self.node.process.pid)}
        return {pid: name[1].strip() for pid, name in names.items() if name}

    @contextmanager
    def held_at_work(self) -> Iterator[None]:
        """Its workers stand still meanwhile, so that what they are at is not over before something was done to their node."""
        workers = list(self.working())
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        assert self.working(), "it is at no unit any more"
        yield
        for pid in workers:
            os.kill(pid, signal.SIGCONT)

    def stop_before_a_word(self) -> bool:
        """Whether a worker was stopped that has been handed a unit and has not yet said so: its title is still the task's name alone."""
        for pid in processes(self.node.process.pid):
            if _HANDED.fullmatch(_read(pid, "cmdline")):
                os.kill(pid, signal.SIGSTOP)
                if _HANDED.fullmatch(_read(pid, "cmdline")):
                    return True
                os.kill(pid, signal.SIGCONT)
        return False

    def to_raylet(self, what: signal.Signals) -> None:
        """A signal to the raylet and to nothing else: its workers are left to see what comes of it."""
        for pid in processes(self.node.process.pid):
            if _read(pid, "comm").strip() == "raylet":
                os.kill(pid, what)

    def end(self) -> None:
        """SIGKILL to all that is left of it."""
        self.gate.__exit__()
        while found := processes(self.node.process.pid):
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.node.process.wait()
            time.sleep(0.05)


@dataclass
class Cluster:
    """`free`: machines without a node; `store`: the address of the object store."""

    nodes: Nodes
    free: list[Machine]
    store: str
    members: list[Member] = field(default_factory=list)

    @property
    def head(self) -> Member:
        return self.members[0]

    def join(self) -> Member:
        """A node on a machine that has none."""
        machine = self.free.pop(0)
        machine.heal()
        gate = machine.call(lambda: FaultProxy(self.store).__enter__())  # its threads stay on that network
        options = ("--num-cpus=1", "--memory=2000000000", f"--node-ip-address={machine.address}")
        name = f"node{len(self.nodes.nodes)}"
        environment = IMPATIENT | reaching(gate.url.rstrip("/"))
        member = Member(machine, self.nodes.start(name, *options, environment=environment, inside=machine.inside), gate)
        self.members.append(member)
        return member

    def leave(self, member: Member) -> None:
        """What is left of a node goes; its machine is free."""
        member.end()
        self.members.remove(member)
        self.free.append(member.machine)

    @contextmanager
    def driver(self, config: Path, *options: str) -> Iterator["Driver"]:
        """`seiryu run` on the head's machine."""
        arguments = command("run", config, "--log", "json", "--set", f"engine.address={self.nodes.address}", *options)
        log, data = config.with_name("driver.log"), config.with_name("driver.out")
        with log.open("wb") as err, data.open("wb") as out:
            process = subprocess.Popen(
                [*self.head.machine.inside, *arguments],
                cwd=ROOT,
                env=os.environ | QUIET | reaching(self.store),
                stdout=out,
                stderr=err,
            )
        try:
            yield Driver(process, log)
            assert "(raylet" not in data.read_text()  # what Ray tells of nodes has no place in a command's output
        finally:
            process.kill()
            process.wait()


@dataclass
class Driver:
    """A run that goes on, and what it has told."""

    process: subprocess.Popen[bytes]
    log: Path

    def told(self, event: str = "", **fields: str) -> list[dict]:
        """The lines of an event, or all, that have these fields."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in lines if event in ("", line["event"]) and fields.items() <= line.items()]

    def until(self, what: str, found: Callable[[], T], seconds: float = 90) -> T:
        """What `found` finds as soon as that is something, and while the run is on."""
        end = time.monotonic() + seconds
        while not (said := found()):
            assert self.process.poll() is None, f"the run ended before {what}: {self.log.read_text()}"
            assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}: {self.log.read_text()}"
            time.sleep(0.02)
        return said

    def end(self, seconds: float = 300) -> int:
        """Its exit code."""
        return self.process.wait(seconds)


@contextmanager
def object_store(machine: Machine) -> Iterator[str]:
    """An object store with an empty bucket; its address, on a machine. It ends with the test, as in servers.py."""
    listener = machine.call(lambda: socket.create_server((machine.address, _PORT), backlog=512))
    with tempfile.TemporaryDirectory(prefix="s3-") as name, (Path(name) / "output").open("wb") as output:
        beside, handed = Path(servers.__file__), str(listener.fileno())
        (Path(name) / "empty").mkdir()
        serving = [servers.find_object_store(), str(beside.with_name("object_store.py")), handed, f"{name}/empty", BUCKET]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(beside.with_name("guard.py")), handed, *serving, f"{name}/access.log", "0"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        listener.close()
        with process:  # left: the guard's input ends
            yield f"http://{machine.address}:{_PORT}"


def download(endpoint: str, prefix: str, folder: Path) -> None:
    """A copy of what lies below a prefix of the bucket; called on a machine that reaches the store."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/"):
        for item in page.get("Contents", []):
            target = folder / item["Key"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read())


def reaching(endpoint: str) -> dict[str, str]:
    """The environment of who asks the object store."""
    return KEYS | {"AWS_ENDPOINT_URL": endpoint}


def _read(pid: int, what: str) -> str:
    try:
        return Path(f"/proc/{pid}/{what}").read_text(errors="replace")
    except OSError:
        return ""
