"""`source: commoncrawl`: which files of which crawls a run is about, listed once and kept with the run.

What `latest` means changes with time, and a list may be asked for in vain later. So the lists of a run are kept in its directory
(`source/`) and hold as long as the config asks for the same crawls and sample; whoever wants newer ones deletes the folder. An archive
of a crawl never changes, so its path is its identity, and no server is asked about it before it is read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from seiryu.corpus import schema
from seiryu.corpus.crawl.collections import chosen_crawls, known_crawls
from seiryu.corpus.crawl.lists import Sample, read_paths, sampled
from seiryu.corpus.crawl.tables import LISTED
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.source_config import CommonCrawl
from seiryu.pipelines.sources.asking import read_small
from seiryu.pipelines.unit import digest

_TABLE, _RECORD = "source/listed.parquet", "source/listed.json"
_OF_WARC = "/subset=warc/"


@dataclass(frozen=True)
class Listing:
    """Files of the crawls, as (crawl, path below the root), in the order of the crawls.

    `archives`: those that may be read; empty where the index says which. `index`: of crawls whose records are wanted; `seen`: of
    crawls whose records are not wanted again. `when`: date of the lists.
    """

    crawls: tuple[str, ...]
    archives: tuple[tuple[str, str], ...]
    index: tuple[tuple[str, str], ...]
    seen: tuple[tuple[str, str], ...]
    when: str


def listing(config: Config) -> Listing:
    """The lists of a run: those in its directory, or else those that the servers give now.

    ConfigError for a crawl that there is none of, and where there are no such files; Unreachable, Forbidden, InputError where a
    list cannot be had: a listing that fails is a failure, never an empty one.
    """
    source = _source(config)
    record = _record(config)
    known = tuple(record["crawls"]) if record.get("of") == _crawls_key(source) else ()
    asked = config.model_dump_json(include={"run", "source", "fetch"})
    return _of_run(config, record) or _asked(asked, _key(source), known)


def _of_run(config: Config, record: dict[str, Any]) -> Listing | None:
    """The lists that the run has; None if it has none for this config, or they are damaged."""
    key = _key(_source(config))
    if record.get("key") != key:
        return None
    try:
        return _kept(config.run, key, record["listed"], tuple(record["crawls"]))
    except InputError:
        return None


def keep(config: Config) -> None:
    """Put the lists of a run into its directory, unless they are there."""
    if _of_run(config, _record(config)):
        return
    source, store, found = _source(config), Store(config.run), listing(config)
    rows = [(crawl, role, path) for role in ("archive", "index", "seen") for crawl, path in _of_role(found, role)]
    columns = dict(zip(LISTED.names, map(list, zip(*rows, strict=True)), strict=True))
    store.delete(_RECORD)  # which must not speak for another table
    with store.writing(_TABLE) as out:
        schema.write_table(schema.table(LISTED, columns), out)
    store.write_json(
        _RECORD, {"key": _key(source), "of": _crawls_key(source), "crawls": list(found.crawls), "listed": found.when}
    )


def _record(config: Config) -> dict[str, Any]:
    """What the run says of its lists; nothing if it has none, or what it says is damaged."""
    try:
        record = dict(Store(config.run).read_json(_RECORD))
    except (OSError, InputError, TypeError, ValueError):
        return {}
    return record if {"key", "of", "crawls", "listed"} <= record.keys() else {}


def url(config: Config, path: str) -> str:
    """Where a file of a crawl lies."""
    return f"{_source(config).base}/{path}"


def wanted_archives(config: Config) -> frozenset[str] | None:
    """Paths of the archives that records may be taken from, by the index; None where any may."""
    return frozenset(path for _, path in listing(config).archives) if _source(config).sample.asked else None


def _source(config: Config) -> CommonCrawl:
    assert isinstance(config.source, CommonCrawl)
    return config.source


def _of_role(found: Listing, role: str) -> tuple[tuple[str, str], ...]:
    return {"archive": found.archives, "index": found.index, "seen": found.seen}[role]


def _key(source: CommonCrawl) -> str:
    """What decides the lists."""
    asked: dict[str, Any] = source.model_dump(mode="json", include={"crawls", "collinfo", "by", "sample"})
    return digest([asked, source.index.seen_in if source.by == "index" else ()])


def _crawls_key(source: CommonCrawl) -> str:
    """What decides the crawls alone: another sample is one of the same."""
    return digest(source.model_dump(mode="json", include={"crawls", "collinfo"}))


@lru_cache(maxsize=4)
def _kept(run: str, key: str, when: str, crawls: tuple[str, ...]) -> Listing:  # noqa: ARG001 - what is kept depends on the key
    rows = schema.read_table(Store(run), _TABLE, LISTED).to_pydict()
    found: dict[str, list[tuple[str, str]]] = {"archive": [], "index": [], "seen": []}
    for crawl, role, path in zip(rows["crawl"], rows["role"], rows["path"], strict=True):
        found[role].append((crawl, path))
    return Listing(crawls, tuple(found["archive"]), tuple(found["index"]), tuple(found["seen"]), when)


@lru_cache(maxsize=2)
def _asked(config_json: str, _: str, crawls: tuple[str, ...]) -> Listing:
    """`crawls`: what the run has taken its crawls to be; none if it has not asked yet."""
    config = Config.model_validate_json(config_json)
    source = _source(config)
    known = known_crawls(read_small(source.collections, config), source.collections)
    crawls = crawls or _crawls(source.crawls, known, ("source", "crawls"))
    by_index = source.by == "index"
    seen = _crawls(source.index.seen_in, known, ("source", "index", "seen_in")) if by_index and source.index.seen_in else ()
    if again := sorted(set(seen) & set(crawls)):
        raise ConfigError(
            f"source.index.seen_in: {again[0]} is one of source.crawls too; new_only compares these",
            ("source", "index", "seen_in"),
        )
    archives = list(_archives(config, source, crawls)) if not by_index or source.sample.asked else []
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    index = _index_files(config, crawls) if by_index else ()
    return Listing(crawls, tuple(archives), tuple(index), tuple(_index_files(config, seen)), when)


def _crawls(wanted: Sequence[str], known: Sequence[str], field: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return chosen_crawls(wanted, known)
    except InputError as error:
        raise ConfigError(f"{'.'.join(field)}: {error}", field) from error


def _archives(config: Config, source: CommonCrawl, crawls: Sequence[str]) -> Iterator[tuple[str, str]]:
    sample = Sample(source.sample.count, source.sample.share, source.sample.segments)
    for crawl in crawls:
        paths = _listed(config, crawl, "warc.paths.gz")
        try:
            yield from ((crawl, path) for path in sampled(paths, sample))
        except InputError as error:
            raise ConfigError(f"source.sample: {crawl}: {error}", ("source", "sample")) from error


def _index_files(config: Config, crawls: Sequence[str]) -> Iterator[tuple[str, str]]:
    for crawl in crawls:
        paths = [path for path in _listed(config, crawl, "cc-index-table.paths.gz") if _OF_WARC in path]
        if not paths:
            raise InputError(f"{url(config, f'crawl-data/{crawl}/cc-index-table.paths.gz')} lists no file of subset=warc")
        yield from ((crawl, path) for path in paths)


def _listed(config: Config, crawl: str, name: str) -> list[str]:
    where = url(config, f"crawl-data/{crawl}/{name}")
    paths = read_paths(read_small(where, config), where)
    wrong = next((path for path in paths if f"/{crawl}/" not in path and f"crawl={crawl}/" not in path), None)
    if wrong:
        raise InputError(f"{where} lists {wrong}, which is no file of {crawl}")
    return paths
