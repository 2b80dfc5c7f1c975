"""What every format of shards has to do with: where a shard stands among the others, its sequences in batches, and who writes them.

A sequence is one document as token ids: begin of text, if asked for, the ids of its text, and the end of document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store, Written

Ids = npt.NDArray[np.integer]
_TWO_BYTES = 65_500  # ids of a smaller vocabulary are stored in two bytes (Megatron-LM's limit)


class ShardError(InputError, ValueError):
    """A shard that is damaged, or sequences that cannot become one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Shard `index` of the `of` shards of a split: train, validation or test."""

    split: str
    index: int
    of: int

    @property
    def number(self) -> str:
        return f"{self.index:05d}-of-{self.of:05d}"

    @property
    def name(self) -> str:
        """As it is called in every format: train-00000-of-00002."""
        return f"{self.split}-{self.number}"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which ids there are: 0 to `size` - 1. `eod` ends every sequence and stands nowhere else; `bos` begins each, if it is not None.

    `name`: of the tokenizer, without its folder.
    """

    size: int
    eod: int
    bos: int | None = None
    name: str = "tokenizer"

    @property
    def dtype(self) -> np.dtype[np.integer]:
        """How ids are stored, little-endian: uint16 if the vocabulary is below 65,500, else int32."""
        return np.dtype("<u2") if self.size < _TWO_BYTES else np.dtype("<i4")


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences one after the other, in the order of the shard.

    `tokens`: all their ids, in the vocabulary's dtype; `lengths`: int64, of each sequence; `rows`: what is known of each, with the
    columns of `schema.SEQUENCES` that the formats ask for; `texts`: the text of each, if a format asks for it, else None.
    """

    tokens: Ids
    lengths: npt.NDArray[np.int64]
    rows: pa.Table
    texts: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    def ends(self) -> npt.NDArray[np.int64]:
        """Where each sequence ends in `tokens`."""
        return np.cumsum(self.lengths)


class Writer(Protocol):
    """Writes one shard of one format. Its last file appears when the ExitStack it was opened with is closed without an error."""

    def write(self, batch: Batch) -> None: ...

    def finish(self) -> None:
        """After the last batch: what stands at the end of the files, or is only known there. ShardError if there was no sequence."""

    def written(self) -> list[Written]:
        """The files, once the stack is closed."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its name, which is also the folder under shards/ that its files lie in.

    `needs_text`: whether a writer wants `Batch.texts`. `verify`: what is wrong with the shard of that place as it lies there, a line
    each; the lengths of its sequences are given, as its provenance tells them.
    """

    name: str
    needs_text: bool
    open: Callable[[Store, Place, Vocabulary, ExitStack], Writer]
    verify: Callable[[Store, Place, Vocabulary, npt.NDArray[np.int64]], list[str]]


def refuse_empty(sequences: int) -> None:
    """ShardError if there are none: Megatron, for one, cannot open an empty shard."""
    if not sequences:
        raise ShardError("no sequences for this shard; an empty one cannot be opened")


def missing(store: Store, names: Iterable[str]) -> list[str]:
    """Which of these files are not there, a line each."""
    return [f"{store.path(name)} does not exist" for name in names if not store.exists(name)]


def check(batch: Batch, vocabulary: Vocabulary, first: int) -> None:
    """ShardError, naming the sequence, for ids that no trainer could use. `first`: number of the batch's first sequence."""
    tokens, ends = batch.tokens, batch.ends()
    if len(tokens) != (ends[-1] if len(ends) else 0):
        raise ShardError(f"{len(tokens)} ids for sequences of {ends[-1] if len(ends) else 0}")

    def refuse(places: npt.NDArray[np.int64], what: str) -> None:
        if len(places):
            sequence = first + int(np.searchsorted(ends, places[0], side="right"))
            raise ShardError(f"sequence {sequence}: {what.format(tokens[places[0]])}")

    refuse(np.flatnonzero((tokens < 0) | (tokens >= vocabulary.size)), f"id {{}} is not in the vocabulary of {vocabulary.size}")
    least = 2 + (vocabulary.bos is not None)
    if (short := np.flatnonzero(batch.lengths < least)).size:
        raise ShardError(f"sequence {first + int(short[0])} has no token of a text")
    marks = np.flatnonzero(tokens == vocabulary.eod)
    refuse(np.setdiff1d(ends - 1, marks, assume_unique=True), "its last id is {}, not the end of document")
    refuse(np.setdiff1d(marks, ends - 1, assume_unique=True), "the end of document {} stands inside")
    if vocabulary.bos is not None:
        begins = ends - batch.lengths
        refuse(begins[tokens[begins] != vocabulary.bos], "its first id is {}, not the begin of text")
