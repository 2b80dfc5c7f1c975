"""One page on its way: what a child is asked, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Lost:
    """A page without an answer. `reason` is the name it is counted under; `detail` is the same in every run; `trace` need not be."""

    reason: Literal["timeout", "memory", "crash", "extraction_error"]
    detail: str
    trace: str = ""


Answer = bytes | Lost | None


class Request(Generic[Key]):
    """`suspect`: its child died once; `end`: what the child's `sent` is when all of this is written."""

    __slots__ = ("answer", "body", "done", "end", "key", "sent_at", "suspect")

    def __init__(self, key: Key, body: bytes | None) -> None:
        self.key, self.body = key, body
        self.answer: Answer = None
        self.done = body is None
        self.suspect = False
        self.end = 0
        self.sent_at: float | None = None

    def settle(self, answer: Answer) -> None:
        self.answer, self.done, self.body = answer, True, None
