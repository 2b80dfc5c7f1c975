"""The one door to servers: every request of a run goes through a `Remote` that keeps the cluster's budget and says who asks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import IO, Any

from seiryu.corpus import inputs
from seiryu.corpus.errors import InputError
from seiryu.corpus.remote.budget import Limits
from seiryu.corpus.remote.errors import EndsBefore, NotThere
from seiryu.corpus.remote.remote import Manners, Remote, is_remote
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.shared_budget import budget_for
from seiryu.pipelines.source_config import Fetch
from seiryu.pipelines.version import VERSION

LIST = re.compile(r"\.(paths|txt)(\.gz)?$", re.IGNORECASE)  # of archives, a line each


def remote(config: Config, url: str) -> Remote:
    """Who asks for `url`. ConfigError if the config does not say whom its server can turn to."""
    if not config.fetch.contact:
        raise ConfigError(
            f"fetch.contact: {url} lies on a server, which is told who asks: give an e-mail address or a URL of yours",
            ("fetch", "contact"),
        )
    return _remote(config.fetch.model_dump_json(), os.getpid())


@lru_cache(maxsize=2)
def _remote(section: str, _: int) -> Remote:
    fetch = Fetch.model_validate_json(section)
    manners = Manners(
        user_agent=f"seiryu/{VERSION} (+{fetch.contact})", timeout=fetch.timeout, attempts=fetch.attempts, patience=fetch.patience,
        signed=fetch.signed, endpoint=fetch.endpoint,
    )  # fmt: skip
    return Remote(manners, budget_for(limits(fetch)))


def limits(fetch: Fetch) -> Limits:
    """What the whole cluster may ask for."""
    return Limits(fetch.requests_a_second, fetch.connections, fetch.bytes_a_second)


def asks_servers(config: Config) -> bool:
    """Whether anything that the source names lies on a server, or may, since a list names it."""
    source = config.source
    if not config.fetch.contact:
        return False
    if source.kind == "files":
        return any(is_remote(path) or LIST.search(path) for path in source.paths)
    return any(is_remote(path) for path in (source.base, source.collections, source.index.host_list))


def used(config: Config) -> tuple[int, int]:
    """(requests sent, bytes read) by this process so far."""
    return _remote(config.fetch.model_dump_json(), os.getpid()).used if asks_servers(config) else (0, 0)


@contextmanager
def counting(config: Config, counts: Counts) -> Iterator[None]:
    """Count what servers are asked for meanwhile, as the sums `requests` and `bytes_fetched`."""
    before = used(config)
    yield
    for name, first, now in zip(("requests", "bytes_fetched"), before, used(config), strict=True):
        if now > first:
            counts.extra[name] += now - first


def open_archive(path: str, config: Config) -> IO[bytes]:
    """An archive by path or URL, seekable; of a server it is streamed, not stored. InputError when it is not there."""
    return remote(config, path).open(path) if is_remote(path) else inputs.open_input(path)


def open_parts(path: str, config: Config) -> IO[bytes]:
    """A file by path or URL of which only parts are read, such as a Parquet table. InputError when it is not there."""
    return remote(config, path).open_parts(path) if is_remote(path) else inputs.open_input(path)


class Disk:
    """Byte ranges of files that lie on no server, as `Remote` has them of those that do."""

    def read_range(self, path: str, first: int, size: int) -> bytes:
        """Exactly these bytes. NotThere, or EndsBefore."""
        try:
            opened = inputs.open_input(path)
        except InputError as error:
            raise NotThere(str(error)) from error
        with opened as file:
            file.seek(first)
            data = file.read(size)
        if len(data) != size:
            raise EndsBefore(f"{path} ends before byte {first + size:,}; bytes {first:,}-{first + size - 1:,} do not exist")
        return data


def ranges_of(path: str, config: Config) -> Remote | Disk:
    """Who reads byte ranges of an archive by path or URL."""
    return remote(config, path) if is_remote(path) else Disk()


def read_small(path: str, config: Config) -> bytes:
    """All of a small file by path or URL, such as a list. InputError when it is not there."""
    if is_remote(path):
        return bytes(_once("read", path, config))
    with inputs.open_input(path) as file:
        return file.read()


def identity(path: str, config: Config) -> dict[str, Any]:
    """What tells that an archive is still the same, as `inputs.identity`."""
    return dict(_once("identity", path, config)) if is_remote(path) else inputs.identity(path)


def listed(folder: str, config: Config) -> list[str]:
    """URLs of what lies in a folder of a server."""
    return list(_once("list", folder, config))


def _once(method: str, url: str, config: Config) -> Any:
    """What a server answers to a method of `Remote`, asked for once a command."""
    remote(config, url)  # ConfigError
    return _answer(method, url, config.fetch.model_dump_json())


@cache
def _answer(method: str, url: str, fetch: str) -> Any:
    return getattr(_remote(fetch, os.getpid()), method)(url)
