"""Lists of files, and samples of them.

Of each crawl Common Crawl publishes `warc.paths.gz`, `cc-index-table.paths.gz`, `segment.paths.gz` and others: gzipped text, a
line a key of the bucket `commoncrawl`, to which a person adds `https://data.commoncrawl.org/` or `s3://commoncrawl/`
(https://commoncrawl.org/get-started). An archive's key is `crawl-data/<crawl>/segments/<segment>/warc/<name>.warc.gz`.

A list is trusted with nothing: what is joined to a folder or a server afterwards may not lead out of it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from seiryu.corpus.errors import InputError

_MOST = 1 << 30  # bytes of a list: the archives of all crawls so far have less
# Keys of Common Crawl have no other letters. segment.paths.gz lists folders, with a slash at the end.
_PATH = re.compile(r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._=+@~,-]+(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._=+@~,-]+)*/?", re.ASCII)
_SEGMENT = re.compile(r"(?:^|/)segments/([^/]+)/")
_ALL = 1 << 64


def read_paths(data: bytes, where: str) -> list[str]:
    """The paths in a list, gzipped or plain, in their order, each once; blank lines and white space around a path do not count.

    InputError, naming `where`, if it is cut off or damaged, no text, empty, or holds a line that is no relative path below a
    root: one that is absolute, a URL, or goes up by `..`.
    """
    lines = _lines(data, where)
    if bad := next((number for number, line in enumerate(lines, 1) if line and not _PATH.fullmatch(line)), 0):
        raise InputError(
            f"{where}, line {bad:,}: {lines[bad - 1][:80]!r} is no path below a root, such as crawl-data/CC-MAIN-2024-33/...; "
            "get the list again, or mend the line"
        )
    if not (found := list(dict.fromkeys(filter(None, lines)))):
        raise InputError(f"{where} lists nothing; get it again")
    return found


def is_path(text: str) -> bool:
    """Whether this is a path below a root, as a list may hold it: what it is joined to cannot be left by it."""
    return bool(_PATH.fullmatch(text))


def read_lines(data: bytes, where: str) -> list[str]:
    """The lines of a list of anything, gzipped or plain, each once; blank ones and white space around do not count.

    InputError, naming `where`, if it is cut off or damaged, no text, or empty.
    """
    if not (found := list(dict.fromkeys(filter(None, _lines(data, where))))):
        raise InputError(f"{where} lists nothing")
    return found


def _lines(data: bytes, where: str) -> list[str]:
    try:
        text = (_inflated(data, where) if data.startswith(b"\x1f\x8b") else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is no text (byte {error.start:,}); a list of paths, a line each, is expected") from error
    return [line.strip(" \t\r") for line in text.split("\n")]


def _inflated(data: bytes, where: str) -> bytes:
    """All members of gzipped data. InputError if the last one does not end, or if there is something else."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            plain = file.read(_MOST + 1)
    except EOFError as error:
        raise InputError(f"{where} is cut off; get it again") from error
    except (OSError, zlib.error) as error:
        raise InputError(f"{where} is damaged ({error}); get it again") from error
    if len(plain) > _MOST:
        raise InputError(f"{where} has more than {_MOST:,} bytes; a list of paths is expected")
    return plain


@dataclass(frozen=True, slots=True)
class Sample:
    """At most `count` paths of a list, a `share` of them (0 to 1), those of some `segments`; what is not given does not limit."""

    count: int | None = None
    share: float | None = None
    segments: tuple[str, ...] = ()


def sampled(paths: Sequence[str], sample: Sample) -> list[str]:
    """The paths in a sample, in the order of the list: by segment, then by share, then by count.

    A path's place in the draw is a hash of itself. So the sample is the same everywhere, does not depend on the order of the
    list, and a larger share or count of the same list holds all of a smaller one. InputError if nothing is left, or a segment is
    not in the list.
    """
    left = list(paths)
    if sample.segments:
        segments = [found[1] if (found := _SEGMENT.search(path)) else "" for path in left]
        there = sorted(set(segments) - {""})
        if missing := [segment for segment in sample.segments if segment not in there]:
            offered = f"it has {len(there):,} segments, {there[0]} the first; choose of these" if there else "it has no segments"
            raise InputError(f"no path of the list lies in segment {missing[0]!r}; {offered}")
        left = [path for path, segment in zip(left, segments, strict=True) if segment in sample.segments]
    places = {path: int.from_bytes(hashlib.blake2b(path.encode(), digest_size=8).digest(), "big") for path in left}
    if (share := sample.share) is not None:
        left = [path for path in left if places[path] < share * _ALL]
    if sample.count is not None:
        drawn = set(sorted(set(left), key=lambda path: (places[path], path))[: max(0, sample.count)])
        left = [path for path in left if path in drawn]
    if not left:
        asked = ", ".join(
            f"{name} {value}" for name, value in (("share", sample.share), ("count", sample.count)) if value is not None
        )
        raise InputError(f"nothing is left of {len(paths):,} paths{f' with {asked}' if asked else ''}; ask for more")
    return left
