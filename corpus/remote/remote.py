"""The door to files on servers: http://, https:// and s3:// URLs, asked politely and checked.

See manners.py and budget.py for how often is asked and how long is waited, remote_object.py for what is checked.
"""

from __future__ import annotations

import builtins
import re
from typing import IO, Any

from seiryu.corpus.errors import InputError
from seiryu.corpus.remote.asking import Asker, Place
from seiryu.corpus.remote.budget import Budget
from seiryu.corpus.remote.listing import links_below
from seiryu.corpus.remote.manners import Manners
from seiryu.corpus.remote.remote_file import RemoteFile
from seiryu.corpus.remote.remote_object import RemoteObject
from seiryu.corpus.remote.remote_parts import RemoteParts
from seiryu.corpus.remote.s3 import S3, listed, split
from seiryu.corpus.remote.trouble import Fault, Trouble
from seiryu.corpus.remote.web import WebPlace

__all__ = ["Manners", "Remote", "RemoteFile", "is_remote"]

_REMOTE = re.compile(r"(?:https?|s3)://")
_IDENTITY = ("ETag", "Last-Modified")
_DEEPEST = 32  # folders in folders: a page that links to itself under ever longer names has no end


class Remote:
    """Reads from servers within a budget; usable from several threads. Its errors name the URL, what was asked and what came.

    All its methods raise InputError (not there), Forbidden (nobody may ask any more) or Unreachable (it may go well later).
    """

    def __init__(self, manners: Manners, budget: Budget) -> None:
        self._asker = Asker(manners, budget)
        self._s3 = S3(manners)

    @property
    def used(self) -> tuple[int, int]:
        """(requests sent, bytes read) so far."""
        return self._asker.requests, self._asker.bytes

    def open(self, url: str) -> RemoteFile:
        """A file for reading front to back, seekable."""
        return RemoteFile(self._object(url))

    def open_parts(self, url: str) -> IO[bytes]:
        """A file of which parts are read, each by a request of its own."""
        return RemoteParts(self._object(url))

    def read(self, url: str) -> bytes:
        """All bytes of a small object."""
        return b"".join(self._object(url).pieces(0, whole=True))

    def read_range(self, url: str, first: int, size: int) -> bytes:
        """Exactly these bytes. EndsBefore if the object does."""
        return self._object(url).exactly(first, size)

    def identity(self, url: str) -> dict[str, Any]:
        """What tells that an object is still the same: its size, ETag and Last-Modified, those that the server gives."""
        place, trouble = self._place(url), Trouble(f"{url} (HEAD)", self._asker.manners)
        while True:
            try:
                with self._asker.ask(place, "HEAD") as answer:
                    known: dict[str, Any] = {name: answer.headers[name] for name in _IDENTITY if name in answer.headers}
                    return known | ({} if answer.length is None else {"size": answer.length})
            except Fault as fault:
                trouble.met(fault)

    def list(self, prefix: str) -> builtins.list[str]:
        """URLs of all that lies below an s3:// prefix or a directory page, sorted. A listing that fails is an error, never empty."""
        return sorted(self._keys(prefix) if prefix.startswith("s3://") else self._links(prefix))

    def _keys(self, prefix: str) -> set[str]:
        bucket, found, token = split(prefix)[0], set[str](), ""
        trouble = Trouble(f"{prefix} (listing)", self._asker.manners)
        while True:
            page = b"".join(RemoteObject(self._asker, self._s3.listing(prefix, token)).pieces(0, whole=True))
            try:
                keys, following = listed(page)
                if following and following == token:
                    raise Fault("answered the same page of a listing again")
            except Fault as fault:
                trouble.met(fault)
                continue
            trouble.over()
            found |= {f"s3://{bucket}/{key}" for key in keys if not key.endswith("/")}
            token = following
            if not token:
                return found

    def _links(self, prefix: str) -> set[str]:
        top = prefix if prefix.endswith("/") else prefix + "/"
        found, folders = set[str](), [top]
        while folders:
            folder = folders.pop()
            if folder.count("/") - top.count("/") > _DEEPEST:
                raise InputError(f"{folder} lies more than {_DEEPEST} folders below {prefix}; it seems to hold itself")
            for link in links_below(self.read(folder), folder):
                if link.endswith("/"):
                    folders.append(link)
                else:
                    found.add(link)
        return found

    def _object(self, url: str) -> RemoteObject:
        return RemoteObject(self._asker, self._place(url))

    def _place(self, url: str) -> Place:
        if not is_remote(url):
            raise InputError(f"{url} is no http://, https:// or s3:// URL")
        return self._s3.place(url) if url.startswith("s3://") else WebPlace(url)


def is_remote(path: str) -> bool:
    """Whether a path is a URL that Remote reads."""
    return bool(_REMOTE.match(path))
