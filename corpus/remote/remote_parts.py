"""A file on a server of which only parts are wanted, as of a Parquet file: every read is one request for exactly that.

The first request is for the last 64 KiB: Parquet's reader wants these first, and the answer tells the size. Reads of less than
64 KiB are widened to that, and served again from it, so that a few small ones after another cost one request.
"""

from __future__ import annotations

import io
from typing import BinaryIO

from seiryu.corpus.remote.remote_object import RemoteObject

WIDE = 1 << 16


class RemoteParts(io.BufferedIOBase, BinaryIO):
    """Opened by Remote.open_parts. Not for two threads at once, as files are not."""

    def __init__(self, remote_object: RemoteObject) -> None:
        self._object, self._position = remote_object, 0
        tail = b"".join(remote_object.pieces(-WIDE))
        self.size = remote_object.size or 0
        self._tail = (self.size - len(tail), tail)
        self._near = (0, b"")  # the last small part, widened

    @property
    def name(self) -> str:
        return self._object.name

    @property
    def mode(self) -> str:
        return "rb"

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        position = offset + (0, self._position, self.size)[whence]
        if position < 0:
            raise ValueError(f"{position} is no place in a file")
        self._position = position
        return position

    def read(self, size: int | None = -1) -> bytes:
        first = self._position
        left = max(0, self.size - first)
        size = left if size is None or size < 0 else min(size, left)
        data = self._part(first, size) if size else b""
        self._position = first + size
        return data

    def read1(self, size: int = -1) -> bytes:
        return self.read(size)

    def _part(self, first: int, size: int) -> bytes:
        for start, data in (self._tail, self._near):
            if start <= first and first + size <= start + len(data):
                return data[first - start : first - start + size]
        if size >= WIDE:
            return self._object.exactly(first, size)
        self._near = (first, self._object.exactly(first, min(WIDE, self.size - first)))
        return self._near[1][:size]
