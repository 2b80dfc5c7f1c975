"""A few whole archives of a crawl, read to learn what the rest holds, and what the columnar index would say of it.

Every response's row of the index follows from the archive's own records (corpus/crawl/observed.py), so it is known which documents the
index would have missed without asking the index. The archives are those with the lowest hash of their path: the same for everybody.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow.parquet as pq

from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.crawl.columnar import REASONS, columns_read, judge
from seiryu.corpus.crawl.lists import Sample, sampled
from seiryu.corpus.crawl.observed import Observer
from seiryu.corpus.crawl.ranges import merged
from seiryu.corpus.errors import InputError
from seiryu.pipelines.config import Config
from seiryu.pipelines.isolation.isolated import close_kept
from seiryu.pipelines.sources import commoncrawl
from seiryu.pipelines.sources.asking import open_archive, open_parts
from seiryu.pipelines.stages.crawling.index import selection
from seiryu.pipelines.stages.crawling.ranges import asked
from seiryu.pipelines.stages.extract import Extractor, isolated, most_content
from seiryu.pipelines.telling.screen import say

_INDEX_FILES = 3


@dataclass
class Measured:
    """Sums over the archives that were read. `wanted`: records that the index would choose, in bytes and as ranges; `missed`: documents
    that it would not, by the condition they do not fulfil. Core seconds: of all processes; `extraction_seconds`: of the child.
    """

    archives: int = 0
    bytes: int = 0
    pages: int = 0
    documents: int = 0
    wanted: int = 0
    requests: int = 0
    fetched: int = 0
    core_seconds: float = 0.0
    extraction_seconds: float = 0.0
    missed: Counter[str] = field(default_factory=Counter)
    index_files: int = 0
    index_rows: int = 0
    index_bytes: int = 0
    index_requests: int = 0


def measure(config: Config, archives: Sequence[str], index_files: Sequence[str], number: int) -> Measured:
    """Read `number` of the archives, and the footers of a few files of the index. Errors as of `raw_records` and `Remote`."""
    found = Measured()
    chosen = sampled(archives, Sample(count=number))
    for path in chosen:
        say(f"reading {path} ({found.archives + 1} of {len(chosen)}) ...")
        try:
            _read(path, config, found)
        except InputError as error:
            say(f"{path} is passed over: {error}")
    if not found.archives:
        raise InputError(
            f"none of the {len(chosen)} archives of the sample can be read; --sample with a larger number has others"
        )
    for path in sampled(index_files, Sample(count=_INDEX_FILES)) if index_files else ():
        _look_at(path, config, found)
    return found


def _read(path: str, config: Config, found: Measured) -> None:
    close_kept()
    before, children = _cpu()
    observer, extractor = Observer(path), Extractor(config, path, isolated(config))
    with open_archive(commoncrawl.url(config, path), config) as file:
        extractor.read(observer.watch(raw_records(file, path, most_content(config))))
        size = file.seek(0, 2)
    close_kept()
    own, extraction = _cpu()
    found.core_seconds += own - before + extraction - children
    found.extraction_seconds += extraction - children
    table = observer.table()
    verdict, offsets = judge(table, selection(config)), table["warc_record_offset"].to_numpy()
    lengths, order = table["warc_record_length"].to_numpy(), np.flatnonzero(verdict == -1)
    ranges = merged(offsets[order], lengths[order], asked(config).max_gap, asked(config).max_waste)
    of_record = dict(zip(offsets.tolist(), verdict.tolist(), strict=True))
    for row in extractor.rows:
        if (reason := of_record[row["warc_offset"]]) >= 0:
            found.missed[REASONS[reason]] += 1
    found.archives += 1
    found.bytes += size
    found.pages += len(table)
    found.documents += len(extractor.rows)
    found.wanted += len(order)
    found.requests += len(ranges)
    found.fetched += sum(part.size for part in ranges)


def _look_at(path: str, config: Config, found: Measured) -> None:
    """What a file of the index holds, by its footer, and what of it would be read."""
    with open_parts(commoncrawl.url(config, path), config) as file:
        footer = pq.ParquetFile(file).metadata
    needed = columns_read(selection(config))
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        columns = [group.column(at) for at in range(group.num_columns)]
        taken = [at for at, column in enumerate(columns) if column.path_in_schema in needed]
        found.index_bytes += sum(columns[at].total_compressed_size for at in taken)
        found.index_requests += sum(at - 1 not in taken for at in taken)  # neighbours come in one
    found.index_rows += footer.num_rows
    found.index_requests += 1
    found.index_files += 1


def _cpu() -> tuple[float, float]:
    """CPU seconds of this process, and of the children that have ended."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime
