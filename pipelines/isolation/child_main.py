"""What runs in a child of `isolated`: requests in, answers out, and death by the kernel's hand where a page goes too far.

Started as `python -P -m seiryu.pipelines.isolation.child_main FD FUNCTION SECONDS MEMORY PARENT`. Only the standard library is
imported here, so
what a child weighs is what its function imports. Price: two system calls to arm and disarm the clock and one read of
/proc/self/status a page, 20 microseconds together.

The clock is ITIMER_PROF with SIGPROF's default action: CPU seconds of all threads, counted and ended by the kernel (setitimer(2)), so
it holds inside a regular expression or a parser that never comes back to the interpreter. A Python handler would wait for it.
It moves by the kernel's ticks, a few milliseconds, and so does time.process_time() while it is armed.
Memory is judged by VmHWM, the kernel's own record of the peak (proc_pid_status(5)): a page that went over is lost even if nobody
looked at that moment, or if a library caught the MemoryError and went on with half a page. ru_maxrss would not do: it is inherited
over exec from a parent that may be larger. RLIMIT_DATA far above only stops what grows faster than anybody looks; it is no verdict of
its own, because a failed malloc lets libxml2 hand over a truncated tree.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import importlib
import os
import re
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

REQUEST = struct.Struct("<Q")  # length of the body that follows
ANSWER = struct.Struct("<BQ")  # kind, length of the body that follows
READY, DONE, RAISED, MEMORY, WORN = 0, 1, 2, 3, 8  # WORN is added to DONE and RAISED by a child that wants to be replaced

_PR_SET_PDEATHSIG = 1
_STACK = 8 << 20
# Beyond the limit before malloc fails: what a child can grow between two looks of the parent, many times over.
_HARD = 4
_WORN_SHARE = 0.5
_DETAIL = 500
_FIELDS = re.compile(rb"VmHWM:\s*(\d+) kB.*?VmRSS:\s*(\d+) kB.*?VmData:\s*(\d+) kB", re.DOTALL)

Function = Callable[[bytes], bytes]


class Memory:
    """This process's memory as the kernel counts it, in bytes."""

    def __init__(self) -> None:
        self._status = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> tuple[int, int, int]:
        """(peak resident, resident, writable data) now."""
        found = _FIELDS.search(os.pread(self._status, 8192, 0))
        if found is None:
            raise OSError("/proc/self/status does not name VmHWM, VmRSS and VmData")
        peak, resident, data = (int(kilobytes) << 10 for kilobytes in found.groups())
        return peak, resident, data


def main(arguments: list[str]) -> None:
    descriptor, function, seconds, limit, parent = arguments
    libc = ctypes.CDLL(None)
    _prepare(libc, int(parent))
    sock = socket.socket(fileno=int(descriptor))
    sock.set_inheritable(False)
    with sock, sock.makefile("rb") as requests:
        argument = _read(requests)
        if argument is None:
            return
        module, _, factory = function.partition(":")
        work: Function = getattr(importlib.import_module(module), factory)(argument)
        memory, most = Memory(), int(limit)
        peak, resident, data = memory.read()
        if peak > most:
            raise SystemExit(f"{function} takes {peak >> 20} MB before its first page, more than the limit of {most >> 20} MB")
        hard = data + _HARD * most
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
        worn = max(_WORN_SHARE * most, 1.25 * resident)
        _send(sock, READY, b"")
        while (body := _read(requests)) is not None:
            kind, answer = _page(work, body, float(seconds))
            del body
            peak, resident, _ = memory.read()
            if kind == MEMORY or peak > most:
                _send(sock, MEMORY, b"")
                return
            if resident > worn:  # half of it may be free already, and only not given back
                gc.collect()
                libc.malloc_trim(0)
                kind += WORN if memory.read()[1] > worn else 0
            _send(sock, kind, answer)


def _prepare(libc: ctypes.CDLL, parent: int) -> None:
    """Die with the parent, and not by the terminal's Ctrl-C; be the first to go when the machine runs out of memory."""
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the parent is gone")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF, signal.SIGABRT, signal.SIGSEGV})
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft == resource.RLIM_INFINITY or soft > _STACK:  # endless recursion is to end as such, and not by eating the memory
        resource.setrlimit(resource.RLIMIT_STACK, (_STACK, hard))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    faulthandler.enable()  # the Python stack of a crash, on stderr


def _page(work: Function, body: bytes, seconds: float) -> tuple[int, bytes]:
    """(kind, answer) of one page. Does not come back when the page's time is up."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return DONE, memoryview(work(body)).tobytes()
    except MemoryError:
        return MEMORY, b""
    except BaseException as error:  # noqa: BLE001 - a page may raise anything; the next one is asked for all the same
        return RAISED, _told(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _told(error: BaseException) -> bytes:
    try:
        return f"{type(error).__name__}: {error}"[:_DETAIL].encode("utf-8", "replace")
    except Exception:  # noqa: BLE001 - an exception whose text cannot be had
        return type(error).__name__.encode()


def _read(requests: BinaryIO) -> bytes | None:
    """The next request; None when the parent has closed its end."""
    head = requests.read(REQUEST.size)
    if len(head) < REQUEST.size:
        return None
    size: int = REQUEST.unpack(head)[0]
    body = requests.read(size)
    return body if len(body) == size else None


def _send(sock: socket.socket, kind: int, body: bytes) -> None:
    sock.sendall(ANSWER.pack(kind, len(body)) + body)


if __name__ == "__main__":
    main(sys.argv[1:])
