"""The finished run that all readers read, and what its shards must hold: encoded afresh from the final documents.

It is named by SEIRYU_RUN, or is runs/readers, which `make readers` makes.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from seiryu.corpus.tokenizers import Tokenizer, load_tokenizer

RUN = Path(os.environ.get("SEIRYU_RUN") or Path(__file__).parents[2] / "runs" / "readers")
SPLITS = ("train", "validation")
needs_run = pytest.mark.skipif(
    not list(RUN.glob("shards/megatron/train-*.idx")), reason=f"no finished run in {RUN}; name one in SEIRYU_RUN"
)


@dataclass
class Run:
    """For each shard the documents in its order by their ids, and their sequences; for each document its text."""

    tokenizer: Tokenizer
    documents: dict[str, str]
    ids: dict[str, list[str]]
    sequences: dict[str, list[np.ndarray]]

    def shards(self, split: str) -> list[str]:
        return [name for name in self.ids if name.startswith(f"{split}-")]

    def of_split(self, split: str) -> list[np.ndarray]:
        return [sequence for name in self.shards(split) for sequence in self.sequences[name]]

    def texts(self, split: str) -> list[str]:
        return [self.documents[doc_id] for name in self.shards(split) for doc_id in self.ids[name]]


@lru_cache(maxsize=1)
def finished_run() -> Run:
    tokenizer = load_tokenizer("llama3")
    documents: dict[str, str] = {}
    for path in sorted(RUN.glob("corpus/*.parquet")):
        table = pq.read_table(path, columns=["doc_id", "text"])
        new = dict(zip(table["doc_id"].to_pylist(), table["text"].to_pylist(), strict=True))
        assert len(new) == table.num_rows
        assert not documents.keys() & new.keys(), f"documents of {path} occur before"
        documents |= new
    ids = {}
    for path in sorted(RUN.glob("provenance/*.parquet")):
        table = pq.read_table(path, columns=["sequence", "doc_id"])
        assert table["sequence"].to_pylist() == list(range(table.num_rows))
        ids[path.stem] = table["doc_id"].to_pylist()
    sequences = {
        name: [np.array([*tokenizer.encoding.encode_ordinary(documents[i]), tokenizer.eod]) for i in order]
        for name, order in ids.items()
    }
    return Run(tokenizer, documents, ids, sequences)
