"""Token shards in the format that Megatron-LM reads: its indexed dataset, all little-endian.

`.bin` holds the token ids one document after the other and nothing else. `.idx` tells where they are:

    MMIDIDX\\0\\0 | u64 version 1 | u8 dtype code | u64 N | u64 N + 1
    int32 lengths[N] | int64 byte offsets[N] | int64 0 ... N

One sequence is one document, and its last token, and only that, is the end of document. The writer puts it
there by id, so no document lacks it, and refuses it inside. A document costs the writer 4 bytes of memory
until the index is written, some 30 then.

The reader believes nothing: Megatron's own checks little more than the magic, so that a wrong offset or a
short `.bin` shows weeks into a training, or never. Checked against megatron-core, both ways, in
tests/megatron/.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import HashingFile

MAGIC = b"MMIDIDX\x00\x00"
_HEADER = struct.Struct("<9sQBQQ")
_DTYPE_OF: dict[int, np.dtype[np.integer]] = {4: np.dtype("<i4"), 8: np.dtype("<u2")}
_CODE_OF = {dtype: code for code, dtype in _DTYPE_OF.items()}
_BLOCK = 1 << 22  # tokens looked at in one go by verify_shard


class ShardError(InputError, ValueError):
    """A shard that is damaged, or documents that cannot become one."""


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What was written. `tokens` counts the ends of documents too; sizes are bytes, hashes hex."""

    sequences: int
    tokens: int
    bin_sha256: str
    idx_sha256: str
    bin_bytes: int
    idx_bytes: int


def token_dtype(vocab_size: int) -> np.dtype[np.integer]:
    """How ids are stored: two bytes if the vocabulary is below 65,500 (Megatron's limit), else four."""
    return _DTYPE_OF[8 if vocab_size < 65_500 else 4]


def write_shard(
    bin_file: HashingFile,
    idx_file: HashingFile,
    documents: Iterable[npt.NDArray[np.integer]],
    *,
    vocab_size: int,
    eod: int,
) -> ShardSummary:
    """Write the documents' ids, each followed by `eod`, which the caller leaves out. One pass, one document in
    memory.

    The files are open and new; the caller closes and names them. ShardError, with the document's place, for one
    that is empty or holds an id outside the vocabulary or `eod`; and for no documents at all, since Megatron
    cannot open an empty shard.
    """
    if not 0 <= eod < vocab_size:
        raise ShardError(f"the end of document {eod} is not in the vocabulary of {vocab_size}")
    dtype = token_dtype(vocab_size)
    lengths = array("i")
    for i, ids in enumerate(documents):
        _check(ids, i, vocab_size, eod)
        sequence = np.empty(len(ids) + 1, dtype)
        sequence[:-1], sequence[-1] = ids, eod
        bin_file.write(sequence.tobytes())
        lengths.append(len(sequence))
    if not lengths:
        raise ShardError("no documents for this shard; Megatron cannot open an empty one")
    sizes = np.frombuffer(lengths, np.int32)
    ends = np.cumsum(sizes, dtype=np.int64) * dtype.itemsize
    idx_file.write(_HEADER.pack(MAGIC, 1, _CODE_OF[dtype], len(sizes), len(sizes) + 1))
    idx_file.write(sizes.astype("<i4").tobytes())
    idx_file.write((ends - sizes.astype(np.int64) * dtype.itemsize).astype("<i8").tobytes())
    idx_file.write(np.arange(len(sizes) + 1, dtype="<i8").tobytes())
    return ShardSummary(
        sequences=len(sizes),
        tokens=int(ends[-1]) // dtype.itemsize,
        bin_sha256=bin_file.sha256,
        idx_sha256=idx_file.sha256,
        bin_bytes=bin_file.size,
        idx_bytes=idx_file.size,
    )


def _check(ids: npt.NDArray[np.integer], i: int, vocab_size: int, eod: int) -> None:
    if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
        raise ShardError(f"document {i}: token ids are a row of integers, not {ids.dtype}{list(ids.shape)}")
    if not len(ids):
        raise ShardError(f"document {i} has no tokens")
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= vocab_size:
        raise ShardError(f"document {i}: token id {low if low < 0 else high} is not in the vocabulary of {vocab_size}")
    if (ids == eod).any():
        raise ShardError(f"document {i} holds the end of document {eod}, which is put in by the writer alone")


class ShardReader:
    """The sequences of the shard `<prefix>.bin`, `<prefix>.idx` on a local disk, memory-mapped: `reader[i]`,
    `len(reader)`.

    Opening reads the whole index, and no token. ShardError names the file and what is wrong with it.
    """

    def __init__(self, prefix: str | Path) -> None:
        self.bin_path, self.idx_path = Path(f"{prefix}.bin"), Path(f"{prefix}.idx")
        for path in (self.bin_path, self.idx_path):
            if not path.is_file():
                raise ShardError(f"{path} does not exist")
        self.dtype, sequences = self._header()
        index = np.memmap(self.idx_path, np.uint8, mode="r")
        self.lengths = np.frombuffer(index, "<i4", sequences, _HEADER.size)
        self.offsets = np.frombuffer(index, "<i8", sequences, _HEADER.size + 4 * sequences)
        documents = np.frombuffer(index, "<i8", sequences + 1, _HEADER.size + 12 * sequences)
        self._check(documents)
        self._tokens = np.memmap(self.bin_path, self.dtype, mode="r")

    def _header(self) -> tuple[np.dtype[np.integer], int]:
        with self.idx_path.open("rb") as file:
            head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            raise ShardError(f"{self.idx_path} is cut off: {len(head)} bytes, the header alone has {_HEADER.size}")
        magic, version, code, sequences, documents = _HEADER.unpack(head)
        if magic != MAGIC:
            raise ShardError(f"{self.idx_path} is not a Megatron index: it starts with {magic!r}")
        if version != 1:
            raise ShardError(f"{self.idx_path} has version {version}; 1 is known")
        if code not in _DTYPE_OF:
            raise ShardError(f"{self.idx_path} has dtype code {code}; 4 (int32) and 8 (uint16) are known")
        if not sequences or documents != sequences + 1:
            raise ShardError(f"{self.idx_path} tells of {sequences} sequences and {documents} document indices, not one more")
        size, wanted = self.idx_path.stat().st_size, _HEADER.size + 12 * sequences + 8 * documents
        if size != wanted:
            raise ShardError(f"{self.idx_path} has {size} bytes; its {sequences} sequences need {wanted}")
        return _DTYPE_OF[code], sequences

    def _check(self, documents: npt.NDArray[np.int64]) -> None:
        if (empty := np.flatnonzero(self.lengths <= 0)).size:
            raise ShardError(f"{self.idx_path}: sequence {empty[0]} has the length {self.lengths[empty[0]]}")
        ends = np.cumsum(self.lengths, dtype=np.int64) * self.dtype.itemsize
        starts = np.concatenate(([0], ends[:-1]))
        if (wrong := np.flatnonzero(self.offsets != starts)).size:
            i = wrong[0]
            raise ShardError(f"{self.idx_path}: sequence {i} is said to start at byte {self.offsets[i]}, not {starts[i]}")
        if (wrong := np.flatnonzero(documents != np.arange(len(documents)))).size:
            raise ShardError(f"{self.idx_path}: document index {wrong[0]} is {documents[wrong[0]]}, not itself")
        size = self.bin_path.stat().st_size
        if size != ends[-1]:
            raise ShardError(f"{self.bin_path} has {size} bytes; its index tells of {ends[-1]}")

    @property
    def tokens(self) -> int:
        """All tokens of the shard, ends of documents included."""
        return len(self._tokens)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, i: int) -> npt.NDArray[np.integer]:
        """Sequence `i` with its end of document, a read-only view in the stored dtype. IndexError past it."""
        if not -len(self) <= i < len(self):
            raise IndexError(f"{self.idx_path} has {len(self)} sequences, no {i}")
        start = int(self.offsets[i]) // self.dtype.itemsize
        return np.asarray(self._tokens[start : start + int(self.lengths[i])])

    def blocks(self) -> Iterator[tuple[int, npt.NDArray[np.integer]]]:
        """The token stream in pieces of 4 Mi tokens, each with the place of its first token."""
        for start in range(0, self.tokens, _BLOCK):
            yield start, np.asarray(self._tokens[start : start + _BLOCK])


def verify_shard(prefix: str | Path, vocab_size: int, eod: int) -> list[str]:
    """What is wrong with a shard, a line for each kind of damage; nothing if all is well. Reads every token."""
    try:
        shard = ShardReader(prefix)
    except ShardError as error:
        return [str(error)]
    problems = []
    if shard.dtype != (wanted := token_dtype(vocab_size)):
        problems.append(f"{shard.idx_path} says {shard.dtype}; a vocabulary of {vocab_size} is stored as {wanted}")
    ends = np.cumsum(shard.lengths, dtype=np.int64) - 1
    count, first = Counter[str](), dict[str, int]()
    for start, block in shard.blocks():
        marks = np.flatnonzero(block == eod) + start
        here = ends[slice(*np.searchsorted(ends, (start, start + len(block))))]
        for what, places in (
            ("tokens are not in the vocabulary", np.flatnonzero((block < 0) | (block >= vocab_size)) + start),
            ("sequences lack the end of document", np.setdiff1d(here, marks, assume_unique=True)),
            ("ends of document stand inside a sequence", np.setdiff1d(marks, here, assume_unique=True)),
        ):
            if len(places):
                count[what] += len(places)
                first.setdefault(what, int(np.searchsorted(ends, places[0])))
    return problems + [f"{shard.bin_path}: {n} {what}, first in sequence {first[what]}" for what, n in count.items()]
