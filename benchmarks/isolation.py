"""What a page pays for a process of its own: both processes' CPU time, and what a new child costs.

The pages are real ones brought to 50 KB. The function gives the page back, at once or after a millisecond of work, with its own
clock in front; the parent adds its own. Time by the clock is less where there is a second core, because the two overlap.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.inputs import ROOT, Inputs, evenly
from benchmarks.timing import Figure
from seiryu.pipelines.isolation.isolated import Isolated

SIZE = 50_000
PAGES = 2000
ROUNDS = 5
_CLOCK = struct.Struct("<d")


def echo(argument: bytes) -> Callable[[bytes], bytes]:
    """In the child: the page after so many seconds of work, behind the CPU seconds of its thread so far.

    Not of the process: while the kernel counts its time against a limit, that clock moves by ticks of 4 ms.
    """
    seconds = float(argument)

    def work(body: bytes) -> bytes:
        until = time.thread_time() + seconds
        while seconds and time.thread_time() < until:
            pass
        return _CLOCK.pack(time.thread_time()) + body

    return work


def parser(_: bytes) -> Callable[[bytes], bytes]:
    """In the child: all that extraction imports."""
    from seiryu.corpus.extraction import main_text
    from seiryu.filters.finding.language import language

    main_text("<html><p>a</p></html>")
    language("一つの文。")
    return lambda body: body


def figures(inputs: Inputs) -> Iterator[Figure]:
    os.environ["PYTHONPATH"] = str(ROOT)  # the child imports this module
    pages = [(body * (SIZE // len(body) + 1))[:SIZE] for body, _ in evenly([page for page in inputs.html if page[0]], 100)]
    for milliseconds in (0, 1):
        rounds = [round_trip(pages, milliseconds / 1e3) for _ in range(ROUNDS)]
        what = f"a page of {SIZE // 1000} KB, {milliseconds} ms of work: "
        yield figure(what + "CPU beyond it, both processes", [cpu * 1e3 - milliseconds for cpu, _ in rounds], "ms")
        yield figure(what + "by the clock", [clock * 1e3 for _, clock in rounds], "ms")
    yield figure("a new child with all that extraction imports", [start() for _ in range(ROUNDS)], "s")


def figure(what: str, values: list[float], unit: str) -> Figure:
    return Figure(what, median(values), unit, min(values), max(values))


def round_trip(pages: list[bytes], seconds: float) -> tuple[float, float]:
    """Seconds a page: (CPU of parent and child, clock)."""
    with Isolated("benchmarks.isolation:echo", str(seconds).encode()) as isolated:
        child = told(isolated, pages)  # once through, for the child to be there
        begin, own = time.perf_counter(), time.process_time()
        child = told(isolated, (pages[number % len(pages)] for number in range(PAGES))) - child
        return (child + time.process_time() - own) / PAGES, (time.perf_counter() - begin) / PAGES


def told(isolated: Isolated, pages: Iterator[bytes] | list[bytes]) -> float:
    """Send all the pages; CPU seconds of the child at the last."""
    clock = 0.0
    for _, answer in isolated.answers(enumerate(pages)):
        assert isinstance(answer, bytes), answer
        (clock,) = _CLOCK.unpack_from(answer)
    return clock


def start() -> float:
    """Seconds until a new child has answered."""
    begin = time.perf_counter()
    with Isolated("benchmarks.isolation:parser") as isolated:
        list(isolated.answers([(0, b"page")]))
    return time.perf_counter() - begin
