"""Transfer and content codings undone: chunked, gzip, deflate, brotli, zstandard.

What lies about its coding comes back as it stands; what breaks somewhere is kept up to there, so that a page that was cut off in
transfer is not lost. No more is ever inflated than asked for, so a bomb costs no memory.
"""

from __future__ import annotations

import re
import zlib

import brotli
import zstandard

_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]{0,4096})?\r?\n")
# What is inflated at once: of a coding that breaks somewhere, all before this many bytes is kept.
_STEP = 1024
_PIECE = 1 << 14  # what is asked of zstandard at once, for the same reason


def unchunk(data: bytes) -> bytes:
    """Chunked coding undone (RFC 9112, 7.1); data that is not chunked comes back as it is, a cut one up to the cut."""
    out: list[bytes] = []
    at = 0
    while head := _CHUNK.match(data, at):
        size = int(head[1], 16)
        if not size:
            return b"".join(out)
        out.append(data[head.end() : head.end() + size])
        at = head.end() + size
        at += 2 if data.startswith(b"\r\n", at) else data.startswith(b"\n", at)
    return b"".join(out) if out else data


def decompress(data: bytes, coding: str, limit: int) -> bytes:
    """One content coding undone, at most a little over `limit` bytes; what is cut off gives its beginning, what lies comes back."""
    if coding in ("gzip", "x-gzip"):
        return _inflate(data, 31, limit)
    if coding == "deflate":  # zlib's format by the standard, bare by some servers
        return _inflate(data, 15 if data[:1] == b"\x78" and int.from_bytes(data[:2], "big") % 31 == 0 else -15, limit)
    if coding == "br":
        return _unbrotli(data, limit)
    if coding == "zstd":
        return _unzstd(data, limit)
    return data


def _unbrotli(data: bytes, limit: int) -> bytes:
    out, decoder, at = bytearray(), brotli.Decompressor(), 0
    try:
        while len(out) <= limit and not decoder.is_finished() and (at < len(data) or not decoder.can_accept_more_data()):
            step = data[at : at + _STEP] if decoder.can_accept_more_data() else b""
            out += decoder.process(step, output_buffer_limit=1 << 20)
            at += len(step)
    except brotli.error:
        return bytes(out) if out else data
    return bytes(out) if out or decoder.is_finished() else data


def _unzstd(data: bytes, limit: int) -> bytes:
    out, reader = bytearray(), zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
    try:
        while len(out) <= limit and (piece := reader.read(min(_PIECE, limit + 1 - len(out)))):
            out += piece
    except zstandard.ZstdError:
        return bytes(out) if out else data
    return bytes(out)


def _inflate(data: bytes, bits: int, limit: int) -> bytes:
    """Deflated data in one member or several; what does not begin so comes back as it is."""
    out, at, inflater = bytearray(), 0, zlib.decompressobj(bits)
    while at < len(data) and len(out) <= limit:
        if inflater.eof:
            inflater = zlib.decompressobj(bits)
        step = data[at : at + _STEP]
        try:
            out += inflater.decompress(step, limit + 1 - len(out))
        except zlib.error:
            return bytes(out) if out else data
        at += len(step) - len(inflater.unused_data) - len(inflater.unconsumed_tail)
        if inflater.eof and bits != 31:
            break
    return bytes(out) if out or inflater.eof else data
