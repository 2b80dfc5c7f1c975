"""What a person sees in the terminal: progress on stderr, tables on stdout. Where a program reads stderr, it gets JSON (logs.py).

Names and reasons may come from the web: nothing in them reaches a terminal that it would obey.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from seiryu.pipelines.reporting.funnel import Step
from seiryu.pipelines.telling import logs
from seiryu.pipelines.telling.events import Event, Tell
from seiryu.pipelines.telling.events import Progress as StageProgress

_EVERY = 10.0  # seconds between lines where there is no terminal
_AGAIN = 60.0  # seconds after which it is said again that the run waits for the same
_OBEYED = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NODE = 12  # letters of a node's id that tell it from others


def _terminal(stream: TextIO | None) -> bool:
    """Whether a person sees it; a process may have no stdout or stderr at all."""
    return stream is not None and stream.isatty()


# A table in a file or a pipe is not cut to what some terminal shows.
out = Console(highlight=False, soft_wrap=True, markup=False, width=None if _terminal(sys.stdout) else 200)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def say(message: str) -> None:
    """A line of progress, or some."""
    if logs.in_json():
        logs.log("message", message=message)
    else:
        err.print("\n".join(map(plain, message.split("\n"))), markup=False)


def plain(text: str) -> str:
    """A text on one line, with nothing in it that a terminal would obey: controls, and signs that turn the direction of writing."""
    return _OBEYED.sub("\ufffd", text.replace("\n", "⏎").replace("\t", " "))


def together(*tells: Tell) -> Tell:
    """Several who are told, as one."""

    def tell(event: Event | None, progress: StageProgress) -> None:
        for each in tells:
            each(event, progress)

    return tell


@contextmanager
def watching(stage: str, total: int) -> Iterator[Tell]:
    """A progress bar on a terminal, a line now and then otherwise, or JSON; call it with every event, and without one now and then."""
    if logs.in_json():
        yield _seldom(logs.logged())
        return
    if not _terminal(sys.stderr):
        yield _seldom(together(_incidents(), _lines(stage)))
        return
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
               TextColumn("{task.fields[note]}", markup=False))  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(stage, total=total, note="")
        ended = partial(bar.update, task)
        yield _seldom(together(_incidents(), lambda _, at: ended(completed=at.done + len(at.set_aside), note=_note(at))))


def _seldom(tell: Tell) -> Tell:
    """Leaves out that the run still waits for the same, which the engine says every second."""
    told, last = "", -_AGAIN

    def seldom(event: Event | None, progress: StageProgress) -> None:
        nonlocal told, last
        if event is not None and event.what == "waiting":
            if event.reason == told and time.monotonic() - last < _AGAIN:
                event = None
            else:
                told, last = event.reason, time.monotonic()
        tell(event, progress)

    return seldom


def _incidents() -> Tell:
    """Lines on what a person may wonder about: nodes that were lost, units that are started again, what the run waits for."""
    lost: set[str] = set()

    def show(event: Event | None, _: StageProgress) -> None:
        if event is None:
            return
        if event.what == "node_lost" and event.node and event.node not in lost:
            lost.add(event.node)
            say(f"{event.stage}: node {event.node[:_NODE]} was lost; its units are made again, which counts as no attempt")
        elif event.what == "copied":
            say(f"{event.stage}: {plain(event.unit)} is started once more on another node: {plain(event.reason)}")
        elif event.what == "waiting":
            say(f"{event.stage}: waiting: {plain(event.reason)}")

    return show


def _lines(stage: str) -> Tell:
    last = time.monotonic()

    def show(_: Event | None, progress: StageProgress) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            say(f"{stage}: {progress.done + len(progress.set_aside):,} of {progress.total:,} units{_note(progress, ', ')}")

    return show


def _note(progress: StageProgress, before: str = "") -> str:
    parts = [f"{progress.retries} retries"] * bool(progress.retries)
    parts += [f"{progress.copies} started twice"] * bool(progress.copies)
    parts += [f"{len(progress.set_aside)} set aside"] * bool(progress.set_aside)
    return before + ", ".join(parts) if parts else ""


def funnel_table(steps: list[Step]) -> Table:
    """The funnel for a terminal; losses are indented below what they reduce."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for title in ("documents", "letters", "tokens"):
        table.add_column(title, justify="right")
    for step in steps:
        sign, style = ("", "bold") if step.kind == "total" else ("- ", "")
        name = step.name if step.kind == "total" else f"  {step.name}"
        letters = "" if step.letters is None else f"{sign}{step.letters:,}"
        tokens = "" if step.tokens is None else f"{step.tokens:,}"
        table.add_row(name, f"{sign}{step.documents:,}", letters, tokens, style=style)
    return table
