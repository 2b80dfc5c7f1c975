"""Files of the columnar index, made for one purpose: all columns of the true schema, in its order."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

TEXT = pa.string()
HOST_PARTS = ("2nd_last_part", "3rd_last_part", "4th_last_part", "5th_last_part", "registry_suffix", "registered_domain", "private_suffix",
              "private_domain", "name_reversed")  # fmt: skip
# cc-index-schema-flat.json of cc-index-table: name, type, nullable.
TRUE_SCHEMA = pa.schema([pa.field(*column) for column in [
    ("url_surtkey", TEXT, False), ("url", TEXT, False), ("url_host_name", TEXT, False), ("url_host_tld", TEXT, True),
    *((f"url_host_{part}", TEXT, True) for part in HOST_PARTS),
    ("url_protocol", TEXT, False), ("url_port", pa.int32(), True), ("url_path", TEXT, False), ("url_query", TEXT, True),
    ("fetch_time", pa.timestamp("ms", "UTC"), False), ("fetch_status", pa.int16(), False), ("fetch_redirect", TEXT, True),
    ("content_digest", TEXT, True), ("content_mime_type", TEXT, True), ("content_mime_detected", TEXT, True),
    ("content_charset", TEXT, True), ("content_languages", TEXT, True), ("content_truncated", TEXT, True),
    ("warc_filename", TEXT, False), ("warc_record_offset", pa.int32(), False), ("warc_record_length", pa.int32(), False),
    ("warc_segment", TEXT, False),
]])  # fmt: skip
PAGE = {
    "url_surtkey": "jp,a)/", "url": "http://a.jp/", "url_host_name": "a.jp", "url_host_tld": "jp", "url_protocol": "http", "url_path": "/",
    "fetch_time": datetime(2024, 8, 7, tzinfo=UTC), "fetch_status": 200, "content_digest": "A" * 32, "content_mime_type": "text/html",
    "content_mime_detected": "text/html", "content_charset": "UTF-8", "content_languages": "jpn", "warc_segment": "1722640353668.0",
    "warc_filename": "crawl-data/x/a.warc.gz", "warc_record_offset": 0, "warc_record_length": 100,
}  # fmt: skip


def index_rows(*changes, schema=TRUE_SCHEMA):
    """A row for each of the dicts, which say what differs from one Japanese page."""
    return pa.Table.from_pylist([PAGE | change for change in changes], schema=schema)


def index_file(rows, row_group_size=1000, compression="gzip", **options):
    """As Spark writes it: gzip, no Arrow schema."""
    out = io.BytesIO()
    pq.write_table(rows, out, row_group_size=row_group_size, compression=compression, store_schema=False, **options)
    return out.getvalue()
