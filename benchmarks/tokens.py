"""Text to ids, against tiktoken alone; ids to shards of every format and back, against hashing and reading the same bytes."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.inputs import Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.corpus import schema
from seiryu.corpus.formats import FORMATS
from seiryu.corpus.formats.megatron import verify_shard
from seiryu.corpus.formats.shard import Batch, Place, Vocabulary
from seiryu.corpus.shard_schema import SEQUENCES
from seiryu.corpus.storage import Store
from seiryu.corpus.tokenizers import load_tokenizer
from seiryu.corpus.tokenizers.tiktoken_file import TiktokenFile

PLACE = Place("train", 0, 1)
COPIES = 20  # of the documents, so that a shard is long enough to be timed


def figures(inputs: Inputs) -> Iterator[Figure]:
    loaded, texts = load_tokenizer("llama3"), inputs.texts(2000, 400)
    assert isinstance(loaded, TiktokenFile)
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

    vocabulary = Vocabulary(loaded.vocab_size, loaded.eod)
    documents, bodies = [np.append(row, loaded.eod) for row in ids * COPIES], texts * COPIES
    batch = batch_of(documents, bodies, vocabulary)
    stream = batch.tokens.tobytes()
    size, letters = len(stream) / 1e6, sum(map(len, bodies)) / 1e6
    what = f"{len(documents):,} sequences, {size:.0f} MB of ids, {letters:.0f} M letters"
    with tempfile.TemporaryDirectory() as folder:
        plain, prefix = Path(folder) / "plain", Path(folder) / "shards/megatron" / PLACE.name
        tasks = {name: partial(write, Store(folder), name, batch, vocabulary) for name in FORMATS}
        rounds = alternate(tasks | {"sha256 and one write": lambda: hash_and_write(plain, stream)})
        for name in FORMATS:
            yield rounds.figure(f"write {name}, {what}", name, "MB of ids/s", rate(size), "sha256 and one write")
        rounds = alternate({"verify": lambda: verify_shard(prefix, vocabulary), "reading": lambda: np.fromfile(plain, "<i4")})
        yield rounds.figure(f"verify_shard, {what}", "verify", "MB/s", rate(size), "reading")


def batch_of(documents: list[NDArray[np.integer]], texts: list[str], vocabulary: Vocabulary) -> Batch:
    n, date = len(documents), datetime(2025, 1, 1, tzinfo=UTC)
    known = {
        "doc_id": [f"{i:032x}" for i in range(n)],
        "url": [f"https://example.jp/{i}" for i in range(n)],
        "crawl_date": [date] * n,
    }
    columns = {field.name: known.get(field.name, ["" if field.type == "string" else 0] * n) for field in SEQUENCES}
    lengths = np.array([len(ids) for ids in documents], np.int64)
    columns["tokens"] = lengths.astype(np.int32)
    tokens = np.concatenate(documents).astype(vocabulary.dtype)
    return Batch(tokens, lengths, schema.table(SEQUENCES, columns), pa.array(texts, pa.large_string()))


def write(store: Store, name: str, batch: Batch, vocabulary: Vocabulary) -> None:
    with ExitStack() as files:
        writer = FORMATS[name].open(store, PLACE, vocabulary, files)
        writer.write(batch)
        writer.finish()


def hash_and_write(path: Path, data: bytes) -> None:
    hashlib.sha256(data).hexdigest()
    path.write_bytes(data)
