"""Benchmarks as files: one JSON object a line is an item, and the texts in it are what is looked for."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa

from seiryu.corpus.errors import InputError
from seiryu.corpus.inputs import open_input

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}
_SHOWN = 12  # names of fields in a message


@dataclass(frozen=True, slots=True)
class Source:
    """A file of items by path or URL, plain, gzip or zstd, and the fields whose texts are looked for: all texts if it names none.

    A dot goes into an object, and a list stands for all that it holds: `answers.text`.
    """

    path: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a source: their lines in the file, from 1, and their texts. `sha256`: of the file, decompressed."""

    lines: list[int]
    texts: list[list[str]]
    sha256: str


def read_items(source: Source) -> Items:
    """All items of a source; blank lines are none.

    ValueError in one line, with file and line, for a file that cannot be read, a line that is no JSON object, a file without
    items, and a field that no line has or that never holds a text.
    """
    digest, lines, texts, number = hashlib.sha256(), [], [], 0
    has: set[str] = set()
    holds_text: set[str] = set()
    known: dict[str, None] = {}
    try:
        with closing(_opened(source.path)) as file:
            for raw in file:
                number += 1
                digest.update(raw)
                if not raw.strip():
                    continue
                value = _object(raw, number)
                known |= dict.fromkeys(value)
                by_field = {name: list(_field(value, name.split("."))) for name in source.fields}
                has |= {name for name, values in by_field.items() if values}
                chosen = list(by_field.values()) if source.fields else [[value]]
                found = [list(_texts(values)) for values in chosen]
                holds_text |= {name for name, texts_of in zip(source.fields, found, strict=False) if texts_of}
                lines.append(number)
                texts.append([text for texts_of in found for text in texts_of])
    except InputError as error:
        raise ValueError(str(error).replace("not an archive", "not a file of items")) from error
    except OSError as error:
        raise ValueError(f"{source.path}: cannot be read after line {number}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source.path}, line {number}: {error}") from error
    if not lines:
        raise ValueError(f"{source.path}: holds no item; a JSON object a line is wanted")
    for name in source.fields:
        if name not in has:
            raise ValueError(f'{source.path}: no line has the field "{name}"; there are {", ".join(list(known)[:_SHOWN])}')
        if name not in holds_text:
            raise ValueError(f'{source.path}: the field "{name}" holds no text in any line')
    return Items(lines, texts, digest.hexdigest())


def _opened(path: str) -> IO[bytes]:
    """A file, decompressed by what it begins with."""
    raw = open_input(path)
    compression = _COMPRESSED.get(raw.read(2))
    raw.seek(0)
    return (
        raw if compression is None else io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(raw, "r"), compression), 1 << 20)
    )


def _object(raw: bytes, number: int) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from error
    except ValueError as error:
        raise ValueError(f"not JSON: {error}; a JSON object a line is wanted") from error
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object is wanted, not {raw.strip()[:40].decode(errors='replace')}")  # noqa: TRY004
    return value


def _field(value: Any, path: list[str]) -> Iterator[Any]:
    """What stands at a path of names; several things where a list is on the way."""
    if isinstance(value, list):
        for inner in value:
            yield from _field(inner, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _field(value[path[0]], path[1:])


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, in its order."""
    if isinstance(value, str):
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("a text holds half a letter, as JSON can write it")
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
