"""A file on a server, read front to back through one open request, with small steps back for nothing.

The last 4 MiB are kept: a reader that looks for the next member behind a damaged one goes back and forth within 1 MiB. A step
ahead of up to 1 MiB is read over in the open stream; any other seek costs one request, when the next byte is read.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from seiryu.corpus.remote.errors import Unreachable
from seiryu.corpus.remote.remote_object import RemoteObject

KEPT = 4 << 20
_AHEAD = 1 << 20
_DOUBTS = 2
# Places doubted as often as allowed before doubting ends: what is damaged on the server costs no more requests than this.
_VAIN = 32


class RemoteFile(io.BufferedIOBase, BinaryIO):
    """Opened by Remote.open; the first request is sent at once, so that what is not there is known."""

    def __init__(self, remote_object: RemoteObject) -> None:
        self._stream: Iterator[bytes] | None = None
        self._object = remote_object
        self._blocks: list[bytes] = []  # what is kept, one block behind the other, and where each starts
        self._starts: list[int] = []
        self._end = self._kept = 0  # place behind the last block; bytes in all
        self._block, self._start, self._at = b"", 0, 0  # the block that is read now; position: _start + _at
        self._doubts: Counter[int] = Counter()
        self._stream = remote_object.pieces(0)
        self._take_piece()

    @property
    def name(self) -> str:
        return self._object.name

    @property
    def mode(self) -> str:
        return "rb"

    @property
    def size(self) -> int:
        return self._object.size or 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._start + self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        position = offset + (0, self.tell(), self.size)[whence]
        if position < 0:
            raise ValueError(f"{position} is no place in a file")
        if self._start <= position <= self._start + len(self._block):
            self._at = position - self._start
        else:
            self._block, self._start, self._at = b"", position, 0
        return position

    def read(self, size: int | None = -1) -> bytes:
        at = self._at
        if size is not None and 0 <= size <= len(self._block) - at:
            self._at = at + size
            return self._block[at : at + size]
        left = self.size - self.tell() if size is None or size < 0 else size
        parts = []
        while left > 0 and (self._at < len(self._block) or self._find_block()):
            part = self._block[self._at : self._at + left]
            self._at += len(part)
            left -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read1(self, size: int = -1) -> bytes:
        return self.read(size)

    def doubt(self, offset: int) -> bool:
        """Forget what was read from `offset` on and ask again; False if that was done here twice, or often enough elsewhere.

        A connection's checksum is 16 bits wide: among as many bytes as these, some are wrong that nobody noticed.
        """
        if self._doubts[offset] >= _DOUBTS or sum(times == _DOUBTS for times in self._doubts.values()) >= _VAIN:
            return False
        self._doubts[offset] += 1
        self._begin_at(self.tell())
        return True

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()  # type: ignore[attr-defined]
            self._stream = None
        super().close()

    def _find_block(self) -> bool:
        """Have the byte at the position in the present block; False at the end of the object."""
        position = self.tell()
        if position >= self.size:
            return False
        if not (self._starts and self._starts[0] <= position <= self._end + _AHEAD and (self._stream or position < self._end)):
            self._begin_at(position)
        while position >= self._end:
            self._take_piece()
        number = bisect_right(self._starts, position) - 1
        self._block, self._start = self._blocks[number], self._starts[number]
        self._at = position - self._start
        return True

    def _begin_at(self, position: int) -> None:
        """Forget all, and ask from here on when it is read."""
        if self._stream is not None:
            self._stream.close()  # type: ignore[attr-defined]
        self._stream = self._object.pieces(position)
        self._blocks, self._starts, self._kept, self._end = [], [], 0, position
        self._block, self._start, self._at = b"", position, 0

    def _take_piece(self) -> None:
        stream, self._stream = self._stream, None  # one that raised is no stream any more
        piece: Any = next(stream, b"") if stream else b""
        if not piece and self.size > self._end:
            raise Unreachable(f"{self.name}: the stream ended at byte {self._end:,} of {self.size:,}")
        self._stream = stream
        if not piece:
            return
        self._blocks.append(piece)
        self._starts.append(self._end)
        self._end += len(piece)
        self._kept += len(piece)
        while self._kept - len(self._blocks[0]) >= KEPT:
            self._kept -= len(self._blocks.pop(0))
            del self._starts[0]
