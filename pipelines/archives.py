"""The archives that a config names, and what each is called in the run.

An archive is called by its file's name; where several have the same, by as much of its path as tells them apart. So names, and with
them doc_ids and shards, do not depend on where the archives lie on this machine.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import expand, is_directory
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError

_ARCHIVE = re.compile(r"\.warc(\.gz|\.zst)?$", re.IGNORECASE)
_SUFFIX = re.compile(r"(\.warc)?(\.gz|\.zst)?$", re.IGNORECASE)


def archives(config: Config) -> list[str]:
    """Paths of all archives a config names, each once, in order. ConfigError when a path, glob or directory names none."""
    found = []
    for number, pattern in enumerate(config.source.paths):
        if not (files := _files(pattern)):
            raise ConfigError(f"source.paths[{number}]: {pattern} names no archive (.warc, .warc.gz, .warc.zst)")
        found += files
    return _once(found)


def archives_in_sight(config: Config) -> tuple[list[str], list[str]]:
    """(paths of the archives that are there, the entries of source.paths behind which none can be seen)."""
    found, blind = [], []
    for pattern in config.source.paths:
        try:
            files = _files(pattern)
        except (InputError, OSError):  # of a store that cannot be asked from here
            files = []
        found += files
        if not files:
            blind.append(pattern)
    return _once(found), blind


def _files(pattern: str) -> list[str]:
    """Of a directory the files that end like archives, in the directories below it too; of a glob all files, since it was meant so."""
    files = expand(pattern)
    return [path for path in files if _ARCHIVE.search(path)] if is_directory(pattern) else files


def _once(paths: Sequence[str]) -> list[str]:
    """Two spellings of one file are one archive."""
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(path if "://" in path else os.path.realpath(path), path)
    return list(found.values())


def names(paths: Sequence[str]) -> list[str]:
    """What each archive is called: distinct, and as short as that allows."""
    by_base: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_base[posixpath.basename(path)].append(path)
    called = {}
    for base, same in by_base.items():
        where = {path: path if "://" in path else os.path.abspath(path) for path in same}  # noqa: PTH100 - links stay
        parent = posixpath.commonpath([posixpath.dirname(place) for place in where.values()])
        for path in same:
            called[path] = base if len(same) == 1 else posixpath.relpath(where[path], parent)
    return [called[path] for path in paths]


def unit_names(called: Sequence[str]) -> list[str]:
    """File names for the archives' units: their names without endings, and a hash where two would have the same."""
    short = [_SUFFIX.sub("", posixpath.basename(name)) for name in called]
    times = Counter(short)
    return [
        base if times[base] == 1 else f"{base}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        for name, base in zip(called, short, strict=True)
    ]
