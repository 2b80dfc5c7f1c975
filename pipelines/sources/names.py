"""What each archive is called in a run.

An archive is called by its file's name; where several have the same, by as much of its path as tells them apart. So names, and with
them doc_ids and shards, do not depend on where the archives lie on this machine. An archive of Common Crawl is called by its path
below the root of the crawls, by which everybody finds it.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

_SUFFIX = re.compile(r"(\.warc)?(\.gz|\.zst)?$", re.IGNORECASE)


def names(paths: Sequence[str]) -> list[str]:
    """What each archive is called: distinct, and as short as that allows."""
    by_base: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_base[posixpath.basename(path)].append(path)
    called = {}
    for base, same in by_base.items():
        where = {path: _place(path) for path in same}
        parent = posixpath.commonpath([posixpath.dirname(place) for place in where.values()])
        for path in same:
            called[path] = base if len(same) == 1 else posixpath.relpath(where[path], parent)
    return [called[path] for path in paths]


def _place(path: str) -> str:
    """Where an archive lies, on a disk or on a server, as one kind of path."""
    return f"/{path.replace('://', ':/', 1)}" if "://" in path else os.path.abspath(path)  # noqa: PTH100 - links stay


def unit_names(called: Sequence[str]) -> list[str]:
    """File names for the archives' units: their names without endings, and a hash where two would have the same."""
    short = [_SUFFIX.sub("", posixpath.basename(name)) for name in called]
    times = Counter(short)
    return [
        base if times[base] == 1 else f"{base}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        for name, base in zip(called, short, strict=True)
    ]
