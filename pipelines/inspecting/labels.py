"""Judgements of people on documents, kept in the run as `labels/judged.jsonl`, and the precision of a rule that follows from them.

A line is a document judged for a rule: `label` bad says that the text is none to learn from, so the rule was right. The field `text`
makes the file one that `seiryu classifier train` reads.

The file is put in place whole, and on a local disk behind a lock (flock, of `labels/judged.lock`), so that people who judge at the same
time in several processes lose nothing of each other. An object store has no locks: there only one process may judge.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from threading import Lock

from seiryu.corpus.errors import InputError, NotWritable
from seiryu.corpus.storage import Store
from seiryu.pipelines.inspecting.view import KEPT

NAME, _LOCK = "labels/judged.jsonl", "labels/judged.lock"
_Z = 1.959963984540054  # of 95 %
_WRITING = Lock()


@dataclass(frozen=True, slots=True)
class Label:
    """`rule`: the rule it was sampled for, or "kept"; `value`: of the rule's signal; `label`: good or bad."""

    doc_id: str
    rule: str
    label: str
    value: float
    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Precision:
    """Share of `right` among `judged`, with the 95 % interval of Wilson (1927); 0 to 1 where nothing is judged."""

    right: int
    judged: int
    share: float
    low: float
    high: float


def precision(right: int, judged: int) -> Precision:
    """Wilson's score interval: good for few judgements and for shares near 0 and 1 too."""
    if not judged:
        return Precision(0, 0, 0.0, 0.0, 1.0)
    share, square = right / judged, _Z * _Z
    middle = (share + square / (2 * judged)) / (1 + square / judged)
    half = _Z * sqrt(share * (1 - share) / judged + square / (4 * judged * judged)) / (1 + square / judged)
    return Precision(right, judged, share, max(0.0, middle - half), min(1.0, middle + half))


def of_rule(labels: Iterable[Label], rule: str) -> Precision:
    """How often a rule was right: what it rejects is bad; what is kept is good."""
    mine = [label for label in labels if label.rule == rule]
    return precision(sum(label.label == ("good" if rule == KEPT else "bad") for label in mine), len(mine))


def read_labels(store: Store) -> list[Label]:
    """All judgements, in the order in which they were made. InputError naming the line that cannot be read.

    A last line that begins as a judgement and breaks off, without its line feed, was never written to its end: it is passed over.
    """
    try:
        *lines, last = store.read(NAME).decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate([*lines, last] if last else lines, 1):
        try:
            label = Label(**json.loads(line))
        except (ValueError, TypeError) as error:
            if number > len(lines) and line.startswith("{"):
                break
            raise InputError(f"{store.path(NAME)}, line {number}: no judgement ({error}); mend or delete it") from error
        if label.label not in ("good", "bad"):
            raise InputError(f"{store.path(NAME)}, line {number}: label {label.label!r} is neither good nor bad")
        found.append(label)
    return found


def judge(store: Store, label: Label) -> None:
    """Add a judgement; one of the same document for the same rule is replaced."""
    with _alone(store):
        _write(store, [*_others(store, label.rule, label.doc_id), label])


def take_back(store: Store, rule: str, doc_id: str) -> None:
    """Forget a judgement."""
    with _alone(store):
        _write(store, _others(store, rule, doc_id))


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """No other thread, and on a local disk no other process, changes the file meanwhile. NotWritable if the lock cannot be made."""
    with _WRITING:
        if not store.local:
            yield
            return
        file = Path(store.path(_LOCK).removeprefix("file://"))
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise NotWritable(f"cannot write {file}: {error.strerror}; name a directory that takes files") from error
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _others(store: Store, rule: str, doc_id: str) -> list[Label]:
    return [label for label in read_labels(store) if (label.rule, label.doc_id) != (rule, doc_id)]


def _write(store: Store, labels: list[Label]) -> None:
    lines = (json.dumps(asdict(label), ensure_ascii=False, allow_nan=False) for label in labels)
    # A line of JSON Lines ends where the file has a line feed: others that stand in a text are written as escapes.
    text = "".join(
        line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085") + "\n" for line in lines
    )
    store.write(NAME, text.encode("utf-8", "replace"))
