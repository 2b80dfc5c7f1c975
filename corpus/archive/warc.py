"""Records of a WARC archive, each with its place, and every stretch that held none.

Framing is done here, byte for byte, so that nothing is passed over uncounted: a record begins with `WARC/1`, its header ends
with an empty line and says how long its content is; whatever else stands where a record should begin is a `Damaged` stretch,
and reading goes on at the next header. A compressed record never reaches into a member that begins a record of its own. A record
whose content does not end where its header says is damage too: a length that lies is no better than a byte that does. The fields
of the header and HTTP are FastWARC's work (page.py).

A record is handed out only when its compressed member has ended without a fault, so a wrong checksum is seen in time.
(Where one member holds many records and more than 1 MiB the fault is reported after those before it.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from seiryu.corpus.archive.inflate import BEGIN, SIGN_SIZE
from seiryu.corpus.archive.plain import Plain
from seiryu.corpus.errors import InputError

_LENGTH = re.compile(rb"\ncontent-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?\n")
_KIND = re.compile(rb"\nwarc-type[ \t]*:[ \t]*([a-z]+)[ \t]*\r?\n")
_HEADER_END = re.compile(rb"\n(?:\r\n|\n|WARC/)")
_MAX_HEADER = 1 << 20
# Content that is passed over and turns out to have a wrong length is read again for the records in it; each time costs up to a
# whole reading of the archive.
_MAX_REWINDS = 32


@dataclass(slots=True)
class RawRecord:
    """One record as it lies in the archive.

    `offset`, `length`: of its compressed member (or members), or of itself in a plain archive, in bytes of the file; length 0 where
    a member holds several records. `ordinal` counts the records of a member from 0. `content` is None when it is longer than the
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


def raw_records(file: IO[bytes], name: str, max_content: int) -> Iterator[RawRecord | Damaged]:
    """All records of an archive and all damage, in order. InputError if it is empty, no archive, or holds no record at all.

    Content over `max_content` bytes is passed over, not held.
    """
    plain, found, before, ordinal, begins = Plain(file, name), False, -1, 0, b""
    while True:
        if plain.advance():
            begins = begins or plain.data[plain.at : plain.at + 16]
            item = _item(plain, max_content)
        elif gap := plain.gap:
            begun = any(member.offset == gap.offset for member in plain.members)  # and its records were handed out
            plain.gap, item = None, Damaged(gap.offset, gap.end - (gap.at if begun else gap.offset), gap.why)
        else:
            break
        if isinstance(item, RawRecord):
            found = True
            before, ordinal = item.offset, ordinal + 1 if item.offset == before else 0
            item.ordinal = ordinal
        if item:
            yield item
    if not found:
        raise InputError(
            f"{name} holds no WARC record that can be read" + (f"; its content begins with {begins!r}" if begins else "")
        )


def _item(plain: Plain, max_content: int) -> RawRecord | Damaged | None:
    """The record here or the damage up to the next one; None for zeros up to the end of the archive."""
    begin, member = plain.position, plain.members[0]
    offset = begin if plain.linear else member.offset
    item = _record(plain, offset, max_content)
    if isinstance(item, RawRecord):
        plain.finish()
    elif plain.resync():
        return None
    gap = plain.gap if plain.at == len(plain.data) else None
    if gap and (isinstance(item, str) or (begin == member.begin and gap.offset == member.offset)):
        plain.gap = None
        lost = gap.end - offset if begin == member.begin else plain.position - begin + gap.end - gap.at
        return Damaged(offset, lost, gap.why)
    length = plain.spanned(begin)
    if isinstance(item, str):
        return Damaged(offset, length or plain.position - begin, item)
    item.length = length
    return item


def _record(plain: Plain, offset: int, max_content: int) -> RawRecord | str:
    """The record here, or why there is none; what is known not to begin a record is then behind."""
    if not BEGIN.match(plain.data, plain.at) and not (plain.ahead(SIGN_SIZE) and BEGIN.match(plain.data, plain.at)):
        return "no record begins here"
    while not (end := _HEADER_END.search(plain.data, plain.at)) and len(plain.data) - plain.at < _MAX_HEADER and plain.more():
        pass
    if not end or end[0].endswith(b"WARC/"):
        plain.at += 1
        return "the header of a record does not end"
    header = plain.data[plain.at : end.end()]
    folded = header.lower()
    length, kind = _LENGTH.search(folded), _KIND.search(folded)
    if not length or not kind:
        plain.at += len(header)
        return f"a record without a valid {'WARC-Type' if length else 'Content-Length'}"
    size, content = int(length[1]), None
    if size <= max_content:
        whole = len(header) + size
        missing = 0 if plain.ahead(whole) else whole - len(plain.data) + plain.at
        sound = not missing and plain.may_end(whole)
        content = plain.data[plain.at + len(header) : plain.at + whole]
        plain.at += whole if sound else len(header)
    else:
        member, begin = plain.members[0], plain.position + len(header)
        missing = plain.pass_over(len(header) + size)
        sound = not missing and plain.may_end(0)
        if not sound and plain.rewinds < _MAX_REWINDS:
            plain.rewind(member, begin)
    if missing:
        return f"a record lacks {missing:,} of its {size:,} bytes"
    return (
        RawRecord(offset, 0, 0, kind[1].decode(), header, content, size)
        if sound
        else f"a record is longer than its {size:,} bytes"
    )
