"""Text to ids, against tiktoken alone; ids to a shard and back, against hashing and reading the same bytes."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.corpus.megatron import verify_shard, write_shard
from seiryu.corpus.storage import HashingFile
from seiryu.corpus.tokenizers import Tokenizer, load_tokenizer

COPIES = 20  # of the documents, so that a shard is long enough to be timed


def figures(inputs: Inputs) -> Iterator[Figure]:
    loaded, texts = load_tokenizer("llama3"), inputs.texts(2000, 400)
    ids = loaded.encode_batch(texts)
    rounds = alternate(
        {
            "encode_batch": lambda: loaded.encode_batch(texts),
            "tiktoken, encode_ordinary_batch": lambda: loaded.encoding.encode_ordinary_batch(texts, num_threads=1),
        }
    )
    tokens = sum(map(len, ids)) / 1e6
    yield rounds.figure("encode_batch, one thread", "encode_batch", "M tokens/s", rate(tokens), "tiktoken, encode_ordinary_batch")
    yield Figure("letters a token", sum(map(len, texts)) / tokens / 1e6, "letters")

    documents = ids * COPIES
    with tempfile.TemporaryDirectory() as folder:
        prefix, plain = Path(folder) / "shard", Path(folder) / "plain"
        stream = np.concatenate([np.append(document, loaded.eod) for document in documents]).astype("<i4").tobytes()
        rounds = alternate(
            {
                "write_shard": lambda: write(prefix, documents, loaded),
                "sha256 and one write": lambda: hash_and_write(plain, stream),
                "verify_shard": lambda: verify_shard(prefix, loaded.vocab_size, loaded.eod),
                "reading": lambda: np.fromfile(plain, "<i4"),
            }
        )
        size = len(stream) / 1e6
        what = f"{len(documents):,} sequences, {size:.0f} MB"
        yield rounds.figure(f"write_shard, {what}", "write_shard", "MB/s", rate(size), "sha256 and one write")
        yield rounds.figure(f"verify_shard, {what}", "verify_shard", "MB/s", rate(size), "reading")


def write(prefix: Path, documents: list[NDArray[np.int32]], loaded: Tokenizer) -> None:
    with prefix.with_suffix(".bin").open("wb") as binary, prefix.with_suffix(".idx").open("wb") as index:
        write_shard(HashingFile(binary), HashingFile(index), documents, vocab_size=loaded.vocab_size, eod=loaded.eod)


def hash_and_write(path: Path, data: bytes) -> None:
    hashlib.sha256(data).hexdigest()
    path.write_bytes(data)
