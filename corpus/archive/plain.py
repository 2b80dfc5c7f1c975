"""The plain bytes ahead of a reader of records, the members they come from, and what stops them.

Bytes never run on over a gap, nor into a member that begins a record of its own: only `advance`, between two records, passes that
border. So a record that says it is longer than it is finds its end there, and not in the next one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO

from seiryu.corpus.archive.inflate import BEGIN, SIGN, SIGN_SIZE, Gap, Piece, is_plain, pieces

_BLANK = re.compile(rb"[\r\n]*")


@dataclass(slots=True)
class Member:
    """A member ahead. `begin`, `stop`: plain positions; `offset`, `end`: places in the file; -1 until it has ended well."""

    begin: int
    offset: int
    stop: int = -1
    end: int = -1


class Plain:
    """Unread bytes are `data` from `at` on. `members`: those they lie in, the first at least since the last `advance`.

    `linear`: an archive that is not compressed; its plain positions are places in the file.
    """

    __slots__ = ("_file", "_loaded", "_name", "_source", "_waiting", "at", "data", "gap", "linear", "members", "rewinds")

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self.linear = is_plain(file)
        self.rewinds = 0
        self._restart(0, 0)

    def _restart(self, offset: int, position: int) -> None:
        self._source = pieces(self._file, self._name, offset)
        self._waiting: Piece | None = None
        self._loaded = position  # plain position behind `data`
        self.data, self.at = b"", 0
        self.members: list[Member] = []
        self.gap: Gap | None = None

    @property
    def position(self) -> int:
        """Plain position of the next byte."""
        return self._loaded - len(self.data) + self.at

    def ahead(self, size: int) -> bool:
        """Whether `size` bytes can be had; then `data` holds them."""
        have = len(self.data) - self.at
        if have >= size:
            return True
        parts = [self.data[self.at :]] if have else []
        while have < size and (data := self._next()) is not None:
            parts.append(data)
            have += len(data)
        self.data, self.at = b"".join(parts), 0
        return have >= size

    def more(self) -> bool:
        """Whether another byte can be had; then it is there."""
        return self.ahead(len(self.data) - self.at + 1)

    def _next(self) -> bytes | None:
        if self.gap:
            return None
        item = self._waiting or next(self._source, None)
        if isinstance(item, Gap):
            self.gap = item
            return None
        self._waiting = item
        return None if item is None or (item.first and BEGIN.match(item.data)) else self._take(item)

    def _take(self, piece: Piece) -> bytes:
        if piece.first:
            self.members.append(Member(self._loaded, piece.offset))
        self._waiting = None
        self._loaded += len(piece.data)
        if piece.last:
            self.members[-1].stop, self.members[-1].end = self._loaded, piece.end
        return piece.data

    def _cross(self, border: Piece) -> None:
        self.members.clear()
        self.data, self.at = self._take(border), 0

    def advance(self) -> bool:
        """Go to where something stands that is not blank. False at a gap and at the end."""
        while True:
            if self.at < len(self.data) and self.skip_blank():
                break
            data = self._next()
            if data is not None:
                self.data, self.at = data, 0
            elif self._waiting:
                self._cross(self._waiting)
                return True
            else:
                return False
        while len(self.members) > 1 and self.members[1].begin <= self.position:
            del self.members[0]
        return True

    def skip_blank(self) -> bool:
        """Pass over line ends; whether something stands behind them."""
        self.at = _BLANK.match(self.data, self.at).end()  # type: ignore[union-attr]
        return self.at < len(self.data)

    def finish(self) -> None:
        """Pass over the blank lines behind a record, and on until it is known whether its member ends well."""
        while not self.skip_blank() and self.members[-1].end < 0 and self.more():
            pass

    def may_end(self, size: int) -> bool:
        """Whether a record can end `size` bytes from here: line ends or not, and then another one or nothing.

        What has two line ends behind it can end before garbage too, if it does not look as if it had swallowed a record.
        """
        stop = self.at + size
        if (stop + 4 == len(self.data) and self.data.endswith(b"\r\n\r\n")) or not self.ahead(size + 1):
            return True
        self.ahead(size + 4 + SIGN_SIZE)
        stop = self.at + size
        blank = _BLANK.match(self.data, stop).end()  # type: ignore[union-attr]
        if blank == len(self.data) or BEGIN.match(self.data, blank):
            return True
        return self.data.startswith((b"\r\n\r\n", b"\n\n"), stop) and not SIGN.search(self.data, self.at + 1, stop)

    def pass_over(self, size: int) -> int:
        """Go `size` bytes on without holding them; how many are missing."""
        while (have := len(self.data) - self.at) < size:
            self.at, size = len(self.data), size - have
            if not self.more():
                return size
        self.at += size
        return 0

    def rewind(self, member: Member, position: int) -> None:
        """Back to a plain position in a member, by reading that again."""
        self.rewinds += 1
        if self.linear:
            self._restart(position, position)
        else:
            self._restart(member.offset, member.begin)
        if not self.more() and self._waiting:
            self._cross(self._waiting)
        self.pass_over(position - self.position)

    def resync(self) -> bool:
        """Pass over what stands here up to the next record. Whether all of it is zeros up to the end of the archive."""
        zeros = True
        while True:
            found = SIGN.search(self.data, self.at)
            stop = found.start() if found else max(self.at, len(self.data) - SIGN_SIZE)
            zeros = zeros and self.data.count(0, self.at, stop) == stop - self.at
            self.at = stop
            if found or not self.more():
                break
        if not found:
            zeros = zeros and self.data.count(0, self.at) == len(self.data) - self.at
            self.at = len(self.data)
        return zeros and not (found or self.gap or self._waiting)

    def spanned(self, begin: int) -> int:
        """Bytes of the file from the member that begins at `begin` to here, if one ends here; 0 if they are no whole members."""
        here = self.position
        if self.linear:
            return here - begin
        if self.members[0].begin == begin:
            for last in self.members:
                if last.stop == here:
                    return last.end - self.members[0].offset
        return 0
