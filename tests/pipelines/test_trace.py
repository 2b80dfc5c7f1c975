"""From a sequence of a shard, in whatever format, to its page, its record and its text."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from commandline import seiryu
from warcio.archiveiterator import ArchiveIterator


def shard(run: Path) -> tuple[str, list[dict[str, object]]]:
    file = sorted((run / "provenance").glob("train-*.parquet"))[0]
    return file.stem, pq.read_table(file).to_pylist()


def traced(*arguments: object) -> dict[str, object]:
    ended = seiryu("trace", *map(str, arguments), "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


@pytest.mark.parametrize(
    "path",
    ["megatron/{0}", "megatron/{0}.bin", "megatron/{0}.idx", "datatrove/train/{1}.ds", "mds/train/{1}", "mds/train/{1}/shard.00000.mds",
     "parquet/{0}.parquet", "jsonl/{0}.jsonl.zst"],
)  # fmt: skip
def test_any_file_of_a_shard_leads_to_the_page(small_run: Path, path: str) -> None:
    name, rows = shard(small_run / "run")
    found = traced(small_run / "run/shards" / path.format(name, name.partition("-")[2]), len(rows) - 1)
    assert {key: found[key] for key in rows[-1]} == rows[-1]
    assert found["same"] is True
    assert found["decoded"] == f"{found['text']}<|end_of_text|>"


def test_the_record_that_it_names_is_the_page(small_run: Path, small_archives: Path) -> None:
    name, rows = shard(small_run / "run")
    found = traced(small_run / "run/shards/megatron" / name, 2)
    with (small_archives / found["warc"]).open("rb") as file:
        iterator = ArchiveIterator(file)
        address = {iterator.get_record_offset(): record.rec_headers.get_header("WARC-Target-URI") for record in iterator}
    assert address[found["warc_offset"]] == found["url"] == rows[2]["url"]
    assert found["record"]["range"] == f"bytes={found['warc_offset']}-{found['warc_offset'] + found['record']['length'] - 1}"


def test_a_token_leads_to_the_sequence_that_holds_it(small_run: Path) -> None:
    name, rows = shard(small_run / "run")
    ends = np.cumsum([row["tokens"] for row in rows])
    path = small_run / "run/shards/megatron" / name
    for token, sequence in ((0, 0), (ends[3] - 1, 3), (ends[3], 4), (ends[-1] - 1, len(rows) - 1)):
        assert traced(path, "--token", token)["sequence"] == sequence


def test_a_shard_that_was_moved_is_traced_with_its_run(small_run: Path, tmp_path: Path) -> None:
    name, rows = shard(small_run / "run")
    ended = seiryu("trace", tmp_path / f"{name}.bin", 0)
    assert ended.code == 2
    assert "--run RUN" in ended.err
    assert traced(tmp_path / f"{name}.bin", 0, "--run", small_run / "run")["doc_id"] == rows[0]["doc_id"]


def test_ids_that_are_not_those_of_the_text_are_told(run_copy: Path) -> None:
    name, _ = shard(run_copy / "run")
    path = run_copy / f"run/shards/megatron/{name}.bin"
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    ended = seiryu("trace", path, 0)
    assert ended.code == 1
    assert "NO: run seiryu verify" in ended.out


@pytest.mark.parametrize("wrong", [b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff"])
def test_an_id_that_is_in_no_vocabulary_is_told_too(run_copy: Path, wrong: bytes) -> None:
    name, _ = shard(run_copy / "run")
    path = run_copy / f"run/shards/megatron/{name}.bin"
    data = bytearray(path.read_bytes())
    data[4:8] = wrong
    path.write_bytes(data)
    ended = seiryu("trace", path, 0)
    assert ended.code == 1, ended.err
    assert "NO: run seiryu verify" in ended.out


def test_what_cannot_be_traced_is_told(small_run: Path) -> None:
    name, rows = shard(small_run / "run")
    path = small_run / "run/shards/megatron" / name
    for arguments, problem in (
        ([path, len(rows)], f"has {len(rows):,} sequences, 0 to {len(rows) - 1:,}"),
        ([path, "--token", 10**12], "the shard has"),
        ([path], "either a SEQUENCE or --token N"),
        ([path, 0, "--token", 0], "either a SEQUENCE or --token N"),
        ([small_run / "run/run.json", 0], "no shard is called so"),
        (
            [small_run / "run/shards/megatron/train-00007-of-00009.bin", 0],
            "has no shard train-00007-of-00009; there are train-00000",
        ),
    ):
        ended = seiryu("trace", *map(str, arguments))
        assert (ended.code, problem in ended.err) == (2, True), ended.err
