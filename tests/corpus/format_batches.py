"""Sequences as the stage hands them to the writers of all formats."""

import datetime
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from seiryu.corpus import schema
from seiryu.corpus.formats import FORMATS
from seiryu.corpus.formats.shard import Batch, Place, Vocabulary
from seiryu.corpus.shard_schema import SEQUENCES
from seiryu.corpus.storage import Store, Written

LLAMA3 = Vocabulary(128_256, 128_001, name="llama3")
SMALL = Vocabulary(1_000, 7, name="small")
PLACE = Place("train", 0, 1)
DATE = datetime.datetime(2024, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)


def batch_of(documents: list[list[int]], vocabulary: Vocabulary, texts: list[str] | None = None, first: int = 0) -> Batch:
    """A batch of these ids, to each of which its end is added, and its begin if the vocabulary has one."""
    begin = [] if vocabulary.bos is None else [vocabulary.bos]
    sequences = [[*begin, *ids, vocabulary.eod] for ids in documents]
    n = len(documents)
    known = {"doc_id": [f"{first + i:032x}" for i in range(n)], "url": [f"http://例.jp/{first + i}" for i in range(n)], "crawl_date": [DATE] * n,
             "tokens": [len(ids) for ids in sequences]}  # fmt: skip
    empty = {"string": "", "int64": 0, "int32": 0}
    columns = {field.name: known.get(field.name, [empty.get(str(field.type), 0)] * n) for field in SEQUENCES}
    return Batch(
        np.array([token for ids in sequences for token in ids], vocabulary.dtype),
        np.array([len(ids) for ids in sequences], np.int64),
        schema.table(SEQUENCES, columns),
        pa.array(texts if texts is not None else [f"本文{i}" for i in range(n)], pa.large_string()),
    )


def write(folder: Path | str, name: str, batches: list[Batch], vocabulary: Vocabulary, place: Place = PLACE) -> list[Written]:
    store = Store(str(folder))
    with ExitStack() as files:
        writer = FORMATS[name].open(store, place, vocabulary, files)
        for batch in batches:
            writer.write(batch)
        writer.finish()
    return writer.written()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted((folder / "shards").rglob("*")) if path.is_file()}
