"""`seiryu inspect` as a person starts it, for tests to open."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from commandline import ROOT, command


@dataclass
class Page:
    """`address`: with the token; `root`: without."""

    address: str
    process: subprocess.Popen[str]

    @property
    def root(self) -> str:
        return self.address.partition("?")[0]

    def at(self, query: str) -> str:
        """The address, with the token, of another state."""
        return f"{self.address}&{query}" if query else self.address


@contextmanager
def inspected(run: Path, *arguments: str) -> Iterator[Page]:
    """The page of a run, for as long as it is looked at."""
    process = subprocess.Popen(
        command("inspect", run, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), process.stderr.read() if process.stderr else ""
        yield Page(address, process)
    finally:
        process.terminate()
        process.wait(30)
