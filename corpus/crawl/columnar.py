"""The columnar index: which records of a crawl are wanted, before a byte of them is fetched.

Common Crawl publishes its URL index as Parquet too, a row a capture, sorted by url_surtkey
(https://commoncrawl.org/columnar-index). Columns and their meanings: cc-index-schema-flat.json in
https://github.com/commoncrawl/cc-index-table; the table is made from the CDX files, whose fields the crawler writes when it
writes the archive (WarcCdxWriter.java in https://github.com/commoncrawl/nutch). Some columns are not there in older crawls:
content_languages, which CLD2 found, is in the index since CC-MAIN-2018-39, content_truncated since CC-MAIN-2019-47. Other columns
may come (warc_record_id in 2026), and are not read.

Of a row group first only the columns are read that the conditions need, the others only where a row is chosen: over a network
every column of a row group is a range request.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seiryu.corpus.damage import reading
from seiryu.corpus.errors import InputError

_STRING = pa.string()
_AGAIN = ("is damaged or no Parquet file of the index", "get it again")


def _column(name: str, kind: pa.DataType, meaning: str, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable, {"meaning": meaning})


COLUMNS = pa.schema(
    [
        _column("url", _STRING, "address of the page (WARC-Target-URI)"),
        _column("url_host_name", _STRING, "its host, lower case and ASCII, or IP address"),
        _column("url_host_tld", _STRING, "last label of the host; null for an IP address", nullable=True),
        _column("fetch_status", pa.int16(), "HTTP status; -1 if there is none"),
        _column("content_digest", _STRING, "WARC-Payload-Digest without sha1:; null for revisits", nullable=True),
        _column("content_mime_detected", _STRING, "WARC-Identified-Payload-Type, the type found in the bytes", nullable=True),
        _column("content_languages", _STRING, "up to three ISO-639-3 codes joined by commas, the main one first", nullable=True),
        _column("content_truncated", _STRING, "WARC-Truncated, why the page is cut off; null if it is whole", nullable=True),
        _column("warc_filename", _STRING, "the archive's path, as in warc.paths.gz"),
        _column("warc_record_offset", pa.int64(), "where the record's member begins in the archive (int32 in the index)"),
        _column("warc_record_length", pa.int64(), "length of that member in bytes (int32 in the index)"),
    ]
)
_TAKEN = ("url", "url_host_name", "content_digest", "warc_filename", "warc_record_offset", "warc_record_length")
# Columns that older crawls lack: since when they are there, and how to do without.
_LATER = {
    "content_languages": ("CC-MAIN-2018-39", "ask for no languages (seiryu finds the language of a page itself)"),
    "content_truncated": ("CC-MAIN-2019-47", "take truncated records too"),
}
REASONS = ("other_status", "other_mime", "other_language", "other_tld", "other_host", "truncated", "other_archive")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of the index are wanted: those for which all conditions hold. An empty one holds for every row.

    `languages`: ISO-639-3 codes; `language`: whether one of them must be the first of content_languages or any of its up to
    three. `tlds` and `hosts`: as the index writes them, lower case and ASCII; a host stands for all below it too. `mime`:
    content_mime_detected. `truncated`: whether records the crawler cut off are taken too. A null fulfils no condition, except
    that it means not truncated.
    """

    languages: tuple[str, ...] = ("jpn",)
    language: Literal["primary", "any"] = "any"
    tlds: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    mime: tuple[str, ...] = ("text/html", "application/xhtml+xml")
    status: tuple[int, ...] = (200,)
    truncated: bool = False


_Test = Callable[[pa.Array], pa.Array]


def judge(rows: pa.Table, selection: Selection, archives: frozenset[str] | None = None) -> npt.NDArray[np.int8]:
    """For each row -1 if it is wanted, else the index in REASONS of the first condition it does not fulfil.

    `rows` needs the columns of the conditions that are given, with types as in COLUMNS or the index. `archives`: the wanted
    values of warc_filename; None for any.
    """
    return _judged(rows, rows.num_rows, _tests(selection, archives))


def read_index(
    file: IO[bytes], where: str, selection: Selection, archives: frozenset[str] | None = None
) -> Iterator[tuple[pa.Table, Counter[str]]]:
    """Row group by row group of one file of the index: the wanted rows, the number of rows ("rows"), and of unwanted ones by reason.

    The tables have url, url_host_name, content_digest, warc_filename, warc_record_offset and warc_record_length, as in COLUMNS;
    only content_digest can be null. InputError, naming file and row group, where it is damaged or has another schema.
    """
    tests = _tests(selection, archives)
    needed = list(dict.fromkeys(column for _, column, _ in tests))
    others = [name for name in _TAKEN if name not in needed]
    with reading(where, *_AGAIN):
        footer = pq.ParquetFile(file)
        _check_schema(footer.schema_arrow, [*needed, *others], where)
        # Neighbouring columns are read in one request; a column of few values comes as these values and their numbers.
        parquet = pq.ParquetFile(
            file, metadata=footer.metadata, read_dictionary=needed, pre_buffer=True, page_checksum_verification=True
        )
        sizes = [parquet.metadata.row_group(number).num_rows for number in range(parquet.num_row_groups)]
        if sum(sizes) != parquet.metadata.num_rows:
            raise pa.ArrowInvalid("its row groups hold other numbers of rows than it says")
    for number, size in enumerate(sizes):
        with reading(f"{where}, row group {number}", *_AGAIN):
            rows = _read(parquet, number, needed)
            verdict = _judged(rows, size, tests)
            wanted = pa.array(verdict == -1)
            chosen = {name: column.filter(wanted) for name, column in zip(needed, rows.columns, strict=True) if name in _TAKEN}
            if (verdict == -1).any():
                more = _read(parquet, number, others)
                chosen |= {name: column.filter(wanted) for name, column in zip(others, more.columns, strict=True)}
            taken = pa.schema([COLUMNS.field(name) for name in _TAKEN])
            table = pa.table([_as(chosen.get(field.name), field) for field in taken], schema=taken)
            table.validate(full=True)  # that text is UTF-8
            _check_places(table)
        times = np.bincount(verdict[verdict >= 0], minlength=len(REASONS)).tolist()
        yield table, Counter({"rows": size, **{reason: count for reason, count in zip(REASONS, times, strict=True) if count}})


def columns_read(selection: Selection) -> frozenset[str]:
    """The columns of the index that `read_index` reads."""
    return frozenset([*_TAKEN, *(column for _, column, _ in _tests(selection, None))])


def _tests(selection: Selection, archives: frozenset[str] | None) -> list[tuple[str, str, _Test]]:
    """The conditions that are given: reason, column, and what tells of values whether they fulfil it."""
    tests = [
        ("other_status", "fetch_status", _among(selection.status, pa.int64()) if selection.status else None),
        ("other_mime", "content_mime_detected", _among(selection.mime) if selection.mime else None),
        ("other_language", "content_languages", _language(selection) if selection.languages else None),
        ("other_tld", "url_host_tld", _among(selection.tlds) if selection.tlds else None),
        ("other_host", "url_host_name", _below(selection.hosts) if selection.hosts else None),
        ("truncated", "content_truncated", None if selection.truncated else lambda values: pc.equal(values, "")),
        ("other_archive", "warc_filename", None if archives is None else _among(archives)),
    ]
    return [(reason, column, test) for reason, column, test in tests if test]


def _among(wanted: Collection[str] | Collection[int], kind: pa.DataType = _STRING) -> _Test:
    among = pa.array(sorted(wanted), kind)
    return lambda values: pc.is_in(values.cast(kind), among)


def _language(selection: Selection) -> _Test:
    codes = "|".join(map(re.escape, selection.languages))
    before = "^" if selection.language == "primary" else "(?:^|,)"
    return lambda values: pc.match_substring_regex(values, f"{before}(?:{codes})(?:,|$)")


def _below(hosts: frozenset[str]) -> _Test:
    """Whether a host or a domain above it is wanted: label after label is taken off those that have one more."""
    wanted = _among(hosts)

    def test(values: pa.Array) -> pa.Array:
        fulfilled, at, left = np.zeros(len(values), bool), np.arange(len(values)), values
        while len(at):
            fulfilled[at] = _flags(wanted(left))
            longer = _flags(pc.match_substring(left, ".")) & ~fulfilled[at]
            at, left = at[longer], pc.list_element(pc.split_pattern(left.filter(pa.array(longer)), ".", max_splits=1), 1)
        return pa.array(fulfilled)

    return test


def _flags(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Nulls are False."""
    flags: npt.NDArray[np.bool_] = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return flags


def _judged(rows: pa.Table, size: int, tests: Sequence[tuple[str, str, _Test]]) -> npt.NDArray[np.int8]:
    verdict = np.full(size, -1, np.int8)
    for reason, column, test in tests:
        verdict[(verdict == -1) & ~_fulfilled(rows[column], test, of_null=reason == "truncated")] = REASONS.index(reason)
    return verdict


def _fulfilled(column: pa.ChunkedArray, test: _Test, of_null: bool) -> npt.NDArray[np.bool_]:
    """Which rows fulfil a condition. Each value is tested once: a column has few, or they come in rows."""
    parts = [np.zeros(0, bool)]
    for chunk in column.chunks:
        coded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        # The last flag is that of null.
        flags = np.append(_flags(test(coded.dictionary)), of_null)
        parts.append(flags[pc.fill_null(coded.indices.cast(pa.int64()), len(flags) - 1).to_numpy()])
    return np.concatenate(parts)


def _read(parquet: pq.ParquetFile, number: int, columns: list[str]) -> pa.Table:
    """Columns of a row group, in this order."""
    rows = parquet.read_row_group(number, columns, use_threads=False)
    for name in columns:
        if rows[name].null_count and not COLUMNS.field(name).nullable:
            raise pa.ArrowInvalid(f"{name} is null in {rows[name].null_count:,} rows")
    return rows.select(columns)


def _as(column: pa.ChunkedArray | None, field: pa.Field) -> pa.ChunkedArray:
    return pa.chunked_array([], field.type) if column is None else column.cast(field.type)


def _check_places(table: pa.Table) -> None:
    """The index's maker writes -1 for a number that is missing (getInt in IndexTable.java of cc-index-table)."""
    wrong = pc.or_(pc.less(table["warc_record_offset"], 0), pc.less(table["warc_record_length"], 1))
    if pc.any(wrong).as_py():
        at = pc.index(wrong, True).as_py()
        raise pa.ArrowInvalid(f"{table['url'][at]} is said to lie at {table['warc_record_offset'][at]}")


def _check_schema(found: pa.Schema, columns: Sequence[str], where: str) -> None:
    for name in columns:
        if name in _LATER and name not in found.names:
            since, without = _LATER[name]
            raise InputError(
                f"{where} has no column {name}, which the index has since {since}; choose later crawls, or {without}"
            )
        kind = found.field(name).type if name in found.names else None
        kind = kind.value_type if kind and pa.types.is_dictionary(kind) else kind
        fits = _is_text if COLUMNS.field(name).type == _STRING else pa.types.is_signed_integer
        if kind is None or not fits(kind):
            said = "no column" if kind is None else f"{kind} as"
            raise InputError(f"{where} has {said} {name}; expected is a file of Common Crawl's columnar index, not nested")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
