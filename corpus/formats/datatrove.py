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
from seiryu.corpus.formats.shard import Batch, Format, Place, Vocabulary, missing, refuse_empty
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
        refuse_empty(len(ends))
        self._files[1].write(ends.astype("<u8"))
        self._files[2].write(_metadata(self._vocabulary, int(ends[-1])))

    def written(self) -> list[Written]:
        return [file.written(name) for file, name in zip(self._files, self._names, strict=True)]


def _name(place: Place, suffix: str) -> str:
    return f"shards/datatrove/{place.split}/{place.number}{suffix}"


def _metadata(vocabulary: Vocabulary, tokens: int) -> bytes:
    return f"{vocabulary.name}|{vocabulary.dtype.itemsize}\n{tokens}\n{for_people(tokens)}".encode()


def for_people(tokens: int) -> str:
    """Three digits and a unit, such as `165 kT`: humanize's `metric`, which datatrove uses."""
    exponent = floor(log10(tokens)) if tokens else 0
    value = tokens / 10 ** (exponent // 3 * 3)
    if round(value, 2 - exponent % 3) >= 10 ** (exponent % 3 + 1):  # 999.6 k is 1.00 M
        exponent += 1
        value /= 1 if exponent % 3 else 1000
    return f"{value:.{2 - exponent % 3}f} {' kMGTPE'[exponent // 3].strip()}T"


def _verify(store: Store, place: Place, vocabulary: Vocabulary, lengths: npt.NDArray[np.int64]) -> list[str]:
    names = [_name(place, suffix) for suffix in _SUFFIXES]
    if gone := missing(store, names):
        return gone
    ids, index, metadata = (store.path(name) for name in names)
    if store.read(names[1]) != np.cumsum(lengths).astype("<u8").tobytes():
        return [f"{index}: its ends of documents are not those of the provenance"]
    problems = []
    if store.read(names[2]) != _metadata(vocabulary, int(lengths.sum())):
        problems.append(f"{metadata}: does not tell the tokenizer and the number of tokens as they are")
    last, done, found = np.cumsum(lengths) - 1, 0, dict[str, int]()
    with store.open(names[0]) as file:
        while data := file.read(_BLOCK):
            if len(data) % vocabulary.dtype.itemsize:
                return [f"{ids}: ends within a token"]
            block = np.frombuffer(data, vocabulary.dtype)
            for what, places in misplaced(block, done, last, vocabulary).items():
                found[what] = found.get(what, 0) + len(places)
            done += len(block)
    if done != lengths.sum():
        return [f"{ids}: {done:,} tokens, its index tells of {lengths.sum():,}"]
    return problems + [f"{ids}: {number:,} {what}" for what, number in found.items() if number]


FORMAT = Format("datatrove", needs_text=False, open=DatatroveWriter, verify=_verify)
