"""A child process as its parent holds it: how it is started, what goes to and fro, and what it died of.

Started by exec and not by multiprocessing: its fork would copy a Ray worker with all its threads, its spawn would import the
worker's main module again. The frames have a socket of their own, out of reach of what a C library prints: stdout goes nowhere, stderr
into a nameless file whose end tells of a crash. The parent never blocks on the socket, so neither side can wait for the other to read.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Protocol

from seiryu.pipelines.isolation import child_main
from seiryu.pipelines.isolation.quiet import quiet_libraries

_CHUNK = 1 << 18
_SEND_BUFFER = 1 << 20  # asked for; the kernel gives what net.core.wmem_max allows
_TAIL = 4000
_STDERR = 1 << 20
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_MAIN = "seiryu.pipelines.isolation.child_main"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one page may take.

    `seconds`: CPU time; `wall`: seconds by the clock, for what sleeps or swaps (None: ten times `seconds`); `memory`: peak resident
    bytes of the child with the page in it; `pages`: after so many the child is replaced, because parsers leak.

    Real pages are far from the defaults: of 5,404 of up to 1 MB trafilatura took 0.28 s for the slowest, and the child with its
    language model stayed below 240 MB. A menu of 21 MB takes 25 s and 1.95 GB. Where trafilatura's time is quadratic no such size is
    needed: more than 20 s for 1.9 MB of bold letters.
    """

    seconds: float = 30.0
    memory: int = 2 << 30
    pages: int = 20_000
    wall: float | None = None

    @property
    def clock(self) -> float:
        """Seconds by the clock."""
        return 10 * self.seconds if self.wall is None else self.wall


class Timed(Protocol):
    sent_at: float | None


class Child:
    """One process. `answered`: pages it has answered; `killed`: the limit for which the parent killed it, empty otherwise."""

    def __init__(self, function: str, argument: bytes, limits: Limits) -> None:
        self._limits = limits
        self.answered = 0
        self.killed = ""
        self.ready_at: float | None = None
        self.heard_at = self.moved_at = time.monotonic()  # of the last answer; of the last byte either way
        self.sent = 0  # bytes
        self._asked = 0
        self._unsent: deque[memoryview] = deque()
        self._received = bytearray()
        self._ended = False
        self._lock = threading.Lock()  # between look and end, which runs in another thread
        self._sock, theirs = socket.socketpair()
        self._stderr: IO[bytes] = tempfile.TemporaryFile(mode="a+b", buffering=0)  # noqa: SIM115 - closed with the child
        with theirs:
            self._sock.setblocking(False)
            for end in (self._sock, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            limit = (repr(limits.seconds), str(limits.memory))
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MAIN, str(theirs.fileno()), function, *limit, str(os.getpid())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._stderr, pass_fds=(theirs.fileno(),),
                env={**os.environ, **quiet_libraries()}, start_new_session=True,
            )  # fmt: skip
        self.pid = self._process.pid
        self._poll = select.poll()
        self.send(argument)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, body: bytes) -> int:
        """Add a request, for `exchange` to write; what `sent` will be when it is all written."""
        head = child_main.REQUEST.pack(len(body))
        self._unsent += [memoryview(head + body)] if len(body) < _CHUNK else [memoryview(head), memoryview(body)]
        self._asked += len(head) + len(body)
        return self._asked

    def exchange(self, seconds: float) -> list[tuple[int, bytes]] | None:
        """Write and read what can be, waiting at most `seconds` for either. Answers as (kind, body); None: it will not say any more."""
        if seconds > 0:
            self._poll.register(self._sock, select.POLLIN | (select.POLLOUT if self._unsent else 0))
            self._poll.poll(seconds * 1000)
        self._write()
        self._read()
        if answers := self._answers():
            self.heard_at = time.monotonic()
            return answers
        # A process that the page started may hold the socket open when the child itself is gone.
        if self._ended or (seconds > 0 and not self.alive and not self._read()):
            return self._answers() or None
        return []

    def _write(self) -> None:
        try:
            while self._unsent:
                view = self._unsent[0]
                sent = self._sock.send(view, socket.MSG_NOSIGNAL)
                self.sent += sent
                self.moved_at = time.monotonic()
                if sent == len(view):
                    self._unsent.popleft()
                else:
                    self._unsent[0] = view[sent:]
        except BlockingIOError:
            pass
        except OSError:  # it is gone; what it has said before is still to be read
            self._unsent.clear()

    def _read(self) -> bool:
        """Take in what there is; whether there was anything."""
        before = len(self._received)
        try:
            while chunk := self._sock.recv(_CHUNK):
                self._received += chunk
                if len(chunk) < _CHUNK:
                    break
            else:
                self._ended = True
        except BlockingIOError:
            pass
        except OSError:
            self._ended = True
        if len(self._received) == before:
            return False
        self.moved_at = time.monotonic()
        return True

    def _answers(self) -> list[tuple[int, bytes]]:
        """The whole answers among what was read."""
        found, at, data, head = [], 0, self._received, child_main.ANSWER
        while len(data) - at >= head.size:
            kind, size = head.unpack_from(data, at)
            end = at + head.size + size
            if len(data) < end:
                break
            found.append((kind, bytes(memoryview(data)[at + head.size : end])))
            at = end
        if at:
            del data[:at]
        return found

    def look(self) -> int:
        """Bytes that the child holds in memory, 0 if it has ended; it is killed if that is more than a page may take.

        Called from a thread, while others read and write.
        """
        with self._lock:
            if self._stderr.closed:
                return 0
            if os.fstat(self._stderr.fileno()).st_size > _STDERR:
                os.ftruncate(self._stderr.fileno(), 0)
            try:
                with open(f"/proc/{self.pid}/statm", "rb", buffering=0) as statm:  # noqa: PTH123 - fifty times a second
                    resident = int(statm.read().split()[1]) * _PAGE
            except (OSError, IndexError):  # it has just ended
                return 0
        if resident > self._limits.memory and self.ready_at is not None:
            self.kill("memory")
        return resident

    def cpu_seconds(self) -> float:
        """User and system time so far, in the kernel's ticks of a hundredth; 0 when it was waited for."""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as stat:  # noqa: PTH123 - as above
                user, system = stat.read().rpartition(b")")[2].split()[11:13]  # proc_pid_stat(5), fields 14 and 15
        except (OSError, ValueError):
            return 0.0
        return (int(user) + int(system)) / _TICKS

    def pardon(self, seconds: float, given: Iterable[Timed]) -> None:
        """Stop its clocks for a time in which nobody listened."""
        self.heard_at += seconds
        self.moved_at += seconds
        for request in given:
            if request.sent_at is not None:
                request.sent_at += seconds

    def kill(self, limit: str) -> None:
        """End it now, because of this limit."""
        self.killed = self.killed or limit
        self._process.kill()  # a pid that was waited for is not killed: Popen sees to that

    def end(self) -> tuple[int, str]:
        """Return code, and the end of its stderr; a child that still runs is killed. The child is used up."""
        if self._ended:  # a dying process closes its socket a little before it can be waited for
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
        else:
            self._process.kill()
        code = self._process.wait()
        self._sock.close()
        with self._lock, self._stderr as stderr:
            size = os.fstat(stderr.fileno()).st_size
            told = os.pread(stderr.fileno(), _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace").strip()
        return code, told


class Watch:
    """Looks at a child's memory every `every` seconds while the block lasts, from a thread: the parent may be busy reading.

    `peak`: the most bytes that were seen.
    """

    def __init__(self, every: float) -> None:
        self.child: Child | None = None
        self.peak = 0
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="child memory", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self._look()

    def _look(self) -> None:
        if child := self.child:
            self.peak = max(self.peak, child.look())


def signal_name(code: int) -> str:
    """What a return code says, in words."""
    if code >= 0:
        return f"the process ended with exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
