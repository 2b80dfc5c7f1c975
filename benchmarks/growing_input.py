"""More input of the same kind: the pages of some archives as often as wanted, no copy a duplicate of another.

Each copy has its own permutation of the kanji (kana and markup stay), its own sites, record ids and dates. A kanji goes to one that
occurs, is as long in every encoding and stands in the same level of JIS X 0208. So a page keeps its size, its letters, its
repetitions and its likeness to other pages of its copy; with its twin in another copy it has in common only what holds no kanji. All
copies are permuted, the first too. What that costs of the truth: words are nonsense, so dictionaries and language models see rarer
ones, alike in all copies.

A copy is as many archives as there were, of about one size: pages are dealt to the smallest so far, with their request and metadata
records. Bodies are stored decoded, as Common Crawl does it. The same input and copy give the same bytes.
`python -m benchmarks.growing_input FOLDER [COPIES]` writes copies of samples/, 2 s each.
"""

from __future__ import annotations

import random
import re
import sys
from base64 import b32encode
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b, sha1
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from warcio.warcwriter import WARCWriter

from benchmarks.inputs import MAX_PAGE, SAMPLES
from seiryu.corpus.archive.page import BodyError, Page, payload, read_page, target_uri
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.corpus.decoding.charset import decode
from seiryu.filters.addresses.hosts import normal_host, split_address
from seiryu.filters.addresses.sites import site_of

_KANJI = re.compile("[㐀-䶿一-鿿]")
_FIELD = re.compile(
    rb"^(warc-date|warc-record-id|warc-identified-payload-type|content-type):[ \t]*([^\r\n]*?)[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_CODED = re.compile(rb"^(content-encoding|transfer-encoding|content-length):", re.IGNORECASE | re.MULTILINE)


@dataclass
class Record:
    """A record to be written again. `text`, `codec`: of a body that comes back from them byte for byte, else it stays as it is."""

    kind: str
    url: str
    fields: dict[str, str]
    header: bytes  # of HTTP
    body: bytes
    text: str = ""
    codec: str = ""


@dataclass
class Source:
    """The pages of some archives, each with the records around it, to be written as often as wanted."""

    archives: int
    pages: list[list[Record]] = field(default_factory=list)
    kanji: list[list[str]] = field(default_factory=list)  # what may go to each other

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Source:
        """Records that are whole; a page is what stands between two requests."""
        source = cls(len(paths))
        for path in paths:
            with path.open("rb") as file:
                for item in raw_records(file, path.name, MAX_PAGE):
                    if not isinstance(item, RawRecord) or item.kind == "warcinfo" or item.content is None:
                        continue
                    if item.kind == "request" or not source.pages:
                        source.pages.append([])
                    source.pages[-1].append(_record(item))
        occurring = sorted({letter for page in source.pages for record in page for letter in _KANJI.findall(record.text)})
        alike: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for letter in occurring:
            alike[_kind(letter)].append(letter)
        source.kanji = list(alike.values())
        return source

    def write(self, folder: Path, copy: int) -> list[Path]:
        """The archives of one copy."""
        folder.mkdir(parents=True, exist_ok=True)
        kanji = self._permutation(copy)
        pages = [[_copied(record, copy, kanji) for record in page] for page in self.pages]
        paths = [folder / f"copy-{copy:03}-{number:05}.warc.gz" for number in range(self.archives)]
        for path, mine in zip(paths, self._dealt(), strict=True):
            with path.open("wb") as out:
                _write(out, path.name, copy, [pages[place] for place in mine])
        return paths

    def _permutation(self, copy: int) -> dict[int, str]:
        draw, found = random.Random(copy), dict[int, str]()
        for letters in self.kanji:
            found |= dict(zip(map(ord, letters), draw.sample(letters, len(letters)), strict=True))
        return found

    def _dealt(self) -> list[list[int]]:
        """Which pages stand in which archive."""
        dealt: list[list[int]] = [[] for _ in range(self.archives)]
        sizes = [0] * self.archives
        for place, page in enumerate(self.pages):
            smallest = sizes.index(min(sizes))
            dealt[smallest].append(place)
            sizes[smallest] += sum(len(record.body) for record in page)
        return dealt


def _record(item: RawRecord) -> Record:
    named = {name.decode().lower(): value.decode() for name, value in _FIELD.findall(item.header)}
    record = Record(item.kind, target_uri(item), named, b"", item.content or b"")
    if item.kind != "response":
        return record
    with suppress(BodyError):
        page = read_page(item)
        if page.status is not None:
            record.header, record.body = _plain_header(record.body, page), payload(page, MAX_PAGE)
            codec = decode(record.body, page.charset).charset if page.html else ""
            with suppress(UnicodeError, LookupError):
                text = record.body.decode(codec, "surrogateescape")  # what cannot be decoded comes back as it was
                if text.encode(codec, "surrogateescape") == record.body:
                    record.text, record.codec = text, codec
    return record


def _plain_header(content: bytes, page: Page) -> bytes:
    """The HTTP header; what it says of a coding that is undone here no longer counts."""
    header = content[: len(content) - len(page.body)]
    return _CODED.sub(rb"X-Crawler-\1:", header) if page.content_coding or page.transfer_coding else header


def _kind(letter: str) -> tuple[int, ...]:
    """Kanji of one kind are equally long in every encoding; 1 and 2 are the levels of JIS X 0208."""
    try:
        row = letter.encode("euc_jp")
        letter.encode("iso2022_jp"), letter.encode("cp932")
    except UnicodeEncodeError:
        return len(letter.encode()), 0
    return len(letter.encode()), 1 if row[0] < 0xD0 else 2


def _copied(record: Record, copy: int, kanji: dict[int, str]) -> Record:
    date = datetime.fromisoformat(record.fields["warc-date"]) + timedelta(days=copy)
    own = blake2b(f"{copy} {record.kind} {record.fields['warc-record-id']}".encode(), digest_size=16).digest()
    fields = {"WARC-Date": f"{date:%Y-%m-%dT%H:%M:%SZ}", "WARC-Record-ID": f"<urn:uuid:{UUID(bytes=own, version=4)}>"}
    host, _ = split_address(record.url)
    moved = _moved(host, copy)
    url = record.url.replace(host, moved, 1)
    if record.kind == "request":
        return Record("request", url, record.fields | fields, b"", record.body.replace(host.encode(), moved.encode(), 1))
    body = record.text.translate(kanji).encode(record.codec, "surrogateescape") if record.codec else record.body
    return Record(record.kind, url, record.fields | fields, record.header, body)


def _moved(host: str, copy: int) -> str:
    """The host below a site of this copy's own: www.example.co.jp below example-c3.co.jp."""
    site = site_of(normal_host(host))
    if not host.endswith(site):
        return host
    name, dot, suffix = site.partition(".")
    return f"{host.removesuffix(site)}{name}-c{copy}{dot}{suffix}"


def _write(out: BinaryIO, name: str, copy: int, pages: Sequence[Sequence[Record]]) -> None:
    writer = WARCWriter(out, gzip=True, warc_version="1.0")
    first = pages[0][0].fields
    identity = UUID(bytes=blake2b(f"{copy} {name}".encode(), digest_size=16).digest(), version=4)
    info = {"WARC-Date": first["WARC-Date"], "WARC-Record-ID": f"<urn:uuid:{identity}>", "WARC-Filename": name}
    about = BytesIO(b"description: pages of another archive with other kanji and hosts\r\n")
    writer.write_record(
        writer.create_warc_record("", "warcinfo", about, warc_content_type="application/warc-fields", warc_headers_dict=info)
    )
    for record in (record for page in pages for record in page):
        fields = {key: record.fields[key] for key in ("WARC-Date", "WARC-Record-ID")}
        if identified := record.fields.get("warc-identified-payload-type"):
            fields["WARC-Identified-Payload-Type"] = identified
        if record.kind == "response":
            fields["WARC-Payload-Digest"] = f"sha1:{b32encode(sha1(record.body).digest()).decode()}"
        content, kind = BytesIO(record.header + record.body), record.fields.get("content-type", "application/octet-stream")
        writer.write_record(
            writer.create_warc_record(record.url, record.kind, content, warc_content_type=kind, warc_headers_dict=fields)
        )


if __name__ == "__main__":
    source = Source.read(sorted(SAMPLES.glob("*.warc.gz")))
    for number in range(1, 1 + int(sys.argv[2] if len(sys.argv) > 2 else 1)):
        source.write(Path(sys.argv[1]), number)
