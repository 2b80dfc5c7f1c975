"""SHA256SUMS, in the format that `sha256sum -c` reads: a line a file, sorted by name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from seiryu.pipelines.publishing.layout import File

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def sums(files: Iterable[File]) -> bytes:
    """The lines of all files. ValueError for a name with a line break or a backslash, which would need the format's escapes."""
    lines = []
    for file in sorted(files, key=lambda file: file.name):
        if "\n" in file.name or "\\" in file.name or "\r" in file.name:
            raise ValueError(f"{file.name!r} cannot stand in SHA256SUMS")
        lines.append(f"{file.sha256}  {file.name}\n")
    return "".join(lines).encode()


def read_sums(data: bytes) -> dict[str, str]:
    """Name -> sha256. Lines that are none are passed over, so a damaged list makes every file look changed."""
    found = (_LINE.fullmatch(line) for line in data.decode(errors="replace").splitlines())
    return {line[2]: line[1] for line in found if line}
