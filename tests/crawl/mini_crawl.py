"""A miniature Common Crawl: the sample archives laid out, listed and indexed as the true one is.

    python tests/crawl/mini_crawl.py DIR

writes into DIR what https://data.commoncrawl.org (or s3://commoncrawl) holds, beside collinfo.json: for each crawl the gzipped lists,
the segments with their archives, and the columnar index. The archives are the samples byte for byte under other names (copies, so
that a test that damages one does not damage the samples); the index is made by index_table.py. It takes about a second.
"""

import argparse
import gzip
import json
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from index_table import SCHEMA, SCHEMA_WITH_IDS, Row, index_rows
from visits import copied, fetched_again, visits
from wrong_rows import WrongRow, spoil

SAMPLES = Path(__file__).parents[2] / "samples"
# In the list of crawls, but they hold ARC files and have no columnar index.
ARC_CRAWLS = ("CC-MAIN-2012", "CC-MAIN-2009-2010", "CC-MAIN-2008-2009")
# Each subset with the list that names its archives.
SUBSETS = {"crawldiagnostics": "non200responses", "robotstxt": "robotstxt", "warc": "warc"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a miniature looks like.

    An archive goes to the oldest of `crawls` that is not older than its own name says, one of kind diagnostics to the subset
    crawldiagnostics. `index_files`: of each crawl's subset warc. `wrong`: names of wrong_rows.KINDS, one such row each in every
    crawl. `recrawled`: so many Japanese pages of the oldest crawl were fetched again by the newest, unchanged: same URL, same
    digest, another record, in an archive of its own. `without`: columns that the index of older crawls does not have. `record_ids`:
    with the column warc_record_id, as in newer crawls.
    """

    crawls: tuple[str, ...] = ("CC-MAIN-2024-33", "CC-MAIN-2025-05")
    segments: int = 2
    index_files: int = 3
    row_group_rows: int = 100
    compression: str = "gzip"
    wrong: tuple[str, ...] = ()
    recrawled: int = 0
    without: tuple[str, ...] = ()
    record_ids: bool = False


@dataclass(slots=True)
class MiniCrawl:
    """What was made. `archives`: names below `root`, as lists and index have them, with the file each is a copy of (None: made here)."""

    root: Path
    crawls: tuple[str, ...]
    archives: dict[str, Path | None] = field(default_factory=dict)
    wrong: list[WrongRow] = field(default_factory=list)

    def listed(self, crawl: str, name: str = "warc") -> list[str]:
        """The lines of one of a crawl's lists: warc, cc-index-table, segment, robotstxt or non200responses."""
        return gzip.decompress((self.root / f"crawl-data/{crawl}/{name}.paths.gz").read_bytes()).decode().splitlines()

    def index_files(self, crawl: str, subset: str = "warc") -> list[Path]:
        return [self.root / name for name in self.listed(crawl, "cc-index-table") if f"/subset={subset}/" in name]

    def rows(self, crawl: str, subset: str = "warc") -> pa.Table:
        """All rows of a crawl's index, wrong ones included, in the order of its files."""
        return pa.concat_tables(pq.ParquetFile(path).read() for path in self.index_files(crawl, subset))


def make_mini_crawl(root: Path, archives: Sequence[Path], shape: Shape | None = None) -> MiniCrawl:
    shape = shape or Shape()
    made = MiniCrawl(root, tuple(sorted(shape.crawls)))
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)  # of a crawl and subset

    def publish(crawl: str, subset: str, contents: Path | bytes) -> None:
        number = sum(name.split("/")[1::3] == [crawl, subset] for name in made.archives)
        name = _archive_name(crawl, subset, number, shape.segments)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(contents, Path):
            shutil.copyfile(contents, root / name)
        else:
            (root / name).write_bytes(contents)
        made.archives[name] = contents if isinstance(contents, Path) else None
        rows[crawl, subset] += index_rows(root / name, name)

    for archive in sorted(archives, key=lambda archive: archive.name):
        crawl = next((crawl for crawl in made.crawls if crawl >= archive.name[: len(crawl)]), made.crawls[-1])
        if "-diagnostics-" in archive.name:
            publish(crawl, "crawldiagnostics", archive)
            publish(crawl, "robotstxt", copied(archive, [visit for visit in visits(archive) if "/robots" in visit.url]))
        else:
            publish(crawl, "warc", archive)
    if shape.recrawled:
        pages = [row for row in rows[made.crawls[0], "warc"] if (row.get("content_languages") or "").startswith("jpn")]
        pages = sorted(pages, key=lambda row: (row["content_digest"], row["url"]))[: shape.recrawled]
        publish(made.crawls[-1], "warc", fetched_again(root, pages, _began(made.crawls[-1])))
    for (crawl, subset), found in rows.items():
        kinds = shape.wrong if subset == "warc" else ()
        written, wrong = spoil(found, kinds, lambda name: (root / name).stat().st_size)
        made.wrong += wrong
        _write_index(root, crawl, subset, written, shape)
    for crawl in made.crawls:
        _write_lists(made, crawl)
    known = [*reversed(made.crawls), *ARC_CRAWLS]
    (root / "collinfo.json").write_text(json.dumps([_about(crawl) for crawl in known], indent=2))
    return made


def _began(crawl: str) -> datetime:
    """The Monday that a crawl is named after."""
    return datetime.fromisocalendar(int(crawl[8:12]), int(crawl[13:15]), 1).replace(tzinfo=UTC)


def _archive_name(crawl: str, subset: str, number: int, segments: int) -> str:
    """As the crawler names them: the segment by a time in milliseconds, the archive by when its fetching began and ended."""
    segment = number % segments
    began = _began(crawl) + timedelta(hours=9 + 5 * segment, minutes=7, seconds=41)
    times = f"{began:%Y%m%d%H%M%S}-{began + timedelta(hours=3):%Y%m%d%H%M%S}"
    folder = f"crawl-data/{crawl}/segments/{int(began.timestamp()) * 1000 - 86_332}.{17 * segment}/{subset}"
    return f"{folder}/CC-MAIN-{times}-{number // segments:05}.warc.gz"


def _write_index(root: Path, crawl: str, subset: str, rows: list[Row], shape: Shape) -> None:
    """Index files that are sorted by url_surtkey, each and one after another."""
    rows = sorted(rows, key=lambda row: (row["url_surtkey"], row["fetch_time"], row["warc_filename"], row["warc_record_offset"]))
    table = pa.Table.from_pylist(rows, SCHEMA_WITH_IDS if shape.record_ids else SCHEMA).drop_columns(list(shape.without))
    files = shape.index_files if subset == "warc" else 1
    folder = root / f"cc-index/table/cc-main/warc/crawl={crawl}/subset={subset}"
    folder.mkdir(parents=True)
    for number in range(files):
        first, last = (len(rows) * step // files for step in (number, number + 1))
        path = folder / f"part-{number:05}-{uuid.uuid5(uuid.NAMESPACE_URL, crawl)}.c000.gz.parquet"
        pq.write_table(
            table.slice(first, last - first),
            path,
            row_group_size=shape.row_group_rows,
            compression=shape.compression,
            store_schema=False,
        )


def _write_lists(made: MiniCrawl, crawl: str) -> None:
    folder = made.root / "crawl-data" / crawl
    folder.mkdir(parents=True, exist_ok=True)
    index = (made.root / f"cc-index/table/cc-main/warc/crawl={crawl}").rglob("*.parquet")
    mine = sorted(name for name in made.archives if name.split("/")[1] == crawl)
    _write_list(folder / "cc-index-table.paths.gz", sorted(str(path.relative_to(made.root)) for path in index))
    _write_list(folder / "segment.paths.gz", sorted({name.rsplit("/", 2)[0] + "/" for name in mine}))
    for subset, name in SUBSETS.items():
        _write_list(folder / f"{name}.paths.gz", [path for path in mine if f"/{subset}/" in path])


def _write_list(path: Path, lines: Iterable[str]) -> None:
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode(), mtime=0))


def _about(crawl: str) -> dict[str, str]:
    """An entry of the list of crawls."""
    if crawl in ARC_CRAWLS:
        name, began = f"{crawl} ARC Files", datetime(int(crawl[8:12]), 1, 1, tzinfo=UTC)
    else:
        name, began = f"{_began(crawl):%B %Y} Index", _began(crawl)
    index = f"https://index.commoncrawl.org/{crawl}"
    times = {"from": f"{began:%Y-%m-%dT%H:%M:%S}", "to": f"{began + timedelta(days=13):%Y-%m-%dT%H:%M:%S}"}
    return {"id": crawl, "name": name, "timegate": index + "/", "cdx-api": index + "-index"} | times


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="lay the sample archives out as a miniature Common Crawl")
    parser.add_argument("folder", type=Path)
    crawl_made = make_mini_crawl(parser.parse_args().folder, sorted(SAMPLES.glob("*.warc.gz")))
    print(*crawl_made.archives, sep="\n")
