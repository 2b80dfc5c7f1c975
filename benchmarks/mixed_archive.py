"""An archive as Common Crawl's are: one page in twenty is Japanese. Made of the labelled pages, to be the same whenever it is made.

Japanese pages stand once each, taken evenly from all archives, with their request and metadata records. Pages of other languages
are fewer than would be needed and come round again, but for those that the rapid test takes: they stand once.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import chain, cycle, islice
from pathlib import Path

from benchmarks.inputs import MAX_PAGE, evenly
from seiryu.corpus.archive.page import BodyError, payload, read_page
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.filters.finding.japanese_bytes import look_for_kana

OTHERS = 19  # pages to one Japanese page


def write_mixed(target: Path, folders: list[Path], japanese_pages: int) -> tuple[int, int]:
    """Write the archive; how many Japanese and how many other pages it holds."""
    japanese, taken, others = [], [], []
    for folder in folders:
        for is_japanese, is_candidate, members, _ in _pages(folder):
            (japanese if is_japanese else taken if is_candidate else others).append(members)
    japanese = evenly(japanese, japanese_pages)
    taken = evenly(taken, max(1, len(taken) * len(japanese) * OTHERS // (len(others) + len(taken))))
    filling = chain(taken, islice(cycle(others), len(japanese) * OTHERS - len(taken)))
    with target.open("wb") as out:
        for page in japanese:
            out.write(page)
            for _ in range(OTHERS):
                out.write(next(filling))
    return len(japanese), len(japanese) * OTHERS


def write_others(target: Path, folders: list[Path], least: int) -> tuple[int, float]:
    """Write an archive of the pages that the rapid test refuses, `least` bytes or longer; how many, and their mean size in bytes."""
    found = [(members, size) for folder in folders for japanese, candidate, members, size in _pages(folder)
             if not japanese and not candidate and size >= least]  # fmt: skip
    target.write_bytes(b"".join(members for members, _ in found))
    return len(found), sum(size for _, size in found) / len(found)


def _pages(folder: Path) -> Iterator[tuple[bool, bool, bytes, int]]:
    """Whether a page is labelled Japanese, whether the rapid test takes it, its members as they lie in the archive, and its size."""
    with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        labels = {(row["warc"], row["offset"]): row for row in map(json.loads, lines)}
    for path in sorted(folder.glob("*.warc.gz")):
        data = path.read_bytes()
        with path.open("rb") as file:
            records = [item for item in raw_records(file, path.name, MAX_PAGE) if isinstance(item, RawRecord)]
        for place, record in enumerate(records):
            row = labels.get((path.name, record.offset))
            if not row or row["kind"] != "html" or row["status"] != 200 or record.content is None:
                continue
            page = read_page(record)
            try:
                body = payload(page, MAX_PAGE)
            except BodyError:
                continue
            if page.content_coding or page.transfer_coding:  # Common Crawl has undone them; warcio does not undo all
                continue
            members = record.offset, record.offset + record.length
            if place and records[place - 1].kind == "request":
                members = records[place - 1].offset, members[1]
            if place + 1 < len(records) and records[place + 1].kind == "metadata":
                members = members[0], records[place + 1].offset + records[place + 1].length
            yield row["lang"] == "ja", not look_for_kana(body, page.charset).refused, data[slice(*members)], len(body)
