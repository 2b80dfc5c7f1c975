"""MosaicML's MDS, version 2: a folder a shard with files of at most 64 MiB and an index, and one index over all folders of a split.

A sample is one sequence, with the columns doc_id and url (text) and tokens (ids, int32 or uint16). A file begins with the number of
its samples, where each begins and the last ends (uint32, from the beginning of the file), and the JSON of its columns. A sample is
the sizes of its columns (uint32), then their bytes. Nothing is compressed: ids in random order give little, and readers would unpack
every file to disk before its first sample. The files are those that MosaicML's own writer makes, byte for byte (tests/readers/).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.corpus.errors import InputError
from seiryu.corpus.formats.megatron import misplaced
from seiryu.corpus.formats.shard import Batch, Format, Ids, Place, ShardError, Vocabulary
from seiryu.corpus.storage import Store, Written

SIZE_LIMIT = 1 << 26
_SHAPES = ((1 << 8, 0, "<u1"), (1 << 16, 1, "<u2"), (1 << 32, 2, "<u4"))  # a length below, its code, how it is stored


class MosaicWriter:
    """Holds the samples of one file, and writes it when the next would not fit."""

    def __init__(self, store: Store, place: Place, vocabulary: Vocabulary, files: ExitStack) -> None:
        self._store, self._folder, self._stack = store, _folder(place), files
        self._columns: dict[str, Any] = {
            "column_encodings": ["str", f"ndarray:{vocabulary.dtype.name}", "str"],
            "column_names": ["doc_id", "tokens", "url"],
            "column_sizes": [None, None, None],
        }
        self._kind: dict[str, Any] = {"compression": None, "format": "mds", "hashes": [], "size_limit": SIZE_LIMIT, "version": 2}
        self._head = json.dumps(self._columns | self._kind, sort_keys=True).encode()
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
        name = f"shard.{len(self._made):05d}.mds"
        file = self._stack.enter_context(self._store.writing(f"{self._folder}/{name}"))
        file.write(data)
        self._written.append((file, f"{self._folder}/{name}"))
        raw = {"basename": name, "bytes": len(data), "hashes": {}}
        self._made.append(self._columns | self._kind | {"raw_data": raw, "samples": len(sizes), "zip_data": None})
        self._samples, self._size = [], self._least

    def finish(self) -> None:
        if self._samples:
            self._flush()
        file = self._stack.enter_context(self._store.writing(f"{self._folder}/index.json"))
        file.write(json.dumps({"shards": self._made, "version": 2}, sort_keys=True).encode())
        self._written.append((file, f"{self._folder}/index.json"))

    def written(self) -> list[Written]:
        return [file.written(name) for file, name in self._written]


def _folder(place: Place) -> str:
    return f"shards/mds/{place.split}/{place.number}"


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


def read_tokens(store: Store, place: Place, dtype: np.dtype[Any]) -> list[Ids]:
    """The ids of all samples of a shard. ShardError, naming the file, if it is damaged."""
    found: list[Ids] = []
    for file in store.read_json(f"{_folder(place)}/index.json")["shards"]:
        name = f"{_folder(place)}/{file['raw_data']['basename']}"
        data, samples = store.read(name), file["samples"]
        if len(data) != file["raw_data"]["bytes"] or len(data) < 4 * (samples + 2):
            raise ShardError(f"{store.path(name)} has {len(data):,} bytes; its index tells of {file['raw_data']['bytes']:,}")
        offsets = np.frombuffer(data, "<u4", samples + 1, 4).astype(np.int64)
        if np.frombuffer(data, "<u4", 1)[0] != samples or offsets[-1] != len(data) or (np.diff(offsets) < 12).any():
            raise ShardError(f"{store.path(name)}: where its samples begin is damaged")
        found += [_tokens(data[begin:end], dtype, store.path(name)) for begin, end in pairwise(offsets)]
    return found


def _tokens(sample: bytes, dtype: np.dtype[Any], path: str) -> Ids:
    doc_id, array, url = struct.unpack_from("<III", sample)
    begin = 12 + doc_id
    width = {4: 1, 5: 2, 6: 4}.get(sample[begin], 0) if begin < len(sample) else 0
    size = int.from_bytes(sample[begin + 1 : begin + 1 + width], "little")
    if not width or array != 1 + width + size * dtype.itemsize or begin + array + url != len(sample):
        raise ShardError(f"{path}: a sample is damaged")
    return np.frombuffer(sample, dtype, size, begin + 1 + width)


def _verify(store: Store, place: Place, vocabulary: Vocabulary, lengths: npt.NDArray[np.int64]) -> list[str]:
    where = store.path(_folder(place))
    try:
        samples = read_tokens(store, place, vocabulary.dtype)
    except (InputError, FileNotFoundError) as error:
        return [str(error)]
    except (KeyError, TypeError) as error:
        return [f"{where}/index.json is damaged: {error}"]
    if [len(sample) for sample in samples] != lengths.tolist():
        return [f"{where}: its lengths are not those of its provenance"]
    wrong = misplaced(np.concatenate(samples), 0, np.cumsum(lengths) - 1, vocabulary)
    return [f"{where}: {len(places):,} {what}" for what, places in wrong.items() if len(places)]


FORMAT = Format("mds", needs_text=False, open=MosaicWriter, verify=_verify)
