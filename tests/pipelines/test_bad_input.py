"""Bad archives and a full disk: an error or an entry in the ledger, nothing lost, never a traceback, never a silent zero."""

import gzip
import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commandline import SAMPLES, seiryu, write_config
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

GOOD = SAMPLES / "CC-MAIN-2021-25-00000.warc.gz"


def members(path: Path) -> list[tuple[int, int, str]]:
    """(begin, end, url or empty) of the records of an archive, by warcio."""
    found = []
    with path.open("rb") as file:
        iterator = ArchiveIterator(file)
        for record in iterator:
            url = record.rec_headers.get_header("WARC-Target-URI") if record.rec_type == "response" else ""
            iterator.read_to_end()
            found.append((iterator.get_record_offset(), iterator.get_record_offset() + iterator.get_record_length(), url))
    return found


def write(path: Path, pages: list[tuple[str | None, bytes]]) -> None:
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for url, body in pages:
            http = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            record = writer.create_warc_record(url or "http://x/", "response", payload=io.BytesIO(body), http_headers=http)
            if url is None:
                record.rec_headers.remove_header("WARC-Target-URI")
            writer.write_record(record)


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory: pytest.TempPathFactory):
    """One run over a folder of archives in every bad state, among them good ones."""
    folder = tmp_path_factory.mktemp("bad")
    archives = folder / "archives"
    archives.mkdir()
    data, records = GOOD.read_bytes(), members(GOOD)
    japanese = gzip.decompress(data[records[2][0] : records[2][1]]).split(b"\r\n\r\n", 2)[2].rstrip()
    (archives / "empty.warc.gz").write_bytes(b"")
    (archives / "html.warc.gz").write_bytes(gzip.compress(b"<html>no archive</html>" * 100))
    (archives / "text.warc").write_bytes(b"this is not an archive\n" * 100)
    (archives / "truncated.warc.gz").write_bytes(data[: records[100][0] + 300])
    middle = records[50][0]
    (archives / "garbage.warc.gz").write_bytes(data[:middle] + os.urandom(5000) + b"\0" * 3000 + data[middle:])
    broken = bytearray(data)
    broken[records[60][0] + 200 : records[60][0] + 240] = b"\xff" * 40
    (archives / "broken.warc.gz").write_bytes(broken)
    huge = japanese.replace(b"</body>", "<p>大きな頁。".encode() * 3_000_000 + b"</body>")
    assert len(huge) > 50_000_000
    write(
        archives / "odd.warc.gz",
        [(None, japanese), ("http://a/empty", b""), ("http://a/huge", huge), ("http://a/good", japanese)],
    )
    config = write_config(folder, archives)
    return seiryu("run", config), folder, records


def ledger(folder: Path, unit: str) -> list[dict]:
    return pq.read_table(folder / f"run/ledger/{unit}.parquet").to_pylist()


def counts(folder: Path, unit: str) -> dict:
    return json.loads((folder / f"run/units/extract/{unit}.json").read_text())["counts"]


def test_the_run_goes_on_and_ends_with_3_and_reasons(bad_run) -> None:
    ended, folder, _ = bad_run
    assert ended.code == 3, ended.err
    assert "Traceback" not in ended.err + ended.out
    assert "extract empty: " in ended.err
    assert "empty.warc.gz is empty (0 bytes)" in ended.err
    assert "html.warc.gz holds no WARC record" in ended.err
    assert "text.warc is not a WARC archive: it begins with b'this is" in ended.err
    assert "3 units were set aside, 0 are allowed" in ended.err
    assert (folder / "run/shards").is_dir()


def test_status_and_json_name_what_was_set_aside(bad_run) -> None:
    _, folder, _ = bad_run
    status = json.loads(seiryu("status", folder / "run", "--json").out)
    assert sorted(status["set_aside"]) == ["extract empty", "extract html", "extract text"]
    assert all(why["attempts"] == 1 for why in status["set_aside"].values()), "bad input needs no second try"


def test_a_truncated_archive_loses_the_record_that_was_cut_and_no_other(bad_run) -> None:
    _, folder, records = bad_run
    found = counts(folder, "truncated")
    assert found["records"] == 101
    assert found["failed"] == {"damaged": 1}
    assert [(row["warc_offset"], row["reason"]) for row in ledger(folder, "truncated")] == [(records[100][0], "damaged")]


def test_garbage_in_the_middle_is_reported_and_the_records_after_it_are_read(bad_run) -> None:
    _, folder, records = bad_run
    found = counts(folder, "garbage")
    whole = len(records)
    assert found["records"] - found["failed"]["damaged"] == whole
    assert found["extra"]["lost_bytes"] >= 8000
    assert ledger(folder, "garbage")[0]["warc_offset"] == records[50][0]


def test_a_broken_record_costs_only_itself(bad_run) -> None:
    _, folder, records = bad_run
    found = counts(folder, "broken")
    assert found["records"] == len(records)
    assert found["failed"] == {"damaged": 1}
    assert ledger(folder, "broken")[0]["warc_offset"] == records[60][0]


def test_odd_pages_are_in_the_ledger_or_counted_and_the_good_one_is_kept(bad_run) -> None:
    _, folder, _ = bad_run
    found = counts(folder, "odd")
    assert found["records"] == 4
    assert found["failed"] == {"no_url": 1, "too_large": 1}
    assert found["rejected"] == {"empty": 1}
    assert found["kept"] == 1
    assert [(row["reason"], row["url"]) for row in ledger(folder, "odd")] == [("no_url", ""), ("too_large", "http://a/huge")]


def test_what_was_set_aside_is_tried_again_and_joins_when_it_is_mended(bad_run, tmp_path: Path) -> None:
    _, folder, _ = bad_run
    shutil.copytree(folder, tmp_path / "b")
    shutil.copy(GOOD, tmp_path / "b/archives/empty.warc.gz")
    for name in ("html.warc.gz", "text.warc"):
        (tmp_path / "b/archives" / name).unlink()
    ended = seiryu("run", write_config(tmp_path / "b", tmp_path / "b/archives", engine={"allowed_failed_records": 0.1}))
    assert ended.code == 0, ended.err
    assert "extract: 1 units" in ended.err, "only what was set aside is made"
    assert json.loads(seiryu("status", tmp_path / "b/run", "--json").out)["set_aside"] == {}
    assert seiryu("verify", tmp_path / "b/run").code == 0


def test_archives_that_are_all_bad_end_with_1_and_the_reason(tmp_path: Path) -> None:
    archives = tmp_path / "archives"
    archives.mkdir()
    (archives / "a.warc.gz").write_bytes(b"")
    ended = seiryu("run", write_config(tmp_path, archives))
    assert ended.code == 1
    assert "extract: 0 records went in, none was kept" in ended.err
    assert "a.warc.gz is empty (0 bytes)" in ended.err
    assert "Traceback" not in ended.err


def test_an_archive_without_a_japanese_page_ends_with_1_and_says_where_they_went(tmp_path: Path) -> None:
    archives = tmp_path / "archives"
    archives.mkdir()
    write(archives / "a.warc.gz", [("http://a/", b"<html><body><p>English words only.</p></body></html>")])
    ended = seiryu("run", write_config(tmp_path, archives))
    assert ended.code == 1
    assert "extract: 1 records went in, none was kept (few_kana 1)" in ended.err


def test_a_directory_without_archives_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no archive")
    ended = seiryu("run", write_config(tmp_path, tmp_path), "--set", f"source.paths=[{tmp_path}]")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert f"{tmp_path} names no archive" in ended.err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_stops_the_run_with_a_clear_error_and_more_room_lets_it_go_on(
    small_disk: Path, small_archives: Path, tmp_path: Path
) -> None:
    config = write_config(tmp_path, small_archives, run=str(small_disk / "run"))
    ended = seiryu("run", config)
    assert ended.code == 1
    assert "No space left on device; free some room and run again" in ended.err
    assert "Traceback" not in ended.err
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    again = seiryu("run", config)
    assert again.code == 0, again.err
    assert seiryu("verify", small_disk / "run").code == 0
