"""The columnar index of an archive, as Common Crawl publishes it: true columns, read with warcio and not with seiryu's own reader.

What the rows say of a record comes from its headers and from the metadata record that follows it, which holds what CLD2 said of
the languages. All columns are optional, as Spark writes them, and fetch_time is in milliseconds of UTC.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pyarrow as pa
from publicsuffixlist import PublicSuffixList
from warcio.archiveiterator import ArchiveIterator

SCHEMA = pa.schema(
    [
        ("url_surtkey", pa.string()),
        ("url", pa.string()),
        ("url_host_name", pa.string()),
        ("url_host_tld", pa.string()),
        ("url_host_2nd_last_part", pa.string()),
        ("url_host_3rd_last_part", pa.string()),
        ("url_host_4th_last_part", pa.string()),
        ("url_host_5th_last_part", pa.string()),
        ("url_host_registry_suffix", pa.string()),
        ("url_host_registered_domain", pa.string()),
        ("url_host_private_suffix", pa.string()),
        ("url_host_private_domain", pa.string()),
        ("url_host_name_reversed", pa.string()),
        ("url_protocol", pa.string()),
        ("url_port", pa.int32()),
        ("url_path", pa.string()),
        ("url_query", pa.string()),
        ("fetch_time", pa.timestamp("ms", tz="UTC")),
        ("fetch_status", pa.int16()),
        ("fetch_redirect", pa.string()),
        ("content_digest", pa.string()),
        ("content_mime_type", pa.string()),
        ("content_mime_detected", pa.string()),
        ("content_charset", pa.string()),
        ("content_languages", pa.string()),
        ("content_truncated", pa.string()),
        ("warc_filename", pa.string()),
        ("warc_record_offset", pa.int32()),
        ("warc_record_length", pa.int32()),
        ("warc_segment", pa.string()),
    ]
)
Row = dict[str, Any]
# Since CC-MAIN-2026-30 there is one more column, before warc_filename: the UUID of WARC-Record-ID.
SCHEMA_WITH_IDS = SCHEMA.insert(SCHEMA.get_field_index("warc_filename"), pa.field("warc_record_id", pa.binary()))


def index_rows(archive: Path, name: str) -> Iterator[Row]:
    """The rows of all responses and revisits of an archive that is published as `name`, in its order."""
    row: Row | None = None
    with archive.open("rb") as file:
        records = ArchiveIterator(file)
        for record in records:
            if record.rec_type == "metadata" and row and _uuid(record.rec_headers["WARC-Concurrent-To"]) == row["warc_record_id"]:
                row |= _metadata(record.content_stream().read().decode())
            elif record.rec_type in ("response", "revisit"):
                if row:
                    yield row
                row = _response(record, name)
                row["warc_record_offset"] = records.get_record_offset()
                records.read_to_end(record)  # only then is its length known
                row["warc_record_length"] = records.get_record_length()
    if row:
        yield row


def url_columns(url: str) -> Row:
    """All columns that follow from the URL alone."""
    parts = urlsplit(url)
    return {
        "url_surtkey": surt(url),
        "url": url,
        **_host_columns(parts.hostname or ""),
        "url_protocol": parts.scheme,
        "url_port": parts.port,
        "url_path": parts.path,
        "url_query": parts.query or None,
    }


def surt(url: str) -> str:
    """The key that the index is sorted by, `com,example)/path?query` for https://www.example.com/Path?query.

    Lower case, without scheme, `www.`, default port, fragment and the slash at the end; the fields of the query sorted. Session
    ids are left in, and escapes as they are, which the crawl's own tool does not.
    """
    parts = urlsplit(url.lower())
    host = re.sub(r"^www\d*\.", "", parts.hostname or "")
    labels = [host] if _is_address(host) else host.split(".")[::-1]
    port = f":{parts.port}" if parts.port and parts.port != {"http": 80, "https": 443}.get(parts.scheme) else ""
    query = "?" + "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    return f"{','.join(labels)}{port}){parts.path.rstrip('/') or '/'}{query}"


def _response(record: Any, name: str) -> Row:
    headers, http = record.rec_headers, record.http_headers
    revisit = record.rec_type == "revisit"
    content_type = (http.get_header("Content-Type") or "").split(";")[0].strip().lower()
    return {
        **url_columns(headers["WARC-Target-URI"]),
        "warc_record_id": _uuid(headers["WARC-Record-ID"]),
        "fetch_time": datetime.fromisoformat(headers["WARC-Date"]),
        "fetch_status": int(http.get_statuscode()),
        "fetch_redirect": http.get_header("Location"),
        "content_digest": (headers["WARC-Payload-Digest"] or "").removeprefix("sha1:") or None,
        "content_mime_type": "warc/revisit" if revisit else content_type or "unk",
        "content_mime_detected": headers["WARC-Identified-Payload-Type"],
        "content_truncated": headers["WARC-Truncated"],
        "warc_filename": name,
        "warc_segment": name.split("/")[3],
    }


def _metadata(text: str) -> Row:
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    languages = json.loads(fields.get("languages-cld2", "{}")).get("languages", [])
    codes = dict.fromkeys(language["code-iso-639-3"] for language in languages)  # Chinese in two scripts is one language
    return {"content_charset": fields.get("charset-detected"), "content_languages": ",".join(codes) or None}


def _uuid(field: str) -> bytes:
    return UUID(field.strip("<>")).bytes


@cache
def _host_columns(host: str) -> Row:
    columns = dict.fromkeys(SCHEMA.names[2:13])
    columns["url_host_name"] = host
    if _is_address(host):
        return columns
    labels = host.split(".")[::-1]
    columns |= dict(zip(SCHEMA.names[3:8], labels, strict=False))
    registries, private = _suffixes(only_icann=True), _suffixes(only_icann=False)
    columns["url_host_registry_suffix"] = registries.publicsuffix(host)
    columns["url_host_registered_domain"] = registries.privatesuffix(host)
    columns["url_host_private_suffix"] = private.publicsuffix(host)
    columns["url_host_private_domain"] = private.privatesuffix(host)
    columns["url_host_name_reversed"] = ".".join(labels)
    return columns


@cache
def _suffixes(*, only_icann: bool) -> PublicSuffixList:
    return PublicSuffixList(only_icann=only_icann)


def _is_address(host: str) -> bool:
    return ":" in host or re.fullmatch(r"\d+(\.\d+){3}", host) is not None
