"""Every format: batches cut anywhere give the same bytes, what was written is sound, and each kind of damage is found."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import zstandard
from format_batches import LLAMA3, PLACE, SMALL, batch_of, contents, write
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.corpus.formats import FORMATS, jsonl, mosaic, parquet
from seiryu.corpus.formats.datatrove import for_people
from seiryu.corpus.formats.mosaic import merged_index
from seiryu.corpus.formats.shard import Batch, Place, ShardError, Vocabulary
from seiryu.corpus.storage import Store

BINARY = ("megatron", "datatrove", "mds")
DOCUMENTS = [[i % 900 + 8] * (i % 37 + 1) for i in range(300)]
TEXTS = [f'第{i}文書。\n{"長い" * (i % 50)}\u2028\u0085\0"\\ <script> 🐟' for i in range(300)]


def cut(batch: Batch, places: list[int]) -> list[Batch]:
    edges = sorted({0, len(batch), *(place % (len(batch) + 1) for place in places)})
    ends = np.concatenate([[0], batch.ends()])
    return [
        Batch(batch.tokens[ends[a] : ends[b]], batch.lengths[a:b], batch.rows.slice(a, b - a), batch.texts.slice(a, b - a))
        for a, b in pairwise(edges)
    ]


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=15)
@given(places=st.lists(st.integers(0, 300), max_size=5))
def test_batches_cut_anywhere_give_the_same_bytes(tmp_path_factory, name, places):
    batch = batch_of(DOCUMENTS, SMALL, TEXTS)
    whole, parts = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("parts")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mosaic, "SIZE_LIMIT", 5_000)
        patched.setattr(parquet, "_ROW_GROUP", 9_000)
        patched.setattr(jsonl, "_BLOCK", 3_000)
        write(whole, name, [batch], SMALL)
        write(parts, name, cut(batch, places), SMALL)
    assert contents(whole) == contents(parts)
    assert len(contents(whole)) > {"mds": 5}.get(name, 0)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("vocabulary", [SMALL, LLAMA3, Vocabulary(128_256, 128_001, 128_000)])
def test_what_was_written_is_sound_and_told_exactly(tmp_path, name, vocabulary):
    batch = batch_of(DOCUMENTS, vocabulary, TEXTS)
    written = write(tmp_path, name, [batch], vocabulary)
    assert FORMATS[name].verify(Store(str(tmp_path)), PLACE, vocabulary, batch.lengths) == []
    assert {each.name: each.size for each in written} == {path: len(data) for path, data in contents(tmp_path).items()}
    wrong = batch.lengths.copy()
    wrong[[3, 4]] = wrong[[4, 3]]
    assert len(FORMATS[name].verify(Store(str(tmp_path)), PLACE, vocabulary, wrong)) == 1
    assert len(FORMATS[name].verify(Store(str(tmp_path)), PLACE, vocabulary, batch.lengths[:-1])) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_cut_off_is_found(tmp_path, name):
    batch = batch_of(DOCUMENTS, SMALL, TEXTS)
    write(tmp_path, name, [batch], SMALL)
    for path, data in contents(tmp_path).items():
        for length in (0, 1, len(data) // 3, len(data) - 1):
            (tmp_path / path).write_bytes(data[:length])
            found = FORMATS[name].verify(Store(str(tmp_path)), PLACE, SMALL, batch.lengths)
            assert found, f"{path} cut at {length}"
            assert PLACE.number in found[0]
            (tmp_path / path).write_bytes(data)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_gone_is_named(tmp_path, name):
    batch = batch_of(DOCUMENTS, SMALL, TEXTS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mosaic, "SIZE_LIMIT", 20_000)
        write(tmp_path, name, [batch], SMALL)
        for path, data in contents(tmp_path).items():
            (tmp_path / path).unlink()
            found = FORMATS[name].verify(Store(str(tmp_path)), PLACE, SMALL, batch.lengths)
            last = path == max(contents(tmp_path) | {path: b""}) and name == "mds"
            assert len(found) == 1
            assert ("index.json: does not tell" if last else f"{tmp_path / path} does not exist") in found[0]
            (tmp_path / path).write_bytes(data)


@pytest.mark.parametrize(("name", "suffix"), [("mds", "index.json"), ("datatrove", ".ds.index"), ("datatrove", ".ds.metadata")])
def test_flipped_bits_of_what_tells_of_the_ids_are_found(tmp_path, name, suffix):
    batch = batch_of(DOCUMENTS[:8], SMALL)
    write(tmp_path, name, [batch], SMALL)
    (path,) = [tmp_path / path for path in contents(tmp_path) if path.endswith(suffix)]
    whole = path.read_bytes()
    for bit in range(8 * len(whole)) if len(whole) < 200 else range(0, 8 * len(whole), 5):  # 5: every byte, all its bits in turn
        path.write_bytes(whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :])
        assert len(FORMATS[name].verify(Store(str(tmp_path)), PLACE, SMALL, batch.lengths)) == 1, f"bit {bit}"


@pytest.mark.parametrize("name", FORMATS)
def test_damage_anywhere_is_found_or_harmless_and_never_raised(tmp_path, name):
    batch = batch_of(DOCUMENTS[:20], SMALL, TEXTS[:20])
    write(tmp_path, name, [batch], SMALL)
    random = np.random.default_rng(0)
    for path, data in contents(tmp_path).items():
        for byte, bit in zip(random.integers(0, len(data), 100).tolist(), random.integers(0, 8, 100).tolist(), strict=True):
            (tmp_path / path).write_bytes(data[:byte] + bytes([data[byte] ^ 1 << bit]) + data[byte + 1 :])
            assert isinstance(FORMATS[name].verify(Store(str(tmp_path)), PLACE, SMALL, batch.lengths), list)
        (tmp_path / path).write_bytes(data + data[:9])
        assert FORMATS[name].verify(Store(str(tmp_path)), PLACE, SMALL, batch.lengths), f"{path} goes on behind its end"
        (tmp_path / path).write_bytes(data)


@pytest.mark.parametrize("name", FORMATS)
def test_no_sequences_are_no_shard(tmp_path, name):
    for batches in ([], [batch_of([], SMALL, [])]):
        with pytest.raises(ShardError, match="no sequences"):
            write(tmp_path, name, batches, SMALL)
    assert not contents(tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_an_object_store_holds_the_same_files_and_is_checked_the_same(tmp_path, name):
    batch, root = batch_of(DOCUMENTS, SMALL, TEXTS), f"memory://formats/{name}"
    write(tmp_path, name, [batch], SMALL)
    for each in write(root, name, [batch], SMALL):
        assert Store(root).read(each.name) == (tmp_path / each.name).read_bytes()
        last = each.name
    assert FORMATS[name].verify(Store(root), PLACE, SMALL, batch.lengths) == []
    found = FORMATS[name].verify(Store(root), PLACE, SMALL, batch.lengths[::-1])
    assert len(found) == 1
    assert found[0].startswith(f"{root}/shards/{name}/train")
    Store(root).delete(last)
    assert FORMATS[name].verify(Store(root), PLACE, SMALL, batch.lengths) == [f"{root}/{last} does not exist"]


@pytest.mark.parametrize("name", [*BINARY, "parquet_tokens"])
@pytest.mark.parametrize(
    ("vocabulary", "what"),
    [
        (Vocabulary(200, 7), "not in the vocabulary"),
        (Vocabulary(1_000, 9), "lack the end"),
        (Vocabulary(1_000, 7, 3), "lack the begin"),
    ],
)
def test_tokens_that_must_not_be_there_are_found(tmp_path, name, vocabulary, what):
    batch = batch_of(DOCUMENTS, SMALL, TEXTS)
    write(tmp_path, name, [batch], SMALL)
    found = FORMATS[name].verify(Store(str(tmp_path)), PLACE, vocabulary, batch.lengths)
    assert what in " ".join(found)


def test_lines_of_json_are_lines_whatever_stands_in_them(tmp_path):
    write(tmp_path, "jsonl", cut(batch_of(DOCUMENTS, SMALL, TEXTS), [7, 200]), SMALL)
    data = (
        zstandard.ZstdDecompressor().stream_reader((tmp_path / "shards/jsonl/train-00000-of-00001.jsonl.zst").read_bytes()).read()
    )
    assert data.count(b"\n") == 300
    rows = [json.loads(line) for line in data.decode().split("\n")[:-1]]
    assert [row["text"] for row in rows] == TEXTS
    assert rows[5]["id"] == f"{5:032x}"
    assert rows[0]["crawl_date"] == "2024-02-03T04:05:06Z"
    assert "長い".encode() in data


def test_parquet_has_the_texts_and_if_asked_the_ids(tmp_path):
    batch = batch_of(DOCUMENTS, SMALL, TEXTS)
    for name in ("parquet", "parquet_tokens"):
        write(tmp_path, name, [batch], SMALL)
    plain = pq.read_table(tmp_path / "shards/parquet/train-00000-of-00001.parquet")
    assert plain["text"].to_pylist() == TEXTS
    assert "input_ids" not in plain.column_names
    ids = pq.read_table(tmp_path / "shards/parquet_tokens/train-00000-of-00001.parquet")["input_ids"].to_pylist()
    assert ids == [[*document, 7] for document in DOCUMENTS]


def test_one_index_names_the_files_of_all_shards(tmp_path):
    places = [Place("train", number, 3) for number in (0, 2)]  # nothing is left of shard 1
    for place in places:
        write(tmp_path, "mds", [batch_of(DOCUMENTS[: 10 + place.index], SMALL)], SMALL, place)
    index = merged_index(Store(str(tmp_path)), places)
    assert [(file["raw_data"]["basename"], file["samples"]) for file in index["shards"]] == [
        ("00000-of-00003/shard.00000.mds", 10), ("00002-of-00003/shard.00000.mds", 12),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (0, "0.00 T"),
        (7, "7.00 T"),
        (999, "999 T"),
        (99_950, "100 kT"),
        (164_932, "165 kT"),
        (999_499, "999 kT"),
        (999_500, "1.00 MT"),
        (2_500_000_000, "2.50 GT"),
        (10**16, "10.0 PT"),
    ],
)
def test_numbers_for_people_are_those_of_humanize(tokens, said):
    assert for_people(tokens) == said


def test_folders_are_those_that_the_documentation_names(tmp_path):
    for name in FORMATS:
        write(tmp_path, name, [batch_of(DOCUMENTS, SMALL, TEXTS)], SMALL)
    assert {str(Path(path).parent) for path in contents(tmp_path)} == {
        "shards/megatron", "shards/datatrove/train", "shards/mds/train/00000-of-00001", "shards/parquet", "shards/parquet_tokens", "shards/jsonl",
    }  # fmt: skip
