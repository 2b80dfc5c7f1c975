"""`verify` finds what was damaged behind the pipeline's back."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commandline import hashes, seiryu


def problems(run: Path) -> list[str]:
    ended = seiryu("verify", run, "--json")
    found = json.loads(ended.out)["problems"]
    assert ended.code == (1 if found else 0)
    return found


def test_a_finished_run_has_no_problems(small_run: Path) -> None:
    assert problems(small_run / "run") == []


@pytest.mark.parametrize(
    "pattern",
    [
        "shards/megatron/train-*.bin",
        "shards/megatron/train-*.idx",
        "shards/datatrove/train/*.ds.index",
        "shards/mds/train/*/shard.00000.mds",
        "shards/mds/train/index.json",
        "shards/parquet/train-*.parquet",
        "shards/jsonl/train-*.zst",
        "tokens/*.ids",
        "splits/all.parquet",
        "corpus/*.parquet",
        "provenance/train-*.parquet",
    ],
)
def test_a_flipped_bit_is_found(pattern: str, run_copy: Path) -> None:
    file = sorted((run_copy / "run").glob(pattern))[0]
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert problems(run_copy / "run") == [f"{file}: its sha256 is not the recorded one"]


def test_a_missing_file_and_a_stray_one_are_found(run_copy: Path) -> None:
    shard = sorted((run_copy / "run/shards/megatron").glob("train-*.bin"))[0]
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


def damage(file: Path, how: str) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data[: len(data) // 2] if how == "truncated" else data)


def test_what_is_damaged_can_be_dropped_and_exactly_that_is_made_again(run_copy: Path) -> None:
    run = run_copy / "run"
    whole = hashes(run, "signatures", "members", "groups", "copies", "fingerprints", "dedup", "corpus", "shards", "provenance")
    (members,) = (file.stem for file in (run / "members").iterdir())
    ways = {"signatures/CC-MAIN-2021-25-00000.parquet": "flipped", f"members/{members}.parquet": "flipped",
            "groups/all.parquet": "flipped", "copies/0000.behind.parquet": "flipped",
            "fingerprints/CC-MAIN-2025-05-00000.parquet": "truncated"}  # fmt: skip
    for name, how in ways.items():
        damage(run / name, how)
    ended = seiryu("verify", run, "--drop")
    assert ended.code == 1
    units = {
        "signatures CC-MAIN-2021-25-00000",
        f"members {members}",
        "groups all",
        "copies 0000",
        "fingerprints CC-MAIN-2025-05-00000",
    }
    dropped = {line.partition(":")[0].removeprefix("dropped ") for line in ended.out.splitlines() if line.startswith("dropped ")}
    assert dropped == units
    assert all(f"{run / name}: its sha256 is not the recorded one" in ended.out.splitlines() for name in ways)
    assert ended.out.splitlines()[-1].endswith("5 problems, 5 units dropped")
    assert not any((run / name).exists() for name in ways)
    assert not any((run / f"units/{unit.replace(' ', '/')}.json").exists() for unit in units)
    ended = seiryu("run", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    made = {line.partition(" in ")[0] for line in ended.err.splitlines() if " units in " in line}
    assert made == {f"{stage}: 1 units" for stage in ("signatures", "members", "groups", "copies", "fingerprints")}
    assert hashes(run, *{name.partition("/")[0] for name in whole}) == whole
    assert problems(run) == []


@pytest.mark.parametrize("pattern", ["signatures/CC-MAIN-2021*", "members/*", "groups/*"])
def test_a_damaged_table_of_deduplication_is_named_and_deleting_it_is_enough(pattern: str, run_copy: Path) -> None:
    run = run_copy / "run"
    (name,) = (str(file.relative_to(run)) for file in run.glob(pattern))
    before = hashes(run, "dedup", "shards", name.partition("/")[0])
    damage(run / name, "truncated")
    behind = {"signatures": "bands", "groups": "members", "members": "choices"}[name.partition("/")[0]]
    for sidecar in (run / f"units/{behind}").iterdir():  # somebody has to read it
        sidecar.unlink()
    ended = seiryu("run", run_copy / "config.yaml")
    assert ended.code != 0
    assert f"{run / name} is damaged and cannot be read" in ended.err
    assert "delete it and run again" in ended.err
    (run / name).unlink()
    ended = seiryu("run", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    assert f"{name.partition('/')[0]}: 1 units in " in ended.err
    assert hashes(run, "dedup", "shards", name.partition("/")[0]) == before


def test_dropping_says_what_no_unit_can_mend_and_touches_nothing_where_all_is_well(run_copy: Path) -> None:
    run = run_copy / "run"
    before = hashes(run, "units", "shards")
    assert seiryu("verify", run, "--drop").code == 0
    stray = run / "shards/notes.txt"
    stray.write_text("a trainer's directory tools fail on this")
    ended = seiryu("verify", run, "--drop", "--json")
    text = f"{stray}: does not belong to this run"
    assert ended.code == 1
    assert {key: value for key, value in json.loads(ended.out).items() if key != "files"} == {
        "problems": [text], "dropped": [], "left": [text],
    }  # fmt: skip
    assert "dropping units mends 1 of these not" in seiryu("verify", run, "--drop").out
    stray.unlink()
    assert hashes(run, "units", "shards") == before


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
