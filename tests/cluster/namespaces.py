"""Network namespaces on a bridge: machines with addresses of their own, whose cables can be pulled.

Needs root. What a test that was killed left behind is taken away by the next one.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "sry"


@dataclass(frozen=True)
class Machine:
    """`inside`: what to put before a command to run it there."""

    space: str
    cable: str
    address: str

    @property
    def inside(self) -> list[str]:
        return ["ip", "netns", "exec", self.space]

    def cut(self) -> None:
        _ip("link", "set", self.cable, "down")

    def heal(self) -> None:
        _ip("link", "set", self.cable, "up")


@contextmanager
def machines(*names: str) -> Iterator[list[Machine]]:
    """So many machines on one network. PermissionError where that is not allowed."""
    _clear(lambda pid: not Path(f"/proc/{pid}").exists())
    mine, net = f"{_PREFIX}{os.getpid()}", f"10.{64 + os.getpid() // 256 % 64}.{os.getpid() % 256}"
    try:
        _ip("link", "add", f"{mine}b", "type", "bridge")
        _ip("link", "set", f"{mine}b", "up")
        yield [_machine(f"{mine}b", f"{mine}{number}", f"{net}.{number + 1}") for number, _ in enumerate(names)]
    finally:
        _clear(lambda pid: pid == os.getpid())


def _machine(bridge: str, name: str, address: str) -> Machine:
    _ip("netns", "add", name)
    cable = f"{name}v"
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("link", "set", cable, "master", bridge, "up")
    for arguments in (
        ["addr", "add", f"{address}/24", "dev", "eth0"],
        ["link", "set", "eth0", "up"],
        ["link", "set", "lo", "up"],
    ):
        _ip("-n", name, *arguments)
    return Machine(name, cable, address)


def _clear(whose) -> None:
    for kind, command in (("netns", ["netns", "list"]), ("link", ["-o", "link", "show", "type", "bridge"])):
        done = subprocess.run(["ip", *command], capture_output=True, text=True, check=False)
        for name, pid in set(re.findall(rf"\b({_PREFIX}(\d+?)(?:\d|b))\b", done.stdout)):
            if whose(int(pid)):
                subprocess.run(["ip", kind, "del", name], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        kind = PermissionError if "not permitted" in done.stderr else RuntimeError
        raise kind(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def busy(pids: Sequence[int]) -> list[int]:
    """Those of these processes that are Ray workers with a unit."""
    found = []
    for pid in pids:
        try:
            if re.match(rb"ray::[a-z]+:", Path(f"/proc/{pid}/cmdline").read_bytes()):
                found.append(pid)
        except OSError:
            continue
    return found
