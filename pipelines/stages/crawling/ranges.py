"""Chosen records of all files of the index, put together by archive: one unit is a stretch of all archives.

`planned/` has the records in the order of their archives and offsets, `archives/` a row for each archive with what it costs to fetch
them: the units of `extract` are made of these rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.crawl.ranges import merged
from seiryu.corpus.crawl.tables import ARCHIVES, INDEXED, LEFT_OUT, PLANNED
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import read_stretch, stretch, write_by_place
from seiryu.pipelines.source_config import CommonCrawl, Index
from seiryu.pipelines.stages.crawling import choose, index
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

TWICE = "listed_twice"
_ROW_GROUP = 1024  # about the wanted records of an archive
_ROWS = 1_000_000  # of a unit, about


def asked(config: Config) -> Index:
    assert isinstance(config.source, CommonCrawl)
    return config.source.index


def units(state: State) -> list[Unit]:
    indexed, chosen = state.completed("index"), state.completed("choose")
    if not indexed or not state.whole("index", "choose"):
        return []
    left_out, found = choose.tables(state), list[Unit]()
    for crawl in sorted({made.made_of["params"]["crawl"] for made in indexed.values() if not made.made_of["params"]["seen"]}):
        of_crawl = {name: made for name, made in indexed.items() if made.made_of["params"]["crawl"] == crawl}
        inputs = {"index": identity(of_crawl), "choose": identity(chosen)}
        reads = (tuple(name for made in of_crawl.values() for name in index.tables(made)), left_out)
        parts = max(1, -(-sum(made.counts.kept for made in of_crawl.values()) // _ROWS))
        found += [
            Unit("ranges", f"{crawl}-{number:05d}", {"number": number, "of": parts}, inputs, reads=reads)
            for number in range(parts)
        ]
    return found


def settings(config: Config) -> dict[str, Any]:
    return asked(config).model_dump(mode="json", include={"max_gap", "max_waste"})


def reasons(_: Config) -> tuple[str, ...]:
    return (TWICE,)


def work(unit: Unit, config: Config, store: Store) -> Result:
    indexed, left_out = unit.reads
    first, last = stretch(unit.params["number"], unit.params["of"])
    parts = [read_stretch(store, name, INDEXED, PLANNED.names, first, last) for name in indexed]
    table = pa.concat_tables([PLANNED.empty_table(), *parts])
    if left_out:
        gone = pa.concat_tables(read_stretch(store, name, LEFT_OUT, ["place", "offset"], first, last) for name in left_out)
        table = (
            table.join(gone, ["place", "offset"], join_type="left anti", use_threads=False).select(PLANNED.names).cast(PLANNED)
        )
    table = table.sort_by([("place", "ascending"), ("warc", "ascending"), ("offset", "ascending")]).combine_chunks()
    counts = Counts(records=len(table))
    table = _once(table)
    counts.kept = len(table)
    counts.rejected[TWICE] = counts.records - counts.kept
    planned = write_by_place(store, f"planned/{unit.name}.parquet", table, _ROW_GROUP, ["warc"])
    archives = _archives(table, asked(config))
    for name in ("bytes", "requests", "fetched"):
        counts.extra[name] = sum(archives[name].to_pylist())
    target = f"archives/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(archives, out)
    return Result(counts, [planned, out.written(target)])


def _once(table: pa.Table) -> pa.Table:
    """A record that two rows of the index name is one record."""
    return table.filter(pa.array(choose.changes(_codes(table), table["offset"].to_numpy())))


def _codes(table: pa.Table) -> np.ndarray[Any, Any]:
    """A number for each archive."""
    return np.asarray(table["warc"].combine_chunks().dictionary_encode().indices)


def _archives(table: pa.Table, asked: Index) -> pa.Table:
    """A row for each archive."""
    rows: dict[str, list[Any]] = {name: [] for name in ARCHIVES.names}
    for place, warc, planned in by_archive(table):
        offsets, lengths = planned["offset"].to_numpy(), planned["length"].to_numpy()
        try:
            ranges = merged(offsets, lengths, asked.max_gap, asked.max_waste)
        except InputError as error:
            raise InputError(f"{warc}: {error}") from error
        values = (
            place,
            warc,
            len(planned),
            int(lengths.sum()),
            len(ranges),
            sum(part.size for part in ranges),
            rows_sha256(planned),
        )
        for name, value in zip(ARCHIVES.names, values, strict=True):
            rows[name].append(value)
    return schema.table(ARCHIVES, rows)


def by_archive(table: pa.Table) -> list[tuple[int, str, pa.Table]]:
    """(place, archive, its records) of a table that lies sorted by them."""
    begins = np.flatnonzero(choose.changes(_codes(table))).tolist()
    stops = [*begins[1:], len(table)]
    return [
        (table["place"][begin].as_py(), table["warc"][begin].as_py(), table.slice(begin, stop - begin))
        for begin, stop in zip(begins, stops, strict=True)
    ]


def rows_sha256(planned: pa.Table) -> str:
    """What tells that the same records of an archive are wanted."""
    digest = hashlib.sha256()
    for values in zip(*(planned[name].to_pylist() for name in ("offset", "length", "url", "digest")), strict=True):
        digest.update("\0".join(map(str, values)).encode() + b"\n")
    return digest.hexdigest()


def all_planned(state: State) -> Counts | None:
    """Sums over all records to fetch; None while they are not all known."""
    known = state.completed("ranges") and state.whole("index", "choose", "ranges")
    return state.counts("ranges") if known else None


def archives_with_records(state: State) -> list[tuple[str, str]]:
    """(path, sha256 of its wanted records) of each archive; none unless all units are completed."""
    done = state.completed("ranges")
    if not all_planned(state):
        return []
    return list(
        _archives_of(
            state.store.root, tuple(made.output(f"archives/{name}.parquet").sha256 for name, made in done.items()), tuple(done)
        )
    )


@lru_cache(maxsize=2)
def _archives_of(root: str, _: Sequence[str], names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for name in names:
        table = schema.read_table(Store(root), f"archives/{name}.parquet", ARCHIVES, ["warc", "rows"])
        found += zip(table["warc"].to_pylist(), table["rows"].to_pylist(), strict=True)
    return tuple(sorted(found))


def parts(state: State) -> dict[str, int]:
    """Into how many stretches the archives of each crawl are cut."""
    return {name.rpartition("-")[0]: made.made_of["params"]["of"] for name, made in state.completed("ranges").items()}


def planned_of(store: Store, warc: str, parts: dict[str, int]) -> pa.Table:
    """The wanted records of an archive, in its order. `parts`: as above."""
    place, crawl = index.place_of(warc), index.crawl_of(warc)
    of = parts[crawl]
    number = next(n for n in (place * of >> 64, (place * of >> 64) + 1) if stretch(n, of)[1] >= place)
    table = read_stretch(store, f"planned/{crawl}-{number:05d}.parquet", PLANNED, PLANNED.names, place, place)
    return table.filter(pc.equal(table["warc"], warc))


STAGE = Stage("ranges", 1, "index records", settings, units, work, reasons, on_documents=False, wanted=index.wanted, whole=True)
