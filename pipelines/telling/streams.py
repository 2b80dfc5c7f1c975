"""stdout and stderr as every command may take them, whatever the shell handed over: read in part, full, closed, of another encoding."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from typing import TYPE_CHECKING

from seiryu.corpus.errors import SeiryuError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class NotWritten(SeiryuError):
    """What a command had to say could not be written to stdout."""


class _Stream(io.FileIO):
    """stdout or stderr, which take what their reader does not want any more: how much was read is not how the command ended."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if self.fileno() == 1 and not isinstance(error, BrokenPipeError):
                raise NotWritten(f"stdout: {error.strerror}; what was printed is not whole") from error
            return memoryview(data).nbytes  # of an error on stderr nobody could be told


def open_streams() -> None:
    """Streams as every command may take them: never closed, and with room for every letter.

    What was closed leads nowhere, and a file of ours does not get its number. sys.stdin stays None: nothing can be read from it.
    """
    codecs.register_error("json", _escaped)
    if sys.stdin is None:
        _nowhere()
    for name in ("stdout", "stderr"):
        given = getattr(sys, name)
        raw = _Stream(given.fileno() if given else _nowhere(), "w", closefd=False)
        encoding, by_line = (given.encoding, given.line_buffering) if given else ("utf-8", True)
        stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors="json", line_buffering=by_line)
        setattr(sys, name, stream)


def _nowhere() -> int:
    """The lowest descriptor that is free, for this process and those it starts."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    os.set_inheritable(descriptor, True)
    return descriptor


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Letters that an encoding lacks as JSON escapes them: what --json prints stays JSON."""
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
