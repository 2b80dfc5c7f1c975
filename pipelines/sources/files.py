"""`source: files`: archives by path, glob, directory, list or URL.

A list is a file with a path or URL a line. A directory of a server is what its page links to, an s3:// prefix what lies below it.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from seiryu.corpus.crawl.lists import is_path, read_lines
from seiryu.corpus.errors import InputError, SeiryuError
from seiryu.corpus.inputs import expand, is_directory
from seiryu.corpus.remote.errors import Forbidden, Unreachable
from seiryu.corpus.remote.remote import is_remote
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.sources.asking import LIST, identity, listed, read_small

_ARCHIVE = re.compile(r"\.warc(\.gz|\.zst)?$", re.IGNORECASE)
_ASKED_AT_ONCE = 16


def archives(source: Files, config: Config) -> list[str]:
    """Paths of all archives that are named, each once, in order. ConfigError when a path, glob, list or directory names none."""
    found = []
    for number, pattern in enumerate(source.paths):
        if not (files := _named(pattern, source, config)):
            raise ConfigError(f"source.paths[{number}]: {pattern} names no archive (.warc, .warc.gz, .warc.zst)")
        found += files
    return _once(found)


def archives_in_sight(source: Files, config: Config) -> tuple[list[str], list[str]]:
    """(paths of the archives that are there, the entries of source.paths behind which not all, or none, can be seen)."""
    found, blind = [], []
    for pattern in source.paths:
        try:
            files = _named(pattern, source, config)
        except (SeiryuError, OSError):  # of a server that cannot be asked from here
            files = []
        there = _there(files, config)
        found += there
        if not there or len(there) < len(files):
            blind.append(pattern)
    return _once(found), blind


def _there(paths: Sequence[str], config: Config) -> list[str]:
    """Those of the archives that can be seen: a URL names one whether it is there or not."""
    given_up = False

    def is_there(path: str) -> bool:
        nonlocal given_up
        if given_up and is_remote(path):
            return False
        try:
            identity(path, config)
        except (SeiryuError, OSError) as error:
            given_up |= isinstance(error, Unreachable | Forbidden)
            return False
        return True

    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        return [path for path, there in zip(paths, pool.map(is_there, paths), strict=True) if there]


def identities(paths: Sequence[str], config: Config) -> list[dict[str, Any]]:
    """What each archive is; servers are asked about several at once."""
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        return list(pool.map(lambda path: identity(path, config), paths))


def _named(pattern: str, source: Files, config: Config) -> list[str]:
    """Of a directory the files that end like archives, in the directories below it too; of a glob all files, since it was meant so."""
    if LIST.search(pattern):
        return _of_list(pattern, source, config)
    if is_remote(pattern):
        return _of_server(pattern, config)
    files = expand(pattern)
    return [path for path in files if _ARCHIVE.search(path)] if is_directory(pattern) else files


def _of_list(path: str, source: Files, config: Config) -> list[str]:
    base = source.base or posixpath.dirname(path)
    found = read_lines(read_small(path, config), path)
    if is_remote(path) and (wrong := next((line for line in found if not is_remote(line) and not is_path(line)), None)):
        raise InputError(
            f"{path} names {wrong[:200]!r}: a list on a server may name URLs, and paths below its folder or source.base"
        )
    return [line if "://" in line or line.startswith("/") or not base else f"{base.rstrip('/')}/{line}" for line in found]


def _of_server(url: str, config: Config) -> list[str]:
    glob = re.search(r"[*?\[]" if url.startswith("s3://") else r"\*", url)
    if not glob and _ARCHIVE.search(url):
        return [url]
    folder = url[: url.rindex("/", 0, glob.start()) + 1] if glob else url
    return [each for each in listed(folder, config) if (fnmatch.fnmatchcase(each, url) if glob else _ARCHIVE.search(each))]


def _once(paths: Sequence[str]) -> list[str]:
    """Two spellings of one file are one archive."""
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(path if "://" in path else os.path.realpath(path), path)
    return list(found.values())
