"""Broken records by the hundred thousand through the whole of extraction: `python -m benchmarks fuzz`.

Mutants of the sample pages (mutations.py) stand in archives of a thousand, with an untouched page after every ninth, and go
through the stage's own `work`: framing, headers, codings, the rapid test, decoding, the child with the extractor and the language
model, the tables. Of each archive must hold: it is read to its end; records = kept + rejected + failed, and there are as many rows;
every untouched page has the text it has in peace. One archive in ten is read twice, the second time by fresh children with another
window, and gives the same bytes.

Whatever breaks that is printed with seed and number, by which `mutant` makes it again, and ends the run with an error. What the
child lost (timeout, memory, crash) is printed too: a library's defect, but no breach as long as it costs only itself.

SEIRYU_FUZZ_RECORDS (100,000), SEIRYU_FUZZ_SEED (1), SEIRYU_FUZZ_FIRST (0: number of the first mutant).
"""

from __future__ import annotations

import bisect
import faulthandler
import gzip
import hashlib
import os
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq

from benchmarks.inputs import ROOT, SAMPLES, Inputs
from benchmarks.mutations import Record, mutant, real_records
from benchmarks.timing import Figure
from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.inputs import identity
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config, Engine
from seiryu.pipelines.isolation.candidate import page_to_document
from seiryu.pipelines.isolation.isolated import Isolated, Limits
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.stages import extract as stage
from seiryu.pipelines.unit import Unit

ARCHIVE = 1000  # mutants
EVERY = 9  # mutants before an untouched page
TWICE = 10  # archives, of which the first is read twice
PAGE_SECONDS = (
    5.0  # fifteen times what the slowest real page takes; with the run's 30 those that time out would take all the time
)
_STUCK = 1800  # seconds for one archive: then the stack is printed and all ends
_CLOCK = struct.Struct("<d")
_BY_THE_CHILD = ("timeout", "memory", "crash", "extraction_error")


def timed_page(argument: bytes) -> Callable[[bytes], bytes]:
    """In the child: what extraction runs there, its CPU seconds before the answer."""
    work = page_to_document(argument)

    def timed(request: bytes) -> bytes:
        begin = time.thread_time()
        answer = work(request)
        return _CLOCK.pack(time.thread_time() - begin) + answer

    return timed


class Timed(Isolated):
    """The child of extraction with a clock. `slowest`: CPU seconds of the slowest page that was answered."""

    def __init__(self, config: Config, window: int) -> None:
        engine = config.engine
        argument = config.model_dump_json(include={"run", "source", "extract", "language"}).encode()
        super().__init__("benchmarks.fuzz:timed_page", argument, Limits(engine.page_seconds, engine.page_memory), window)
        self.pages, self.slowest = 0, 0.0

    def answers(self, requests: Iterable[tuple[Any, bytes | None]]) -> Iterator[tuple[Any, Any]]:
        for key, answer in super().answers(requests):
            if not isinstance(answer, bytes):
                yield key, answer
                continue
            self.pages += 1
            self.slowest = max(self.slowest, _CLOCK.unpack_from(answer)[0])
            yield key, answer[_CLOCK.size :]


@dataclass
class Found:
    """What fuzzing found. `breaches`: what must not be; `lost`: pages that cost themselves; both as printed."""

    records: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    pages: int = 0
    children: int = 0
    slowest: float = 0.0
    slowest_here: tuple[float, str] = (0.0, "")
    witnesses: int = 0
    read_twice: int = 0


@dataclass(frozen=True)
class Archive:
    """Members with their offsets; which of them are untouched, by their place, and which mutant each other one is."""

    data: bytes
    offsets: list[int]
    untouched: dict[int, str]
    numbers: dict[int, str]

    def name(self, offset: int) -> str:
        """Of the mutant that lies there."""
        begin = self.offsets[bisect.bisect_right(self.offsets, offset) - 1]
        return self.numbers.get(begin, "an untouched page")


def archive(records: list[Record], peaceful: list[tuple[Record, str]], seed: int, numbers: range) -> Archive:
    """Mutants with an untouched page after every ninth."""
    parts, offsets, at = [], [], 0
    untouched, names = {}, {}
    for place, number in enumerate(numbers):
        member, mutations = mutant(records, seed, number)
        names[at] = f"{seed}:{number} ({', '.join(mutations)})"
        parts.append(member)
        offsets.append(at)
        at += len(member)
        if place % EVERY == EVERY - 1:
            record, text = peaceful[number % len(peaceful)]
            untouched[at] = text
            parts.append(gzip.compress(record.plain(), 1, mtime=0))
            offsets.append(at)
            at += len(parts[-1])
    return Archive(b"".join(parts), offsets, untouched, names)


class Fuzz:
    """Reads archives as a worker does, in a folder that is there for it."""

    def __init__(self, folder: Path, records: list[Record], seed: int) -> None:
        self._folder, self._records, self._seed = folder, records, seed
        self._config = Config(
            run=str(folder / "run"), source=Files(paths=(str(folder),)), engine=Engine(page_seconds=PAGE_SECONDS)
        )
        self._isolated = Timed(self._config, 16)
        self.found = Found()
        whole = [gzip.compress(record.plain(), 1, mtime=0) for record in records]
        offsets = [sum(map(len, whole[:place])) for place in range(len(whole))]
        kept = {row["warc_offset"]: row["text"] for row in self._read(b"".join(whole), self._isolated)[0]}
        self._peaceful = [(record, kept[offset]) for record, offset in zip(records, offsets, strict=True) if offset in kept]
        self.found = Found()

    def close(self) -> None:
        self._isolated.close()

    def run(self, numbers: range, *, twice: bool) -> None:
        """One archive; what is found adds up in `found`."""
        made, found = archive(self._records, self._peaceful, self._seed, numbers), self.found
        before = self._isolated.started
        try:
            rows, ledger, digest = self._read(made.data, self._isolated, made)
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            found.breaches.append(f"numbers {numbers}: {type(error).__name__}: {error}")
            self._isolated.close()
            if len(numbers) > 1:
                half = len(numbers) // 2
                for part in (numbers[:half], numbers[half:]):
                    self.run(part, twice=False)
            return
        found.records += len(numbers)
        found.children += self._isolated.started - before
        texts = {row["warc_offset"]: row["text"] for row in rows}
        for offset, text in made.untouched.items():
            found.witnesses += 1
            if texts.get(offset) != text:
                before_it = made.offsets[bisect.bisect_left(made.offsets, offset) - 1]
                found.breaches.append(f"the untouched page after {made.name(before_it)} is lost or changed")
        found.lost += [
            f"{row['reason']}: {made.name(row['warc_offset'])}: {row['detail']}"
            for row in ledger
            if row["reason"] in _BY_THE_CHILD
        ]
        if twice:
            with Timed(self._config, 3) as other:
                again = self._read(made.data, other)[2]
            found.read_twice += 1
            if again != digest:
                found.breaches.append(f"numbers {numbers}: a second reading gives other rows")

    def _read(
        self, data: bytes, isolated: Timed, made: Archive | None = None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str]:
        """(rows, ledger, hash of both tables); checks the law."""
        path, store = self._folder / "fuzz.warc.gz", Store(self._config.run)
        path.write_bytes(data)
        unit = Unit("extract", "fuzz", {"warc": path.name}, identity(str(path)), str(path))
        with patch.object(stage, "isolated", lambda _: isolated), patch.object(stage, "raw_records", self._clocked(made)):
            result = stage.work(unit, self._config, store)
        counts = result.counts
        counts.check("fuzz")
        tables = [self._folder / "run" / output.name for output in result.outputs]
        rows, ledger = (pq.read_table(table).to_pylist() for table in tables)
        if len(rows) != counts.kept or Counter(row["reason"] for row in ledger) != +counts.failed:
            raise AssertionError(f"{counts.kept} kept, {counts.failed} failed, but {len(rows)} and {len(ledger)} rows")
        if made:
            found = self.found
            found.counts.update({"kept": counts.kept, "records read": counts.records})
            for kind in ("rejected", "failed"):
                found.counts.update({f"{kind} {reason}": number for reason, number in getattr(counts, kind).items()})
            found.pages, found.slowest = isolated.pages, isolated.slowest
        return rows, ledger, hashlib.sha256(b"".join(table.read_bytes() for table in tables)).hexdigest()

    def _clocked(self, made: Archive | None) -> Callable[..., Iterator[Any]]:
        """raw_records, with the CPU time of this process for each record: what the stage does with it before the child is asked."""

        def clocked(*arguments: Any) -> Iterator[Any]:
            for item in raw_records(*arguments):
                begin = time.thread_time()
                yield item
                seconds = time.thread_time() - begin
                if made and seconds > self.found.slowest_here[0]:
                    self.found.slowest_here = seconds, made.name(item.offset)

        return clocked


def fuzz(
    records: int, seed: int, first: int = 0, *, size: int = ARCHIVE, every: int = TWICE, samples: int | None = None
) -> Found:
    """Read that many mutants in archives of `size`, one in `every` of them twice. `samples`: made of the first so many archives."""
    os.environ["PYTHONPATH"] = str(ROOT)  # the child imports this module
    with tempfile.TemporaryDirectory() as folder:
        run = Fuzz(Path(folder), real_records(SAMPLES, samples), seed)
        for place, begin in enumerate(range(first, first + records, size)):
            faulthandler.dump_traceback_later(_STUCK, exit=True)
            run.run(range(begin, min(begin + size, first + records)), twice=place % every == 0)
        faulthandler.cancel_dump_traceback_later()
        run.close()
    return run.found


def figures(_: Inputs) -> Iterator[Figure]:
    wanted = {
        name: int(os.environ.get(f"SEIRYU_FUZZ_{name}", value))
        for name, value in (("RECORDS", 100_000), ("SEED", 1), ("FIRST", 0))
    }
    begin = time.monotonic()
    found = fuzz(wanted["RECORDS"], wanted["SEED"], wanted["FIRST"])
    seconds = time.monotonic() - begin
    print(
        "\n".join(["", *(f"  lost: {line}" for line in found.lost), *(f"  BREACH: {line}" for line in found.breaches)]),
        file=sys.stderr,
    )
    print(f"  {found.records:,} mutants: {dict(sorted(found.counts.items()))}", file=sys.stderr)  # to the last digit
    yield Figure(f"mutants, seed {wanted['SEED']}, from {wanted['FIRST']}", found.records, "records")
    for name, number in sorted(found.counts.items()):
        yield Figure(name, number, "records")
    yield Figure("untouched pages between them, all as in peace", found.witnesses, "records")
    yield Figure("archives read twice, the same bytes", found.read_twice, "archives")
    yield Figure("pages answered by the child, samples in peace included", found.pages, "pages")
    yield Figure("children replaced", found.children, "processes")
    yield Figure("slowest page that was answered, CPU", found.slowest, "s")
    yield Figure(f"slowest record before the child, {found.slowest_here[1]}, CPU", found.slowest_here[0], "s")
    yield Figure("whole run, by the clock", seconds, "s")
    if found.breaches:
        raise SystemExit(f"{len(found.breaches)} breaches, named above")
