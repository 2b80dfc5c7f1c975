"""Texts as `.jsonl.zst`: a JSON object a line, in UTF-8, compressed as one zstd frame.

The document's name is `id` and its text `text`, as datatrove's reader expects; the other keys are the columns of the Parquet format,
`crawl_date` in ISO 8601. Letters stand as they are, U+2028 among them; a line ends with \\n and nothing else does.
"""

from __future__ import annotations

import json
from contextlib import ExitStack

import numpy as np
import numpy.typing as npt
import zstandard

from seiryu.corpus.formats.parquet import TEXTS, table_of
from seiryu.corpus.formats.shard import Batch, Format, Place, Vocabulary, missing, refuse_empty
from seiryu.corpus.storage import Store, Written

_LEVEL = 3
_ROWS = 256  # made into lines at once
_BLOCK = 1 << 20  # bytes given to zstd at once: always so many, so that batches leave no trace in the file
_line = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class JsonlWriter:
    """Compresses lines as batches come."""

    def __init__(self, store: Store, place: Place, _: Vocabulary, files: ExitStack) -> None:
        self._name = _name(place)
        self._file = files.enter_context(store.writing(self._name))
        self._zstd = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compressobj()
        self._held, self._rows = bytearray(), 0

    def write(self, batch: Batch) -> None:
        table = table_of(batch, TEXTS)
        for begin in range(0, len(table), _ROWS):
            rows = table.slice(begin, _ROWS).to_pylist()
            for row in rows:
                row["crawl_date"] = row["crawl_date"].strftime("%Y-%m-%dT%H:%M:%SZ")
            self._held += "".join([f"{_line({'id': row.pop('doc_id'), **row})}\n" for row in rows]).encode()
            whole = len(self._held) // _BLOCK * _BLOCK
            for at in range(0, whole, _BLOCK):
                self._file.write(self._zstd.compress(self._held[at : at + _BLOCK]))
            del self._held[:whole]
        self._rows += len(table)

    def finish(self) -> None:
        refuse_empty(self._rows)
        self._file.write(self._zstd.compress(self._held))
        self._file.write(self._zstd.flush())

    def written(self) -> list[Written]:
        return [self._file.written(self._name)]


def _name(place: Place) -> str:
    return f"shards/jsonl/{place.name}.jsonl.zst"


def _verify(store: Store, place: Place, _: Vocabulary, lengths: npt.NDArray[np.int64]) -> list[str]:
    if gone := missing(store, [_name(place)]):
        return gone
    path, found, rest = store.path(_name(place)), list[int](), b""
    unpacked = zstandard.ZstdDecompressor().decompressobj()
    try:
        with store.open(_name(place)) as file:
            while data := file.read(_BLOCK):
                *lines, rest = (rest + unpacked.decompress(data)).split(b"\n")
                found += [json.loads(line)["tokens"] for line in lines]
    except (zstandard.ZstdError, OSError, ValueError, KeyError, TypeError) as error:
        return [f"{path}: damaged behind line {len(found):,}: {error}"]
    if unpacked.unused_data:
        return [f"{path}: something stands behind its end"]
    if not unpacked.eof or rest:
        return [f"{path}: cut off behind line {len(found):,}"]
    if not np.array_equal(np.array(found, np.int64), lengths):
        return [f"{path}: its lengths are not those of its provenance"]
    return []


FORMAT = Format("jsonl", needs_text=True, open=JsonlWriter, verify=_verify)
