"""Bad pages in whole archives: each costs itself, with its reason and its place, and the good ones beside it have the same text."""

import gzip
import io
import json
import os
import signal
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bad_pages
import brotli
import pyarrow.parquet as pq
import pytest
import zstandard
from commandline import SAMPLES, hashes, seiryu, write_config
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.corpus.inputs import identity
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config, Engine
from seiryu.pipelines.isolation.isolated import close_kept
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.stages import extract as stage
from seiryu.pipelines.unit import Result, Unit

# A child with the extractor and the language model holds 190 MB; no real page takes it to 240.
LIMITS = {"page_seconds": 4.0, "page_memory": 450_000_000, "allowed_failed_records": 0.001}


@dataclass(frozen=True)
class Bad:
    """A page, and what becomes of it: "kept", or the reason it is rejected or failed for."""

    outcome: str
    body: Callable[[], bytes]
    coding: str = ""
    kind: str = "text/html; charset=utf-8"


def bomb(compress: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: compress(bad_pages.page("").replace(b"</body>", b" " * 60_000_000 + b"</body>"))


BAD = {
    "minutes": Bad("timeout", bad_pages.formatting),
    "memory": Bad("memory", bad_pages.links),
    "large": Bad("memory", bad_pages.large),
    "huge": Bad("too_large", lambda: bad_pages.large(21_000_000)),
    "levels-300": Bad("kept", lambda: bad_pages.nested(300)),
    "levels-2000": Bad("kept", lambda: bad_pages.nested(2000)),
    "levels-100000": Bad("extraction_error", lambda: bad_pages.nested(100_000)),
    "long-text": Bad("kept", bad_pages.long_text),
    "nulls": Bad("few_kana", bad_pages.nulls),
    "lone-surrogates": Bad("kept", bad_pages.lone_surrogates, kind="text/html"),
    "escaped-twice": Bad("kept", bad_pages.escaped_twice),
    "comments-without-end": Bad("kept", lambda: bad_pages.unclosed("<!--")),
    "tags-without-end": Bad("not_japanese_page", lambda: bad_pages.unclosed("<a")),
    "end-tags-without-end": Bad("kept", lambda: bad_pages.unclosed("</")),
    "meta-without-charset": Bad(
        "kept", lambda: b"<meta " * 80 + b"charset=" + b" " * 7600 + bad_pages.page("").decode().encode("cp932")
    ),
    "bomb-gzip": Bad("too_large", bomb(gzip.compress), "gzip"),
    "bomb-deflate": Bad("too_large", bomb(zlib.compress), "deflate"),
    "bomb-br": Bad("too_large", bomb(lambda data: brotli.compress(data, quality=5)), "br"),
    "bomb-zstd": Bad("too_large", bomb(zstandard.compress), "zstd"),
    "coding-that-lies": Bad("kept", lambda: bad_pages.page("<p>嘘の符号。</p>"), "br"),
    "minutes-again": Bad("timeout", bad_pages.formatting),
    "memory-again": Bad("memory", bad_pages.links),
}
ITSELF = ("timeout", "memory", "crash", "too_large", "extraction_error")


def good_pages(number: int = 12) -> list[tuple[str, bytes]]:
    """Japanese pages of the samples with their addresses."""
    found = []
    path = SAMPLES / "CC-MAIN-2025-05-00000.warc.gz"
    with path.open("rb") as file:
        for record in raw_records(file, path.name, 1 << 24):
            if isinstance(record, RawRecord) and record.kind == "response" and record.content:
                page = read_page(record)
                body = payload(page, 1 << 24)
                if (
                    page.status == 200
                    and page.html
                    and 1000
                    < len(body.decode("utf-8", "ignore").encode("cp932", "ignore").translate(None, bytes(range(128))))
                    < 60_000
                ):
                    found.append((page.url, body))
    assert len(found) >= number
    return found[:: len(found) // number][:number]


def write(path: Path, pages: list[tuple[str, bytes, str, str]]) -> None:
    """Pages as (url, body, coding, content type), with the same ids whenever they are written."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for url, body, coding, kind in pages:
            fields = [("Content-Type", kind), *([("Content-Encoding", coding)] if coding else [])]
            said = {
                "WARC-Record-ID": f"<urn:uuid:{zlib.crc32(url.encode()):08x}-0000-4000-8000-000000000000>",
                "WARC-Date": "2024-08-11T00:00:00Z",
            }
            http = StatusAndHeaders("200 OK", fields, protocol="HTTP/1.1")
            record = writer.create_warc_record(
                url, "response", payload=io.BytesIO(body), http_headers=http, warc_headers_dict=said
            )
            writer.write_record(record)


def address(name: str) -> str:
    return f"http://bad.example/{name}"


@dataclass
class Runs:
    one: Path
    two: Path
    code: int
    err: str


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The same archives, with bad pages between good ones and without, read by one worker and by two."""
    folder = tmp_path_factory.mktemp("bad_pages")
    archives = folder / "archives"
    archives.mkdir()
    good = [(url, body, "", "text/html") for url, body in good_pages()]
    bad = [(address(name), page.body(), page.coding, page.kind) for name, page in BAD.items()]
    # The three that cost a child each stand together, which spares two more; then good and bad ones in turn.
    mixed = good[:1] + bad[:3] + [page for place, one in enumerate(bad[3:], 1) for page in [*good[place : place + 1], one]]
    write(archives / "mixed.warc.gz", mixed)
    write(archives / "peace.warc.gz", good)
    two = seiryu("run", write_config(folder / "two", archives, engine=LIMITS | {"workers": 2}), "--until", "extract")
    seiryu("run", write_config(folder / "one", archives, engine=LIMITS | {"workers": 1}), "--until", "extract")
    return Runs(folder / "one/run", folder / "two/run", two.code, two.err)


def rows(run: Path, table: str, unit: str) -> list[dict[str, Any]]:
    return pq.read_table(run / f"{table}/{unit}.parquet").to_pylist()


def test_the_run_goes_on_to_the_end_and_ends_with_3(runs: Runs) -> None:
    assert runs.code == 3, runs.err
    assert "Traceback" not in runs.err


@pytest.mark.parametrize("name", BAD)
def test_a_bad_page_is_accounted_for_under_its_reason(runs: Runs, name: str) -> None:
    kept = {row["url"]: row["text"] for row in rows(runs.two, "documents", "mixed")}
    failed = {row["url"]: row["reason"] for row in rows(runs.two, "ledger", "mixed")}
    expected = BAD[name].outcome
    assert failed.get(address(name)) == (expected if expected in ITSELF else None)
    assert (address(name) in kept) == (expected == "kept")
    if name.startswith(("levels", "long")) and expected == "kept":
        assert bad_pages.BEHIND in kept[address(name)], "what stands behind the bad part is lost"


def test_what_failed_has_its_place(runs: Runs) -> None:
    with (runs.two.parents[1] / "archives/mixed.warc.gz").open("rb") as file:
        places = {record.offset: record.length for record in raw_records(file, "mixed", 1 << 25) if isinstance(record, RawRecord)}
    ledger = rows(runs.two, "ledger", "mixed")
    assert [places[row["warc_offset"]] for row in ledger] == [row["warc_length"] for row in ledger]
    assert [row["url"] for row in ledger] == [address(name) for name, bad in BAD.items() if bad.outcome in ITSELF]


def test_every_good_page_has_the_bytes_it_has_without_the_bad_ones(runs: Runs) -> None:
    def good(unit: str) -> list[dict[str, Any]]:
        found = (row for row in rows(runs.two, "documents", unit) if "bad.example" not in row["url"])
        return [{name: value for name, value in row.items() if name not in ("warc", "warc_offset")} for row in found]

    assert good("mixed") == good("peace")
    assert len(good("mixed")) >= 10


def test_the_law_holds_and_each_rejection_is_counted(runs: Runs) -> None:
    counts = json.loads((runs.two / "units/extract/mixed.json").read_text())["counts"]
    assert counts["records"] == counts["kept"] + sum(counts["rejected"].values()) + sum(counts["failed"].values())
    expected: dict[str, int] = {}
    for bad in BAD.values():
        if bad.outcome in ITSELF:
            expected[bad.outcome] = expected.get(bad.outcome, 0) + 1
    assert counts["failed"] == expected
    assert counts["rejected"]["few_kana"] >= 1


def test_rows_lie_in_the_archives_order(runs: Runs) -> None:
    for table in ("documents", "ledger"):
        offsets = [row["warc_offset"] for row in rows(runs.two, table, "mixed")]
        assert offsets == sorted(offsets)


def test_one_worker_makes_the_bytes_of_two(runs: Runs) -> None:
    assert hashes(runs.one, "documents", "ledger") == hashes(runs.two, "documents", "ledger")


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., Result]]:
    """The stage's function as a worker calls it, on pages given as (name, body); its child is `stage.isolated(worker.config)`."""

    class Worker:
        config = Config(
            run=str(tmp_path / "run"), source=Files(paths=("none",)), engine=Engine(page_seconds=60, page_memory=450_000_000)
        )

        def __call__(self, *pages: tuple[str, bytes], config: Config | None = None) -> Result:
            path = tmp_path / "a.warc.gz"
            write(path, [(address(name), body, "", "text/html; charset=utf-8") for name, body in pages])
            unit = Unit("extract", "a", {"warc": path.name}, identity(str(path)), str(path))
            chosen = config or self.config
            result = stage.work(unit, chosen, Store(chosen.run))
            result.counts.check("a")
            return result

        def rows(self, table: str) -> list[dict[str, Any]]:
            return rows(tmp_path / "run", table, "a")

    yield Worker()
    close_kept()


def test_twins_of_a_bad_page_fail_alike_and_cost_no_second_limit(worker: Any) -> None:
    config = worker.config.model_copy(update={"engine": Engine(page_seconds=1, page_memory=450_000_000)})
    slow, greedy = bad_pages.formatting(), bad_pages.links()
    pages = [("good", bad_pages.good_page(1)), ("slow", slow), ("greedy", greedy), ("good", bad_pages.good_page(2)), ("slow-2", slow),
             ("greedy-2", greedy), ("good-twin", bad_pages.good_page(1)), ("slow-3", slow)]  # fmt: skip
    assert worker(*pages, config=config).counts.failed == {"timeout": 3, "memory": 2}
    ledger, documents = worker.rows("ledger"), worker.rows("documents")
    assert [(row["url"], row["reason"]) for row in ledger] == [
        (address(name), "memory" if "greedy" in name else "timeout") for name, _ in pages if "good" not in name
    ]
    assert len({(row["reason"], row["detail"]) for row in ledger}) == 2
    assert documents[0]["text"] == documents[2]["text"] != documents[1]["text"]
    assert len({row["doc_id"] for row in documents}) == 3
    # One that was at the slow page, one in which the greedy page was not the first or the only suspect, one that lives.
    assert stage.isolated(config).started <= 4, "a twin has been extracted again"


def test_a_page_whose_child_dies_of_a_signal_twice_is_a_crash_and_costs_only_itself(worker: Any) -> None:
    good = [(f"good-{number}", bad_pages.good_page(number)) for number in range(4)]
    worker(*good)
    peace, isolated = worker.rows("documents"), stage.isolated(worker.config)
    ready, over, killed = cpu_seconds(isolated.pid), threading.Event(), []

    def crash() -> None:
        while len(killed) < 2 and not over.wait(0.02):
            pid = isolated.pid
            # Good pages take milliseconds: a child that has worked for a second since it was ready is at the slow page.
            if pid and pid not in killed and cpu_seconds(pid) > ready + 1:
                os.kill(pid, signal.SIGSEGV)
                killed.append(pid)

    killer = threading.Thread(target=crash)
    killer.start()
    result = worker(*good[:2], ("crash", bad_pages.formatting()), *good[2:])
    over.set()
    killer.join()
    assert result.counts.failed == {"crash": 1}
    assert [(row["url"], row["reason"], row["detail"]) for row in worker.rows("ledger")] == [
        (address("crash"), "crash", "SIGSEGV")
    ]
    assert [(row["url"], row["text"], row["doc_id"]) for row in worker.rows("documents")] == [
        (row["url"], row["text"], row["doc_id"]) for row in peace
    ]
    assert isolated.started == 3
    assert isolated.pid not in killed


def cpu_seconds(pid: int | None) -> float:
    """That a process has taken so far; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
