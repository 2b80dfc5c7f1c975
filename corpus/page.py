"""A captured page: what a response record says of itself, and the body with its transfer and content codings undone.

Common Crawl stores bodies decoded and renames the headers (X-Crawler-Content-Encoding); other archives keep them coded as they came
over the wire, and some servers name a coding that the body does not have. Then the body is taken as it stands.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import brotli
import zstandard
from fastwarc.warc import WarcRecord

from seiryu.corpus.warc import RawRecord

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    """The page in a response record whose content is held. ValueError if its HTTP part cannot be read."""
    warc = WarcRecord.from_bytes(record.header + (record.content or b""))
    try:
        warc.parse_http(auto_decode="none")
    except OSError as error:
        raise BodyError("bad_http", f"HTTP headers cannot be read ({error})") from error
    http = warc.http_headers

    def header(name: str) -> str:
        return (http.get(name) or "") if http is not None else ""

    kind, _, parameters = header("Content-Type").partition(";")
    date = warc.record_date
    return Page(
        url=(warc.headers.get("WARC-Target-URI") or "").strip("<> \t"),
        record_id=warc.record_id or "",
        crawl_date=round((date - _EPOCH).total_seconds() * 1_000_000) if date else None,
        payload_digest=warc.headers.get("WARC-Payload-Digest") or "",
        status=http.status_code if http is not None else None,
        content_type=kind.strip().lower(),
        charset=_charset_of(parameters),
        language=header("Content-Language"),
        identified=(warc.headers.get("WARC-Identified-Payload-Type") or "").strip().lower(),
        transfer_coding=header("Transfer-Encoding"),
        content_coding=header("Content-Encoding"),
        body=warc.reader.read(),
    )


def payload(page: Page, limit: int) -> bytes:
    """The body with its codings undone. BodyError(`too_large`) when it is longer than `limit` bytes."""
    data = page.body
    if "chunked" in page.transfer_coding.lower():
        data = _unchunk(data)
    for coding in reversed([name.strip().lower() for name in page.content_coding.split(",")]):
        data = _decompress(data, coding, limit)
    if len(data) > limit:
        raise BodyError("too_large", f"the page has more than {limit:,} bytes")
    return data


def _charset_of(parameters: str) -> str | None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'") or None
    return None


def _unchunk(data: bytes) -> bytes:
    """Chunked coding undone (RFC 9112, 7.1); data that is not chunked comes back as it is, a cut one up to the cut."""
    out: list[bytes] = []
    at = 0
    while True:
        end = data.find(b"\r\n", at, at + 64)
        digits = data[at:end].split(b";", 1)[0].strip() if end >= 0 else b""
        try:
            size = int(digits, 16)
        except ValueError:
            return b"".join(out) if out else data
        if size <= 0:
            return b"".join(out)
        out.append(data[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


def _decompress(data: bytes, coding: str, limit: int) -> bytes:
    """One content coding undone, at most `limit` bytes and one; what is cut off gives its beginning, what lies comes back."""
    try:
        if coding in ("gzip", "x-gzip"):
            return _inflate(data, 31, limit)
        if coding == "deflate":
            return _inflate(data, 15 if data[:1] and data[0] & 0x0F == 8 else -15, limit)
        if coding == "br":
            out, decoder = bytearray(), brotli.Decompressor()
            for at in range(0, len(data), 1024):
                out += decoder.process(data[at : at + 1024])
                if len(out) > limit:
                    break
            return bytes(out)
        if coding == "zstd":
            return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read(limit + 1)
    except (zlib.error, brotli.error, zstandard.ZstdError):
        return data
    return data


def _inflate(data: bytes, bits: int, limit: int) -> bytes:
    out = bytearray()
    while data and len(out) <= limit:
        inflater = zlib.decompressobj(bits)
        try:
            out += inflater.decompress(data, limit + 1 - len(out))
        except zlib.error:
            if out:
                break
            raise
        if not inflater.eof or bits != 31:
            break
        data = inflater.unused_data
    return bytes(out)
