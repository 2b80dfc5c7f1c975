"""Input files by path or URL: opened, found by glob or directory, told apart. What they hold is read elsewhere."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import IO, Any, cast

from fsspec.implementations.local import LocalFileSystem

from seiryu.corpus.errors import InputError
from seiryu.corpus.remote_files import filesystem


def open_input(path: str) -> IO[bytes]:
    """An input file by path or URL, seekable. InputError when it is not there or not readable."""
    fs, inner = filesystem(path)
    try:
        return cast(IO[bytes], fs.open(inner, "rb"))
    except (FileNotFoundError, NotADirectoryError) as error:
        if fs.isdir(inner):
            raise InputError(f"{path} is a directory, not an archive") from error
        raise InputError(f"{path} does not exist") from error
    except PermissionError as error:
        raise InputError(f"{path} may not be read: {error.strerror or error}") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a directory, not an archive") from error


def is_directory(path: str) -> bool:
    """Whether a path or URL names a directory that is there."""
    fs, inner = filesystem(path)
    return bool(fs.isdir(inner))


def expand(pattern: str) -> list[str]:
    """The files that a path or a glob names, or that lie in a directory or below it, sorted. Empty when there are none.

    Links that lead nowhere are among them, so that whoever opens them hears of it: a disk may not be mounted. Local files come back
    as they were written, relative or not.
    """
    fs, inner = filesystem(pattern)
    if isinstance(fs, LocalFileSystem):
        local = pattern.removeprefix("file://")
        if fs.isdir(inner):
            return sorted(str(path) for path in Path(local).rglob("*") if _is_file(path))
        # A name that is there is meant as it stands, with [ and * in it or not.
        found = [local] if fs.exists(inner) else glob.glob(local, recursive=True)  # noqa: PTH207 - a Path forgets ./
        return sorted(path for path in found if _is_file(Path(path)))
    if fs.isdir(inner):
        return sorted(fs.unstrip_protocol(path) for path in fs.find(inner))
    found = [inner] if fs.exists(inner) else fs.glob(inner) if any(letter in inner for letter in "*?[") else []
    return sorted(fs.unstrip_protocol(path) for path in found if not fs.isdir(path))


def _is_file(path: Path) -> bool:
    return path.is_file() or (path.is_symlink() and not path.exists())


def identity(path: str) -> dict[str, Any]:
    """What tells that an input is still the same: size and time of change, or the store's own tag."""
    fs, inner = filesystem(path)
    try:
        info = fs.info(inner)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path} does not exist") from error
    except PermissionError as error:
        raise InputError(f"{path} may not be read: {error.strerror or error}") from error
    known = {key: info[key] for key in ("size", "mtime", "ETag", "etag", "LastModified") if info.get(key) is not None}
    return {key: value if isinstance(value, int | str) else str(value) for key, value in sorted(known.items())}
