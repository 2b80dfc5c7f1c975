"""The tables that stand between final documents and shards, and the one that leads from a token back to its page."""

from __future__ import annotations

import pyarrow as pa

from seiryu.corpus import schema

SEQUENCES = schema.schema_of(
    ("shuffle_key", pa.uint64(), "keyed hash of doc_id and copy: place in the global order, in which rows lie"),
    ("split_key", pa.uint64(), "keyed hash of what is kept together: place in the order in which splits are filled"),
    ("copy", pa.int16(), "0, or the number of a further copy, which stands in train only"),
    ("start", pa.int64(), "where its ids begin in tokens/<unit>.ids, in tokens"),
    ("tokens", pa.int32(), "how many there are, begin of text and end of document included"),
    ("text_start", pa.int64(), "where its text begins in tokens/<unit>.txt, in bytes; 0 if no format asks for texts"),
    ("text_bytes", pa.int64(), "how long it is, in UTF-8"),
    schema.DOC_ID,
    schema.URL,
    schema.HOST,
    schema.TITLE,
    schema.CRAWL_DATE,
    schema.WARC,
    schema.OFFSET,
    schema.DIGEST,
    *schema.WEIGHED,
)

PROVENANCE = schema.schema_of(
    ("sequence", pa.int64(), "number of the sequence in the shard"),
    schema.DOC_ID,
    schema.URL,
    schema.WARC,
    schema.OFFSET,
    schema.DIGEST,
    ("tokens", pa.int32(), "length of the sequence, begin of text and end of document included"),
    ("copy", pa.int16(), "0, or the number of a further copy of a document that stands in train more than once"),
)

SPLITS = schema.schema_of(
    ("bucket", pa.uint32(), "first 20 bits of split_key"),
    ("split", pa.string(), "validation or test; what is in no bucket named here is in train"),
)

TAKEN_DOWN = schema.schema_of(
    ("shuffle_key", pa.uint64(), "of a sequence that is left out: rows lie in its order"),
    ("split", pa.string(), "split that it would stand in"),
    ("copy", pa.int16(), "0, or the number of a further copy"),
    schema.DOC_ID,
    schema.URL,
    ("tokens", pa.int32(), "length of the sequence"),
    ("rule", pa.string(), "why: host, url or id, and which"),
)
