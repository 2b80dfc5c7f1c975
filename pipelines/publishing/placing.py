"""Putting the files of a dataset into its directory: each is checked against its sha256 on the way, and all or nothing is changed.

On a local disk everything new is staged inside the directory, as hard links where the disk allows it, and put in its place only
when all of it is there and right. The first file to come tells whose publication it is, SHA256SUMS is the last: where it is missing
or `sha256sum -c` fails, a publication was interrupted, and the same command finishes it. An object store has no staging: the files go
there one by one, in the same order.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from seiryu.corpus.errors import InputError, NotWritable, StorageFull
from seiryu.corpus.storage import Store
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.publishing.checksums import read_sums
from seiryu.pipelines.publishing.layout import LINEAGE, SUMS, File

_STAGING = ".seiryu-publishing"
_OTHERS = (".git", ".cache", ".gitattributes", ".gitignore", ".huggingface")  # of git and of the hub's client
_PIECE = 1 << 20


@dataclass
class Changes:
    """What was done: names of the files that were written, of those that were right already, and of those taken away."""

    written: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


class Target:
    """The directory of a publication, local or an object store's."""

    def __init__(self, out: str) -> None:
        parent, _, name = out.rstrip("/").rpartition("/")
        if "://" not in out or out.startswith("file://"):
            path = Path(out.removeprefix("file://")).absolute()
            parent, name = str(path.parent), path.name
        self.out, self._name = out, name
        if not name or not parent or out.startswith(("http://", "https://")):
            raise ConfigError(f"--out {out}: a directory, or a folder of an object store, is wanted")
        self._store = Store(parent)
        self.local = self._store.local
        self.root = Path(parent, name)

    def held(self) -> list[str]:
        """Names of the files there, but for those of git and of the hub's client."""
        if not self.local:
            found = [name.removeprefix(f"{self._name}/") for name in self._store.below(self._name)]
        elif self.root.is_dir():
            found = [str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_symlink() or not path.is_dir()]
        else:
            found = [""] if self.root.exists() else []
        return sorted(name for name in found if name.partition("/")[0] not in (*_OTHERS, _STAGING))

    def read(self, name: str) -> bytes:
        return self._store.read(f"{self._name}/{name}")

    def check(self, run_id: str, planned: Sequence[File]) -> list[str]:
        """Names of stale files, which an earlier publication of this run left. ConfigError if something else lies there."""
        held = self.held()
        if not held:
            return []
        if held == [""]:
            raise ConfigError(f"--out {self.out}: is a file; name a directory")
        try:
            found = json.loads(self.read(LINEAGE).partition(b"\n")[0])["run"]["runId"]
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            raise ConfigError(f"--out {self.out}: is not empty and holds no publication; name another directory") from None
        if found != run_id:
            raise ConfigError(
                f"--out {self.out}: holds the publication of another run or config ({found}); name another directory"
            )
        before = read_sums(self.read(SUMS)) if SUMS in held else {}
        ours = {file.name for file in planned}
        strange = [name for name in held if name not in ours and name not in before]
        if strange:
            raise ConfigError(f"--out {self.out}: {strange[0]!r} is not of the publication; move it away")
        return [name for name in held if name not in ours]

    def place(self, run: Store, planned: Sequence[File], stale: Sequence[str]) -> Changes:
        """Make it hold these files. InputError, before anything is changed on a local disk, for one that is not as recorded."""
        order = sorted(planned, key=lambda file: (file.name == SUMS, file.name != LINEAGE, file.name))
        return self._local(run, order, stale) if self.local else self._remote(run, order, stale)

    def _local(self, run: Store, order: Sequence[File], stale: Sequence[str]) -> Changes:
        changes, staging = Changes(), self.root / _STAGING
        new = not self.root.exists()
        with _writing(self.out):
            try:
                shutil.rmtree(staging, ignore_errors=True)
                staging.mkdir(parents=True)
                for file in order:
                    staged, there = staging / file.name, self.root / file.name
                    _stage(run, file, staged)
                    same = _holds(there, staged, file.sha256)
                    (changes.same if same else changes.written).append(file.name)
                for name in changes.written:
                    (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                    (staging / name).replace(self.root / name)
                for name in stale:
                    (self.root / name).unlink(missing_ok=True)
                    changes.removed.append(name)
                _drop_empty(self.root, stale)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
                if new and self.root.exists() and not any(self.root.iterdir()):
                    self.root.rmdir()
        return changes

    def _remote(self, run: Store, order: Sequence[File], stale: Sequence[str]) -> Changes:
        changes, held = Changes(removed=list(stale)), self.held()
        listed = self.read(SUMS) if SUMS in held else b""
        before = read_sums(listed)
        for file in order:
            right = listed == file.data if file.name == SUMS else before.get(file.name) == file.sha256
            (changes.same if right and file.name in held else changes.written).append(file.name)
        for name in (*stale, *([SUMS] if changes.written and listed else [])):  # an old list must not vouch for what comes now
            self._store.delete(f"{self._name}/{name}")
        for file in order:
            if file.name not in changes.same or (file.name == SUMS and changes.written):
                with self._store.writing(f"{self._name}/{file.name}") as copy:
                    for piece in _pieces(run, file):
                        copy.write(piece)
                    _check(run, file, copy.sha256)
        return changes


def _stage(run: Store, file: File, staged: Path) -> None:
    """A file in the staging directory: a hard link if that can be, else a copy, and in both cases the bytes that are recorded."""
    staged.parent.mkdir(parents=True, exist_ok=True)
    if file.source and run.local:
        try:
            staged.hardlink_to(Path(run.path(file.source).removeprefix("file://")).resolve(strict=True))
        except FileNotFoundError as error:
            raise _damaged(run, file, "is missing") from error
        except OSError:  # another disk, or one without links
            pass
        else:
            _check(run, file, _sha256(staged))
            return
    digest = hashlib.sha256()
    with staged.open("wb") as copy:
        for piece in _pieces(run, file):
            copy.write(piece)
            digest.update(piece)
        copy.flush()
        os.fsync(copy.fileno())
    _check(run, file, digest.hexdigest())


def _pieces(run: Store, file: File) -> Iterator[bytes]:
    if not file.source:
        yield file.data
        return
    try:
        with run.open(file.source) as source:
            while piece := source.read(_PIECE):
                yield piece
    except FileNotFoundError as error:
        raise _damaged(run, file, "is missing") from error
    except OSError as error:
        raise InputError(f"{run.path(file.source)} cannot be read: {error.strerror or error}") from error


def _check(run: Store, file: File, found: str) -> None:
    if found != file.sha256:
        raise _damaged(run, file, "its sha256 is not the recorded one")


def _damaged(run: Store, file: File, what: str) -> InputError:
    return InputError(f"{run.path(file.source)}: {what}; `seiryu verify {run.root} --drop` and run again, then publish")


def _holds(there: Path, staged: Path, sha256: str) -> bool:
    """Whether the file that lies there is right already."""
    if there.is_symlink() or not there.is_file():
        return False
    return there.samefile(staged) or (there.stat().st_size == staged.stat().st_size and _sha256(there) == sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _drop_empty(root: Path, stale: Sequence[str]) -> None:
    """The folders that stale files have left empty."""
    for folder in sorted({parent for name in stale for parent in Path(name).parents if parent != Path()}, reverse=True):
        if (root / folder).is_dir() and not any((root / folder).iterdir()):
            (root / folder).rmdir()


@contextmanager
def _writing(out: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"cannot write {out}: {error.strerror}; free some room and publish again") from error
        raise NotWritable(f"cannot write {out}: {error.strerror or error}; name a directory that takes files") from error
