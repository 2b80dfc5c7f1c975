"""MosaicML's MDS, version 2: a folder a shard with files of at most 64 MiB and an index, and one index over all folders of a split.

A sample is one sequence, with the columns doc_id and url (text) and tokens (ids, int32 or uint16). A file begins with the number of
its samples, where each begins and the last ends (uint32, from the beginning of the file), and the JSON of its columns. A sample is
the sizes of its columns (uint32), then their bytes. Nothing is compressed: ids in random order give little, and readers would unpack
every file to disk before its first sample. The files are those that MosaicML's own writer makes, byte for byte (tests/readers/).
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.corpus.errors import InputError
from seiryu.corpus.formats.megatron import misplaced
from seiryu.corpus.formats.shard import Batch, Format, Ids, Place, ShardError, Vocabulary, missing, refuse_empty
from seiryu.corpus.storage import Store, Written

SIZE_LIMIT = 1 << 26
_SHAPES = ((1 << 8, 0, "<u1"), (1 << 16, 1, "<u2"), (1 << 32, 2, "<u4"))  # a length below, its code, how it is stored


class MosaicWriter:
    """Holds the samples of one file, and writes it when the next would not fit."""

    def __init__(self, store: Store, place: Place, vocabulary: Vocabulary, files: ExitStack) -> None:
        self._store, self._folder, self._stack = store, _folder(place), files
        self._kind = _kind(vocabulary)
        self._head = json.dumps(self._kind, sort_keys=True).encode()
        self._least = 4 + 4 + len(self._head)
        self._samples: list[bytes] = []
        self._size = self._least
        self._made: list[dict[str, Any]] = []
        self._written: list[Any] = []

    def write(self, batch: Batch) -> None:
        ends = batch.ends()
        doc_ids, urls = batch.rows["doc_id"].to_pylist(), batch.rows["url"].to_pylist()
        for row, (end, size) in enumerate(zip(ends.tolist(), batch.lengths.tolist(), strict=True)):
            sample = _sample(doc_ids[row].encode(), batch.tokens[end - size : end], urls[row].encode())
            if self._samples and self._size + 4 + len(sample) > SIZE_LIMIT:
                self._flush()
            self._samples.append(sample)
            self._size += 4 + len(sample)

    def _flush(self) -> None:
        sizes = np.array([len(sample) for sample in self._samples], np.int64)
        offsets = 4 + 4 * (len(sizes) + 1) + len(self._head) + np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        data = b"".join([struct.pack("<I", len(sizes)), offsets.astype("<u4").tobytes(), self._head, *self._samples])
        name = _basename(len(self._made))
        with self._store.writing(f"{self._folder}/{name}") as file:  # of a large shard there are more than may be open at once
            file.write(data)
        self._written.append((file, f"{self._folder}/{name}"))
        self._made.append(_entry(self._kind, name, len(data), len(sizes)))
        self._samples, self._size = [], self._least

    def finish(self) -> None:
        refuse_empty(len(self._samples))  # a file is only written when there is a sample for the next
        self._flush()
        file = self._stack.enter_context(self._store.writing(f"{self._folder}/index.json"))
        file.write(json.dumps({"shards": self._made, "version": 2}, sort_keys=True).encode())
        self._written.append((file, f"{self._folder}/index.json"))

    def written(self) -> list[Written]:
        return [file.written(name) for file, name in self._written]


def _folder(place: Place) -> str:
    return f"shards/mds/{place.split}/{place.number}"


def _basename(number: int) -> str:
    return f"shard.{number:05d}.mds"


def _kind(vocabulary: Vocabulary) -> dict[str, Any]:
    """What every file says of itself, and the index of every file."""
    return {
        "column_encodings": ["str", f"ndarray:{vocabulary.dtype.name}", "str"], "column_names": ["doc_id", "tokens", "url"],
        "column_sizes": [None, None, None], "compression": None, "format": "mds", "hashes": [], "size_limit": SIZE_LIMIT, "version": 2,
    }  # fmt: skip


def _entry(kind: dict[str, Any], basename: str, size: int, samples: int) -> dict[str, Any]:
    """A file as the index tells of it."""
    return kind | {"raw_data": {"basename": basename, "bytes": size, "hashes": {}}, "samples": samples, "zip_data": None}


def _sample(doc_id: bytes, tokens: Ids, url: bytes) -> bytes:
    code, shape = next((code, shape) for below, code, shape in _SHAPES if len(tokens) < below)
    array = bytes([1 << 2 | code]) + np.array([len(tokens)], shape).tobytes() + tokens.tobytes()
    return struct.pack("<III", len(doc_id), len(array), len(url)) + doc_id + array + url


def merged_index(store: Store, places: Sequence[Place]) -> dict[str, Any]:
    """The index of a split: the files of all its shards, by their folders."""
    files = []
    for place in places:
        for file in store.read_json(f"{_folder(place)}/index.json")["shards"]:
            raw = file["raw_data"] | {"basename": f"{place.number}/{file['raw_data']['basename']}"}
            files.append(file | {"raw_data": raw})
    return {"shards": files, "version": 2}


def _read(data: bytes, head: bytes, dtype: np.dtype[Any]) -> list[Ids]:
    """The ids of all samples of a file. ShardError if it is damaged."""
    samples = int.from_bytes(data[:4], "little")
    first = 4 + 4 * (samples + 1) + len(head)
    if not samples or len(data) < first or data[first - len(head) : first] != head:
        raise ShardError("its beginning is damaged")
    offsets = np.frombuffer(data, "<u4", samples + 1, 4).astype(np.int64)
    if offsets[0] != first or offsets[-1] != len(data) or (np.diff(offsets) < 12).any():
        raise ShardError("where its samples begin is damaged, or its end is missing")
    return [_tokens(data[begin:end], dtype) for begin, end in pairwise(offsets.tolist())]


def _tokens(sample: bytes, dtype: np.dtype[Any]) -> Ids:
    doc_id, array, url = struct.unpack_from("<III", sample)
    begin = 12 + doc_id
    width = {4: 1, 5: 2, 6: 4}.get(sample[begin], 0) if begin < len(sample) else 0
    size = int.from_bytes(sample[begin + 1 : begin + 1 + width], "little")
    if not width or array != 1 + width + size * dtype.itemsize or begin + array + url != len(sample):
        raise ShardError("a sample is damaged")
    return np.frombuffer(sample, dtype, size, begin + 1 + width)


def _verify(store: Store, place: Place, vocabulary: Vocabulary, lengths: npt.NDArray[np.int64]) -> list[str]:
    """Reads one file after the other, and makes the index anew from what they hold."""
    folder, index = _folder(place), f"{_folder(place)}/index.json"
    if gone := missing(store, [index]):
        return gone
    try:
        told = store.read_json(index)
    except InputError as error:
        return [str(error)]
    kind, done, made, found = _kind(vocabulary), 0, list[dict[str, Any]](), Counter[str]()
    head = json.dumps(kind, sort_keys=True).encode()
    for number, name in enumerate(store.names(folder, ".mds")):
        if name != _basename(number):
            return missing(store, [f"{folder}/{_basename(number)}"])
        data, where = store.read(f"{folder}/{name}"), store.path(f"{folder}/{name}")
        try:
            samples = _read(data, head, vocabulary.dtype)
        except ShardError as error:
            return [f"{where}: {error}"]
        here = lengths[done : done + len(samples)]
        if [len(sample) for sample in samples] != here.tolist():
            return [f"{where}: its lengths are not those of its provenance"]
        for what, places in misplaced(np.concatenate(samples), 0, np.cumsum(here) - 1, vocabulary).items():
            found[what] += len(places)
        done += len(samples)
        made.append(_entry(kind, name, len(data), len(samples)))
    if told != {"shards": made, "version": 2}:
        return [f"{store.path(index)}: does not tell of the files beside it as they are"]
    if done != len(lengths):
        return [f"{store.path(folder)}: {done:,} sequences, its provenance has {len(lengths):,}"]
    return [f"{store.path(folder)}: {number:,} {what}" for what, number in found.items() if number]


FORMAT = Format("mds", needs_text=False, open=MosaicWriter, verify=_verify)
