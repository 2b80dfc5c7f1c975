"""One door to files: local disks and object stores by URL, and writing that is all or nothing.

Everything the pipeline reads or writes goes through fsspec, so a run directory may be `runs/a` or `s3://bucket/a`. A file
appears under its name only when it is complete: on a local disk it is written under `tmp/` of the same root, synced and renamed;
for an object store it is written to a temporary file here and uploaded when it is whole (closing an fsspec file uploads what it
has, error or not). Whoever dies on the way leaves at most a file in `tmp/`.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from seiryu.corpus.errors import InputError, NotWritable, StorageFull

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(slots=True)
class Written:
    """What a finished file holds: its name under the root, size in bytes, and sha256 (hex)."""

    name: str
    size: int
    sha256: str


class HashingFile:
    """A binary file for writing front to back that knows its size and sha256 without a second read."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self._sha, self.size, self.closed = raw, hashlib.sha256(), 0, False

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._raw.write(view)
        self._sha.update(view)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._raw.flush()

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    @property
    def sha256(self) -> str:
        return self._sha.hexdigest()

    def written(self, name: str) -> Written:
        """What was written, once the block that wrote it has ended."""
        return Written(name, self.size, self.sha256)


class Store:
    """Files below one root: a directory or a URL that fsspec knows."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._fs, self._base = _filesystem(root)
        self.local = isinstance(self._fs, LocalFileSystem)

    def path(self, name: str) -> str:
        """Where `name` lies, in the form people and other programs can open."""
        return f"{self.root.rstrip('/')}/{name}"

    def _full(self, name: str) -> str:
        if not name or "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
            raise ValueError(f"{name!r} is no name of a file below {self.root}")
        return f"{self._base.rstrip('/')}/{name}"

    def exists(self, name: str) -> bool:
        return bool(self._fs.exists(self._full(name)))

    def names(self, folder: str, suffix: str = "") -> list[str]:
        """Names of the files directly in `folder` that end in `suffix`, sorted; none if there is no such folder."""
        try:
            found = self._fs.ls(self._full(folder), detail=True, refresh=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        names = [item["name"].rsplit("/", 1)[-1] for item in found if _is_file(self._fs, item)]
        return sorted(name for name in names if name and name.endswith(suffix))

    def below(self, folder: str) -> list[str]:
        """Names of all files in `folder` and in the folders in it, `folder` included in each, sorted."""
        whole = self._full(folder)
        self._fs.invalidate_cache(whole)
        try:
            found = self._fs.find(whole)
        except (FileNotFoundError, NotADirectoryError):
            return []
        inside = f"{whole.strip('/')}/"
        return sorted(f"{folder}/{path.partition(inside)[2]}" for path in found)

    def open(self, name: str) -> IO[bytes]:
        """A file for reading, seekable. FileNotFoundError if it is not there."""
        return cast(IO[bytes], self._fs.open(self._full(name), "rb"))

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read()

    def read_json(self, name: str) -> Any:
        """The JSON value of a file. InputError, naming the file, if it is damaged."""
        try:
            return json.loads(self.read(name))
        except ValueError as error:
            raise InputError(f"{self.path(name)} is damaged ({error}); delete it and run again") from error

    @contextmanager
    def writing(self, name: str) -> Iterator[HashingFile]:
        """A file that appears under `name` when the block ends well, and not at all otherwise. StorageFull or NotWritable when
        it cannot.
        """
        target = self._full(name)
        temporary = Path(
            self._full(f"tmp/{uuid.uuid4().hex}") if self.local else f"{tempfile.gettempdir()}/seiryu-{uuid.uuid4().hex}"
        )
        try:
            with self._opened(temporary, name) as raw:
                yield HashingFile(raw)
                raw.flush()
                os.fsync(raw.fileno())
            if self.local:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(target)
            else:
                self._fs.put_file(str(temporary), target)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull(f"cannot write {self.path(name)}: {error.strerror}; free some room and run again") from error
            raise
        finally:
            with suppress(NotADirectoryError):
                temporary.unlink(missing_ok=True)

    def _opened(self, temporary: Path, name: str) -> IO[bytes]:
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            return temporary.open("wb")
        except OSError as error:
            if error.errno in _FULL:
                raise
            raise NotWritable(f"cannot write {self.path(name)}: {error.strerror}; name a directory that takes files") from error

    def write(self, name: str, data: bytes) -> Written:
        with self.writing(name) as file:
            file.write(data)
        return file.written(name)

    def write_json(self, name: str, value: Any) -> Written:
        text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
        return self.write(name, text.encode() + b"\n")

    def sha256(self, name: str) -> str:
        """sha256 of a file as it lies there now, read in pieces of 1 MiB."""
        digest = hashlib.sha256()
        with self.open(name) as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        return digest.hexdigest()

    def copy_to(self, name: str, path: str) -> None:
        """Copy a file to a path on a local disk, in pieces of 1 MiB."""
        with self.open(name) as file, Path(path).open("wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)

    def delete(self, name: str) -> None:
        try:
            self._fs.rm_file(self._full(name))
        except FileNotFoundError:
            return

    def sweep(self) -> int:
        """Delete what dead writers left in tmp/; the number of files. Only while nobody else writes here."""
        names = self.names("tmp")
        for name in names:
            self.delete(f"tmp/{name}")
        return len(names)


def _filesystem(url: str) -> tuple[Any, str]:
    """The file system of a path or URL and the path in it. InputError when there is none."""
    try:
        fs, path = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:  # an unknown protocol, or one whose package is not installed
        raise InputError(f"{url} cannot be opened: {error}") from error
    return fs, path


def _is_file(fs: Any, item: dict[str, Any]) -> bool:
    return item["type"] == "file" or bool(item.get("islink") and fs.isfile(item["name"]))


def open_input(path: str) -> IO[bytes]:
    """An input file by path or URL, seekable. InputError when it is not there or not readable."""
    fs, inner = _filesystem(path)
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
    fs, inner = _filesystem(path)
    return bool(fs.isdir(inner))


def expand(pattern: str) -> list[str]:
    """The files that a path or a glob names, or that lie in a directory or below it, sorted. Empty when there are none.

    Local ones come back as they were written, relative or not.
    """
    fs, inner = _filesystem(pattern)
    if isinstance(fs, LocalFileSystem):
        local = pattern.removeprefix("file://")
        if fs.isdir(inner):
            return sorted(str(path) for path in Path(local).rglob("*") if path.is_file())
        # A name that is there is meant as it stands, with [ and * in it or not.
        found = [local] if fs.exists(inner) else glob.glob(local, recursive=True)  # noqa: PTH207 - a Path forgets ./
        return sorted(path for path in found if Path(path).is_file())
    if fs.isdir(inner):
        return sorted(fs.unstrip_protocol(path) for path in fs.find(inner))
    found = [inner] if fs.exists(inner) else fs.glob(inner) if any(letter in inner for letter in "*?[") else []
    return sorted(fs.unstrip_protocol(path) for path in found if not fs.isdir(path))


def identity(path: str) -> dict[str, Any]:
    """What tells that an input is still the same: size and time of change, or the store's own tag."""
    fs, inner = _filesystem(path)
    try:
        info = fs.info(inner)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path} does not exist") from error
    except PermissionError as error:
        raise InputError(f"{path} may not be read: {error.strerror or error}") from error
    known = {key: info[key] for key in ("size", "mtime", "ETag", "etag", "LastModified") if info.get(key) is not None}
    return {key: value if isinstance(value, int | str) else str(value) for key, value in sorted(known.items())}
