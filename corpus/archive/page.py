"""A captured page: what a response record says of itself, and the body with its transfer and content codings undone.

Common Crawl stores bodies decoded and renames the headers (X-Crawler-Content-Encoding); other archives keep them coded as they came
over the wire, and some servers name a coding that the body does not have. Then the body is taken as it stands. Headers are FastWARC's
work, asked to bear bare line feeds and records that do not say application/http, whose bodies it would lose otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fastwarc.warc import WarcRecord

from seiryu.corpus.archive.codings import decompress, unchunk
from seiryu.corpus.archive.warc import RawRecord

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_LONGEST_REGULAR = 1 << 16  # bytes of a header
_MOST_CODINGS = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AS_HTTP = b"WARC/1.1\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n"
_CHARSET = re.compile(r"(?:^|[;,\s])charset\s*+=\s*+[\"']?\s*+([^\s\"';,]+)", re.IGNORECASE)
# A header as nearly all are: a status line and fields that end with CR LF.
_REGULAR = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})(?: [ -~]*)?\r\n((?:[!#-9;-~]+:[\t -~]*\r\n(?![\t ]))*)\r\n")
_FIELDS = re.compile(
    rb"^(?=[ctx])(content-(?:type|language|encoding)|transfer-encoding|x-robots-tag|tdm-(?:reservation|policy)):([^\r\n]*+)\r$",
    re.IGNORECASE | re.MULTILINE,
)
_WANTED = (b"content-type", b"content-language", b"content-encoding", b"transfer-encoding",
           b"x-robots-tag", b"tdm-reservation", b"tdm-policy")  # fmt: skip
_ROBOTS = b"x-robots-tag"
# Behind a bare line feed FastWARC sees no new field, so that is left to it.
_IDENTIFIED = re.compile(rb"^(?<=\r\n)warc-identified-payload-type:[ \t]*+([!-~]*+)[ \t]*+\r$", re.IGNORECASE | re.MULTILINE)


class BodyError(ValueError):
    """A body that cannot be had: `reason` is the name it is counted under."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(slots=True)
class Page:
    """One response record. Header fields are None or empty where the record does not say.

    `content_type`: bare and lower case; `charset`: of the HTTP header, as written; `language`: Content-Language. `identified`:
    the type the crawler found in the bytes, where it says so. `robots`: X-Robots-Tag, of which a response may have several, each on
    a line: joined by a comma, what one says to a crawler by its name would take in the next. Of other fields the first counts. What
    the WARC header tells of the capture is read when first asked for: of most pages nobody asks.
    """

    header: bytes
    status: int | None
    content_type: str
    charset: str | None
    language: str
    identified: str
    transfer_coding: str
    content_coding: str
    body: bytes
    robots: str = ""
    tdm_reservation: str = ""
    tdm_policy: str = ""
    _capture: WarcRecord | None = field(default=None, repr=False)

    @property
    def html(self) -> bool:
        """Whether this is a web page, by the type found in the bytes, else by the server's word, else (neither) by its first tag."""
        kind = self.identified or self.content_type
        return kind in HTML_TYPES or (not kind and b"<html" in self.body[:1024].lower())

    @property
    def url(self) -> str:
        return _uri(self.capture)

    @property
    def record_id(self) -> str:
        return self.capture.record_id or ""

    @property
    def crawl_date(self) -> int | None:
        """Microseconds since 1970 (UTC)."""
        date = self.capture.record_date
        return (date - _EPOCH) // timedelta(microseconds=1) if date else None

    @property
    def payload_digest(self) -> str:
        return self.capture.headers.get("WARC-Payload-Digest") or ""

    @property
    def capture(self) -> WarcRecord:
        """FastWARC's view of the WARC header."""
        self._capture = self._capture or _record(self.header)
        return self._capture


def read_page(record: RawRecord) -> Page:
    """The page in a response record whose content is held. BodyError(`bad_http`) if it should be an HTTP response and is not.

    What was not fetched by HTTP, as the record says, has no status, and all of its content is the body.
    """
    content = record.content or b""
    identified = _IDENTIFIED.findall(record.header)
    end = content.find(b"\r\n\r\n", 0, _LONGEST_REGULAR)
    if (
        end > 0
        and (regular := _REGULAR.match(content, 0, end + 4))
        and record.header.lower().count(b"warc-identified-payload-type") == len(identified) < 2
    ):
        fields: dict[bytes, str] = {}
        for name, value in _FIELDS.findall(regular[2]):
            name, said = name.lower(), value.strip(b" \t").decode()
            if name not in fields:
                fields[name] = said
            elif name == _ROBOTS:
                fields[name] += f"\n{said}"
        kind = identified[0].decode().lower() if identified else ""
        return _page(record.header, int(regular[1]), kind, fields, content[regular.end() :])
    return read_irregular(record.header, content)


def read_irregular(warc_header: bytes, content: bytes) -> Page:
    """The page by FastWARC's reading, which takes headers of any kind and three times as long."""
    warc, http, status = _record(warc_header), None, None
    if content.startswith(b"HTTP/"):
        http = _record(_AS_HTTP % len(content) + content)
        try:
            http.parse_http(quirks_mode=True, auto_decode="none")
        except OSError as error:
            raise BodyError("bad_http", f"HTTP headers cannot be read ({error})") from error
        content, status = http.reader.read(), http.http_headers.status_code
    elif (warc.headers.get("Content-Type") or "").lower().startswith("application/http"):
        raise BodyError("bad_http", f"no HTTP response begins with {content[:16]!r}")

    fields: dict[bytes, str] = {}
    if http is not None:
        fields = {name: http.http_headers.get(name.decode()) or "" for name in _WANTED}
        fields[_ROBOTS] = "\n".join(http.http_headers.get_multiple(_ROBOTS.decode()))
    identified = (warc.headers.get("WARC-Identified-Payload-Type") or "").strip().lower()
    return _page(warc_header, status, identified, fields, content)


def _page(warc_header: bytes, status: int | None, identified: str, fields: dict[bytes, str], body: bytes) -> Page:
    """`fields`: of the HTTP header, those in `_WANTED` that are there, by their names in small letters."""
    kind, language, content_coding, transfer_coding, robots, reservation, policy = [fields.get(name, "") for name in _WANTED]
    charset = _CHARSET.search(kind)
    bare, identified = (re.split("[;,]", said, maxsplit=1)[0].strip().lower() for said in (kind, identified))
    return Page(
        warc_header, status, bare, charset[1] if charset else None, language, identified, transfer_coding, content_coding, body,
        robots, reservation, policy,
    )  # fmt: skip


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
        data = unchunk(data)
    codings = page.content_coding.lower().split(",")
    if len(codings) > _MOST_CODINGS:
        raise BodyError("bad_coding", f"the page is said to be coded {len(codings):,} times over")
    for coding in reversed(codings):
        data = decompress(data, coding.strip(), limit)
        if len(data) > limit:
            raise BodyError("too_large", f"the page has more than {limit:,} bytes")
    return data
