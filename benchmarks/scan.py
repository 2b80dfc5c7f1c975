"""Reading every record of every archive, against inflating alone and against other readers.

All of them hold each record's content in memory once; none parses HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fastwarc.warc
import warcio.archiveiterator
from isal import igzip

from benchmarks.inputs import MAX_PAGE, Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.corpus.archive.warc import raw_records


def figures(inputs: Inputs) -> Iterator[Figure]:
    plain = sum(inflate(path) for path in inputs.archives) / 1e6
    readers = {"isal, inflating alone": inflate, "FastWARC's ArchiveIterator": fast_warc, "warcio": warcio_records}
    tasks = {name: lambda read=read: [read(path) for path in inputs.archives] for name, read in readers.items()}
    rounds = alternate({"raw_records": lambda: [records(path) for path in inputs.archives]} | tasks)
    for other in readers:
        yield rounds.figure("all records, MB of plain archive", "raw_records", "MB/s", rate(plain), other)


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
