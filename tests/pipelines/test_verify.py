"""`verify` finds what was damaged behind the pipeline's back."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commandline import seiryu


def problems(run: Path) -> list[str]:
    ended = seiryu("verify", run, "--json")
    found = json.loads(ended.out)["problems"]
    assert ended.code == (1 if found else 0)
    return found


def test_a_finished_run_has_no_problems(small_run: Path) -> None:
    assert problems(small_run / "run") == []


@pytest.mark.parametrize(
    "pattern", ["shards/train-*.bin", "shards/train-*.idx", "corpus/*.parquet", "provenance/train-*.parquet"]
)
def test_a_flipped_bit_is_found(pattern: str, run_copy: Path) -> None:
    file = sorted((run_copy / "run").glob(pattern))[0]
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert problems(run_copy / "run") == [f"{file}: its sha256 is not the recorded one"]


def test_a_missing_file_and_a_stray_one_are_found(run_copy: Path) -> None:
    shard = sorted((run_copy / "run/shards").glob("train-*.bin"))[0]
    shard.unlink()
    stray = run_copy / "run/shards/notes.txt"
    stray.write_text("a trainer's directory tools fail on this")
    assert problems(run_copy / "run") == [f"{shard}: is missing", f"{stray}: does not belong to this run"]


def test_a_damaged_table_is_named_and_made_again_when_it_is_deleted_with_its_sidecar(run_copy: Path) -> None:
    table = sorted((run_copy / "run/documents").glob("CC-MAIN-2021*.parquet"))[0]
    table.write_bytes(table.read_bytes()[:-100])
    (run_copy / f"run/units/annotate/{table.stem}.json").unlink()
    ended = seiryu("run", run_copy / "config.yaml")
    assert ended.code == 3
    assert f"{table} is damaged and cannot be read" in ended.err
    table.unlink()
    (run_copy / f"run/units/extract/{table.stem}.json").unlink()
    ended = seiryu("run", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    assert problems(run_copy / "run") == []


def test_every_sequence_leads_to_a_page_of_an_archive(small_run: Path, small_archives: Path) -> None:
    from warcio.archiveiterator import ArchiveIterator

    rows = [row for file in (small_run / "run/provenance").glob("*.parquet") for row in pq.read_table(file).to_pylist()]
    assert len({row["doc_id"] for row in rows}) == len(rows) > 50
    for row in rows[::10]:
        with (small_archives / row["warc"]).open("rb") as file:
            file.seek(row["warc_offset"])
            record = next(iter(ArchiveIterator(file)))
            assert record.rec_headers.get_header("WARC-Target-URI") == row["url"]
            assert record.rec_headers.get_header("WARC-Record-ID") == f"<urn:uuid:{row['doc_id']}>"


@pytest.mark.parametrize("command", ["status", "verify", "report"])
def test_a_directory_that_holds_no_run_is_said_to_hold_none(command: str, tmp_path: Path) -> None:
    ended = seiryu(command, tmp_path)
    assert ended.code == 1
    assert ended.err == f"seiryu: {tmp_path} holds no run: run.json is not there\n"
