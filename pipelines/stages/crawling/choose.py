"""Which of the wanted records are left out after all: payloads of earlier crawls, and hosts with too many records. One unit.

Both need all records at once: a digest may stand in any file, and a host's records lie in several. Only digests (120 of 160 bits),
hashes of hosts and places are held, and only those of a stretch of all digests or hosts at a time, so that these stay within half of
`engine.memory`; each stretch reads these columns of all files again. Beside them a record that is left out costs 4 bytes. That is one
process: of many crawls take one after the other, with `seen_in`. What is left out is written by place, a table a stretch, for `ranges`
to pass over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.crawl.tables import INDEXED, LEFT_OUT
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import stretch, write_by_place
from seiryu.pipelines.source_config import CommonCrawl, Index
from seiryu.pipelines.stages.crawling import index
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

SEEN, OVER = "seen_before", "over_host_limit"
_BYTES_A_ROW = 45  # of a pass: two words of digest, or host, pick, place and offset; crawl, file and row
_ROW_GROUP = 4096

Ints = npt.NDArray[Any]
Out = dict[int, list[tuple[Ints, str]]]  # number of a file -> rows that are left out, and why
File = tuple[str, int]  # a table of `index`, and the number of its crawl; 0: one whose records are not wanted again


def wanted(config: Config) -> bool:
    return index.wanted(config) and _asked(_index(config))


def _index(config: Config) -> Index:
    assert isinstance(config.source, CommonCrawl)
    return config.source.index


def _asked(asked: Index) -> bool:
    return bool(asked.seen_in) or asked.new_only or asked.max_per_host is not None


def units(state: State) -> list[Unit]:
    done = state.completed("index")
    if not done or not state.whole("index"):
        return []
    crawls = sorted({made.made_of["params"]["crawl"] for made in done.values() if not made.made_of["params"]["seen"]})
    reads = tuple(
        (index.tables(made), 0 if (params := made.made_of["params"])["seen"] else 1 + crawls.index(params["crawl"]),
         made.counts.kept + made.counts.rejected[index.EARLIER])
        for made in done.values()
    )  # fmt: skip
    return [Unit("choose", "all", {}, {"index": identity(done)}, reads=reads)]


def tables(state: State) -> tuple[str, ...]:
    """Names of the tables of what is left out; none if nothing is asked to be."""
    return tuple(output.name for made in state.completed("choose").values() for output in made.outputs)


def settings(config: Config) -> dict[str, Any]:
    return _index(config).model_dump(mode="json", include={"new_only", "max_per_host"})


def reasons(_: Config) -> tuple[str, ...]:
    return (SEEN, OVER)


def work(unit: Unit, config: Config, store: Store) -> Result:
    asked, rows = _index(config), sum(rows for _, _, rows in unit.reads)
    files: list[File] = [(name, crawl) for names, crawl, _ in unit.reads for name in names]
    passes = max(1, -(-rows * _BYTES_A_ROW * 2 // max(1, config.engine.memory // 2)))
    out: Out = {}
    for file, row in _seen(store, files, passes, asked.new_only):
        _note(out, file, row, SEEN)
    if asked.max_per_host is not None:
        for file, row in _over(store, files, passes, asked.max_per_host, out):
            _note(out, file, row, OVER)
    counts = Counts(records=sum(rows for _, crawl, rows in unit.reads if crawl))
    outputs = []
    for number in range(passes):
        table = _left_out(store, files, out, number, passes)
        counts.rejected.update({each["values"]: each["counts"] for each in pc.value_counts(table["reason"]).to_pylist()})
        outputs.append(write_by_place(store, f"left_out/{number:05d}.parquet", table, _ROW_GROUP, ["reason"]))
    counts.kept = counts.records - counts.rejected.total()
    return Result(counts, outputs)


def _note(out: Out, file: Ints, row: Ints, why: str) -> None:
    if not len(file):
        return
    order = np.lexsort((row, file))
    numbers, begins = np.unique(file[order], return_index=True)
    for number, rows in zip(numbers.tolist(), np.split(row[order].astype(np.uint32), begins[1:]), strict=True):
        out.setdefault(number, []).append((rows, why))


def _read(store: Store, name: str, columns: list[str]) -> pa.Table:
    return schema.read_table(store, name, INDEXED, columns)


def _stretches(keys: Ints, passes: int, number: int) -> Ints:
    """Rows whose key lies in a stretch of all 64-bit keys."""
    first, last = stretch(number, passes)
    return np.flatnonzero((keys >= np.uint64(first)) & (keys <= np.uint64(last)))


def _seen(store: Store, files: Sequence[File], passes: int, new_only: bool) -> Iterator[tuple[Ints, Ints]]:
    """(number of the file, row) of records whose payload an earlier crawl holds."""
    if not new_only and all(crawl for _, crawl in files):
        return
    for number in range(passes):
        parts: list[tuple[Ints, ...]] = []
        for place, (name, crawl) in enumerate(files):
            high, low, there = digest_words(_read(store, name, ["digest"])["digest"])
            rows = _stretches(high, passes, number)
            rows = rows[there[rows]]
            parts.append((high[rows], low[rows], np.full(len(rows), crawl, np.int16), np.full(len(rows), place, np.int32), rows))
        high, low, crawls, place_of, row = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((crawls, low, high))
        high, low, crawls = high[order], low[order], crawls[order]
        begins = np.flatnonzero(changes(high, low))
        first = np.repeat(crawls[begins], np.diff(np.append(begins, len(order))))  # the earliest crawl that holds the payload
        known = (crawls > first) & ((first == 0) | new_only)
        yield place_of[order][known], row[order][known]


def _over(store: Store, files: Sequence[File], passes: int, most: int, out: Out) -> Iterator[tuple[Ints, Ints]]:
    """(number of the file, row) of records beyond what a host may have in a crawl; those with the lowest hash of their address stay."""
    for number in range(passes):
        parts: list[tuple[Ints, ...]] = []
        for place, (name, crawl) in enumerate(files):
            if not crawl:
                continue
            table = _read(store, name, ["host", "pick", "place", "offset"])
            host, pick, where, offset = (table[column].to_numpy() for column in ("host", "pick", "place", "offset"))
            left = np.ones(len(table), bool)
            for rows, _ in out.get(place, ()):
                left[rows] = False
            rows = _stretches(host, passes, number)
            rows = rows[left[rows]]
            number_of = np.full(len(rows), crawl, np.int16), np.full(len(rows), place, np.int32)
            parts.append((host[rows], pick[rows], where[rows], offset[rows], *number_of, rows))
        host, pick, where, offset, crawls, place_of, row = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((offset, where, pick, crawls, host))
        first = changes(host[order], crawls[order])
        another = first | changes(where[order], offset[order])  # a record that two rows name is one
        rank = np.cumsum(another, dtype=np.int64)
        rank -= np.repeat(rank[first], np.diff(np.append(np.flatnonzero(first), len(order))))
        yield place_of[order][rank >= most], row[order][rank >= most]


def changes(*columns: Ints) -> npt.NDArray[np.bool_]:
    """Where a row differs from the one before it; the first one does."""
    different = np.ones(len(columns[0]), bool)
    if len(different):
        different[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return different


def _left_out(store: Store, files: Sequence[File], out: Out, number: int, passes: int) -> pa.Table:
    """What is left out of a stretch of all archives, in their order."""
    parts = [LEFT_OUT.empty_table()]
    first, last = stretch(number, passes)
    for file, found in sorted(out.items()):
        table = _read(store, files[file][0], ["place", "offset"])
        place = table["place"].to_numpy()
        begin, end = np.searchsorted(place, np.uint64(first)), np.searchsorted(place, np.uint64(last), side="right")
        for rows, why in found:
            chosen = table.take(pa.array(rows[(rows >= begin) & (rows < end)]))
            parts.append(chosen.append_column(LEFT_OUT.field("reason"), pa.repeat(why, len(chosen))).cast(LEFT_OUT))
    return pa.concat_tables(parts).sort_by([("place", "ascending"), ("offset", "ascending")]).combine_chunks()


def digest_words(digests: pa.ChunkedArray) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """The first 120 bits of SHA-1 digests in base 32 as two words, spread over all 64-bit values; and which are digests."""
    there = pc.equal(pc.binary_length(digests), 32)
    texts = pc.if_else(there, digests, "A" * 32).combine_chunks()
    letters = np.frombuffer(texts.buffers()[2], np.uint8)[texts.offset * 32 : (texts.offset + len(texts)) * 32].reshape(-1, 32)
    five = np.where(letters >= 65, letters - 65, letters - 24)  # A-Z are 0 to 25, 2-7 are 26 to 31
    words = []
    for begin in (0, 12):
        word = np.zeros(len(texts), np.uint64)
        for place in range(begin, begin + 12):
            word = (word << np.uint64(5)) | (five[:, place] & np.uint8(31)).astype(np.uint64)
        words.append(word << np.uint64(4))
    return words[0], words[1], there.to_numpy()


STAGE = Stage("choose", 1, "index records", settings, units, work, reasons, on_documents=False, wanted=wanted, whole=True)
