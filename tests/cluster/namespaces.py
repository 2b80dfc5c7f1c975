"""Network namespaces on a bridge: machines with addresses of their own, whose cables can be pulled. Needs root and iproute2.

The bridge lies in a namespace of its own, so the network of this machine does not change (a browser would drop what it loads). The
names hold the id of the process that asks, so tests run side by side. A shell waits for that process and takes everything away when
it ends, in whatever way.
"""

import ctypes
import itertools
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

_PREFIX = "sry"
_CLONE_NEWNET = 0x40000000  # <linux/sched.h>
_FORBIDDEN = re.compile("not permitted|denied|not supported|Unknown device type", re.IGNORECASE)
_networks = itertools.count()

T = TypeVar("T")


@dataclass(frozen=True)
class Machine:
    """`inside`: what to put before a command to run it there; `cable`: the end of its link that is in the `switch`."""

    space: str
    switch: str
    cable: str
    address: str

    @property
    def inside(self) -> list[str]:
        return ["ip", "netns", "exec", self.space]

    def cut(self) -> None:
        _ip("-n", self.switch, "link", "set", self.cable, "down")

    def heal(self) -> None:
        _ip("-n", self.switch, "link", "set", self.cable, "up")

    def call(self, function: Callable[[], T]) -> T:
        """What a function comes to in this process, but on the network of the machine: a socket that it opens stays there."""
        with ThreadPoolExecutor(1, initializer=_enter, initargs=(self.space,)) as thread:
            return thread.submit(function).result()


@contextmanager
def machines(number: int) -> Iterator[list[Machine]]:
    """So many machines on one network. PermissionError, with the reason, where there is no such thing."""
    network = next(_networks)
    mine, net = f"{_PREFIX}{os.getpid():x}n{network}", f"10.{64 + os.getpid() // 256 % 64}.{os.getpid() % 256}"
    switch = f"{mine}s"
    found = [Machine(f"{mine}m{n}", switch, f"{mine}v{n}", f"{net}.{n + 1}") for n in range(number)]
    gone = [f"ip netns del {space}" for space in (*(machine.space for machine in found), switch)]
    script = f"read -r _; exec >/dev/null 2>&1; {'; '.join(gone)}; true"
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, start_new_session=True):  # left: its input ends
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", switch, "link", "set", "bridge", "up")
        for machine in found:
            _plug_in(machine)
        yield found


def _plug_in(machine: Machine) -> None:
    _ip("netns", "add", machine.space)
    _ip("-n", machine.switch, "link", "add", machine.cable, "type", "veth", "peer", "name", "eth0", "netns", machine.space)
    _ip("-n", machine.switch, "link", "set", machine.cable, "master", "bridge", "up")
    for arguments in (
        ["addr", "add", f"{machine.address}/24", "dev", "eth0"],
        ["link", "set", "eth0", "up"],
        ["link", "set", "lo", "up"],
    ):
        _ip("-n", machine.space, *arguments)


def _enter(space: str) -> None:
    """Move this thread, and no other, to a network namespace; os.setns came with Python 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/run/netns/{space}").open("rb") as file:
        if libc.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {space}")


def _ip(*arguments: str) -> None:
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise PermissionError("there is no ip command (iproute2)") from None
    if done.returncode:
        kind = PermissionError if _FORBIDDEN.search(done.stderr) else RuntimeError
        raise kind(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
