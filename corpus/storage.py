"""One door to files: local disks and object stores by URL, and writing that is all or nothing.

Everything the pipeline reads or writes goes through fsspec, so a run directory may be `runs/a` or `s3://bucket/a`. A file
appears under its name only when it is complete: on a local disk it is written under `tmp/` of the same root, synced and renamed;
for an object store it is written to a temporary file here and uploaded when it is whole (closing an fsspec file uploads what it
has, error or not). Whoever dies on the way leaves at most a file in `tmp/`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from fsspec.implementations.local import LocalFileSystem

from seiryu.corpus.errors import InputError, NodeFull, NotWritable, StorageFull
from seiryu.corpus.remote_files import PATIENCE, end_uploads, filesystem

_TEMPORARY = re.compile(r"[0-9a-f]{32}|doctor-.*")  # what writers, and `seiryu doctor`, call their files in tmp/
_PATTERN = re.compile(r"[*?\[]")  # in a path
_REQUESTS = 16  # at once
_FULL, _CLOSED = {errno.ENOSPC, errno.EDQUOT}, {errno.EROFS, errno.EACCES, errno.EPERM, errno.EISDIR}
# Where no file can be begun; all else may pass.
_NO_PLACE = _CLOSED | {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EEXIST}


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
    """Files below one root: a directory or a URL that fsspec knows. `patience`: seconds to wait for a store that does not answer."""

    def __init__(self, root: str, patience: float = PATIENCE) -> None:
        self.root = root
        self._fs, self._base = filesystem(root, patience)
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
        return bytes(self._fs.cat_file(self._full(name)))

    def read_all(self, names: Sequence[str]) -> list[bytes | None]:
        """What many small files hold, in the order of their names; None for one that is not there. An object store is asked for all
        at once.
        """
        if self.local:
            return [self._read_or_none(name) for name in names]
        paths = [self._full(name) for name in names]
        plain = [path for path in paths if not _PATTERN.search(path)]  # others mean many files to `cat`
        found = self._fs.cat(plain, on_error="return") if plain else {}
        answered = {
            path: content if isinstance(content, bytes) else None
            for path, content in found.items()
            if isinstance(content, bytes | FileNotFoundError)  # after another error it is asked for alone, and patiently
        }
        return [answered[path] if path in answered else self._read_or_none(name) for name, path in zip(names, paths, strict=True)]

    def _read_or_none(self, name: str) -> bytes | None:
        try:
            if not self.local:
                return self.read(name)
            with open(self._full(name), "rb") as file:  # noqa: PTH123 - fsspec's way takes twice as long, and there may be many
                return file.read()
        except FileNotFoundError:
            return None

    def read_json(self, name: str) -> Any:
        """The JSON value of a file. InputError, naming the file, if it is damaged."""
        try:
            return json.loads(self.read(name))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{self.path(name)} is damaged ({error}); delete it and run again") from error

    @contextmanager
    def writing(self, name: str) -> Iterator[HashingFile]:
        """A file that appears under `name` when the block ends well, and not at all otherwise. StorageFull, NodeFull or NotWritable
        when it cannot.
        """
        try:
            with self._putting(self._full(name)) as raw:
                yield HashingFile(raw)
                raw.flush()
        except OSError as error:
            if error.errno in _FULL and not self.local:
                where = f"no room in {tempfile.gettempdir()} on {socket.gethostname()} for what goes to {self.path(name)}"
                raise NodeFull(f"{where}: {error.strerror}; free some, or set TMPDIR to another directory there") from error
            if error.errno in _FULL:
                raise StorageFull(f"cannot write {self.path(name)}: {error.strerror}; free some room and run again") from error
            if isinstance(error, _Unopened) or error.errno in _CLOSED:
                raise NotWritable(
                    f"cannot write {self.path(name)}: {error.strerror}; name a directory that takes files"
                ) from error
            raise

    @contextmanager
    def _putting(self, target: str) -> Iterator[IO[bytes]]:
        """A file that is put in place when the block ends well."""
        if not self.local:
            # A file without a name: whoever dies on the way leaves nothing.
            with tempfile.TemporaryFile(prefix="seiryu-") as raw:
                yield raw
                raw.flush()
                self._upload(f"/proc/{os.getpid()}/fd/{raw.fileno()}", target)
            return
        temporary = Path(self._full(f"tmp/{uuid.uuid4().hex}"))
        try:
            with _opened(temporary) as raw:
                yield raw
                raw.flush()
                os.fsync(raw.fileno())
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        finally:
            with suppress(OSError):  # gone already, or what forbids it has been said
                temporary.unlink(missing_ok=True)

    def _upload(self, source: str, target: str) -> None:
        """Put a file in place; once more if the place is said not to be there, as of an upload whose end was told and not heard."""
        try:
            self._fs.put_file(source, target)
        except FileNotFoundError:
            try:
                self._fs.put_file(source, target)
            except FileNotFoundError as error:
                raise _Unopened(errno.ENOENT, str(error) or "there is no such place") from error

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

    def delete_all(self, names: Sequence[str]) -> None:
        """Delete many files; an object store is asked for several at once."""
        self.at_once(self.delete, names)

    def at_once(self, what: Callable[[str], None], names: Sequence[str]) -> None:
        """Do something for each name: one after another on a local disk, several at once in an object store."""
        with ThreadPoolExecutor(1 if self.local else _REQUESTS) as pool:
            deque(pool.map(what, names), maxlen=0)

    def sweep(self) -> int:
        """Delete what dead writers left: files in tmp/, uploads that were not ended; their number. Only while nobody else writes."""
        names = [name for name in self.names("tmp") if _TEMPORARY.fullmatch(name)]
        self.delete_all([f"tmp/{name}" for name in names])
        return len(names) + (0 if self.local else end_uploads(self._fs, self._base))


class _Unopened(OSError):
    """A place where no file can be begun."""


def _opened(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")
    except OSError as error:
        if error.errno in _NO_PLACE:
            raise _Unopened(error.errno, error.strerror) from error
        raise


def _is_file(fs: Any, item: dict[str, Any]) -> bool:
    return item["type"] == "file" or bool(item.get("islink") and fs.isfile(item["name"]))
