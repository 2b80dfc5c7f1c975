"""The wanted records of an archive, fetched by byte ranges, each compared with what the index says of it.

Ranges are fetched a few in advance and come out in order. When more in a row cannot be had than are fetched at once,
the archive is left. What does not come is not passed over: a `Missing` stands in its place. A
record that cannot be read is fetched once more by itself, since it may have been damaged on the way. Where none at all is as the
index says, something else lies in the archive's place, an error page or a file half copied: its records count as not fetched, and so
are asked for again.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from seiryu.corpus.archive.page import BodyError, read_page, target_uri
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.corpus.crawl.ranges import Range, merged
from seiryu.corpus.errors import InputError
from seiryu.corpus.remote.errors import EndsBefore, NotThere, Unreachable

Row = dict[str, Any]  # of a table PLANNED
NOT_FETCHED, NOT_AS_INDEXED, DAMAGED, TOO_LARGE = "not_fetched", "not_as_indexed", "damaged", "too_large"


@dataclass(frozen=True, slots=True)
class Missing:
    """A wanted record that is not there. `reason`: the name it is counted under."""

    offset: int
    length: int
    url: str
    reason: str
    detail: str


class Archives(Protocol):
    """Where archives lie: a Remote, or a disk."""

    def read_range(self, url: str, first: int, size: int, /) -> bytes:
        """Exactly these bytes. EndsBefore, NotThere, Unreachable."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """`max_gap`, `max_waste`: as in `ranges.merged`; `ahead`: ranges fetched at once; `max_content`: as in `raw_records`."""

    max_gap: int
    max_waste: float
    ahead: int
    max_content: int


def planned_records(archives: Archives, url: str, planned: pa.Table, how: Fetching) -> Iterator[RawRecord | Missing]:
    """The records of a table PLANNED of one archive at `url`, in its order. Forbidden if the server wants no more of us."""
    strange: list[Missing] = []  # what is not as the index says, until it is known that other records are
    is_archive = False
    for item in _records(archives, url, planned, how):
        if not is_archive and isinstance(item, Missing) and item.reason in (NOT_AS_INDEXED, DAMAGED):
            strange.append(item)
            continue
        if not is_archive and isinstance(item, RawRecord):
            is_archive = True
            yield from strange
        yield item
    if not is_archive:
        why = "no record of the archive is as the index says, so something else may lie in its place"
        yield from (replace(item, reason=NOT_FETCHED, detail=f"{why}: {item.detail}") for item in strange)


def _records(archives: Archives, url: str, planned: pa.Table, how: Fetching) -> Iterator[RawRecord | Missing]:
    rows = planned.select(["offset", "length", "url", "digest"]).to_pylist()
    for row in rows:
        if row["length"] > how.max_content:
            yield _missing(row, TOO_LARGE, f"the record has {row['length']:,} bytes")
    rows = [row for row in rows if row["length"] <= how.max_content]
    offsets, lengths = (np.array([row[name] for row in rows], np.int64) for name in ("offset", "length"))
    waiting = deque(merged(offsets, lengths, how.max_gap, how.max_waste))
    coming: deque[tuple[Range, Future[bytes]]] = deque()
    in_vain = 0  # ranges in a row that could not be had
    with ThreadPoolExecutor(how.ahead, thread_name_prefix="fetch") as pool:
        try:
            while waiting or coming:
                while waiting and len(coming) < how.ahead:
                    part = waiting.popleft()
                    coming.append((part, pool.submit(archives.read_range, url, part.first, part.size)))
                part, future = coming.popleft()
                try:
                    data = future.result()
                    in_vain = 0
                except EndsBefore as error:  # one record that lies behind the end takes none of the others along
                    in_vain = 0
                    places = range(part.records.start, part.records.stop)
                    if len(places) == 1:
                        yield _missing(rows[places[0]], NOT_AS_INDEXED, str(error))
                    else:
                        alone = [Range(rows[i]["offset"], rows[i]["length"], slice(i, i + 1)) for i in places]
                        again = [(one, pool.submit(archives.read_range, url, one.first, one.size)) for one in alone]
                        coming.extendleft(reversed(again))
                    continue
                except (Unreachable, InputError) as error:
                    in_vain += 1
                    given_up = isinstance(error, NotThere) or in_vain > how.ahead  # the rest would be asked for in vain too
                    parts = [part, *(other for other, _ in coming), *waiting] if given_up else [part]
                    yield from (_missing(row, NOT_FETCHED, str(error)) for other in parts for row in rows[other.records])
                    if given_up:
                        return
                    continue
                for row in rows[part.records]:
                    begin = row["offset"] - part.first
                    yield _record(archives, url, row, data[begin : begin + row["length"]], how.max_content)
        finally:
            for _, future in coming:
                future.cancel()


def _missing(row: Row, reason: str, detail: str) -> Missing:
    return Missing(row["offset"], row["length"], row["url"], reason, detail)


def _record(archives: Archives, url: str, row: Row, data: bytes, max_content: int) -> RawRecord | Missing:
    """A record from its bytes, or, where these are damaged, from the server."""
    found = _read(data, url, max_content)
    if isinstance(found, str):
        try:
            found = _read(archives.read_range(url, row["offset"], row["length"]), url, max_content)
        except EndsBefore as error:
            return _missing(row, NOT_AS_INDEXED, str(error))
        except (Unreachable, InputError) as error:
            return _missing(row, NOT_FETCHED, str(error))
    if isinstance(found, str):
        return _missing(row, DAMAGED, found)
    if difference := _difference(found, row):
        return _missing(row, NOT_AS_INDEXED, difference)
    found.offset = row["offset"]
    return found


def _read(data: bytes, url: str, max_content: int) -> RawRecord | str:
    """The one record in some bytes, or why there is none."""
    try:
        items = list(raw_records(io.BytesIO(data), url, max_content))
    except InputError as error:
        return str(error)
    if len(items) != 1:
        return f"{len(items)} records or damaged stretches lie where the index has one record"
    return items[0] if isinstance(items[0], RawRecord) else items[0].why


def _difference(record: RawRecord, row: Row) -> str:
    """What the record says otherwise than the index; empty if nothing."""
    if record.length != row["length"]:
        return f"the record has {record.length:,} bytes, in the index {row['length']:,}"
    if (said := target_uri(record)) != row["url"]:
        return f"the record is of {said!r}, in the index {row['url']!r}"
    if row["digest"] and record.content is not None and (there := _digest(record)) not in ("", row["digest"]):
        return f"the payload's SHA-1 is {there}, in the index {row['digest']}"
    return ""


def _digest(record: RawRecord) -> str:
    """SHA-1 of the payload as the record has it, or worked out where it has none."""
    try:
        page = read_page(record)
    except BodyError:  # no HTTP response: counted as that by whoever reads it
        return ""
    return page.payload_digest.removeprefix("sha1:") or base64.b32encode(hashlib.sha1(page.body).digest()).decode()
