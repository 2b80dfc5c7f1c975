"""What a person sees in the terminal: progress on stderr, tables on stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

from seiryu.pipelines.engine import Progress as StageProgress
from seiryu.pipelines.reporting.funnel import Step

_EVERY = 10.0  # seconds between lines where there is no terminal


def _terminal(stream: TextIO | None) -> bool:
    """Whether a person sees it; a process may have no stdout or stderr at all."""
    return stream is not None and stream.isatty()


# A table in a file or a pipe is not cut to what some terminal shows.
out = Console(highlight=False, soft_wrap=True, markup=False, width=None if _terminal(sys.stdout) else 200)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def say(message: str) -> None:
    """A line of progress."""
    err.print(message, markup=False)


@contextmanager
def watching(stage: str, total: int) -> Iterator[Callable[[StageProgress], None]]:
    """A progress bar on a terminal, a line now and then otherwise; call it with the progress after every change."""
    if not _terminal(sys.stderr):
        yield _lines(stage)
        return
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
               TextColumn("{task.fields[note]}"))  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(stage, total=total, note="")
        yield lambda progress: bar.update(task, completed=progress.done + len(progress.set_aside), note=_note(progress))


def _lines(stage: str) -> Callable[[StageProgress], None]:
    last = time.monotonic()

    def show(progress: StageProgress) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            say(f"{stage}: {progress.done + len(progress.set_aside):,} of {progress.total:,} units{_note(progress, ', ')}")

    return show


def _note(progress: StageProgress, before: str = "") -> str:
    parts = [f"{progress.retries} retries"] * bool(progress.retries)
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
