"""What a fastText file holds, found out before fastText reads it.

fastText believes its file: sizes out of a damaged header become allocations and loop bounds, a bucket of 0 a division by zero,
a row that is not there a read beyond the end, and each takes the process down. So the whole structure is walked here first:
header, dictionary, the index of a pruned model, both matrices, and the last byte where the file ends. What passes has every row
that fastText can ask for. The weights themselves are not looked at; a damaged one gives another score, or NaN, which scoring
refuses.

The layout is that of fastText's saveModel, versions 11 and 12, little-endian. 0.7 s for a million words; the weights are
skipped.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAGIC, VERSIONS = 793712314, (11, 12)
SUPERVISED, HIERARCHICAL = 3, 1  # as fastText numbers kinds of models and of losses
LIMITS = {"dim": (1, 1 << 20), "word_ngrams": (0, 1000), "loss": (1, 4), "minn": (0, 1000), "maxn": (0, 1000)}
TREE_INFINITY = 10**15  # the count that hierarchical softmax takes for infinity when it builds its tree
_LFS = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A supervised fastText model: where it lies, its sha256 (hex), its labels in the model's order, and its sizes."""

    path: str
    sha256: str
    labels: tuple[str, ...]
    words: int
    dimension: int
    quantized: bool


def read_model_file(path: str) -> ModelFile:
    """What the model holds. ValueError, one line with the path, for what is no whole supervised fastText model."""
    with _mapped(path) as data:
        file = _Walk(path, data)
        header = _header(file)
        labels, words, pruned = _dictionary(file, header)
        quantized = file.flag()
        if pruned >= 0 and not quantized:
            raise file.damaged("it is pruned but not quantized")
        _matrix(file, quantized, words + (pruned if pruned >= 0 else header["bucket"] if header["hashes"] else 0), header["dim"])
        _matrix(file, file.flag() and quantized, len(labels), header["dim"])
        if file.place != len(data):
            raise file.damaged(f"{len(data) - file.place:,} bytes follow its end")
        return ModelFile(path, hashlib.sha256(data).hexdigest(), labels, words, header["dim"], quantized)


@contextmanager
def _mapped(path: str) -> Iterator[Any]:
    place = Path(path)
    if place.is_dir():
        raise ValueError(f"{path}: is a directory; the path of a fastText model (.bin or .ftz) is wanted")
    if not place.exists():
        raise ValueError(f"{path}: there is no such file; the path of a fastText model (.bin or .ftz) is wanted")
    if not place.is_file() or not place.stat().st_size:
        raise ValueError(f"{path}: not a fastText model: {'it is empty' if place.is_file() else 'it is no regular file'}")
    try:
        with place.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from error


class _Walk:
    """A place in the file that moves on as values are taken, and never beyond the end."""

    def __init__(self, path: str, data: Any) -> None:
        self.path, self.data, self.place = path, data, 0

    def take(self, form: str) -> tuple[Any, ...]:
        layout = struct.Struct("<" + form)
        self.skip(layout.size)
        return layout.unpack_from(self.data, self.place - layout.size)

    def skip(self, size: int) -> None:
        if size > len(self.data) - self.place:
            raise self.damaged(f"it ends after {len(self.data):,} bytes, and {self.place + size:,} or more are wanted")
        self.place += size

    def flag(self) -> bool:
        (byte,) = self.take("B")
        if byte > 1:
            raise self.damaged(f"byte {self.place - 1:,} must be 0 or 1 and is {byte}")
        return bool(byte)

    def damaged(self, why: str) -> ValueError:
        return ValueError(f"{self.path}: a damaged fastText model: {why}")


def _header(file: _Walk) -> dict[str, Any]:
    if len(file.data) < 8 or struct.unpack_from("<i", file.data)[0] != MAGIC:
        if file.data[: len(_LFS)] == _LFS:
            raise ValueError(f"{file.path}: not a fastText model but Git LFS's pointer to one; fetch the file itself")
        raise ValueError(f"{file.path}: not a fastText model; it begins with {bytes(file.data[:8])!r}")
    version = file.take("ii")[1]
    if version not in VERSIONS:
        raise ValueError(f"{file.path}: a fastText model of version {version}; versions 11 and 12 can be read")
    names = ("dim", "ws", "epoch", "min_count", "neg", "word_ngrams", "loss", "model", "bucket", "minn", "maxn", "lr_update_rate")
    header = dict(zip(names, file.take("12id"), strict=False))
    if header["model"] != SUPERVISED:
        if header["model"] in (1, 2):
            raise ValueError(f"{file.path}: a fastText model of word vectors (unsupervised); a classifier (supervised) is wanted")
        raise file.damaged(f"there is no kind of model {header['model']}")
    if version == 11:
        header["maxn"] = 0  # so fastText reads it: supervised models had no n-grams of letters then
    for name, (low, high) in LIMITS.items():
        if not low <= header[name] <= high:
            raise file.damaged(f"{name} is {header[name]}, and {low} to {high} is possible")
    header["hashes"] = header["word_ngrams"] > 1 or header["maxn"] > 0
    if header["hashes"] and header["bucket"] < 1:
        raise file.damaged(f"it has n-grams and {header['bucket']} buckets for them")
    return header


def _dictionary(file: _Walk, header: dict[str, Any]) -> tuple[tuple[str, ...], int, int]:
    """(labels, number of words, number of n-grams that pruning has left; -1 if it is not pruned)."""
    size, words, labels, _, pruned = file.take("iiiqq")
    if words < 0 or labels < 1 or size != words + labels or pruned < -1:
        raise file.damaged(f"a dictionary of {size} entries, {words} words and {labels} labels is none")
    if size > (len(file.data) - file.place) // 10:  # an entry has ten bytes or more
        raise file.damaged(f"{size:,} entries of a dictionary are more than the file can hold")
    names = []
    for number in range(size):
        begin, end = file.place, file.data.find(b"\0", file.place)
        file.skip((end if end >= 0 else len(file.data)) + 1 - begin)
        count, kind = file.take("qb")
        if kind != (number >= words):
            raise file.damaged(f"entry {number:,} of its dictionary is no {'label' if number >= words else 'word'}")
        if number >= words:
            if header["loss"] == HIERARCHICAL and not 0 <= count < TREE_INFINITY // size:
                raise file.damaged(f"label {number - words} was seen {count} times")
            names.append(file.data[begin:end])
    try:
        decoded = tuple(name.decode() for name in names)
    except UnicodeDecodeError as error:
        raise file.damaged(f"a label is not UTF-8: {error.object!r}") from error
    if len(set(decoded)) < len(decoded):
        raise file.damaged("two of its labels are the same")
    left = max(pruned, 0)
    file.skip(8 * left)
    rows = struct.unpack_from(f"<{2 * left}i", file.data, file.place - 8 * left)[1::2]
    if rows and not (min(rows) >= 0 and max(rows) < left):
        raise file.damaged("its index of n-grams names a row that is not there")
    return decoded, words, pruned


def _matrix(file: _Walk, quantized: bool, least: int, dimension: int) -> None:
    """Go past a matrix of at least so many rows of `dimension`."""
    norms = quantized and file.flag()
    rows, columns = file.take("qq")
    if rows < least or columns != dimension:
        raise file.damaged(f"a matrix is {rows:,} x {columns:,}, and {least:,} x {dimension:,} is wanted")
    if not quantized:
        file.skip(4 * rows * columns)
        return
    (codes,) = file.take("i")
    start = file.place
    file.skip(max(codes, 0))
    pieces = _quantizer(file, dimension)
    if codes != rows * pieces:
        file.place = start
        raise file.damaged(f"{codes:,} codes for {rows:,} rows of {pieces}")
    if norms:
        file.skip(rows)
        _quantizer(file, 1)


def _quantizer(file: _Walk, dimension: int) -> int:
    """Go past the centroids of a product quantizer; into how many pieces it cuts a row."""
    whole, pieces, piece, last = file.take("4i")
    if whole != dimension or piece < 1 or pieces != -(-whole // piece) or last != (whole % piece or piece):
        raise file.damaged(f"a quantizer of {whole} numbers in {pieces} pieces of {piece} and {last} is none")
    file.skip(4 * 256 * whole)
    return int(pieces)
