"""What it takes to fetch a crawl whole, and by its index, before anything of it is fetched.

Without a sample the figures rest on what is known of Common Crawl in the mean, with one on archives of these crawls (see
docs/commoncrawl.md). Bytes and requests are those of archives, records and index; time is what the budget in `fetch` allows if nothing
else holds up: an archive is read through one connection, as fast as its pages are extracted. Core time is that of `index` and
`extract`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from math import ceil, sqrt
from typing import Any

from seiryu.pipelines.config import Config
from seiryu.pipelines.source_config import CommonCrawl, Fetch, Prices
from seiryu.pipelines.sources import commoncrawl
from seiryu.pipelines.stages.crawling.ranges import all_planned
from seiryu.pipelines.state import State

# An archive of Common Crawl holds about 39,000 pages in 1 GB. jpn is the first language of one page in twenty (Common Crawl's
# statistics), and the only one of 822 an archive (74.0 million records of CC-MAIN-2023-50); `language: any` takes all of them.
ARCHIVE_BYTES, PAGES, JAPANESE = 1_000_000_000, 39_000, 1_950
WANTED = JAPANESE
PAGE_BYTES = ARCHIVE_BYTES / PAGES
# Core seconds of a page of 115 kB, of one that the rapid test takes, of a range, of a row of the index; `python -m benchmarks fetching`
# measures them again (2026-11-26, two AMD EPYC cores).
READING, EXTRACTION, REQUEST, ROW = 0.5e-3, 15e-3, 1.7e-3, 0.45e-6
# Bytes of a row of the index in the columns that are read, and requests for a file, as its footer tells them; assumed without a sample.
# A crawl of 90,000 archives has 300 such files.
ROW_BYTES, FILE_REQUESTS, FILE_ROWS = 60, 200, 90_000 * PAGES // 300


@dataclass(frozen=True, slots=True)
class Way:
    """One of the two ways. `seconds`: at the budget; `documents`: None if it is not known."""

    name: str
    documents: int | None
    bytes: int
    requests: int
    seconds: float
    core_seconds: float
    money: float


@dataclass(frozen=True, slots=True)
class CrawlPlan:
    """Both ways, and where the figures are from. `missed`: documents the index would miss, as (share, lowest, highest) of all."""

    crawls: tuple[str, ...]
    archives: int
    index_files: int
    where: str
    ways: tuple[Way, ...]
    missed: tuple[float, float, float] | None = None
    reasons: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Archive:
    """An archive in the mean, and the index as a whole."""

    bytes: float
    documents: float | None
    core_seconds: float
    fetched: float
    requests: float
    wanted_core_seconds: float
    index_bytes: float
    index_requests: float
    index_rows: float


def crawl_plan(state: State, number: int) -> CrawlPlan:
    """Both ways for the crawls of a config; `number`: archives to read first, none for figures as of Common Crawl in the mean."""
    config = state.config
    source = config.source
    assert isinstance(source, CommonCrawl)
    archives = [path for _, path in commoncrawl.listing(_by(config, "archives")).archives]
    listing = commoncrawl.listing(_by(config, "index"))
    index_files = [path for _, path in (*listing.index, *listing.seen)]
    missed, reasons, share = None, {}, 0.0
    if number:
        from seiryu.pipelines.crawl_sample import measure  # what works on text, which is not needed otherwise

        found = measure(config, archives, index_files, number)
        mean, where = _measured(found, len(index_files)), f"measured on {found.archives:,} archives"
        times = found.missed.total()
        missed, reasons = (times / max(1, found.documents), *_interval(times, found.documents)), dict(found.missed.most_common())
        share = missed[0]
    else:
        mean, where = (
            _assumed(len(index_files)),
            "archives as of Common Crawl in the mean; --sample N reads N of these",
        )
    count = len(archives)
    documents = None if mean.documents is None else round(count * mean.documents)
    kept = None if documents is None else round(documents * (1 - share))
    whole = _way("archives", documents, count * mean.bytes, count, count * mean.core_seconds, config)
    whole = replace(whole, seconds=max(whole.seconds, whole.core_seconds / min(count, config.fetch.connections)))
    index_core = mean.index_rows * ROW + count * (mean.wanted_core_seconds + mean.requests * REQUEST)
    planned = all_planned(state)
    fetched = planned.extra["fetched"] if planned else count * mean.fetched
    requests = planned.extra["requests"] if planned else count * mean.requests
    by_index = _way("index", kept, fetched + mean.index_bytes, ceil(requests + mean.index_requests), index_core, config)
    return CrawlPlan(listing.crawls, count, len(index_files), where, (whole, by_index), missed, reasons)


def _by(config: Config, way: str) -> Config:
    assert isinstance(config.source, CommonCrawl)
    return config.model_copy(update={"source": config.source.model_copy(update={"by": way, "cache": ""})})


def _way(name: str, documents: int | None, size: float, requests: int, core_seconds: float, config: Config) -> Way:
    return Way(
        name, documents, round(size), requests, _seconds(size, requests, config.fetch), core_seconds,
        _money(size, requests, core_seconds, config.prices),
    )  # fmt: skip


def _seconds(size: float, requests: int, fetch: Fetch) -> float:
    """What the budget leaves: requests a second, and bytes a second if these are limited."""
    by_bytes = size / fetch.bytes_a_second if fetch.bytes_a_second else 0.0
    return max(requests / fetch.requests_a_second, by_bytes)


def _money(size: float, requests: int, core_seconds: float, prices: Prices) -> float:
    return size / 1e9 * prices.gigabyte + requests / 1e3 * prices.thousand_requests + core_seconds / 3600 * prices.core_hour


def _assumed(index_files: int) -> _Archive:
    wanted_bytes, rows = WANTED * PAGE_BYTES, index_files * FILE_ROWS
    return _Archive(
        ARCHIVE_BYTES, None, PAGES * READING + JAPANESE * EXTRACTION, wanted_bytes, WANTED, WANTED * (READING + EXTRACTION),
        rows * ROW_BYTES, index_files * FILE_REQUESTS, rows,
    )  # fmt: skip


def _measured(found: Any, index_files: int) -> _Archive:
    each, share = found.archives, found.wanted / max(1, found.pages)
    files = index_files / max(1, found.index_files)
    # Reading costs by the page; extraction only what may be Japanese, nearly all of which the index chooses too.
    reading = (found.core_seconds - found.extraction_seconds) / each
    chosen = 1 - found.missed.total() / max(1, found.documents)
    return _Archive(
        found.bytes / each, found.documents / each, found.core_seconds / each, found.fetched / each, found.requests / each,
        reading * share + found.extraction_seconds / each * chosen, found.index_bytes * files, found.index_requests * files,
        found.index_rows * files,
    )  # fmt: skip


def _interval(times: int, of: int) -> tuple[float, float]:
    """Where a share lies with 95 % (Wilson's score interval)."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, times / of
    middle, width = share + z * z / (2 * of), z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, (middle - width) / (1 + z * z / of)), min(1.0, (middle + width) / (1 + z * z / of))
