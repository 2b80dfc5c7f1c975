"""The files of datatrove and of MosaicML as their definitions say, byte for byte, by hand: Megatron's are in test_megatron_format.py."""

import json
import struct

import pytest
from format_batches import LLAMA3, SMALL, batch_of, write

from seiryu.corpus.formats import mosaic
from seiryu.corpus.formats.shard import Vocabulary

WITH_BEGIN = Vocabulary(128_256, 128_001, 128_000, "llama3")
DOCUMENTS = [[1, 2, 3], [5]]  # the second text is one token


@pytest.mark.parametrize(
    ("vocabulary", "ids", "ends", "metadata"),
    [
        (SMALL, struct.pack("<6H", 1, 2, 3, 7, 5, 7), (4, 6), b"small|2\n6\n6.00 T"),
        (LLAMA3, struct.pack("<6I", 1, 2, 3, 128_001, 5, 128_001), (4, 6), b"llama3|4\n6\n6.00 T"),
        (WITH_BEGIN, struct.pack("<8I", 128_000, 1, 2, 3, 128_001, 128_000, 5, 128_001), (5, 8), b"llama3|4\n8\n8.00 T"),
    ],
)
def test_datatrove_has_ids_ends_and_three_lines_of_text(tmp_path, vocabulary, ids, ends, metadata):
    write(tmp_path, "datatrove", [batch_of(DOCUMENTS, vocabulary)], vocabulary)
    stem = tmp_path / "shards/datatrove/train/00000-of-00001.ds"
    assert stem.read_bytes() == ids
    assert stem.with_suffix(".ds.index").read_bytes() == struct.pack("<2Q", *ends)
    assert stem.with_suffix(".ds.metadata").read_bytes() == metadata


@pytest.mark.parametrize(
    ("vocabulary", "encoding", "token", "first", "second"),
    [
        (SMALL, "ndarray:uint16", "H", [1, 2, 3, 7], [5, 7]),
        (LLAMA3, "ndarray:int32", "i", [1, 2, 3, 128_001], [5, 128_001]),
        (WITH_BEGIN, "ndarray:int32", "i", [128_000, 1, 2, 3, 128_001], [128_000, 5, 128_001]),
    ],
)
def test_mds_has_sizes_and_columns_of_each_sample(tmp_path, vocabulary, encoding, token, first, second):
    write(tmp_path, "mds", [batch_of(DOCUMENTS, vocabulary)], vocabulary)
    folder = tmp_path / "shards/mds/train/00000-of-00001"
    samples = []
    for number, ids in enumerate((first, second)):
        doc_id, url = f"{number:032x}".encode(), f"http://例.jp/{number}".encode()
        array = bytes([1 << 2, len(ids)]) + struct.pack(f"<{len(ids)}{token}", *ids)
        samples.append(struct.pack("<3I", len(doc_id), len(array), len(url)) + doc_id + array + url)
    kind = {
        "column_encodings": ["str", encoding, "str"], "column_names": ["doc_id", "tokens", "url"], "column_sizes": [None] * 3,
        "compression": None, "format": "mds", "hashes": [], "size_limit": 67_108_864, "version": 2,
    }  # fmt: skip
    head = json.dumps(kind, sort_keys=True).encode()
    begin = 4 + 3 * 4 + len(head)
    offsets = struct.pack("<3I", begin, begin + len(samples[0]), begin + len(samples[0]) + len(samples[1]))
    data = struct.pack("<I", 2) + offsets + head + b"".join(samples)
    assert (folder / "shard.00000.mds").read_bytes() == data
    entry = kind | {"raw_data": {"basename": "shard.00000.mds", "bytes": len(data), "hashes": {}}, "samples": 2, "zip_data": None}
    assert json.loads((folder / "index.json").read_text()) == {"shards": [entry], "version": 2}


@pytest.mark.parametrize(
    ("size", "shape"), [(255, b"\4\xff"), (256, b"\5\0\1"), (65_535, b"\5\xff\xff"), (65_536, b"\6\0\0\1\0")]
)
def test_mds_stores_the_length_of_a_sequence_in_as_few_bytes_as_it_needs(tmp_path, size, shape):
    write(tmp_path, "mds", [batch_of([[5] * (size - 1)], SMALL)], SMALL)
    data = (tmp_path / "shards/mds/train/00000-of-00001/shard.00000.mds").read_bytes()
    assert f"{0:032x}".encode() + shape + b"\5\0\5\0" in data


def test_mds_files_keep_below_the_limit_and_a_sample_that_is_longer_stands_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(mosaic, "SIZE_LIMIT", 2_000)
    write(tmp_path, "mds", [batch_of([[5] * 100] * 20 + [[5] * 3_000] + [[5]], SMALL)], SMALL)
    sizes = [path.stat().st_size for path in sorted((tmp_path / "shards/mds/train/00000-of-00001").glob("*.mds"))]
    assert sum(size > 2_000 for size in sizes) == 1
    assert sizes[-2] > 6_000
    index = json.loads((tmp_path / "shards/mds/train/00000-of-00001/index.json").read_text())
    assert [file["raw_data"]["bytes"] for file in index["shards"]] == sizes
    assert sum(file["samples"] for file in index["shards"]) == 22
