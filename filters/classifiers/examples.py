"""Labelled texts, one JSON object a line, made ready for training: shuffled, and some of them held out.

Both are told by a hash of the text as the model will see it, so they depend on neither the order of the file nor a random
state. Exact duplicates (white space apart) fall on the same side, and a text is on the same side in every training, so models
can be compared. Near-duplicates can fall on both: deduplicate first, or the held-out figures flatter. The shuffle is needed
because fastText learns in the order of its file, and one that is sorted by label teaches mostly its last label.

Texts stay on disk; memory is 30 bytes an example.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import mmap
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.classifiers.scoring import PREFIX, grade, one_line

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}


@dataclass(frozen=True, slots=True)
class Source:
    """A file of labelled texts, plain, gzip or zstd, and the fields of its objects."""

    path: str
    text: str = "text"
    label: str = "label"


@dataclass(frozen=True, slots=True)
class Examples:
    """A source, divided: `train`, a file as fastText reads it, and `held_out`, one of texts alone, a line each.

    `labels`: all labels in order, without prefix; `train_labels` and `held_out_labels`: which of them each line has; `sha256`: of the
    source, decompressed; `duplicates`: texts that occurred before.
    """

    train: Path
    held_out: Path
    labels: tuple[str, ...]
    train_labels: npt.NDArray[np.int32]
    held_out_labels: npt.NDArray[np.int32]
    sha256: str
    duplicates: int

    def counts(self, numbers: npt.NDArray[np.int32]) -> dict[str, int]:
        """How many of each label."""
        return dict(zip(self.labels, np.bincount(numbers, minlength=len(self.labels)).tolist(), strict=True))


def divide(source: Source, folder: Path, held_out: float, *, segmented: bool) -> Examples:
    """The examples of a source, in files of the folder; about `held_out` of the distinct texts are held out.

    ValueError, with file and line, for what is no example.
    """
    digest, hashes, offsets, numbers = hashlib.sha256(), array("Q"), array("q"), array("i")
    known: dict[str, int] = {}
    with (folder / "lines").open("wb") as out:
        for label, line in _read(source, digest, segmented=segmented):
            offsets.append(out.tell())
            hashes.append(_hash(line))
            numbers.append(known.setdefault(label, len(known)))
            out.write(line.encode() + b"\n")
    if not offsets:
        raise ValueError(f"{source.path}: holds no example")
    labels = tuple(sorted(known, key=_in_order))
    place = np.array([labels.index(label) for label in known], np.int32)
    found, keys = place[np.frombuffer(numbers, np.int32)], np.frombuffer(hashes, np.uint64)
    order = np.lexsort((found, keys))
    cut = int(np.searchsorted(keys[order], np.uint64(held_out * 2.0**64)))
    examples = Examples(
        folder / "train", folder / "held_out", labels, found[order[cut:]], found[order[:cut]], digest.hexdigest(),
        len(keys) - len(np.unique(keys)),
    )  # fmt: skip
    _write(examples, folder / "lines", np.frombuffer(offsets, np.int64)[order], cut)
    return examples


def _write(examples: Examples, lines: Path, offsets: npt.NDArray[np.int64], cut: int) -> None:
    names = [f"{PREFIX}{label} ".encode() for label in examples.labels]
    with (
        lines.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        examples.train.open("wb") as train,
        examples.held_out.open("wb") as held_out,
    ):
        for offset in offsets[:cut].tolist():
            held_out.write(data[offset : data.find(b"\n", offset) + 1])
        for offset, number in zip(offsets[cut:].tolist(), examples.train_labels.tolist(), strict=True):
            train.write(names[number] + data[offset : data.find(b"\n", offset) + 1])
    lines.unlink()


def _hash(line: str) -> int:
    return int.from_bytes(hashlib.blake2b(" ".join(line.split()).encode(), digest_size=8).digest(), "little")


def _in_order(label: str) -> tuple[bool, float, str]:
    """Grades by their number, then names."""
    number = grade(label)
    return number is None, number or 0.0, label


def _read(source: Source, digest: Any, *, segmented: bool) -> Iterator[tuple[str, str]]:
    """(label, text in one line) of each example, `digest` fed with the file's bytes."""
    number = 0
    with _opened(source.path) as file:
        try:
            for raw in file:
                number += 1
                digest.update(raw)
                if raw.strip():
                    label, text = _example(source, raw)
                    line = one_line(text, segmented=segmented)
                    if not line.strip():
                        raise ValueError(f'"{source.text}" is blank')
                    yield label, line
        except ValueError as error:
            raise ValueError(f"{source.path}, line {number}: {error}") from error
        except OSError as error:
            raise ValueError(f"{source.path}: cannot be read after line {number}: {error}") from error


def _opened(path: str) -> IO[bytes]:
    try:
        with Path(path).open("rb") as file:
            compression = _COMPRESSED.get(file.read(2))
        return io.BufferedReader(pa.input_stream(path, compression=compression), 1 << 20)
    except IsADirectoryError as error:
        raise ValueError(f"{path}: is a directory; a file of labelled texts (.jsonl, .jsonl.gz, .jsonl.zst) is wanted") from error
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from error


def _example(source: Source, raw: bytes) -> tuple[str, str]:
    """(label without prefix, text) of a line. ValueError that says what is wrong with it."""
    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"an object with {source.text} and {source.label} is wanted, not {raw[:40]!r}")  # noqa: TRY004
    for name in (source.text, source.label):
        if name not in value:
            raise ValueError(f'has no "{name}"; it has {", ".join(map(repr, value)) or "nothing"}')
    text, label = value[source.text], value[source.label]
    if not isinstance(text, str):
        raise ValueError(f'"{source.text}" must be a text, not {json.dumps(text)[:40]}')  # noqa: TRY004
    try:
        f"{text}{label}".encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"holds half a letter, {error.object[error.start]!a}, as JSON can write it") from error
    return _label(label, source.label), text


def _label(value: Any, name: str) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 3.0 and 3 are one grade
    if type(value) not in (str, int, float) or value != value or value in (math.inf, -math.inf):
        raise ValueError(f'"{name}" must be a text or a number, not {json.dumps(value)[:40]}')
    label = str(value).removeprefix(PREFIX)
    if not label:
        raise ValueError(f'"{name}" is empty')
    if "\0" in label or any(map(str.isspace, label)):
        raise ValueError(f'"{name}" {label[:40]!r} holds white space, at which fastText would end it')
    return label
