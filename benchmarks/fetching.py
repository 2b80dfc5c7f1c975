"""What fetching adds to reading: archives through a stream, records by ranges, and the constants that `seiryu plan` reckons with.

All over loopback, from an nginx without TLS and, for information, from moto's S3, which is Python and slow. The archive is as large as
a hundred megabytes, one page in twenty Japanese; the crawl whose index is asked is the miniature of the tests, made of the archives of
--input, so half of it is wanted, where it is a fiftieth of a true one. Core time is the CPU seconds of this process and of the child
that extracts, starting it left out. Pages of the input are small: what reading costs a page as large as Common Crawl's (PLAIN)
follows from pages of two sizes.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.inputs import MAX_PAGE, ROOT, SAMPLES, Inputs
from benchmarks.mixed_archive import write_mixed, write_others
from benchmarks.timing import Figure, alternate, rate
from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.crawl.columnar import columns_read
from seiryu.corpus.crawl.planned import Fetching, planned_records
from seiryu.corpus.remote.budget import Budget, Limits, LocalBudget
from seiryu.corpus.remote.remote import Manners, Remote
from seiryu.corpus.storage import Store
from seiryu.pipelines import crawl_plan as planned
from seiryu.pipelines.config import Config
from seiryu.pipelines.engine.attempt import attempt
from seiryu.pipelines.engine.cluster import cluster
from seiryu.pipelines.shared_budget import SharedBudget
from seiryu.pipelines.sources import commoncrawl
from seiryu.pipelines.sources.asking import remote
from seiryu.pipelines.stages import extract
from seiryu.pipelines.stages.crawling import index, ranges
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Unit

sys.path.append(str(ROOT / "tests" / "crawl"))  # the miniature crawl and the servers

import servers
from mini_crawl import MiniCrawl, Shape, make_mini_crawl

JAPANESE_PAGES = 760
PLAIN = 4.5e9 / planned.PAGES  # bytes of a page of Common Crawl with its records: 4 to 5 GB an archive
ROWS, WANTED_ROWS = 1_000_000, planned.WANTED / planned.PAGES
ROUNDS, MANY = 3, 9  # of what takes seconds, and of what takes less
_ASKS = {"contact": "benchmark@example.org", "requests_a_second": 10_000, "connections": 1000}
_LIMITS = Limits(10_000, 1000)


def figures(inputs: Inputs) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "web").mkdir()
        archive = folder / "web" / "mixed.warc.gz"
        folders = list(dict.fromkeys([SAMPLES, inputs.folder]))
        write_mixed(archive, folders, JAPANESE_PAGES)
        yield from streamed(archive, folder)
        yield from of_a_page(archive, folder, folders)
        made = make_mini_crawl(folder / "crawl", inputs.archives, Shape(row_group_rows=ROWS))
        a_range = yield from by_index(made, folder)
        yield from of_a_row(made, folder)
        a_ticket = yield from of_the_budget(folder)
        yield _planned("a range with its ticket, core time", (a_range + a_ticket) * 1e3, "ms", planned.REQUEST)


def streamed(archive: Path, folder: Path) -> Iterator[Figure]:
    """The same archive from disk and through streams: its records only, and the whole stage."""
    size = archive.stat().st_size / 1e6
    with servers.nginx(archive.parent) as web, servers.s3(archive.parent) as store:
        url = web.url + archive.name
        s3 = Manners("seiryu-benchmark (+benchmark@example.org)", endpoint=store.url.rstrip("/"))
        opened: dict[str, Callable[[], Any]] = {
            "disk": partial(archive.open, "rb"),
            "nginx": partial(_remote().open, url),
            "S3": partial(_remote(s3).open, f"s3://{servers.BUCKET}/{archive.name}"),
        }
        rounds = alternate({name: partial(_records, archive.name, way) for name, way in opened.items()}, MANY)
        yield rounds.figure(f"records of {size:.0f} MB, from nginx", "nginx", "MB/s", rate(size), "disk")
        yield rounds.figure(f"records of {size:.0f} MB, from moto's S3", "S3", "MB/s", rate(size), "disk")
        config = _config(folder / "run", {"paths": [str(archive)]})
        tasks = {}
        for name, path in {"disk": str(archive), "nginx": url}.items():
            (unit,) = extract.units_of_files([path], config)
            tasks[name] = partial(extract.work, unit, config, Store(config.run))
        rounds = alternate(tasks, ROUNDS)
        yield rounds.figure(f"the whole stage on {size:.0f} MB, from nginx", "nginx", "MB/s", rate(size), "disk")


def of_a_page(archive: Path, folder: Path, folders: list[Path]) -> Iterator[Figure]:
    """Core time of reading a page, by its size, and of extracting one that the rapid test takes."""
    config = _config(folder / "run", {"paths": [str(archive)]})
    costs: dict[str, tuple[float, float, int]] = {}
    for name, least in (("small", 0), ("large", 60_000)):
        others = folder / f"{name}.warc.gz"
        write_others(others, folders, least)
        pages, _, own, _ = _median(others, config, MANY)
        costs[name] = own / pages, _plain(others) / pages, pages
    (small, small_size, _), (large, large_size, number) = costs["small"], costs["large"]
    a_byte = (large - small) / (large_size - small_size)
    reading = small + a_byte * (PLAIN - small_size)
    what = f"reading, a page of {PLAIN / 1e3:.0f} kB"
    yield _planned(
        f"{what}, from {small_size / 1e3:.0f} and {large_size / 1e3:.0f} ({number:,} pages)", reading * 1e3, "ms", planned.READING
    )
    pages, taken, own, child = _median(archive, config, ROUNDS)
    plain = small + a_byte * (_plain(archive) / pages - small_size)
    yield Figure(
        f"the archive: {pages:,} pages of {_plain(archive) / pages / 1e3:.0f} kB, taken by the rapid test", taken, "pages"
    )
    extraction = (own + child - pages * plain) / taken
    yield _planned("extraction, a page that is taken", extraction * 1e3, "ms", planned.EXTRACTION)


def by_index(made: MiniCrawl, folder: Path) -> Generator[Figure, None, float]:
    """What a server sends for the chosen records, and for the index. Returns core seconds of a range, with a budget of this process."""
    with servers.nginx(made.root) as web:
        source = {"kind": "commoncrawl", "crawls": [f"{made.crawls[0]}..latest"], "base": web.url, "by": "index"}
        config = _config(folder / "by_index", source)
        state = State(Store(config.run), config)
        commoncrawl.keep(config)
        web.forget()
        for stage in (index.STAGE, ranges.STAGE):
            for unit in state.look(stage).to_make:
                if (outcome := attempt(stage, unit, config)).kind != "done":
                    raise SystemExit(f"{unit.name}: {outcome.reason}")
            state.look(stage, again=False)
        of_index = sum(row.bytes for row in web.log() if row.path.endswith(".parquet"))
        web.forget()
        units, chosen = extract.units(state), state.counts("ranges")
        fetch = partial(_fetched, units, config, Store(config.run))
        number = fetch(remote(config, web.url))
        asked = web.log()
        sent = sum(row.bytes for row in asked)
        wanted = chosen.extra["bytes"]
        if number != chosen.kept or {row.status for row in asked} != {206}:
            raise SystemExit(f"{number} of {chosen.kept} records came, with {sorted({row.status for row in asked})}")
        yield Figure(f"records chosen of {state.counts('index').records:,} rows, in {len(asked):,} requests", number, "records")
        yield Figure(f"sent for {wanted / 1e6:.1f} MB of records, a byte of theirs", sent / wanted, "B")
        rows = state.counts("index").records
        yield Figure("sent of the index, a row", of_index / rows, "B", against="planned", other=planned.ROW_BYTES,
                     ratio=planned.ROW_BYTES * rows / of_index)  # fmt: skip
        yield Figure("the index's tables, a row in the columns that are read", _row_bytes(made, config), "B")
        tasks = (partial(fetch, _remote()), partial(_from_disk, units, config, made.root))
        streamed, from_disk = (median(_cpu_of(task) for _ in range(MANY)) for task in tasks)
    return (streamed - from_disk) / len(asked)


def of_a_row(made: MiniCrawl, folder: Path) -> Iterator[Figure]:
    """Core time of a row of an index in which as few are wanted as in a true one; its addresses and digests are all different."""
    some = pa.concat_tables([made.rows(crawl) for crawl in made.crawls])
    wanted = pc.fill_null(pc.match_substring(some["content_languages"], "jpn"), False).to_numpy()
    draw = np.random.default_rng(1)
    picked = np.where(
        draw.random(ROWS) < WANTED_ROWS, draw.choice(np.flatnonzero(wanted), ROWS), draw.choice(np.flatnonzero(~wanted), ROWS)
    )
    rows = some.take(pa.array(np.sort(picked)))
    letters = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "S1")
    archive = "crawl-data/CC-MAIN-2024-33/segments/1/warc/CC-MAIN-{:05}.warc.gz"
    own = {
        "url": [f"{url}?{number}" for number, url in enumerate(rows["url"].to_pylist())],
        "content_digest": [digest.decode() for digest in draw.choice(letters, (ROWS, 32)).view("S32").ravel().tolist()],
        "warc_filename": [archive.format(number) for number in draw.integers(0, 90_000, ROWS).tolist()],
    }
    for name, values in own.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values))
    path = folder / "rows.parquet"
    pq.write_table(rows, path, row_group_size=ROWS // 4, compression="gzip")
    source = {"kind": "commoncrawl", "crawls": ["CC-MAIN-2024-33"], "base": str(made.root), "by": "index"}
    config = _config(folder / "rows", source)
    unit = Unit("index", "rows", {"crawl": "CC-MAIN-2024-33", "seen": False}, {"path": path.name}, str(path))
    seconds = median(_cpu_of(lambda: index.work(unit, config, Store(config.run))) for _ in range(ROUNDS))
    kept = index.work(unit, config, Store(config.run)).counts.kept
    yield _planned(f"a row of the index, {kept / ROWS:.1%} of them wanted", seconds / ROWS * 1e6, "µs", planned.ROW, 1e6)


def of_the_budget(folder: Path) -> Generator[Figure, None, float]:
    """What a request pays to the budget of a process, and to that of a cluster, three calls of an actor. Returns its core seconds."""
    local = LocalBudget(_LIMITS)
    rounds = alternate({"local": partial(_tickets, local, 2000)})
    yield rounds.figure("a ticket of the budget of one process", "local", "ms", lambda seconds: seconds / 2000 * 1e3)
    with cluster(_config(folder / "run", {"paths": ["x"]}, engine={"workers": 1})):
        shared = SharedBudget(_LIMITS)
        rounds = alternate({"shared": partial(_tickets, shared, 500)})
        yield rounds.figure("a ticket of the cluster's budget, one asking", "shared", "ms", lambda seconds: seconds / 500 * 1e3)
        return median(_cpu_of(partial(_tickets, shared, 500)) for _ in range(MANY)) / 500


def _config(run: Path, source: dict[str, Any], **sections: Any) -> Config:
    return Config.model_validate_json(json.dumps({"run": str(run), "source": source, "fetch": _ASKS, **sections}))


def _remote(manners: Manners | None = None, budget: Budget | None = None) -> Remote:
    return Remote(manners or Manners("seiryu-benchmark (+benchmark@example.org)"), budget or LocalBudget(_LIMITS))


def _records(name: str, way: Callable[[], Any]) -> None:
    with way() as file:
        for _ in raw_records(file, name, MAX_PAGE):
            pass


def _plain(archive: Path) -> int:
    """Bytes of all records of an archive, as it inflates."""
    with archive.open("rb") as file:
        return sum(len(item.header) + item.content_length for item in raw_records(file, archive.name, MAX_PAGE))


def _extracted(archive: Path, config: Config) -> tuple[int, int, float, float]:
    """Pages, those that the rapid test takes, core seconds of this process and of its child."""
    before = _cpu(config)
    extractor = extract.Extractor(config, archive.name, extract.isolated(config))
    with archive.open("rb") as file:
        extractor.read(raw_records(file, archive.name, MAX_PAGE))
    own, child = (after - begin for after, begin in zip(_cpu(config), before, strict=True))
    counts = extractor.counts
    pages = counts.extra["pages"]
    return pages, pages - counts.rejected["few_kana"] - counts.rejected["not_japanese_page"], own, child


def _median(archive: Path, config: Config, rounds: int) -> tuple[int, int, float, float]:
    found = [_extracted(archive, config) for _ in range(1 + rounds)][1:]
    return found[0][0], found[0][1], median(own for *_, own, _ in found), median(child for *_, child in found)


def _cpu(config: Config) -> tuple[float, float]:
    """CPU seconds of this process, and of its children that extract."""
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    child = extract.isolated(config).pid
    ticks = sum(map(int, Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[11:13])) if child else 0
    return own.ru_utime + own.ru_stime, ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _cpu_of(task: Callable[[], Any]) -> float:
    begin = time.process_time()
    task()
    return time.process_time() - begin


def _fetched(units: Sequence[Unit], config: Config, store: Store, server: Remote) -> int:
    """Fetch all wanted records; how many came."""
    asked = ranges.asked(config)
    how = Fetching(asked.max_gap, asked.max_waste, config.fetch.ahead, MAX_PAGE)
    return sum(
        not hasattr(item, "reason")
        for unit in units
        for item in planned_records(server, unit.path, ranges.planned_of(store, unit.params["warc"], *unit.reads), how)
    )


def _from_disk(units: Sequence[Unit], config: Config, root: Path) -> int:
    """The same records with the same ranges, read from files: all that a range costs apart from asking for it."""

    class Disk:
        def read_range(self, url: str, first: int, size: int) -> bytes:
            with (root / url.split("/", 3)[3]).open("rb") as file:
                file.seek(first)
                return file.read(size)

    return _fetched(units, config, Store(config.run), Disk())  # type: ignore[arg-type]


def _row_bytes(made: MiniCrawl, config: Config) -> float:
    read, size, rows = columns_read(index.selection(config)), 0, 0
    for path in (path for crawl in made.crawls for path in made.index_files(crawl)):
        footer = pq.ParquetFile(path).metadata
        rows += footer.num_rows
        for number in range(footer.num_row_groups):
            group = footer.row_group(number)
            columns = [group.column(at) for at in range(group.num_columns)]
            size += sum(column.total_compressed_size for column in columns if column.path_in_schema in read)
    return size / rows


def _tickets(budget: Budget, number: int) -> None:
    for _ in range(number):
        ticket = budget.begin()
        budget.answered(ticket, well=True)
        budget.end(ticket)


def _planned(what: str, value: float, unit: str, constant: float, scale: float = 1e3) -> Figure:
    return Figure(what, value, unit, against="planned", other=constant * scale, ratio=constant * scale / value)
