"""One run at a time in a run directory: a lease in a file, and workers that write nothing without it.

Who holds it raises a number in the file every BEAT seconds. Who finds one there watches whether the number moves: if it does, the
holder is alive; if not, the lease is taken over, and a holder that was only cut off stops when it sees that, as do its
workers before they put a file in place. No clock of the day is asked, so clocks may jump and differ.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from seiryu.corpus.errors import InputError, SeiryuError
from seiryu.corpus.storage import Store

NAME = "run.lease"
BEAT = 10.0
_SLOWEST = 60.0
_SILENT = 3.5  # beats without a sign of life after which a holder is taken for dead


class Held(SeiryuError):
    """Another run works in this directory."""


class TakenOver(SeiryuError):
    """Another run has taken over this directory."""


class Lease:
    """A lease that is held. `token` goes to the workers; `lost` is set when somebody else has it."""

    def __init__(self, store: Store, beat: float) -> None:
        self.token, self.lost = uuid.uuid4().hex, threading.Event()
        self._store, self._beat, self._number, self._ended = store, beat, 0, threading.Event()

    def check(self) -> None:
        """TakenOver if it is not held any more."""
        if self.lost.is_set():
            raise TakenOver(_taken_over(self._store))

    def write(self) -> None:
        self._number += 1
        self._store.write_json(NAME, {"token": self.token, "beat": self._number, "every": self._beat, **_here()})

    def keep(self) -> None:
        """Until it ends: say that the holder is alive."""
        while not self._ended.wait(self._beat):
            with suppress(Exception):  # a store that does not answer now: the next beat says the same
                if (_read(self._store) or {}).get("token") != self.token:
                    self.lost.set()
                    return
                self.write()

    def end(self) -> None:
        self._ended.set()


@contextmanager
def lease(store: Store, say: Any, beat: float = BEAT) -> Iterator[Lease]:
    """Hold the lease of a run directory for as long as the block lasts. Held if another run has it and is alive.

    `say`: told when there is something to wait for.
    """
    _await_end(store, say)
    brief = Store(store.root, patience=beat)  # what would come later than the next sign of life must not come at all
    mine = Lease(brief, beat)
    mine.write()
    if (_read(store) or {}).get("token") != mine.token:
        raise Held(_held(store, _read(store) or {}))
    thread = threading.Thread(target=mine.keep, name="seiryu-lease", daemon=True)
    thread.start()
    try:
        yield mine
    finally:
        mine.end()
        with suppress(Exception):  # what ended the block says more
            thread.join(timeout=beat)
            if (_read(brief) or {}).get("token") == mine.token:
                brief.delete(NAME)


def check_lease(store: Store, token: str) -> None:
    """TakenOver if the lease of a run directory is not the one of this token."""
    if (_read(store) or {}).get("token") != token:
        raise TakenOver(_taken_over(store))


def held(store: Store) -> bool:
    """Whether somebody holds the lease of a run directory who may be alive: of this machine that is known, of others not."""
    found = _read(store)
    return found is not None and not _gone(found)


def _await_end(store: Store, say: Any) -> None:
    """Return once nobody alive holds the lease. Held if somebody does."""
    found = _read(store)
    if found is None or _gone(found):
        return
    if _is_here(found) and _started(found["pid"]):
        raise Held(_held(store, found))
    wait = _SILENT * _every(found)
    say(f"{store.root} is held by a run on {_host(found)}; waiting {wait:.0f} s to see whether it is alive ...")
    until = time.monotonic() + wait
    over = False
    while not over:
        time.sleep(min(1.0, wait / 10))
        over = time.monotonic() >= until
        now = _read(store)  # once more after the end, however long this process was held up
        if now is None:
            return
        if now != found:
            raise Held(_held(store, now))


def _read(store: Store) -> dict[str, Any] | None:
    try:
        found = store.read_json(NAME)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, InputError):  # damaged: nobody's
        return None
    return found if isinstance(found, dict) else None


def _every(found: dict[str, Any]) -> float:
    """Seconds between two signs of life, as the holder says; BEAT if it says nothing that could be true."""
    every = found.get("every")
    return float(every) if isinstance(every, int | float) and 0 < every <= _SLOWEST else BEAT


def _host(found: dict[str, Any]) -> str:
    return str(found.get("host") or "a machine that does not say its name")


def _here() -> dict[str, Any]:
    """This process, so that another one of the same host can ask after it."""
    return {"host": socket.gethostname(), "system": _system(), "pid": os.getpid(), "started": _started(os.getpid())}


def _is_here(found: dict[str, Any]) -> bool:
    return found.get("system") == _system()


def _gone(found: dict[str, Any]) -> bool:
    """Whether the holder was a process of this system that is no more."""
    pid = found.get("pid")
    return _is_here(found) and (not isinstance(pid, int) or (_started(pid) != found.get("started") and not _hidden(pid)))


def _hidden(pid: int) -> bool:
    """Whether there is such a process, of somebody else, that /proc does not show."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return not _started(pid)
    except (OSError, OverflowError):
        return False
    return False


def _system() -> str:
    """What tells this running system, and the space of its process ids, from any other."""
    with suppress(OSError):
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"
    return socket.gethostname()


def _started(pid: int) -> str:
    """When a process began, in ticks since the system did; empty if there is none."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else rest[18]


def _held(store: Store, found: dict[str, Any]) -> str:
    where = f"process {found.get('pid')} on {_host(found)}"
    return f"{store.root}: another run works here ({where}); wait for it or stop it, then run again"


def _taken_over(store: Store) -> str:
    found, stops = _read(store), "this run stops and has written nothing since"
    if found and "token" in found:
        return f"{store.root} was taken over by process {found.get('pid')} on {_host(found)}; {stops}"
    why = "another run has taken over and ended, or somebody deleted or damaged it"
    return f"{store.path(NAME)} does not name this run any more: {why}; {stops}. The same command goes on"
