"""Reading every record of every archive, against inflating alone and against other readers; and the whole stage where there is
nothing to extract.

The readers hold each record's content in memory once; none parses HTTP. The stage reads HTTP too, and puts every page to the rapid
test. Pages of the web at large are some 100 KB long, those of the samples 20: so the longer ones are measured by themselves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import fastwarc.warc
import warcio.archiveiterator
from isal import igzip

from benchmarks.inputs import MAX_PAGE, SAMPLES, Inputs
from benchmarks.mixed_archive import write_others
from benchmarks.timing import Figure, alternate, rate
from seiryu.corpus.archive.warc import raw_records
from seiryu.pipelines.config import Config
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.stages.extract import Extractor, isolated


def figures(inputs: Inputs) -> Iterator[Figure]:
    plain = sum(inflate(path) for path in inputs.archives) / 1e6
    readers = {"isal, inflating alone": inflate, "FastWARC's ArchiveIterator": fast_warc, "warcio": warcio_records}
    tasks = {name: lambda read=read: [read(path) for path in inputs.archives] for name, read in readers.items()}
    rounds = alternate({"raw_records": lambda: [records(path) for path in inputs.archives]} | tasks)
    for other in readers:
        yield rounds.figure("all records, MB of plain archive", "raw_records", "MB/s", rate(plain), other)
    for least in (0, 50_000):
        with tempfile.TemporaryDirectory() as folder:
            yield from without_japanese(Path(folder) / "others.warc.gz", list(dict.fromkeys([SAMPLES, inputs.folder])), least)


def without_japanese(archive: Path, folders: list[Path], least: int) -> Iterator[Figure]:
    pages, size = write_others(archive, folders, least)
    plain = inflate(archive) / 1e6
    rounds = alternate({"raw_records": lambda: records(archive), "extract stage": lambda: stage(archive),
                        "isal, inflating alone": lambda: inflate(archive)})  # fmt: skip
    for task in ("raw_records", "extract stage"):
        what = f"{task}, {pages:,} pages of {size / 1e3:.0f} KB, none Japanese"
        yield rounds.figure(what, task, "MB/s", rate(plain), "isal, inflating alone")


def stage(path: Path) -> None:
    config = Config(run="none", source=Files(paths=(str(path),)))
    extractor = Extractor(config, path.name, isolated(config))
    with path.open("rb") as file:
        extractor.read(raw_records(file, path.name, MAX_PAGE))
    if extractor.rows:
        raise SystemExit(f"{len(extractor.rows)} pages were taken for Japanese")


def records(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in raw_records(file, path.name, MAX_PAGE))


def inflate(path: Path) -> int:
    size = 0
    with igzip.open(path) as file:
        while piece := file.read(1 << 17):
            size += len(piece)
    return size


def fast_warc(path: Path) -> int:
    with path.open("rb") as file:
        return sum(len(record.reader.read()) for record in fastwarc.warc.ArchiveIterator(file, parse_http=False))


def warcio_records(path: Path) -> int:
    with path.open("rb") as file:
        iterator = warcio.archiveiterator.ArchiveIterator(file, no_record_parse=True)
        return sum(len(record.raw_stream.read()) for record in iterator)
