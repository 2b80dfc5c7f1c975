"""The plain bytes of an archive, piece by piece, with the place in the file where each came from.

`.warc.gz` is a row of gzip members, `.warc.zst` a row of frames (after a dictionary, perhaps), `.warc` is plain. isal inflates
at 600 MB/s and hands over member after member, which FastWARC's reader does not: so a damaged member costs
itself, and reading goes on at the next one in which a WARC record begins. What was passed over comes out as a `Gap` with its size.

A member is held back up to 1 MiB of plain bytes: one that ends within that is known to be sound before anything of it is used.
A file that came over a network has `doubt(offset) -> bool`: a member that breaks may have been damaged on the way, and is read
again from its beginning as long as that says so. There members are held back up to 64 MiB, so that nothing of them was used;
what is broken on the server too comes out as from a disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import zstandard
from isal import isal_zlib

from seiryu.corpus.errors import InputError

BEGIN = re.compile(rb"WARC/(?:1\.[01]|0\.1[78])\r?\n")
# The same where it need not stand: only when a field of the header follows.
SIGN = re.compile(rb"WARC/(?:1\.[01]|0\.1[78])\r?\n(?i:(?=WARC-|Content-))")
SIGN_SIZE = 24

_HELD = 1 << 20
_HELD_IN_DOUBT = 1 << 26
_SEARCHED = 1 << 20
_LOOKED_INTO = 1 << 16  # BGZF-like members are no longer
_DICTIONARY = 1 << 27
_BROKEN: tuple[type[Exception], ...] = (isal_zlib.error, zstandard.ZstdError)  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class _Form:
    """`window`: bytes inflated at once. Deflate makes at most 1,032 of one; zstd 32,768 (128 KiB of a 4-byte block)."""

    magic: bytes
    window: int
    decoder: Callable[[], Any]


@dataclass(slots=True)
class Piece:
    """Plain bytes of the member that begins at `offset` of the file; `first` and `last` ones of it or not.

    `end`: what of the file has been used with this piece, so the end of the member in its last piece. A plain file is one member.
    """

    data: bytes
    offset: int
    end: int
    first: bool
    last: bool


@dataclass(slots=True)
class Gap:
    """A member that broke: it begins at `offset`, fails at `at`, and reading goes on at `end`, all places in the file."""

    offset: int
    at: int
    end: int
    why: str


_GZIP = _Form(b"\x1f\x8b\x08", 16 * 1024, lambda: isal_zlib.decompressobj(31))
_ZSTD = _Form(b"\x28\xb5\x2f\xfd", 1024, lambda: zstandard.ZstdDecompressor().decompressobj())
_WARC = _Form(b"WARC/", 256 * 1024, lambda: None)


def pieces(file: IO[bytes], name: str, start: int = 0) -> Iterator[Piece | Gap]:
    """The plain content of an archive from `start`. InputError if it is empty or neither gzip, zstd nor WARC."""
    form = _form(file)
    if form is _WARC:
        return _plain(file, start)
    if form is _GZIP:
        return _members(file, start, form)
    if form is _ZSTD:
        dictionary, begin = _dictionary(file, name)
        context = zstandard.ZstdDecompressor(dict_data=dictionary)
        return _members(file, max(start, begin), _Form(form.magic, form.window, context.decompressobj))
    file.seek(0)
    head = file.read(8)
    if not head:
        raise InputError(f"{name} is empty (0 bytes)")
    raise InputError(f"{name} is not a WARC archive: it begins with {head!r}, not with gzip, zstd or WARC/")


def is_plain(file: IO[bytes]) -> bool:
    """Whether the archive is not compressed, so that plain positions are positions in the file."""
    return _form(file) is _WARC


def _doubted(file: IO[bytes], offset: int) -> bool:
    """Whether what was read from here on may differ when it is read again."""
    doubt = getattr(file, "doubt", None)
    return bool(doubt and doubt(offset))


def _form(file: IO[bytes]) -> _Form | None:
    """What the first bytes say; if they are damaged, what is found first behind them."""
    while True:
        file.seek(0)
        head = file.read(8)
        for form in (_GZIP, _ZSTD, _WARC):
            if head.startswith(form.magic):
                return form
        if head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:  # a skippable frame
            return _ZSTD
        if not _doubted(file, 0):
            break
    sign = SIGN.search(head + file.read(_SEARCHED)) if head else None
    places = [(sign.start(), _WARC)] if sign else []
    places += [(place, form) for form in (_GZIP, _ZSTD) if (place := _next_member(file, 0, form, _SEARCHED)) is not None]
    return min(places, key=lambda found: found[0])[1] if places else None


def _plain(file: IO[bytes], start: int) -> Iterator[Piece | Gap]:
    file.seek(start)
    position = start
    while data := file.read(_WARC.window):
        position += len(data)
        yield Piece(data, start, position, position == start + len(data), last=False)


def _dictionary(file: IO[bytes], name: str) -> tuple[zstandard.ZstdCompressionDict | None, int]:
    """The dictionary of a .warc.zst (https://iipc.github.io/warc-specifications/specifications/warc-zstd/) and where frames begin."""
    file.seek(0)
    head = file.read(8)
    if head[:4] != b"\x5d\x2a\x4d\x18":
        return None, 0
    size = int.from_bytes(head[4:8], "little")
    data = file.read(min(size, _DICTIONARY))
    if (size >= _DICTIONARY or len(data) < size) and _doubted(file, 0):
        return _dictionary(file, name)
    try:
        if data.startswith(_ZSTD.magic):
            data = zstandard.ZstdDecompressor().stream_reader(data).read(_DICTIONARY)
        if size >= _DICTIONARY or not data:
            raise InputError(f"{name} cannot be read: its dictionary is said to have {size:,} bytes")
        return zstandard.ZstdCompressionDict(data), 8 + size
    except zstandard.ZstdError as error:
        if _doubted(file, 0):
            return _dictionary(file, name)
        raise InputError(f"{name} cannot be read: its dictionary is damaged ({error})") from error


def _members(file: IO[bytes], start: int, form: _Form) -> Iterator[Piece | Gap]:
    file.seek(start)
    most = _HELD_IN_DOUBT if hasattr(file, "doubt") else _HELD
    buffer, position = b"", start  # buffer: bytes read and not yet used; position: of its first byte in the file
    while buffer := buffer or file.read(form.window):
        member, inflater, first, why = position, form.decoder(), True, ""
        begun = len(buffer)
        held: list[bytes] = []
        size = 0
        while not inflater.eof:
            buffer = buffer or file.read(form.window)
            if not buffer:
                why = "the file ends inside a compressed record"
                break
            try:
                data = inflater.decompress(buffer)
            except _BROKEN as error:
                why = f"cannot be decompressed ({error})"
                held = held if size > _HELD else []
                break
            position += len(buffer)
            buffer = inflater.unused_data
            position -= len(buffer)
            held.append(data)
            size += len(data)
            if size > most or inflater.eof:
                yield Piece(b"".join(held), member, position, first, inflater.eof)
                held, first = [], False
        if why and first and _doubted(file, member):
            file.seek(member)
            # As many bytes as at first, so that it breaks where it did if it does.
            buffer, position = file.read(begun), member
        elif why:
            if data := b"".join(held):
                yield Piece(data, member, position, first, last=False)
            if _only_zeros(file, member):  # padding, as on a tape
                return
            following = _next_member(file, member + 1, form)
            following = file.seek(0, 2) if following is None else following
            yield Gap(member, position, following, why)
            file.seek(following)
            buffer, position = b"", following


def _only_zeros(file: IO[bytes], start: int) -> bool:
    file.seek(start)
    while block := file.read(_SEARCHED):
        if block.strip(b"\0"):
            return False
    return True


def _next_member(file: IO[bytes], start: int, form: _Form, within: int = 1 << 62) -> int | None:
    """The next place, at most `within` bytes on, that begins a member in which a WARC record begins."""
    file.seek(start)
    position, buffer = start, b""
    while position < start + within and (block := file.read(_SEARCHED)):
        buffer += block
        found = -1
        while (found := buffer.find(form.magic, found + 1)) >= 0:
            if _begins_record(file, position + found, form):
                return position + found
        keep = min(len(buffer), len(form.magic) - 1)
        position, buffer = position + len(buffer) - keep, buffer[len(buffer) - keep :]
        file.seek(position + keep)
    return None


def _begins_record(file: IO[bytes], offset: int, form: _Form) -> bool:
    """Whether a sound member begins here, as far as it is looked into, and a record somewhere in it."""
    file.seek(offset)
    inflater, tail = form.decoder(), b""
    for _ in range(0, _LOOKED_INTO, form.window):
        try:
            data = tail + inflater.decompress(file.read(form.window))
        except _BROKEN:
            return False
        if SIGN.search(data):
            return True
        if inflater.eof:
            return False
        tail = data[-SIGN_SIZE:]
    return False
