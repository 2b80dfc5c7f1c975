"""Token shards in the format that Megatron-LM reads: its indexed dataset, all little-endian.

`.bin` holds the token ids one document after the other and nothing else. `.idx` tells where they are:

    MMIDIDX\\0\\0 | u64 version 1 | u8 dtype code | u64 N | u64 N + 1
    int32 lengths[N] | int64 byte offsets[N] | int64 0 ... N

One sequence is one document, and its last token, and only that, is the end of document. A document costs the writer 4 bytes of memory
until the index is written, some 30 then.

The reader believes nothing: Megatron's own checks little more than the magic, so that a wrong offset or a
short `.bin` shows weeks into a training, or never. Checked against megatron-core, both ways, in
tests/readers/.
"""

from __future__ import annotations

import struct
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seiryu.corpus.formats.shard import Batch, Format, Place, ShardError, Vocabulary, missing, refuse_empty
from seiryu.corpus.storage import Store, Written

MAGIC = b"MMIDIDX\x00\x00"
_HEADER = struct.Struct("<9sQBQQ")
_DTYPE_OF: dict[int, np.dtype[np.integer]] = {4: np.dtype("<i4"), 8: np.dtype("<u2")}
_CODE_OF = {dtype: code for code, dtype in _DTYPE_OF.items()}
_BLOCK = 1 << 22  # tokens looked at in one go by verify_shard


class MegatronWriter:
    """Writes `.bin` as batches come, and `.idx` at the end."""

    def __init__(self, store: Store, place: Place, vocabulary: Vocabulary, files: ExitStack) -> None:
        self._names = [f"shards/megatron/{place.name}{suffix}" for suffix in (".bin", ".idx")]
        self._bin, self._idx = (files.enter_context(store.writing(name)) for name in self._names)
        self._dtype, self._lengths = vocabulary.dtype, array("i")

    def write(self, batch: Batch) -> None:
        self._bin.write(batch.tokens)
        self._lengths.frombytes(batch.lengths.astype(np.int32).tobytes())

    def finish(self) -> None:
        refuse_empty(len(self._lengths))
        sizes = np.frombuffer(self._lengths, np.int32)
        ends = np.cumsum(sizes, dtype=np.int64) * self._dtype.itemsize
        self._idx.write(_HEADER.pack(MAGIC, 1, _CODE_OF[self._dtype], len(sizes), len(sizes) + 1))
        self._idx.write(sizes.astype("<i4"))
        self._idx.write((ends - sizes.astype(np.int64) * self._dtype.itemsize).astype("<i8"))
        self._idx.write(np.arange(len(sizes) + 1, dtype="<i8"))

    def written(self) -> list[Written]:
        return [file.written(name) for file, name in zip((self._bin, self._idx), self._names, strict=True)]


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


def verify_shard(prefix: str | Path, vocabulary: Vocabulary) -> list[str]:
    """What is wrong with a shard, a line for each kind of damage; nothing if all is well. Reads every token."""
    try:
        shard = ShardReader(prefix)
    except ShardError as error:
        return [str(error)]
    problems = []
    if shard.dtype != vocabulary.dtype:
        problems.append(f"{shard.idx_path} says {shard.dtype}; a vocabulary of {vocabulary.size} is stored as {vocabulary.dtype}")
    ends = np.cumsum(shard.lengths, dtype=np.int64) - 1
    count, first = Counter[str](), dict[str, int]()
    for start, block in shard.blocks():
        for what, places in misplaced(block, start, ends, vocabulary).items():
            if len(places):
                count[what] += len(places)
                first.setdefault(what, int(np.searchsorted(ends, places[0])))
    return problems + [f"{shard.bin_path}: {n} {what}, first in sequence {first[what]}" for what, n in count.items()]


def misplaced(
    block: npt.NDArray[np.integer], start: int, ends: npt.NDArray[np.int64], vocabulary: Vocabulary
) -> dict[str, npt.NDArray[np.int64]]:
    """Where in a token stream stands what must not, by what it is. `start`: the block's place in it; `ends`: the last tokens'."""
    marks = np.flatnonzero(block == vocabulary.eod) + start
    here = ends[slice(*np.searchsorted(ends, (start, start + len(block))))]
    found = {
        "tokens are not in the vocabulary": np.flatnonzero((block < 0) | (block >= vocabulary.size)) + start,
        "sequences lack the end of document": np.setdiff1d(here, marks, assume_unique=True),
        "ends of document stand inside a sequence": np.setdiff1d(marks, here, assume_unique=True),
    }
    if vocabulary.bos is not None:
        begins = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
        begins = begins[slice(*np.searchsorted(begins, (start, start + len(block))))]
        found["sequences lack the begin of text"] = begins[block[begins - start] != vocabulary.bos]
    return found


def _verify(store: Store, place: Place, vocabulary: Vocabulary, lengths: npt.NDArray[np.int64]) -> list[str]:
    prefix = f"shards/megatron/{place.name}"
    names = [f"{prefix}.bin", f"{prefix}.idx"]
    if gone := missing(store, names):
        return gone
    with ExitStack() as files:
        path = store.path(prefix)
        if not store.local:  # a shard is mapped, so it must lie here
            path = f"{files.enter_context(tempfile.TemporaryDirectory())}/{place.name}"
            for name in names:
                store.copy_to(name, f"{path}{Path(name).suffix}")
        problems = verify_shard(path, vocabulary)
        if not problems and not np.array_equal(ShardReader(path).lengths, lengths):
            problems = [f"{path}.idx: its lengths are not those of its provenance"]
        return [problem.replace(path, store.path(prefix)) for problem in problems]


FORMAT = Format("megatron", needs_text=False, open=MegatronWriter, verify=_verify)
