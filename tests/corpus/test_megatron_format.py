"""Shards come back as they were written, and each kind of damage is found and named."""

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from format_batches import LLAMA3, SMALL, batch_of
from format_batches import write as write_batches
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.formats import megatron
from seiryu.corpus.formats.megatron import ShardReader, verify_shard
from seiryu.corpus.formats.shard import ShardError, Vocabulary, check

DOCUMENTS = [[1, 2, 3], [128_255], [5] * 40]
HEADER = 34


def write(folder: Path, documents: list[list[int]], vocabulary: Vocabulary) -> Path:
    """A shard of these documents; its prefix."""
    write_batches(folder, "megatron", [batch_of(documents, vocabulary)], vocabulary)
    return folder / "shards/megatron/train-00000-of-00001"


@pytest.fixture
def shard(tmp_path):
    return write(tmp_path, DOCUMENTS, LLAMA3)


def patch(shard, suffix, offset, data):
    path = shard.with_suffix(suffix)
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(content)


def problems(shard, vocabulary=LLAMA3):
    return verify_shard(shard, vocabulary)


@st.composite
def corpora(draw):
    vocab_size = draw(st.sampled_from([2, 1_000, 65_499, 65_500, 128_256]))
    eod = draw(st.integers(0, vocab_size - 1))
    token = st.integers(0, vocab_size - 1).filter(lambda token: token != eod)
    documents = draw(st.lists(st.lists(token, min_size=1, max_size=30), min_size=1, max_size=20))
    return documents, vocab_size, eod


@given(corpora(), st.sampled_from([1, 3, 1 << 22]), st.booleans())
def test_documents_come_back_with_their_end(tmp_path_factory, corpus, block, with_bos):
    documents, vocab_size, eod = corpus
    vocabulary = Vocabulary(vocab_size, eod, (eod + 1) % vocab_size if with_bos else None)
    folder = tmp_path_factory.mktemp("shard")
    batches = [batch_of(documents[:5], vocabulary), batch_of(documents[5:], vocabulary)]
    written = write_batches(folder, "megatron", batches, vocabulary)
    reader = ShardReader(folder / "shards/megatron/train-00000-of-00001")
    begin = [] if vocabulary.bos is None else [vocabulary.bos]
    assert [reader[i].tolist() for i in range(len(reader))] == [[*begin, *ids, eod] for ids in documents]
    assert reader.dtype == np.dtype("<u2" if vocab_size < 65_500 else "<i4")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(megatron, "_BLOCK", block)
        assert verify_shard(reader.bin_path.with_suffix(""), vocabulary) == []
    for path, told in zip((reader.bin_path, reader.idx_path), written, strict=True):
        content = path.read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (told.sha256, told.size)
        assert folder / told.name == path


def test_the_bytes_are_megatrons_layout(shard):
    assert shard.with_suffix(".bin").read_bytes() == struct.pack("<47i", 1, 2, 3, 128_001, 128_255, 128_001, *[5] * 40, 128_001)
    expected = b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, 4, 3, 4)
    expected += struct.pack("<3i3q4q", 4, 2, 41, 0, 16, 24, 0, 1, 2, 3)
    assert shard.with_suffix(".idx").read_bytes() == expected


@pytest.mark.parametrize(("vocab_size", "dtype"), [(256, "<u2"), (65_499, "<u2"), (65_500, "<i4"), (128_256, "<i4")])
def test_two_bytes_a_token_only_below_65500(vocab_size, dtype):
    assert Vocabulary(vocab_size, 7).dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        ([[1], []], "sequence 11 has no token of a text"),
        ([[1], [2, 1_000]], "sequence 11: id 1000 is not in the vocabulary of 1000"),
        ([[1], [3, 7, 3]], "sequence 11: the end of document 7 stands inside"),
    ],
)
def test_what_no_trainer_could_use_is_refused(documents, problem):
    with pytest.raises(ShardError, match=problem):
        check(batch_of(documents, SMALL), SMALL, 10)


def test_a_sequence_must_end_and_begin_as_the_vocabulary_says():
    batch = batch_of([[1, 2], [3, 4]], SMALL)
    check(batch, SMALL, 0)
    with pytest.raises(ShardError, match="sequence 0: its last id is 7, not the end of document"):
        check(batch, Vocabulary(1_000, 9), 0)
    with pytest.raises(ShardError, match="sequence 0: its first id is 1, not the begin of text"):
        check(batch, Vocabulary(1_000, 7, 5), 0)


@pytest.mark.parametrize(
    ("suffix", "offset", "data", "problem"),
    [
        (".idx", 0, b"m", "not a Megatron index"),
        (".idx", 9, b"\2", "has version 2"),
        (".idx", 17, b"\5", "dtype code 5"),
        (".idx", 17, b"\x08", "said to start at byte 16, not 8"),
        (".idx", 18, b"\0", "0 sequences"),
        (".idx", 18, b"\2", "2 sequences and 4 document indices"),
        (".idx", 26, b"\5", "3 sequences and 5 document indices"),
        (".idx", 18, struct.pack("<QQ", 2**63, 2**63 + 1), "sequences need"),
        (".idx", HEADER, b"\5", "sequence 1 is said to start at byte 16, not 20"),
        (".idx", HEADER + 4, b"\0", "sequence 1 has the length 0"),
        (".idx", HEADER + 7, b"\x80", "sequence 1 has the length -"),
        (".idx", HEADER + 12, b"\4", "sequence 0 is said to start at byte 4, not 0"),
        (".idx", HEADER + 36, b"\1", "document index 0 is 1"),
        (".idx", HEADER + 36 + 24, b"\2", "document index 3 is 2"),
        (".bin", 0, struct.pack("<i", -1), "1 tokens are not in the vocabulary, first in sequence 0"),
        (".bin", 20, struct.pack("<i", 9), "1 sequences lack the end of document, first in sequence 1"),
        (
            ".bin",
            28,
            struct.pack("<i", 128_001),
            "1 ends of document stand inside a sequence, first in sequence 2",
        ),
    ],
)
def test_damage_in_place_is_found(shard, suffix, offset, data, problem):
    assert problems(shard) == []
    patch(shard, suffix, offset, data)
    found = problems(shard)
    assert len(found) == 1
    assert problem in found[0]
    assert str(shard) in found[0]


def test_every_flipped_bit_of_the_index_is_found(shard):
    whole = shard.with_suffix(".idx").read_bytes()
    for bit in range(8 * len(whole)):
        patch(shard, ".idx", bit // 8, bytes([whole[bit // 8] ^ 1 << bit % 8]))
        assert len(problems(shard)) == 1, f"bit {bit}"
        shard.with_suffix(".idx").write_bytes(whole)


@pytest.mark.parametrize("suffix", [".bin", ".idx"])
def test_a_file_cut_anywhere_is_found(shard, suffix):
    path = shard.with_suffix(suffix)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ShardError, match=path.name):
            ShardReader(shard)
    path.write_bytes(whole + b"\0")
    with pytest.raises(ShardError, match=path.name):
        ShardReader(shard)


@pytest.mark.parametrize("suffix", [".bin", ".idx"])
def test_a_missing_file_is_named(shard, suffix):
    shard.with_suffix(suffix).unlink()
    assert problems(shard) == [f"{shard}{suffix} does not exist"]


def test_all_kinds_of_wrong_tokens_are_counted(tmp_path):
    found = verify_shard(write(tmp_path, [[1, 2], [3, 4], [5, 999]], SMALL), Vocabulary(900, 4))
    assert len(found) == 3
    assert "1 tokens are not in the vocabulary, first in sequence 2" in found[0]
    assert "3 sequences lack the end of document, first in sequence 0" in found[1]
    assert "1 ends of document stand inside a sequence, first in sequence 1" in found[2]


def test_a_shard_of_another_vocabulary_is_found(tmp_path):
    assert (
        "a vocabulary of 128256 is stored as int32" in verify_shard(write(tmp_path, [[1, 2]], SMALL), Vocabulary(128_256, 7))[0]
    )


def test_there_is_no_sequence_past_the_last(shard):
    reader = ShardReader(shard)
    assert reader[-1].tolist() == reader[2].tolist()
    with pytest.raises(IndexError, match="no 3"):
        reader[3]
