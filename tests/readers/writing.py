"""One shard of made-up sequences in any format, to be held against what another program makes of them."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from seiryu.corpus.formats import FORMATS
from seiryu.corpus.formats.shard import Batch, Place, Vocabulary
from seiryu.corpus.storage import Store


def rows_of(number: int) -> tuple[list[str], list[str]]:
    """doc_ids and addresses of so many sequences."""
    return [f"{i:032x}" for i in range(number)], [f"http://例.jp/{i}" for i in range(number)]


ONLY = Place("train", 0, 1)


def write(folder: Path, name: str, documents: list[np.ndarray], vocabulary: Vocabulary, place: Place = ONLY) -> None:
    doc_ids, urls = rows_of(len(documents))
    flat = np.concatenate([np.append(ids, vocabulary.eod) for ids in documents]).astype(vocabulary.dtype)
    lengths = np.array([len(ids) + 1 for ids in documents], np.int64)
    with ExitStack() as files:
        writer = FORMATS[name].open(Store(str(folder)), place, vocabulary, files)
        writer.write(Batch(flat, lengths, pa.table({"doc_id": doc_ids, "url": urls})))
        writer.finish()
