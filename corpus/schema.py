"""The tables of a run, written down once: every column with its type and meaning.

Readers check what they read against this, so a file of another version or of another program is refused by name.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seiryu.corpus.damage import reading
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store

ROW_GROUP = 4096


def schema_of(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    """A table of columns with name, type and meaning, none of which may be empty."""
    return pa.schema([pa.field(name, kind, nullable=False, metadata={"meaning": meaning}) for name, kind, meaning in columns])


DOC_ID = (
    "doc_id",
    pa.string(),
    "UUID of the WARC-Record-ID; where it is missing or repeated, 32 hex digits from archive and place",
)
CRAWL_DATE = (
    "crawl_date",
    pa.timestamp("us", "UTC"),
    "when the page was fetched (WARC-Date); 1970-01-01 if the record does not say",
)
URL = ("url", pa.string(), "address of the page (WARC-Target-URI)")
WARC = ("warc", pa.string(), "name of the archive")
OFFSET = ("warc_offset", pa.int64(), "where the record's compressed member begins in the archive, in bytes")
HOST = ("host", pa.string(), "host in the form in which all are compared: lower case, ASCII, no port; empty if there is none")
SITE = ("site", pa.string(), "registrable domain of the host by the Public Suffix List")
LETTERS = ("letters", pa.int32(), "code points of the text except line breaks")
DIGEST = ("payload_digest", pa.string(), "WARC-Payload-Digest as the archive gives it")
CLUSTER = (
    "cluster",
    pa.string(),
    "doc_id that names all documents which chains of meetings link to this one, whatever became of them; its own if there are none",
)
TITLE = ("title", pa.string(), "content of <title>")

DOCUMENTS = schema_of(
    DOC_ID,
    URL,
    ("host", pa.string(), "host of the address, lower case, without port"),
    TITLE,
    ("text", pa.string(), "main text, a paragraph a line"),
    CRAWL_DATE,
    WARC,
    OFFSET,
    ("warc_length", pa.int64(), "length of that member in bytes; 0 where a member holds several records"),
    DIGEST,
    ("charset", pa.string(), "codec the page was read with"),
    ("charset_source", pa.string(), "what proposed it: bom, bytes, header or meta"),
    ("replaced", pa.int32(), "letters that could not be decoded and became U+FFFD"),
    ("html_lang", pa.string(), "lang of <html>, as written"),
    ("language", pa.string(), "language of the text"),
    ("language_score", pa.float32(), "probability of that language, by fastText lid.176"),
    ("extractor", pa.string(), "what took the text from the page"),
    ("robots", pa.string(), "what header and page ask of all robots or CCBot: directives, lower case, sorted, joined by commas"),
    ("tdm_reservation", pa.string(), "tdm-reservation of the page, else of its header: 1 reserved, 0 not, empty if not said"),
    ("tdm_policy", pa.string(), "tdm-policy of the page, else of its header: an address as declared, empty if not said"),
)

LEDGER = schema_of(
    WARC,
    OFFSET,
    ("warc_length", pa.int64(), "length of the record or of the damaged stretch, in bytes; 0 if unknown"),
    ("url", pa.string(), "address of the page, if it was read"),
    ("reason", pa.string(), "name the failure is counted under"),
    ("detail", pa.string(), "what went wrong"),
)

WEIGHED = (
    LETTERS,
    ("japanese_share", pa.float64(), "Japanese letters / letters, before cleaning"),
    ("language_score", pa.float32(), "probability of Japanese, by fastText lid.176"),
    ("duplicates", pa.int32(), "documents that were removed for this one"),
    (
        "contaminated",
        pa.string(),
        "with decontaminate.action mark: benchmarks of which an item stands in the text, joined by commas",
    ),
)

CORPUS = schema_of(
    DOC_ID,
    URL,
    HOST,
    SITE,
    TITLE,
    ("text", pa.string(), "final text"),
    CRAWL_DATE,
    WARC,
    OFFSET,
    DIGEST,
    *WEIGHED,
    CLUSTER,
)

VERDICTS = schema_of(
    DOC_ID,
    ("reject_mask", pa.uint64(), "bit i: rule i rejects, whatever the others say"),
    ("blocked", pa.string(), "why the address or its host is not wanted; else empty"),
)

DECISIONS = schema_of(
    DOC_ID,
    (
        "verdict",
        pa.string(),
        "kept; same_payload, same_text, same_address, near_duplicate: of the kept one; in_earlier_run: of one held there",
    ),
    ("duplicate_of", pa.string(), "doc_id of the kept document it is a duplicate of; else empty"),
    ("run", pa.int8(), "where that is: 0 this run, n the n-th of dedup.against"),
    ("similarity", pa.float32(), "Jaccard similarity to it, as it was told; 1 for the same text; 0 for what is kept"),
    ("duplicates", pa.int32(), "how many documents were removed for this one"),
    ("cluster", pa.string(), "of what is kept: doc_id that names all documents its group of meetings holds; else empty"),
)

FINGERPRINTS = schema_of(
    DOC_ID,
    ("priority", pa.float64(), "of two duplicates the one with the higher priority stays"),
    LETTERS,
    ("text", pa.binary(16), "digest of the text in its normal form; all bits set if it has no letters"),
    ("address", pa.binary(16), "digest of the address without scheme and fragment"),
    ("payload", pa.binary(16), "digest of payload_digest; all bits set if there is none"),
)

MEETINGS = schema_of(
    ("number", pa.int64(), "number of a document over all files"),
    ("bucket", pa.int64(), "documents of one bucket share a key"),
)

COPIES = schema_of(
    ("place", pa.uint64(), "number of the copy: rows lie in its order"),
    ("keeper", pa.int64(), "number of the document it stands behind"),
    ("reason", pa.string(), "same_payload, same_text or in_earlier_run"),
    ("duplicate_of", pa.string(), "doc_id of the document it stands behind"),
    ("run", pa.int8(), "where that is: 0 this run, n the n-th of dedup.against"),
)

BEHIND = schema_of(
    ("place", pa.uint64(), "number of the document that a copy stands behind: rows lie in its order"),
    ("number", pa.int64(), "number of the copy"),
)

SIGNATURE_OF = schema_of(
    ("row", pa.int32(), "the document's row in fingerprints"),
    DOC_ID,
    (
        "shingles",
        pa.list_(pa.field("item", pa.uint32(), nullable=False)),
        "sorted hashes of all shingles, of short texts; else empty",
    ),
)

GROUPS = schema_of(
    ("place", pa.uint64(), "number of a document that meets another: rows lie in its order"),
    ("group", pa.int64(), "smallest number in its group"),
    ("part", pa.int32(), "the unit of choices that its group is settled in"),
)

MEMBERS = schema_of(
    ("place", pa.uint64(), "the part: rows lie in its order, and that of their numbers"),
    ("group", pa.int64(), "smallest number in its group"),
    ("number", pa.int64(), "number of the document over all files"),
    ("run", pa.int8(), "0 this run, n the n-th of dedup.against"),
    DOC_ID,
    ("priority", pa.float64(), "as in fingerprints"),
    ("text", pa.binary(16), "as in fingerprints"),
    ("address", pa.binary(16), "as in fingerprints"),
    ("payload", pa.binary(16), "as in fingerprints"),
    ("behind", pa.list_(pa.field("item", pa.int64(), nullable=False)), "numbers of the copies that stand behind it"),
    (
        "shingles",
        pa.list_(pa.field("item", pa.uint32(), nullable=False)),
        "sorted hashes of its shingles; empty: see its sketch",
    ),
)

CHOICES = schema_of(
    ("place", pa.uint64(), "number of the document: rows lie in its order"),
    ("reason", pa.string(), "why it is removed; empty if it is kept"),
    ("duplicate_of", pa.string(), "doc_id of the kept document it is a duplicate of; else empty"),
    ("run", pa.int8(), "where that is: 0 this run, n the n-th of dedup.against"),
    ("similarity", pa.float32(), "Jaccard similarity to it"),
    ("duplicates", pa.int32(), "how many documents were removed for this one"),
    ("cluster", pa.string(), "doc_id of the document with the smallest number in its group"),
)

ADDRESSES = schema_of(
    DOC_ID,
    HOST,
    SITE,
    ("listed", pa.string(), "the entry of a block list of addresses that hits this one; else empty"),
)

HOST_COUNTS = schema_of(
    ("place", pa.uint64(), "hash of the site: its place in the order of all sites"),
    SITE,
    HOST,
    ("documents", pa.int64(), "Japanese pages of this host in one file"),
    ("letters", pa.int64(), "letters on them"),
)

HOSTS = schema_of(
    HOST,
    SITE,
    ("documents", pa.int64(), "Japanese pages of this host"),
    ("letters", pa.int64(), "letters on them"),
    ("site_documents", pa.int64(), "Japanese pages of its site"),
    ("verdict", pa.string(), "empty, or why pages of this host are left out"),
)

LINE_COUNTS = schema_of(
    ("place", pa.uint64(), "hash of the site: rows lie in its order, and a partition is a stretch of it"),
    ("line", pa.uint64(), "hash of site and line; the same as place where the row counts the pages of the site"),
    SITE,
    ("text", pa.string(), "the line without white space around it; empty where the row counts the pages of the site"),
    ("pages", pa.int32(), "pages of the site in this file that hold the line"),
)

BOILERPLATE = schema_of(
    ("place", pa.uint64(), "hash of the site: rows lie in its order"),
    SITE,
    ("text", pa.string(), "a line that is cut from the pages of this site"),
    ("pages", pa.int64(), "pages of the site that hold it"),
    ("site_pages", pa.int64(), "pages of the site"),
)

PARAGRAPHS = schema_of(
    ("place", pa.uint64(), "hash of the paragraph: rows lie in its order, and a partition is a stretch of it"),
    ("text", pa.string(), "the paragraph without white space around it"),
    ("documents", pa.int64(), "documents that hold it, of one file or, where it is cut, of all"),
)


def table(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    """Columns in the order and types of a schema. pa.ArrowInvalid or KeyError, if they do not fit, are defects of the caller."""
    made = pa.table([pa.array(columns[name], schema.field(name).type) for name in schema.names], schema=schema)
    if empty := [name for name in schema.names if made[name].null_count]:
        raise pa.ArrowInvalid(f"values are missing in {', '.join(empty)}")
    return made


def write_table(table: pa.Table, file: Any, dictionaries: bool = True) -> None:
    """Parquet with zstd and checksums, the same bytes for the same rows. `dictionaries`: not for columns whose values never repeat."""
    pq.write_table(
        table,
        file,
        compression="zstd",
        compression_level=3,
        row_group_size=ROW_GROUP,
        store_schema=True,
        write_page_checksum=True,
        use_dictionary=dictionaries,
    )


def read_table(store: Store, name: str, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """A table of `schema`, or only some columns. InputError, naming the file, if it is not there, damaged or of another schema."""
    path = store.path(name)
    try:
        opened = store.open(name)
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there; run again") from error
    with reading(path), opened as file:
        parquet = pq.ParquetFile(file, page_checksum_verification=True)
        if difference := _difference(parquet.schema_arrow, schema):
            raise InputError(f"{path} {difference}; it is not a table of this version")
        footer = parquet.metadata
        if footer.num_rows != sum(footer.row_group(number).num_rows for number in range(footer.num_row_groups)):
            raise pa.ArrowInvalid("its row groups hold other numbers of rows than it says")
        wanted = schema if columns is None else pa.schema([schema.field(column) for column in columns])
        return parquet.read(columns=wanted.names, use_threads=False).cast(wanted)


def _difference(found: pa.Schema, schema: pa.Schema) -> str:
    for field in schema:
        if field.name not in found.names or not found.field(field.name).type.equals(field.type):
            return f"has no column {field.name} of type {field.type}"
    unknown = [name for name in found.names if name not in schema.names]
    return f"has a column {unknown[0]} that nobody knows" if unknown else ""
