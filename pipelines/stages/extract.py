"""Archive in, Japanese documents out: one unit is one WARC file, or the records of one that the index chose.

Every record is counted in one place: kept, rejected with the name of the test it did not pass, or failed and in the ledger with
its place in the archive. The tests run from cheap to costly: kind, status, type, kana in the bytes, letters anywhere; then, in a
child process (candidate.py), extraction and language. The same bytes are extracted once an archive.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, cast
from urllib.parse import urlsplit

from seiryu.corpus import schema
from seiryu.corpus.archive.page import BodyError, Page, payload, read_page, target_uri
from seiryu.corpus.archive.warc import Damaged, RawRecord, raw_records
from seiryu.corpus.crawl.planned import Fetching, Missing, planned_records
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.errors import InputError
from seiryu.corpus.extraction import extractor_version
from seiryu.corpus.storage import Store
from seiryu.filters.finding.japanese_bytes import look_for_kana
from seiryu.filters.finding.language import model_sha256
from seiryu.filters.finding.most_letters import cannot_hold
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.isolation.candidate import PAGE, Answer, get_ready, request
from seiryu.pipelines.isolation.isolated import Isolated, Limits, Lost, kept
from seiryu.pipelines.profiling.clock import Clock, TimedFile
from seiryu.pipelines.rules_in_force import least_letters, screen
from seiryu.pipelines.source_config import CommonCrawl, Files
from seiryu.pipelines.sources import commoncrawl, files
from seiryu.pipelines.sources.asking import counting, open_archive, ranges_of
from seiryu.pipelines.sources.cache import kept_archive
from seiryu.pipelines.sources.names import names, unit_names
from seiryu.pipelines.stages.crawling import index, ranges
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import NoBetter, Result, Stage, Unit

_UUID = re.compile(r"<?urn:uuid:([0-9a-fA-F-]{36})>?")
_KINDS = ("warcinfo", "request", "metadata", "revisit", "resource", "conversion", "continuation")  # WARC 1.1, section 5.5
_HEADROOM = 1 << 20  # of a record over its page: headers, and coding that does not compress


def units(state: State) -> list[Unit]:
    config = state.config
    if isinstance(config.source, Files):
        return units_of_files(files.archives(config.source, config), config)
    if index.wanted(config):
        chosen = [(path, {"records": rows}) for path, rows in ranges.archives_with_records(state)]
        return _of_crawl(chosen, config, (ranges.parts(state),))
    return _of_crawl([(path, {"path": path}) for _, path in commoncrawl.listing(config).archives], config)


def units_of_files(paths: Sequence[str], config: Config) -> list[Unit]:
    """A unit for each of these archives. InputError if one cannot be asked what it is."""
    called = names(paths)
    return [
        Unit("extract", unit, {"warc": name}, known, path, weight=int(known.get("size", 0)))
        for unit, name, path, known in zip(unit_names(called), called, paths, files.identities(paths, config), strict=True)
    ]


def _of_crawl(archives: Sequence[tuple[str, dict[str, Any]]], config: Config, reads: tuple[Any, ...] = ()) -> list[Unit]:
    """A unit for each archive of a crawl, which is called by its path."""
    called = unit_names([path for path, _ in archives])
    return [
        Unit("extract", unit, {"warc": path}, inputs, commoncrawl.url(config, path), reads)
        for unit, (path, inputs) in zip(called, archives, strict=True)
    ]


def settings(config: Config) -> dict[str, Any]:
    used = {config.extract.extractor, *(["resiliparse"] if config.extract.quick_screen else [])}
    return {
        "extract": config.extract.model_dump(mode="json", exclude={"counts_on"}),
        "least_letters": list(least_letters(config)),
        "screen": [[rule.signal, str(rule.low), str(rule.high)] for rule in screen(config)],
        "language": config.language.model_dump(mode="json"),
        "language_model": model_sha256(),
        "extractor": ", ".join(extractor_version(name) for name in sorted(used)),
    }


def reasons(_: Config) -> tuple[str, ...]:
    return (*_KINDS, "other_kind", "http_status", "not_html", "empty", "few_kana", "not_japanese_page",
            "cannot_pass", "quick_screen", "no_text", "not_japanese")  # fmt: skip


class Rejected(Exception):
    """A page that is not wanted; the name of the test it did not pass."""


class Extractor:
    """The way of one archive's records: rows for `documents`, rows for `ledger`, and the counts of both.

    `clock`: where the time goes, in this process; names that begin with `child.` are of the child, which works meanwhile.
    """

    def __init__(self, config: Config, warc: str, isolated: Isolated) -> None:
        self._config, self._warc, self._isolated = config, warc, isolated
        self.clock = Clock()
        self._least = least_letters(config)
        # What was found in the same bytes; None while they are on their way.
        self._answers: dict[bytes, Answer | Lost | None] = {}
        self.counts = Counts()
        self.rows: list[dict[str, Any]] = []
        self.ledger: list[dict[str, Any]] = []

    def read(self, items: Iterator[RawRecord | Damaged | Missing]) -> None:
        """Go through an archive: `counts`, `rows` (one for each page that is kept) and `ledger`, both in the archive's order."""
        twins: list[tuple[bytes, dict[str, Any]]] = []
        for (digest, row), answer in self._isolated.answers(self._candidates(items)):
            self.clock.lap("wait")
            if answer is None:
                twins.append((digest, row))
                continue
            self._answers[digest] = found = answer if isinstance(answer, Lost) else Answer.read(answer)
            for part, seconds in found.times.items() if isinstance(found, Answer) else ():
                self.clock.times[f"child.{part}"] += seconds
            self._settle(row, found)
            self.clock.lap("settle")
        self.clock.times["child.start"] += self._isolated.starting
        for digest, row in twins:
            self._settle(row, self._answers[digest])
        for rows in (self.rows, self.ledger):
            rows.sort(key=lambda row: row.pop("order"))
        self._name_documents()
        self.clock.lap("settle")

    def _candidates(
        self, items: Iterator[RawRecord | Damaged | Missing]
    ) -> Iterator[tuple[tuple[bytes, dict[str, Any]], bytes | None]]:
        """A page that may be Japanese: (digest of its bytes, what is known of it) and the request, None if its twin was seen."""
        lap = self.clock.lap
        for item in items:
            lap("records")
            self.counts.records += 1
            if isinstance(item, Damaged):
                self.counts.extra["lost_bytes"] += item.lost
                self._failed(item.offset, item.lost, "", "damaged", item.why)
                continue
            if isinstance(item, Missing):
                self._failed(item.offset, item.length, item.url, item.reason, item.detail)
                continue
            if item.kind != "response":
                self.counts.rejected[item.kind if item.kind in _KINDS else "other_kind"] += 1
                continue
            try:
                if item.content is None:
                    raise BodyError("too_large", f"the record has {item.content_length:,} bytes")
                candidate = self._candidate(item, read_page(item))
                lap("request")
                yield candidate
                lap("wait")
            except Rejected as reason:
                self.counts.rejected[str(reason)] += 1
            except BodyError as error:
                self._failed(item.offset, item.length, target_uri(item), error.reason, str(error))
        lap("records")

    def _candidate(self, record: RawRecord, page: Page) -> tuple[tuple[bytes, dict[str, Any]], bytes | None]:
        self.clock.lap("page")
        if page.status != 200:
            raise Rejected("http_status")
        if not page.html:
            raise Rejected("not_html")
        body, wanted = payload(page, self._config.extract.max_page), self._config.extract
        if not body.strip():
            raise Rejected("empty")
        self.counts.extra["pages"] += 1
        self.clock.lap("page")
        evidence = look_for_kana(body, page.charset, min_kana=wanted.min_kana, min_share=wanted.min_kana_share)
        self.clock.lap("kana")
        if evidence.refused:
            raise Rejected(evidence.refused)
        decoded = evidence.decoded or decode(body, page.charset)
        self.clock.lap("decode")
        hopeless = cannot_hold(decoded.text, *self._least)
        self.clock.lap("letters")
        if hopeless:
            raise Rejected("cannot_pass")
        if not page.url:
            raise BodyError("no_url", "the record has no WARC-Target-URI")
        row = {
            "order": self.counts.records, "record_id": page.record_id, "ordinal": record.ordinal,
            "url": page.url, "host": _host(page.url),
            "crawl_date": page.crawl_date or 0, "warc": self._warc, "warc_offset": record.offset, "warc_length": record.length,
            "payload_digest": page.payload_digest, "charset": decoded.charset, "charset_source": decoded.source,
            "replaced": decoded.replaced, "extractor": wanted.extractor,
        }  # fmt: skip
        asked = f"{page.robots}\0{page.tdm_reservation}\0{page.tdm_policy}"
        said = f"\0{page.charset}\0{page.language}\0{asked}".encode()
        digest = hashlib.blake2b(body + said, digest_size=16).digest()
        if digest in self._answers:
            return (digest, row), None
        self._answers[digest] = None
        return (digest, row), request(decoded.text, page, evidence.kana_share)

    def _settle(self, row: dict[str, Any], found: Answer | Lost | None) -> None:
        assert found is not None
        if isinstance(found, Lost):
            place = (row["warc_offset"], row["warc_length"], row["url"])
            self._failed(*place, found.reason, found.detail, row["order"])
            return
        if found.refused:
            self.counts.rejected[found.refused] += 1
            if found.letters:
                self.counts.letters[found.refused] += found.letters
            return
        self.counts.kept += 1
        self.counts.letters["kept"] += found.letters
        self.rows.append(row | {"text": found.text, "title": found.title, "html_lang": found.html_lang,
                                "language": found.language, "language_score": found.language_score, "robots": found.robots,
                                "tdm_reservation": found.tdm_reservation, "tdm_policy": found.tdm_policy})  # fmt: skip

    def _failed(self, offset: int, length: int, url: str, reason: str, detail: str, order: int = 0) -> None:
        self.counts.failed[reason] += 1
        self.ledger.append(
            {"order": order or self.counts.records, "warc": self._warc, "warc_offset": offset, "warc_length": length, "url": url,
             "reason": reason, "detail": detail[:500]}
        )  # fmt: skip

    def _name_documents(self) -> None:
        """The record's own id as doc_id; a hash of its place where that is missing or was taken before."""
        seen: set[str] = set()
        for row in self.rows:
            record_id, ordinal = row.pop("record_id"), row.pop("ordinal")
            found = _UUID.fullmatch(record_id.strip())
            doc_id = found[1].lower() if found else ""
            if not doc_id or doc_id in seen:
                place = f"{self._warc}\n{row['warc_offset']}\n{ordinal}"
                doc_id = hashlib.blake2b(place.encode(), digest_size=16).hexdigest()
            seen.add(doc_id)
            row["doc_id"] = doc_id


def isolated(config: Config) -> Isolated:
    """The child process for a config's pages; kept from one unit to the next."""
    limits = Limits(seconds=config.engine.page_seconds, memory=config.engine.page_memory)
    return kept(PAGE, config.model_dump_json(include={"run", "source", "extract", "language"}).encode(), limits)


def most_content(config: Config) -> int:
    """Bytes of a record that are held at most."""
    return config.extract.max_page + _HEADROOM


@contextmanager
def _records(unit: Unit, config: Config, store: Store, clock: Clock) -> Iterator[Iterator[RawRecord | Damaged | Missing]]:
    """The records of a unit's archive, or those that the index chose."""
    most = most_content(config)
    if "records" in unit.inputs:
        asked = ranges.asked(config)
        planned = ranges.planned_of(store, unit.params["warc"], *unit.reads)
        if ranges.rows_sha256(planned) != unit.inputs["records"]:
            raise InputError(f"the records planned for {unit.params['warc']} have changed meanwhile; run again")
        how = Fetching(asked.max_gap, asked.max_waste, config.fetch.ahead, most)
        yield planned_records(ranges_of(unit.path, config), unit.path, planned, how)
        return
    cached = isinstance(config.source, CommonCrawl) and config.source.cache
    with kept_archive(unit.path, unit.params["warc"], config) if cached else open_archive(unit.path, config) as file:
        yield raw_records(cast(IO[bytes], TimedFile(cast(IO[bytes], file), clock)), unit.path, most)


def work(unit: Unit, config: Config, store: Store) -> Result:
    extractor = Extractor(config, unit.params["warc"], isolated(config))
    clock = extractor.clock
    get_ready()
    clock.lap("start")
    with counting(config, extractor.counts), _records(unit, config, store, clock) as items:
        clock.lap("read")
        extractor.read(items)
    if "records" not in unit.inputs and extractor.counts.records == extractor.counts.failed["damaged"]:
        raise InputError(f"{unit.path} holds no WARC record that can be read")
    if unit.not_come is not None and extractor.counts.not_come >= unit.not_come:
        raise NoBetter
    outputs = []
    for name, table_schema, content in (
        ("documents", schema.DOCUMENTS, extractor.rows), ("ledger", schema.LEDGER, extractor.ledger),
    ):  # fmt: skip
        columns = {field: [row[field] for row in content] for field in table_schema.names}
        with store.writing(f"{name}/{unit.name}.parquet") as out:
            schema.write_table(schema.table(table_schema, columns), out)
        outputs.append(out.written(f"{name}/{unit.name}.parquet"))
    clock.lap("tables")
    return Result(extractor.counts, outputs, dict(clock.times))


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # an address that no parser takes, such as http://[/
        return ""


STAGE = Stage("extract", 3, "records", settings, units, work, reasons, outside=True)
