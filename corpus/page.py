"""A captured page: what a response record says of itself, and the body with its transfer and content codings undone.

Common Crawl stores bodies decoded and renames the headers (X-Crawler-Content-Encoding); other archives keep them coded as they came
over the wire, and some servers name a coding that the body does not have. Then the body is taken as it stands. Headers are FastWARC's
work, asked to bear bare line feeds and records that do not say application/http, whose bodies it would lose otherwise.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import brotli
import zstandard
from fastwarc.warc import WarcRecord

from seiryu.corpus.warc import RawRecord

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AS_HTTP = b"WARC/1.1\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n"
_CHARSET = re.compile(r"(?:^|[;,\s])charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.IGNORECASE)
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]{0,4096})?\r?\n")
# What is inflated at once: of a coding that breaks somewhere, all before this many bytes is kept.
_STEP = 1024


class BodyError(ValueError):
    """A body that cannot be had: `reason` is the name it is counted under."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(slots=True)
class Page:
    """One response record. Header fields are None or empty where the record does not say.

    `crawl_date`: microseconds since 1970 (UTC). `content_type`: bare and lower case; `charset`: of the HTTP header, as written;
    `language`: Content-Language. `identified`: the type the crawler found in the bytes, where it says so.
    """

    url: str
    record_id: str
    crawl_date: int | None
    payload_digest: str
    status: int | None
    content_type: str
    charset: str | None
    language: str
    identified: str
    transfer_coding: str
    content_coding: str
    body: bytes

    @property
    def html(self) -> bool:
        """Whether this is a web page, by the type found in the bytes, else by the server's word, else (neither) by its first tag."""
        kind = self.identified or self.content_type
        return kind in HTML_TYPES or (not kind and b"<html" in self.body[:1024].lower())


def read_page(record: RawRecord) -> Page:
    """The page in a response record whose content is held. BodyError(`bad_http`) if it should be an HTTP response and is not.

    What was not fetched by HTTP, as the record says, has no status, and all of its content is the body.
    """
    warc, content = _record(record.header), record.content or b""
    http = None
    if content.startswith(b"HTTP/"):
        http = _record(_AS_HTTP % len(content) + content)
        try:
            http.parse_http(quirks_mode=True, auto_decode="none")
        except OSError as error:
            raise BodyError("bad_http", f"HTTP headers cannot be read ({error})") from error
        content = http.reader.read()
    elif (warc.headers.get("Content-Type") or "").lower().startswith("application/http"):
        raise BodyError("bad_http", f"no HTTP response begins with {content[:16]!r}")

    def header(name: str) -> str:
        return (http.http_headers.get(name) or "") if http is not None else ""

    kind, date = header("Content-Type"), warc.record_date
    charset = _CHARSET.search(kind)
    return Page(
        url=_uri(warc),
        record_id=warc.record_id or "",
        crawl_date=(date - _EPOCH) // timedelta(microseconds=1) if date else None,
        payload_digest=warc.headers.get("WARC-Payload-Digest") or "",
        status=http.http_headers.status_code if http is not None else None,
        content_type=re.split("[;,]", kind, maxsplit=1)[0].strip().lower(),
        charset=charset[1] if charset else None,
        language=header("Content-Language"),
        identified=(warc.headers.get("WARC-Identified-Payload-Type") or "").strip().lower(),
        transfer_coding=header("Transfer-Encoding"),
        content_coding=header("Content-Encoding"),
        body=content,
    )


def target_uri(record: RawRecord) -> str:
    """The address of a record by its header alone, empty if it does not say: for records whose content is not held."""
    return _uri(_record(record.header))


def _record(data: bytes) -> WarcRecord:
    """FastWARC's view of a header, with or without its content."""
    return WarcRecord.from_bytes(data if b"\r\n\r\n" in data else data.replace(b"\n", b"\r\n"))


def _uri(warc: WarcRecord) -> str:
    return (warc.headers.get("WARC-Target-URI") or "").strip("<> \t")


def payload(page: Page, limit: int) -> bytes:
    """The body with its codings undone. BodyError(`too_large`) when it is longer than `limit` bytes."""
    data = page.body
    if "chunked" in page.transfer_coding.lower():
        data = _unchunk(data)
    for coding in reversed(page.content_coding.lower().split(",")):
        data = _decompress(data, coding.strip(), limit)
        if len(data) > limit:
            raise BodyError("too_large", f"the page has more than {limit:,} bytes")
    return data


def _unchunk(data: bytes) -> bytes:
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


def _decompress(data: bytes, coding: str, limit: int) -> bytes:
    """One content coding undone, at most a little over `limit` bytes; what is cut off gives its beginning, what lies comes back."""
    if coding in ("gzip", "x-gzip"):
        return _inflate(data, 31, limit)
    if coding == "deflate":  # zlib's format by the standard, bare by some servers
        return _inflate(data, 15 if data[:1] == b"\x78" and int.from_bytes(data[:2], "big") % 31 == 0 else -15, limit)
    try:
        if coding == "br":
            out, decoder, at = bytearray(), brotli.Decompressor(), 0
            while len(out) <= limit and (at < len(data) or not decoder.can_accept_more_data()):
                step = data[at : at + _STEP] if decoder.can_accept_more_data() else b""
                out += decoder.process(step, output_buffer_limit=1 << 20)
                at += len(step)
            return bytes(out) if out or decoder.is_finished() else data
        if coding == "zstd":
            return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read(limit + 1)
    except (brotli.error, zstandard.ZstdError):
        return data
    return data


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
