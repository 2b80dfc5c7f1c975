"""Records that are left out of those the index names, in one stretch or in many."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seiryu.corpus.crawl.tables import INDEXED
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.places import write_by_place
from seiryu.pipelines.stages.crawling import choose, ranges
from seiryu.pipelines.stages.crawling.index import place_of
from seiryu.pipelines.unit import Unit

CRAWLS = ("CC-MAIN-2024-30", "CC-MAIN-2024-33")
Row = tuple[str, int, str, str]  # archive, offset, host, digest


def rows_of(crawl: str) -> list[Row]:
    """300 records of 30 hosts in 20 archives, some payloads in both crawls; every seventh is listed twice."""
    rows = []
    for number in range(300):
        archive = f"crawl-data/{crawl}/segments/1.0/warc/{number % 20:05}.warc.gz"
        own = "AB"[crawl == CRAWLS[number % 3 == 0]]
        digest = "ABCDEFGH"[number % 8] + "ABCDEFGHIJKLMNOP"[number // 8 % 16] + own + "A" * 29
        rows += [(archive, 1000 * number, f"{number % 30}.jp", digest)] * (1 + (number % 7 == 0))
    return rows


def write(store: Store, crawl: str) -> str:
    rows = sorted(rows_of(crawl), key=lambda row: (place_of(row[0]), row[0], row[1]))
    archives, offsets, hosts, digests = (list(column) for column in zip(*rows, strict=True))
    columns = [
        pa.array([place_of(archive) for archive in archives], pa.uint64()), archives, offsets, [900] * len(rows),
        [f"http://{host}/{offset}" for host, offset in zip(hosts, offsets, strict=True)], digests,
        pa.array([place_of(host) for host in hosts], pa.uint64()),
        pa.array([offset * 7919 % 1009 for offset in offsets], pa.uint64()),
    ]  # fmt: skip
    table = pa.table([column if isinstance(column, pa.Array) else pa.array(column) for column in columns], schema=INDEXED)
    name = f"index/{crawl}.0.parquet"
    write_by_place(store, name, table, 64)
    return name


def chosen(folder: Path, memory: int, **asked: object) -> tuple[Counter[str], set[tuple[str, int]]]:
    """Why records are left out, and those that are planned in the end."""
    source = {"kind": "commoncrawl", "crawls": list(CRAWLS), "by": "index", "index": asked}
    config = Config.model_validate_json(json.dumps({"run": str(folder), "source": source, "engine": {"memory": memory}}))
    store = Store(str(folder))
    names = {crawl: write(store, crawl) for crawl in CRAWLS}
    sizes = {crawl: len(rows_of(crawl)) for crawl in CRAWLS}
    reads = tuple(((names[crawl],), number, sizes[crawl]) for number, crawl in enumerate(CRAWLS, 1))
    result = choose.work(Unit("choose", "all", {}, {}, reads=reads), config, store)
    result.counts.check("choose")
    left_out = tuple(output.name for output in result.outputs)
    planned: set[tuple[str, int]] = set()
    records = 0
    for crawl, name in names.items():
        for number in range(3):
            unit = Unit("ranges", f"{crawl}-{number:05d}", {"number": number, "of": 3}, {}, reads=((name,), left_out))
            made = ranges.work(unit, config, store)
            records += made.counts.records
            table = pq.read_table(folder / f"planned/{unit.name}.parquet")
            planned |= set(zip(table["warc"].to_pylist(), table["offset"].to_pylist(), strict=True))
    assert records == result.counts.kept
    return result.counts.rejected, planned


def by_hand(*, new_only: bool = False, max_per_host: int | None = None) -> set[tuple[str, int]]:
    seen, kept = set[str](), set[tuple[str, int]]()
    for crawl in CRAWLS:
        records = set(rows_of(crawl))
        left = {row for row in records if not (new_only and row[3] in seen)}
        seen |= {row[3] for row in records}
        for host in {row[2] for row in left}:
            of_host = sorted((row for row in left if row[2] == host), key=lambda row: row[1] * 7919 % 1009)
            kept |= {(archive, offset) for archive, offset, *_ in of_host[:max_per_host]}
    return kept


@pytest.mark.parametrize("memory", [2_000_000_000, 40_000])
@pytest.mark.parametrize(
    "asked", [{"max_per_host": 1}, {"max_per_host": 4}, {"new_only": True}, {"new_only": True, "max_per_host": 3}]
)
def test_what_is_left_out_is_what_one_would_leave_out_by_hand(asked: dict[str, object], memory: int, tmp_path: Path) -> None:
    why, planned = chosen(tmp_path, memory, **asked)
    assert planned == by_hand(**asked)
    assert why
    assert set(why) <= {"seen_before", "over_host_limit"}


def test_digests_are_told_apart_by_their_letters() -> None:
    texts = ["A" * 32, "A" * 23 + "B" + "A" * 8, "Z" * 32, "7" * 32, "", "A" * 31]
    high, low, there = choose.digest_words(pa.chunked_array([texts]))
    assert there.tolist() == [True, True, True, True, False, False]
    assert len(set(zip(high[:4].tolist(), low[:4].tolist(), strict=True))) == 4
    assert high.dtype == np.uint64
