"""Records of a WARC archive, each with its place, and every stretch that held none.

Framing is done here, byte for byte, so that nothing is passed over uncounted: a record begins with `WARC/1`, its header ends
with an empty line and says how long its content is; whatever else stands where a record should begin is a `Damaged` stretch,
and reading goes on at the next header. A compressed record never reaches into a member that begins a record of its own. The fields
of the header and HTTP are FastWARC's work (corpus/page.py).

A record is handed out only when its compressed member has ended without a fault, so a wrong checksum is seen in time.
(Where one member holds many records the fault is reported after those before it.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from seiryu.corpus.errors import InputError
from seiryu.corpus.inflate import Gap, Piece, is_plain, pieces

_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_KIND = re.compile(rb"^warc-type[ \t]*:[ \t]*([a-z]+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BEGIN = re.compile(rb"WARC/1\.[01]\r?\n")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_BLANK = re.compile(rb"[\r\n\0]*")
_MAX_HEADER = 1 << 20


@dataclass(slots=True)
class RawRecord:
    """One record as it lies in the archive.

    `offset`, `length`: of its compressed member, or of itself in a plain archive, in bytes of the file; length 0 where a member
    holds several records. `ordinal` counts the records of a member from 0. `content` is None when it is longer than the
    reader was told to hold; `content_length` is what the header says.
    """

    offset: int
    length: int
    ordinal: int
    kind: str
    header: bytes
    content: bytes | None
    content_length: int


@dataclass(slots=True)
class Damaged:
    """A stretch that could not be read as a record. `lost`: its size in bytes (of the file; inflated, within a member)."""

    offset: int
    lost: int
    why: str


@dataclass(slots=True)
class _Member:
    begin: int  # plain position of its first byte
    offset: int  # place in the file
    end: int | None = None  # place in the file behind it, once it has ended well


class _Plain:
    """The plain bytes ahead, and the members that they belong to."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self.linear = is_plain(file)
        self.restart(0)

    def restart(self, offset: int) -> None:
        self._source = pieces(self._file, self._name, offset)
        self.buffer = bytearray()
        self.position = offset if self.linear else 0  # plain position of buffer[0]
        self.members: list[_Member] = []
        self.gap: Gap | None = None
        self.ended = False

    def more(self) -> bool:
        """Append the next piece. False before a gap, and at the end."""
        if self.gap or self.ended:
            return False
        item = next(self._source, None)
        if isinstance(item, Piece):
            if item.first:
                self.members.append(_Member(self.position + len(self.buffer), item.offset))
            if item.last:
                self.members[-1].end = item.end
            self.buffer += item.data
            return True
        self.gap, self.ended = item, item is None
        return False

    def drop(self, size: int) -> None:
        del self.buffer[:size]
        self.position += size
        while len(self.members) > 1 and self.members[1].begin <= self.position:
            self.members.pop(0)

    def next_member(self) -> int | None:
        """Plain bytes from here to the beginning of the member after this one, if one has begun."""
        return self.members[1].begin - self.position if len(self.members) > 1 else None

    def skip_blank(self) -> bool:
        """Pass over line ends and NUL padding; False when nothing more can be had before a gap or the end."""
        while True:
            blank = _BLANK.match(self.buffer)
            self.drop(blank.end() if blank else 0)
            if self.buffer:
                return True
            if not self.more():
                return False

    def take_gap(self, since: int) -> Damaged | None:
        """The gap ahead, as damage that begins at `since`."""
        gap, self.gap = self.gap, None
        return Damaged(gap.offset, gap.end - since, gap.why) if gap else None


def raw_records(file: IO[bytes], name: str, max_content: int) -> Iterator[RawRecord | Damaged]:
    """All records of an archive and all damage, in order. InputError if it is empty, no archive, or holds no record at all.

    Content over `max_content` bytes is passed over, not held.
    """
    plain, found, before, ordinal = _Plain(file, name), False, -1, 0
    while True:
        if not plain.skip_blank():
            damage = plain.gap and plain.take_gap(plain.gap.offset)
            if not damage:
                break
            yield damage
            continue
        item = _record(plain, max_content)
        if isinstance(item, RawRecord):
            found = True
            before, ordinal = item.offset, ordinal + 1 if item.offset == before else 0
            item.ordinal = ordinal
        yield item
    if not found:
        raise InputError(f"{name} holds no WARC record")


def _record(plain: _Plain, max_content: int) -> RawRecord | Damaged:
    """What stands here, which is not blank."""
    member, begin = plain.members[0], plain.position
    item = _read(plain, begin if plain.linear else member.offset, max_content)
    if plain.gap and plain.gap.offset == member.offset and not plain.buffer:  # this record is what the broken member cut
        return plain.take_gap(member.offset if begin == member.begin else plain.gap.at) or item
    if isinstance(item, RawRecord):
        alone = begin == member.begin and member.end is not None and (plain.members[0] is not member or not plain.buffer)
        item.length = plain.position - begin if plain.linear else (member.end or 0) - member.offset if alone else 0
    return item


def _read(plain: _Plain, offset: int, max_content: int) -> RawRecord | Damaged:
    """The record here, with the blank lines behind it passed over, or the damage up to the next one."""
    begin = plain.position
    while not (end := _HEADER_END.search(plain.buffer)) and len(plain.buffer) < _MAX_HEADER and plain.more():
        pass
    if not _BEGIN.match(plain.buffer):
        return _resync(plain, offset, "no record begins here")
    if not end:
        return _resync(plain, offset, "the header of a record does not end")
    header = bytes(plain.buffer[: end.end()])
    length, kind = _LENGTH.search(header), _KIND.search(header)
    if not length or not kind:
        return _resync(plain, offset, f"a record without a valid {'WARC-Type' if length else 'Content-Length'}")
    size = int(length[1])
    plain.drop(len(header))
    content, missing = _content(plain, size, keep=size <= max_content)
    if missing:
        if plain.linear:
            plain.restart(begin + len(header))
        damage = _resync(plain, offset, f"a record lacks {missing:,} of its {size:,} bytes")
        damage.lost = plain.position - begin
        return damage
    plain.skip_blank()
    return RawRecord(offset, 0, 0, kind[1].decode().lower(), header, content, size)


def _content(plain: _Plain, size: int, *, keep: bool) -> tuple[bytes | None, int]:
    """The next `size` bytes (None if they are not kept), and how many are missing."""
    left = size
    while True:
        border = plain.next_member()
        if border is not None and border < left:
            while len(plain.buffer) < border + 5 and plain.more():
                pass
            if plain.buffer.startswith(b"WARC/", border):
                return None, left - border
        if len(plain.buffer) >= left:
            content = bytes(plain.buffer[:left]) if keep else None
            plain.drop(left)
            return content, 0
        if not keep:
            left -= len(plain.buffer)
            plain.drop(len(plain.buffer))
        if not plain.more():
            return None, left - len(plain.buffer)


def _resync(plain: _Plain, offset: int, why: str) -> Damaged:
    """Drop what stands here up to the next record's beginning, a gap, or the end."""
    begin, start = plain.position, 1
    while True:
        for found in _BEGIN.finditer(plain.buffer, start):
            at = found.start()
            if plain.buffer[at - 1 : at] == b"\n" or plain.position + at in [member.begin for member in plain.members]:
                plain.drop(at)
                return Damaged(offset, plain.position - begin, why)
        start = max(1, len(plain.buffer) - 11)
        if start > _MAX_HEADER:
            plain.drop(start - 1)
            start = 1
        if not plain.more():
            plain.drop(len(plain.buffer))
            return Damaged(offset, plain.position - begin, why)
