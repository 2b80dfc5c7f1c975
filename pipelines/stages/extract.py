"""Archive in, Japanese documents out: one unit is one WARC file.

Every record is counted in one place: kept, rejected with the name of the test it did not pass, or failed and in the ledger with
its place in the archive. The tests run from cheap to costly: kind, status, type, kana in the bytes, extraction, language.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from seiryu.corpus import schema
from seiryu.corpus.charset import decode
from seiryu.corpus.errors import InputError
from seiryu.corpus.extraction import EXTRACTOR, extractor_version, main_text, title
from seiryu.corpus.page import BodyError, Page, payload, read_page, target_uri
from seiryu.corpus.storage import Store, identity, open_input
from seiryu.corpus.warc import Damaged, RawRecord, raw_records
from seiryu.filters.japanese_bytes import look_for_kana
from seiryu.filters.language import language, model_sha256
from seiryu.pipelines.archives import archives, names, unit_names
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit

_UUID = re.compile(r"<?urn:uuid:([0-9a-fA-F-]{36})>?")
_HTML_LANG = re.compile(r"<html[^>]*?\s(?:xml:)?lang\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_HEADROOM = 1 << 20  # of a record over its page: headers, and coding that does not compress


def units(state: State) -> list[Unit]:
    paths = archives(state.config)
    called = names(paths)
    return [
        Unit("extract", unit, {"warc": name}, identity(path), path)
        for unit, name, path in zip(unit_names(called), called, paths, strict=True)
    ]


def settings(config: Config) -> dict[str, Any]:
    return {
        "extract": config.extract.model_dump(mode="json"),
        "language": config.language.model_dump(mode="json"),
        "language_model": model_sha256(),
        "extractor": extractor_version(),
    }


def reasons(_: Config) -> tuple[str, ...]:
    return ("warcinfo", "request", "metadata", "revisit", "http_status", "not_html", "empty",
            "few_kana", "no_text", "not_japanese")  # fmt: skip


class Rejected(Exception):
    """A page that is not wanted; the name of the test it did not pass."""


class Extractor:
    """The way of one archive's records: rows for `documents`, rows for `ledger`, and the counts of both."""

    def __init__(self, config: Config, warc: str) -> None:
        self._config, self._warc = config, warc
        self._seen: set[str] = set()
        self.counts = Counts()
        self.ledger: list[dict[str, Any]] = []

    def documents(self, items: Iterator[RawRecord | Damaged]) -> Iterator[dict[str, Any]]:
        """One row for each page that is kept."""
        for item in items:
            self.counts.records += 1
            if isinstance(item, Damaged):
                self.counts.extra["lost_bytes"] += item.lost
                self._failed(item.offset, item.lost, "", "damaged", item.why)
                continue
            if item.kind != "response":
                self.counts.rejected[item.kind] += 1
                continue
            try:
                if item.content is None:
                    raise BodyError("too_large", f"the record has {item.content_length:,} bytes")
                page = read_page(item)
                row = self._row(item, page)
            except Rejected as reason:
                self.counts.rejected[str(reason)] += 1
            except BodyError as error:
                self._failed(item.offset, item.length, target_uri(item), error.reason, str(error))
            except Exception as error:  # noqa: BLE001 - one bad page costs one page
                detail = f"{type(error).__name__}: {error}"
                self._failed(item.offset, item.length, target_uri(item), "extraction_error", detail)
            else:
                self.counts.kept += 1
                self.counts.letters["kept"] += _letters(row["text"])
                yield row

    def _failed(self, offset: int, length: int, url: str, reason: str, detail: str) -> None:
        self.counts.failed[reason] += 1
        self.ledger.append(
            {"warc": self._warc, "warc_offset": offset, "warc_length": length, "url": url, "reason": reason, "detail": detail[:500]}
        )  # fmt: skip

    def _row(self, record: RawRecord, page: Page) -> dict[str, Any]:
        if page.status != 200:
            raise Rejected("http_status")
        if not page.html:
            raise Rejected("not_html")
        if not page.url:
            raise BodyError("no_url", "the record has no WARC-Target-URI")
        body = payload(page, self._config.extract.max_page)
        if not body.strip():
            raise Rejected("empty")
        self.counts.extra["pages"] += 1
        evidence = look_for_kana(body, page.charset)
        if evidence.kana < self._config.extract.min_kana:
            raise Rejected("few_kana")
        decoded = evidence.decoded or decode(body, page.charset)
        text = main_text(decoded.text)
        if not text.strip():
            raise Rejected("no_text")
        found, score = language(text)
        if found not in self._config.language.accept or score < self._config.language.min_score:
            self.counts.letters["not_japanese"] += _letters(text)
            raise Rejected("not_japanese")
        html_lang = _HTML_LANG.search(decoded.text, 0, 1 << 16)
        return {
            "doc_id": self._doc_id(record, page), "url": page.url, "host": _host(page.url), "title": title(decoded.text), "text": text,
            "crawl_date": page.crawl_date or 0, "warc": self._warc, "warc_offset": record.offset, "warc_length": record.length,
            "payload_digest": page.payload_digest, "charset": decoded.charset, "charset_source": decoded.source,
            "replaced": decoded.replaced, "html_lang": html_lang[1] if html_lang else "", "language": found, "language_score": score,
            "extractor": EXTRACTOR,
        }  # fmt: skip

    def _doc_id(self, record: RawRecord, page: Page) -> str:
        found = _UUID.fullmatch(page.record_id.strip())
        doc_id = found[1].lower() if found else ""
        if not doc_id or doc_id in self._seen:
            place = f"{self._warc}\n{record.offset}\n{record.ordinal}"
            doc_id = hashlib.blake2b(place.encode(), digest_size=16).hexdigest()
        self._seen.add(doc_id)
        return doc_id


def work(unit: Unit, config: Config, store: Store) -> Result:
    extractor = Extractor(config, unit.params["warc"])
    path = unit.path
    with open_input(path) as file:
        rows = list(extractor.documents(raw_records(file, path, config.extract.max_page + _HEADROOM)))
    if extractor.counts.records == extractor.counts.failed["damaged"]:
        raise InputError(f"{path} holds no WARC record that can be read")
    outputs = []
    for name, table_schema, content in (("documents", schema.DOCUMENTS, rows), ("ledger", schema.LEDGER, extractor.ledger)):
        columns = {field: [row[field] for row in content] for field in table_schema.names}
        with store.writing(f"{name}/{unit.name}.parquet") as out:
            schema.write_table(schema.table(table_schema, columns), out)
        outputs.append(out.written(f"{name}/{unit.name}.parquet"))
    return Result(extractor.counts, outputs)


def _letters(text: str) -> int:
    return len(text) - text.count("\n")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # an address that no parser takes, such as http://[/
        return ""


STAGE = Stage("extract", 1, "records", settings, units, work, reasons, leaks=True)
