"""Files of the columnar index in, wanted records out: one unit is one file of the index.

Every row is counted: kept, or under the first condition that it does not fulfil. Of the crawls in `index.seen_in` the rows that would
be wanted are kept too, for their digests alone, and counted as of an earlier crawl.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus.crawl.columnar import REASONS, Selection, read_index
from seiryu.corpus.crawl.lists import is_path, read_lines
from seiryu.corpus.crawl.tables import INDEXED
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store, Written
from seiryu.filters.addresses.hosts import is_listable, normal_host
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import write_by_place
from seiryu.pipelines.source_config import CommonCrawl
from seiryu.pipelines.sources import commoncrawl
from seiryu.pipelines.sources.asking import counting, open_parts, read_small
from seiryu.pipelines.sources.names import unit_names
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Sidecar, Stage, Unit, digest

_ROW_GROUP, _ROWS = 4096, 1_000_000
EARLIER = "earlier_crawl"


def wanted(config: Config) -> bool:
    return isinstance(config.source, CommonCrawl) and config.source.by == "index"


def units(state: State) -> list[Unit]:
    listed = commoncrawl.listing(state.config)
    files = [(crawl, path, False) for crawl, path in listed.index] + [(crawl, path, True) for crawl, path in listed.seen]
    names = unit_names([f"{crawl}/{crawl}-{path.rsplit('/', 1)[-1].removesuffix('.parquet')}" for crawl, path, _ in files])
    archives = commoncrawl.wanted_archives(state.config)  # a sample is of the crawls that are wanted
    sample = {} if archives is None else {"archives": _hash(archives)}
    return [
        Unit("index", name, {"crawl": crawl, "seen": seen}, {"path": path} | ({} if seen else sample),
             commoncrawl.url(state.config, path))
        for name, (crawl, path, seen) in zip(names, files, strict=True)
    ]  # fmt: skip


def settings(config: Config) -> dict[str, Any]:
    chosen = selection(config)
    return {
        "languages": list(chosen.languages), "language": chosen.language, "tlds": list(chosen.tlds), "hosts": _hash(chosen.hosts),
        "mime": list(chosen.mime), "status": list(chosen.status), "truncated": chosen.truncated,
    }  # fmt: skip


def reasons(_: Config) -> tuple[str, ...]:
    return (*REASONS, EARLIER)


def selection(config: Config) -> Selection:
    """What the config wants of the index. ConfigError if a host of it, or its list of hosts, cannot be read."""
    return _selection(config.model_dump_json(include={"run", "source", "fetch"}))


@lru_cache(maxsize=2)
def _selection(section: str) -> Selection:
    config = Config.model_validate_json(section)
    assert isinstance(config.source, CommonCrawl)
    asked = config.source.index
    named = _hosts(asked.hosts, "hosts")
    listed = _hosts(read_lines(read_small(asked.host_list, config), asked.host_list), "host_list") if asked.host_list else []
    if asked.host_list and not listed:
        raise ConfigError(f"source.index.host_list: {asked.host_list} names no host", ("source", "index", "host_list"))
    return Selection(
        asked.languages, asked.language, asked.tlds, frozenset([*named, *listed]), asked.mime, asked.status, asked.truncated
    )


def _hosts(written: Sequence[str], field: str) -> list[str]:
    """Hosts in the form of the index, comments left out."""
    texts = [text for line in written if (text := line.partition("#")[0].strip())]
    found = [normal_host(text.removeprefix("*.")) for text in texts]
    for text, host in zip(texts, found, strict=True):
        if not is_listable(f"example.{host}"):
            raise ConfigError(f"source.index.{field}: {text[:80]!r} is no host", ("source", "index", field))
    return found


def work(unit: Unit, config: Config, store: Store) -> Result:
    """A table for each million of wanted rows, so that a file in which all are wanted fits into memory."""
    counts, outputs, found = Counts(), list[Written](), 0
    parts, held = [INDEXED.empty_table()], 0
    archives = None if unit.params["seen"] else commoncrawl.wanted_archives(config)
    with counting(config, counts), open_parts(unit.path, config) as file:
        for rows, told in read_index(file, unit.path, selection(config), archives):
            counts.records += told.pop("rows")
            counts.rejected.update(told)
            parts.append(_planned(rows, unit))
            held, found = held + len(rows), found + len(rows)
            if held >= _ROWS:
                outputs.append(_write(parts, unit, len(outputs), store))
                parts, held = [INDEXED.empty_table()], 0
    if held or not outputs:
        outputs.append(_write(parts, unit, len(outputs), store))
    if unit.params["seen"]:
        counts.rejected[EARLIER] = found
    else:
        counts.kept = found
    return Result(counts, outputs)


def _write(parts: list[pa.Table], unit: Unit, number: int, store: Store) -> Written:
    table = pa.concat_tables(parts).sort_by([("place", "ascending"), ("warc", "ascending"), ("offset", "ascending")])
    return write_by_place(store, f"index/{unit.name}.{number}.parquet", table.combine_chunks(), _ROW_GROUP, ["warc"])


def tables(done: Sidecar) -> tuple[str, ...]:
    """Names of the tables that a unit left."""
    return tuple(output.name for output in done.outputs)


def _planned(rows: pa.Table, unit: Unit) -> pa.Table:
    hosts, archives = rows["url_host_name"].combine_chunks(), rows["warc_filename"].combine_chunks()
    for name in archives.unique().to_pylist():
        if not is_path(name) or crawl_of(name) != unit.params["crawl"]:
            raise InputError(f"{unit.path} names {name[:200]!r} as an archive, which is no path of one of {unit.params['crawl']}")
    picks = [int.from_bytes(hashlib.blake2b(url.encode(), digest_size=8).digest(), "big") for url in rows["url"].to_pylist()]
    columns = [
        _hashes(archives), archives, rows["warc_record_offset"], rows["warc_record_length"], rows["url"],
        pc.fill_null(rows["content_digest"], ""), _hashes(hosts), np.array(picks, np.uint64),
    ]  # fmt: skip
    return pa.table([pa.array(c) if isinstance(c, np.ndarray) else c for c in columns], schema=INDEXED)


def _hashes(names: pa.Array) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """A 64-bit hash of each name, worked out once for each that is distinct."""
    coded = names.dictionary_encode()
    known = [place_of(name) for name in coded.dictionary.to_pylist()]
    found: np.ndarray[Any, np.dtype[np.uint64]] = np.array(known, np.uint64)[coded.indices.to_numpy(zero_copy_only=False)]
    return found


def crawl_of(archive: str) -> str:
    """The crawl that an archive belongs to, by its path: crawl-data/<crawl>/..."""
    return archive.split("/")[1] if archive.count("/") > 1 else ""


def place_of(name: str) -> int:
    """Where an archive stands in the order of all tables of records."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def _hash(names: Collection[str]) -> str:
    return digest(sorted(names))


STAGE = Stage(
    "index", 1, "index rows", settings, units, work, reasons, on_documents=False, wanted=wanted, outside=True, whole=True
)
