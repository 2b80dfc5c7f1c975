"""The rows of the index that an archive's own records imply.

What the columnar index says of a capture the crawler also writes into the archive: response and metadata record come one after
the other, and the CDX line is made from what they hold (WarcRecordWriter.java and WarcCdxWriter.java in
https://github.com/commoncrawl/nutch). So records that are read from whole archives can be chosen by the same conditions as rows
of the index, and the two ways can be held against each other.

Languages: the metadata record has the full answer of CLD2 (`languages-cld2`, since CC-MAIN-2018-34), the index the ISO-639-3
codes of it, whether CLD2 calls them reliable or not (https://commoncrawl.org/blog/august-2018-crawl-archive-now-available).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from seiryu.corpus.archive.warc import Damaged, RawRecord
from seiryu.corpus.crawl.columnar import COLUMNS

_FIELDS = re.compile(
    rb"^WARC-(Target-URI|Record-ID|Concurrent-To|Payload-Digest|Identified-Payload-Type|Truncated)[ \t]*:[ \t]*([^\r\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})(?!\d)")
_LANGUAGES = re.compile(rb"^languages-cld2:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_MOST_LANGUAGES = 3
_HOST = re.compile(r"[a-z][a-z0-9+.-]*:/{2,}(?:[^/?#]*@)?(\[[^\]/?#]*\]|(?!\[)[^:/?#]*)", re.IGNORECASE)
_ADDRESS = re.compile(r"\[.*|(?:\d+\.){0,3}\d+")


class Observer:
    """Looks on while the records of one archive go by, and keeps of each response what the index would say of it, not its content.

    `warc`: what warc_filename is to be. Languages are those of the first metadata record that follows the response and names it,
    or the request both belong to, in WARC-Concurrent-To; null if none does, or its content is not held.
    """

    def __init__(self, warc: str) -> None:
        self._warc = warc
        self._rows: list[dict[str, Any]] = []
        self._waiting: dict[bytes, int] = {}  # row of the response that a record with this id in WARC-Concurrent-To belongs to

    def watch(self, items: Iterable[RawRecord | Damaged]) -> Iterator[RawRecord | Damaged]:
        """The same items, each noted before it is handed on."""
        for item in items:
            if isinstance(item, RawRecord):
                if item.kind == "response":
                    self._response(item)
                elif item.kind == "metadata":
                    self._metadata(item)
            yield item

    def table(self) -> pa.Table:
        """A row for each response so far, in their order, with all of COLUMNS."""
        return pa.Table.from_pylist(self._rows, schema=COLUMNS)

    def _response(self, record: RawRecord) -> None:
        said, ids = _fields(record.header)
        for name in ids:
            self._waiting[name] = len(self._rows)
        url = (said.get(b"target-uri") or "").strip("<> \t")
        host = _host(url)
        status = _STATUS.match(record.content or b"")
        self._rows.append(
            {
                "url": url,
                "url_host_name": host,
                "url_host_tld": host.rpartition(".")[2] if host and not _ADDRESS.fullmatch(host) else None,
                "fetch_status": int(status[1]) if status else -1,
                "content_digest": (said.get(b"payload-digest") or "").removeprefix("sha1:") or None,
                "content_mime_detected": re.split("[;,]", said.get(b"identified-payload-type") or "")[0].strip().lower() or None,
                "content_truncated": said.get(b"truncated") or None,
                "warc_filename": self._warc,
                "warc_record_offset": record.offset,
                "warc_record_length": record.length,
            }
        )

    def _metadata(self, record: RawRecord) -> None:
        if not (found := _LANGUAGES.search(record.content or b"")):
            return
        _, ids = _fields(record.header)
        for row in {self._waiting[name] for name in ids if name in self._waiting}:
            self._rows[row].setdefault("content_languages", _codes(found[1]))


def _fields(header: bytes) -> tuple[dict[bytes, str], list[bytes]]:
    """The fields of a WARC header by name, the first of two; and the ids of the record and of those it belongs to."""
    said: dict[bytes, str] = {}
    ids = []
    for name, value in _FIELDS.findall(header):
        said.setdefault(name.lower(), value.decode(errors="replace").strip())
        if name.lower() in (b"record-id", b"concurrent-to"):
            ids.append(value.strip())
    return said, ids


def _codes(answer: bytes) -> str | None:
    """CLD2's languages as the index writes them: up to three codes, each once, joined by commas; None if there is none.

    Chinese in two scripts is one language here. A language without a code is written as the text "null" (toJSON of Result.java in
    https://github.com/commoncrawl/language-detection-cld2), and the index leaves it out.
    """
    try:
        found = [language["code-iso-639-3"] for language in json.loads(answer)["languages"]]
        return ",".join(list(dict.fromkeys(code for code in found if code not in ("", "null")))[:_MOST_LANGUAGES]) or None
    except (ValueError, LookupError, TypeError, RecursionError):  # not as CLD2 answers
        return None


def _host(url: str) -> str:
    """The host of an address as the index has it (HostName.java of cc-index-table), empty if there is none."""
    found = _HOST.match(url)
    host = (found[1] if found else "").lower().removesuffix(".")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return ""
