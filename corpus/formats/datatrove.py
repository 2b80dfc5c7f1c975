"""datatrove's tokenized files, which nanotron reads: `.ds` with the ids, `.ds.index` with the ends of documents, `.ds.metadata`.

All little-endian: ids in 2 or 4 bytes, ends as uint64 in tokens, counted from the beginning of the file. The metadata are three
lines of text: tokenizer and bytes of an id, number of tokens, the same for people. nanotron takes every `.ds` of a folder, so each
split has one. The files are those of datatrove's own writer, byte for byte (tests/readers/).
"""

from __future__ import annotations

from contextlib import ExitStack
from math import floor, log10

import numpy as np
import numpy.typing as npt

from seiryu.corpus.formats.megatron import misplaced
from seiryu.corpus.formats.shard import Batch, Format, Place, Vocabulary
from seiryu.corpus.storage import Store, Written

_SUFFIXES = (".ds", ".ds.index", ".ds.metadata")
_BLOCK = 1 << 24  # bytes looked at in one go


class DatatroveWriter:
    """Writes the ids as batches come, the rest at the end: 8 bytes of memory a sequence."""

    def __init__(self, store: Store, place: Place, vocabulary: Vocabulary, files: ExitStack) -> None:
        self._names = [_name(place, suffix) for suffix in _SUFFIXES]
        self._files = [files.enter_context(store.writing(name)) for name in self._names]
        self._vocabulary, self._lengths = vocabulary, [np.empty(0, np.int64)]

    def write(self, batch: Batch) -> None:
        self._files[0].write(batch.tokens)
        self._lengths.append(batch.lengths)

    def finish(self) -> None:
        ends = np.cumsum(np.concatenate(self._lengths))
        self._files[1].write(ends.astype("<u8"))
        tokens = int(ends[-1])
        lines = f"{self._vocabulary.name}|{self._vocabulary.dtype.itemsize}", str(tokens), for_people(tokens)
        self._files[2].write("\n".join(lines).encode())

    def written(self) -> list[Written]:
        return [file.written(name) for file, name in zip(self._files, self._names, strict=True)]


def _name(place: Place, suffix: str) -> str:
    return f"shards/datatrove/{place.split}/{place.number}{suffix}"


def for_people(tokens: int) -> str:
    """Three digits and a unit, such as `165 kT`."""
    power = min(3 * (floor(log10(tokens)) // 3), 12) if tokens else 0
    digits = max(0, 2 - (floor(log10(tokens)) - power)) if tokens else 2
    return f"{tokens / 10**power:.{digits}f} {['', 'k', 'M', 'G', 'T'][power // 3]}T"


def _verify(store: Store, place: Place, vocabulary: Vocabulary, lengths: npt.NDArray[np.int64]) -> list[str]:
    ids, index, _ = (store.path(_name(place, suffix)) for suffix in _SUFFIXES)
    told = store.read(_name(place, ".ds.index"))
    if told != np.cumsum(lengths).astype("<u8").tobytes():
        return [f"{index}: its ends of documents are not those of the provenance"]
    last, done, found = np.cumsum(lengths) - 1, 0, dict[str, int]()
    with store.open(_name(place, ".ds")) as file:
        while data := file.read(_BLOCK):
            if len(data) % vocabulary.dtype.itemsize:
                return [f"{ids}: ends within a token"]
            block = np.frombuffer(data, vocabulary.dtype)
            for what, places in misplaced(block, done, last, vocabulary).items():
                found[what] = found.get(what, 0) + len(places)
            done += len(block)
    if done != lengths.sum():
        return [f"{ids}: {done:,} tokens, its index tells of {lengths.sum():,}"]
    return [f"{ids}: {number:,} {what}" for what, number in found.items() if number]


FORMAT = Format("datatrove", needs_text=False, open=DatatroveWriter, verify=_verify)
