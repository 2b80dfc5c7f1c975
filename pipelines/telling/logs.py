"""What a run tells on stderr: lines for people, or JSON for programs, one object a line.

In JSON every line has `time` (UTC), `level`, `event`, `run`, `stage` and `unit` (empty where it is of none), and what belongs to
the event. `message` is what a person would read; the other events are those of events.py, and `progress` once a minute. All but
ASCII is escaped: whatever a name holds, a line stays a line and a terminal obeys nothing in it. What libraries log comes as messages.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from seiryu.pipelines.counts import Counts
from seiryu.pipelines.telling.events import Event, Progress, Tell

_EVERY = 60.0  # seconds between two lines of progress
_LEVELS = {"retry": "warning", "node_lost": "warning", "copied": "warning", "waiting": "warning", "set_aside": "error"}
_writing = threading.Lock()
_run: str | None = None  # the run that is told of in JSON


@contextmanager
def told_as(kind: Literal["text", "json"], run: str) -> Iterator[None]:
    """How things are told while the block lasts, and after an error that ends it: whoever tells that, tells it in the same form."""
    global _run
    before, _run = _run, run if kind == "json" else None
    handler = _Library()
    if in_json():
        logging.getLogger().addHandler(handler)
        logging.captureWarnings(True)
    yield
    if in_json():
        logging.getLogger().removeHandler(handler)
        logging.captureWarnings(False)
    _run = before


def named(run: str) -> None:
    """Which run it is, once that is known."""
    global _run
    if in_json():
        _run = run


def in_json() -> bool:
    return _run is not None


def log(event: str, level: str = "info", stage: str = "", unit: str = "", **fields: Any) -> None:
    """One line of JSON; fields that are None are left out."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    line = {"time": now, "level": level, "event": event, "run": _run or "", "stage": stage, "unit": unit}
    line |= {name: value for name, value in fields.items() if value is not None}
    text = json.dumps({name: _whole(value) for name, value in line.items()})
    with _writing:
        if sys.stderr is not None:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()


def logged() -> Tell:
    """Logs what it is told: every event, and once a minute how far the stage is."""
    last = time.monotonic()

    def tell(event: Event | None, progress: Progress) -> None:
        nonlocal last
        if event is not None and event.what in ("stage_begun", "stage_ended"):
            log(event.what, stage=event.stage, **_seconds(event), **_progress(progress))
        elif event is not None:
            log(event.what, _LEVELS.get(event.what, "info"), event.stage, event.unit, reason=event.reason or None,
                node=event.node or None, **_seconds(event), **_counts(event.counts))  # fmt: skip
        elif time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            log("progress", stage=progress.stage, **_progress(progress))

    return tell


def _seconds(event: Event) -> dict[str, Any]:
    return {"seconds": round(event.seconds, 3)} if event.seconds else {}


def _progress(progress: Progress) -> dict[str, Any]:
    return {
        "units": progress.total, "done": progress.done, "set_aside": len(progress.set_aside), "running": progress.running,
        "retries": progress.retries, "copies": progress.copies, "records": progress.records,
    }  # fmt: skip


def _counts(counts: Counts | None) -> dict[str, Any]:
    if counts is None:
        return {}
    return {name: value for name, value in counts.to_json().items() if value or name in ("records", "kept")}


def _whole(value: Any) -> Any:
    """A string without halves of letters, which some readers of JSON refuse: names of files may hold them."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


class _Library(logging.Handler):
    """What libraries log, as lines of ours."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        log("message", record.levelname.lower(), message=record.getMessage(), logger=record.name)
