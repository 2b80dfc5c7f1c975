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

from seiryu.corpus.errors import InputError

_SUFFIX = re.compile(r"(\.warc)?(\.gz|\.zst)?$", re.IGNORECASE)
_UNFIT = re.compile(r"[\x00-\x1f\x7f]|^\.+$")  # in the name of a file: what no terminal shows, or what leads elsewhere
_MOST = 200  # bytes of a unit's name without a hash: endings come behind it, and a file's name has at most 255


def names(paths: Sequence[str]) -> list[str]:
    """What each archive is called: distinct, and as short as that allows. InputError for a path that is no text."""
    for path in paths:
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{path!a} is not UTF-8: rename the archive, its name stands in every table") from error
    by_base: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_base[posixpath.basename(path)].append(path)
    called: dict[str, str] = {}
    for base, same in by_base.items():
        where = {path: _place(path) for path in same}
        parent = posixpath.commonpath([posixpath.dirname(place) for place in where.values()])
        for path in same:
            called[path] = base if len(same) == 1 else posixpath.relpath(where[path], parent)
    if len(set(called.values())) < len(set(paths)):  # two spellings of one place, such as a/../b and b on a server
        twice = next(name for name, times in Counter(called.values()).items() if times > 1)
        first, second = [path for path in called if called[path] == twice][:2]
        raise InputError(f"{first!r} and {second!r} are one place: name it once")
    return [called[path] for path in paths]


def _place(path: str) -> str:
    """Where an archive lies, on a disk or on a server, as one kind of path."""
    return f"/{path.replace('://', ':/', 1)}" if "://" in path else os.path.abspath(path)  # noqa: PTH100 - links stay


def unit_names(called: Sequence[str]) -> list[str]:
    """File names for the archives' units, one each: their names without endings, and a hash where that alone would not do."""
    short = [_SUFFIX.sub("", posixpath.basename(name)) for name in called]
    times = Counter(short)
    alone = {base for base in short if times[base] == 1 and base and len(base.encode()) <= _MOST and not _UNFIT.search(base)}
    for digits in (8, 32):  # more where somebody has looked for two of the same
        while True:
            made = [base if base in alone else _hashed(base, name, digits) for name, base in zip(called, short, strict=True)]
            taken = {name for name, base in zip(made, short, strict=True) if base not in alone} & alone
            if not taken:
                break
            alone -= taken
        if len(set(made)) == len(made):
            break
    return made


def _hashed(base: str, name: str, digits: int) -> str:
    cut = _UNFIT.sub("_", base).encode()[: _MOST - 1 - digits].decode(errors="ignore")
    return f"{cut}-{hashlib.sha256(name.encode()).hexdigest()[:digits]}"
