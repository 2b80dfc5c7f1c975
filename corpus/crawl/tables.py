"""The tables of what is asked of a crawl: its files as they were listed, and the records that were chosen from its index."""

from __future__ import annotations

import pyarrow as pa

from seiryu.corpus.schema import schema_of

_PLACE = ("place", pa.uint64(), "hash of the archive's path: rows lie in its order, and a partition is a stretch of it")
_ARCHIVE = ("warc", pa.string(), "path of the archive below the root of the crawls")
_OFFSET = ("offset", pa.int64(), "where the record's compressed member begins in the archive, in bytes")
_LENGTH = ("length", pa.int64(), "length of that member in bytes")
_URL = ("url", pa.string(), "address of the page, as the index has it")
_DIGEST = ("digest", pa.string(), "SHA-1 of the payload in base 32, as the index has it; empty if it has none")

LISTED = schema_of(
    ("crawl", pa.string(), "id of the crawl"),
    (
        "role",
        pa.string(),
        "archive; index: a file of its columnar index; seen: one of a crawl whose records are not wanted again",
    ),
    ("path", pa.string(), "path of the file below the root of the crawls"),
)

INDEXED = schema_of(
    _PLACE,
    _ARCHIVE,
    _OFFSET,
    _LENGTH,
    _URL,
    _DIGEST,
    ("host", pa.uint64(), "hash of the host"),
    ("pick", pa.uint64(), "hash of the address: of a host with too many records those with the lowest stay"),
)

LEFT_OUT = schema_of(
    _PLACE,
    _OFFSET,
    ("reason", pa.string(), "seen_before: an earlier crawl holds the payload; over_host_limit: the host has too many records"),
)

PLANNED = schema_of(_PLACE, _ARCHIVE, _OFFSET, _LENGTH, _URL, _DIGEST)

ARCHIVES = schema_of(
    _PLACE,
    _ARCHIVE,
    ("records", pa.int64(), "records of it that are wanted"),
    ("bytes", pa.int64(), "their bytes in the archive"),
    ("requests", pa.int64(), "byte ranges that hold them"),
    ("fetched", pa.int64(), "bytes of these ranges"),
    ("rows", pa.string(), "sha256 of the planned rows: what the unit of this archive is made of"),
)
