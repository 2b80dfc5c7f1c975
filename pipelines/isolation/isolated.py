"""One bad page costs one page: a function that may hang, crash or eat memory runs in a child process of its own.

HTML parsers and classifiers are C and C++ code. Endless work there cannot be stopped from within the process, a wild pointer takes the
process along, and with it the whole archive. So pages go to a child, a few in advance so that it never waits; answers come back in
order. A child that dies costs the page it was at, which is the first one unanswered: the others are given to its successor.

Which page is to blame is decided twice. A page over its time is lost at once: CPU time is the page's own doing. Who dies of anything
else, or goes over its memory in a child that had pages before (they may have leaked), is tried once more, alone in a fresh
child: so a child killed from outside costs nothing, a real crasher dies twice, and the verdict on memory does not depend on what came
before. `Lost.detail` says nothing that differs from run to run; `Lost.trace` does.

Price: 0.05 to 0.1 ms a page of 50 KB, both processes together (`python -m benchmarks isolation`); a new child costs its imports.
Alternatives not taken: a thread with a timeout cannot stop C code; a process a page costs half a second each; loky, pebble and
multiprocessing pickle, fork or spawn, and limit neither CPU time nor memory.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType

from seiryu.corpus.errors import SeiryuError
from seiryu.pipelines.isolation.asked import Answer, Key, Lost, Request
from seiryu.pipelines.isolation.child import Child, Limits, Watch, signal_name
from seiryu.pipelines.isolation.child_main import DONE, MEMORY, RAISED, READY, WORN

__all__ = ["Isolated", "IsolationError", "Limits", "Lost", "close_kept", "kept", "kept_cpu_seconds", "kept_peak_memory"]

# Requests in advance: enough to bridge a stretch of the archive without pages, few enough to be sent again for nothing.
WINDOW = 16
WINDOW_BYTES = 16 << 20
# Requests that need no child and wait for their turn behind those that do.
_PASSING = 1024
_LOOK = 0.02  # seconds between looks at the child's memory: page faults make at most some 50 MB in that time
_START = 300.0  # seconds; imports from a network file system shared by hundreds of workers are slow
_STARTS = 3


class IsolationError(SeiryuError):
    """A child cannot be started: the function cannot be imported, or takes more memory than a page may."""


class Isolated:
    """A function in a child process, which is started when it is first needed and replaced when it dies or wears out.

    `function`: "package.module:factory", imported in the child; `factory(argument)` is called once a child and gives the function
    from bytes to bytes. Its answer must depend on the request alone. For one thread; the thread that starts a child must
    outlive it, because the kernel ends the child with it.
    """

    def __init__(self, function: str, argument: bytes = b"", limits: Limits | None = None, window: int = WINDOW) -> None:
        self._function, self._argument, self._window = function, argument, window
        self._limits = limits or Limits()
        self._child: Child | None = None
        self._given: deque[Request[object]] = deque()  # to the child, unanswered, in order
        self._waiting: deque[Request[object]] = deque()
        self._failed_starts = 0
        self._busy = False
        self._looked_at = time.monotonic()
        self.started = 0  # children so far
        # During the last `answers`: CPU seconds of children until they were ready, bytes that they were seen to hold at most.
        self.starting, self.peak_memory = 0.0, 0

    def __enter__(self) -> Isolated:
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the child, if there is one."""
        return self._child.pid if self._child else None

    @property
    def cpu_seconds(self) -> float:
        """Of the child, if there is one."""
        return self._child.cpu_seconds() if self._child else 0.0

    def close(self) -> None:
        """End the child. It is started anew if answers are asked for again."""
        if self._child:
            self._child.end()
            self._child = None

    def answers(self, requests: Iterable[tuple[Key, bytes | None]]) -> Iterator[tuple[Key, Answer]]:
        """(key, answer) for each (key, body), in order: bytes, or `Lost`. Where the body is None the answer is too, at its place.

        Requests are taken as needed, `window` of them or 16 MB ahead. IsolationError when the child cannot be started. What is
        left over when the caller stops early is forgotten, with its child.
        """
        if self._busy:
            raise RuntimeError("answers() is already under way")
        self._busy, self.starting = True, 0.0
        source, more = iter(requests), True
        queue: deque[Request[Key]] = deque()
        watch = Watch(_LOOK)
        if self._child and not self._child.alive:
            self.close()
        try:
            with watch:
                while more or queue:
                    if more and self._room() and len(queue) < _PASSING:
                        item = next(source, None)
                        if item is None:
                            more = False
                            continue
                        queue.append(request := Request(*item))
                        if not request.done:
                            self._waiting.append(request)  # type: ignore[arg-type]
                        self._step(watch, wait=False)
                    else:
                        self._step(watch, wait=not queue[0].done)
                    while queue and queue[0].done:
                        first = queue.popleft()
                        yield first.key, first.answer
        finally:
            self._busy, self.peak_memory = False, watch.peak
            self._waiting.clear()
            if self._given:
                self._given.clear()
                self.close()

    def _room(self) -> bool:
        ahead = len(self._given) + len(self._waiting)
        if ahead >= self._window:
            return False
        return sum(len(request.body or b"") for queue in (self._given, self._waiting) for request in queue) < WINDOW_BYTES

    def _step(self, watch: Watch, *, wait: bool) -> None:
        """Give the child what it may have, take what it says; with `wait`, until something happens."""
        if not self._given and not self._waiting:
            self._looked_at = time.monotonic()
            return
        if self._child:  # what the parent spent elsewhere is not the child's time: it may wait to be heard
            self._child.pardon(time.monotonic() - self._looked_at, self._given)
        if not self._child:
            self._child = Child(self._function, self._argument, self._limits)
            self.started += 1
        child = watch.child = self._child
        self._give(child)
        answers = child.exchange(self._left(child) if wait else 0.0)
        if answers is None:
            watch.child = self._child = None
            self._bury(child, None)
            return
        for kind, body in answers:
            if not self._take(child, kind, body):
                watch.child = self._child = None
                return
        if wait and not answers and self._left(child) <= 0:
            child.kill("start" if child.ready_at is None else "timeout")
        self._looked_at = time.monotonic()

    def _give(self, child: Child) -> None:
        """Hand over what waits; a suspect alone."""
        while self._waiting and not (self._given and (self._given[0].suspect or self._waiting[0].suspect)):
            request = self._waiting.popleft()
            request.sent_at = None
            self._given.append(request)
            request.end = child.send(request.body or b"")

    def _left(self, child: Child) -> float:
        """Seconds to wait for the child: up to its limit by the clock, and at most one, to see that it lives."""
        if child.ready_at is None:
            left = child.heard_at + _START - time.monotonic()
        elif self._given:
            first = self._given[0]
            if first.sent_at is None and child.sent >= first.end:
                first.sent_at = time.monotonic()
            since = child.moved_at if first.sent_at is None else max(first.sent_at, child.heard_at, child.moved_at)
            left = since + self._limits.clock - time.monotonic()
        else:
            left = 1.0
        return min(1.0, left)

    def _take(self, child: Child, kind: int, body: bytes) -> bool:
        """What the child says. Whether it stays."""
        if kind == READY:
            child.ready_at = time.monotonic()
            self.starting += child.cpu_seconds()
            self._failed_starts = 0
            return True
        if kind == MEMORY or kind & ~WORN not in (DONE, RAISED):
            self._bury(child, kind)
            return False
        child.answered += 1
        request = self._given.popleft()
        request.settle(body if kind & ~WORN == DONE else Lost("extraction_error", body.decode("utf-8", "replace")))
        if kind & WORN or child.answered >= self._limits.pages:
            self._again()
            child.end()
            return False
        return True

    def _again(self) -> None:
        """What was given and is unanswered is for the next child."""
        self._waiting.extendleft(reversed(self._given))
        self._given.clear()

    def _bury(self, child: Child, kind: int | None) -> None:
        """The child is dead, or has said its last word: judge the page it was at."""
        code, told = child.end()
        if child.ready_at is None:
            self._not_started(child, code, told)
            return
        self._again()
        if not self._waiting:
            return
        request, limits = self._waiting[0], self._limits
        if child.killed == "timeout":
            lost = Lost("timeout", f"no answer within {limits.clock:g} s by the clock", told)
        elif code == -signal.SIGPROF:
            lost = Lost("timeout", f"more than {limits.seconds:g} s of CPU time", told)
        elif not request.suspect and (child.answered or not _by_memory(child, kind, code, told)):
            request.suspect = True  # another try, alone
            return
        elif _by_memory(child, kind, code, told):
            lost = Lost("memory", f"more than {limits.memory / 1e6:,.0f} MB", told)
        else:
            hint = ", not sent from here: the machine may be out of memory" if code == -signal.SIGKILL else ""
            lost = Lost("crash", signal_name(code) + hint, told)
        self._waiting.popleft().settle(lost)

    def _not_started(self, child: Child, code: int, told: str) -> None:
        self._again()
        self._failed_starts += 1
        if code == -signal.SIGKILL and not child.killed and self._failed_starts < _STARTS:
            return  # by somebody else; the next may live
        self._failed_starts = 0
        why = f"not ready after {_START:g} s" if child.killed else signal_name(code)
        last = "\n".join(told.splitlines()[-12:])
        raise IsolationError(f"the child process for {self._function} cannot be started ({why}):\n{last}")


def _by_memory(child: Child, kind: int | None, code: int, told: str) -> bool:
    """Whether memory was the cause; C++ code that gets none ends with abort() and says so on stderr."""
    return kind == MEMORY or child.killed == "memory" or (code == -signal.SIGABRT and "bad_alloc" in told)


_kept: dict[tuple[int, str, bytes, Limits], Isolated] = {}


def kept(function: str, argument: bytes = b"", limits: Limits | None = None) -> Isolated:
    """The one of these settings that this process holds, from one unit to the next, so that imports are paid once.

    Only one is held: asking for another ends the one before. Without a lock: a Ray worker runs one task at a time in one thread.
    """
    settings = (os.getpid(), function, argument, limits or Limits())
    if settings not in _kept:
        close_kept()
        _kept[settings] = Isolated(function, argument, settings[3])
    return _kept[settings]


def close_kept() -> None:
    """End what `kept` holds; a process that was forked from the holder has nothing to end."""
    while _kept:
        (pid, *_), isolated = _kept.popitem()
        if pid == os.getpid():
            isolated.close()


def kept_cpu_seconds() -> float:
    """CPU seconds of all children of this process so far: those that have ended, and the one that `kept` holds. Never goes back."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(isolated.cpu_seconds for isolated in _kept.values())


def kept_peak_memory() -> int:
    """Bytes that the children of `kept` were seen to hold at most while they last answered; 0 if none is kept."""
    return max((isolated.peak_memory for isolated in _kept.values()), default=0)
