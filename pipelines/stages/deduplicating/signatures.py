"""MinHash signatures of the documents that are no copies: one unit is one documents file.

Of a signature are kept: a 64-bit key for each band, in a column of its own, so that comparing all documents in a band means reading
that column of all files; the lowest byte of each value, from which the similarity of any two is estimated; and of short
texts, whose signatures say little, the set of shingles itself. Later runs need no more than this to leave out what this one holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.dedup.bands import band_keys
from seiryu.dedup.minhash import signatures
from seiryu.dedup.normal import normalised
from seiryu.dedup.shingles import shingle_sets
from seiryu.dedup.similarity import sketches
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.stages.decide import passing
from seiryu.pipelines.stages.deduplicating.copies import copies_between
from seiryu.pipelines.stages.deduplicating.earlier import SIGNATURES, signature_settings
from seiryu.pipelines.stages.deduplicating.fingerprints import document_inputs
from seiryu.pipelines.stages.deduplicating.numbering import File, files
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

FEW_LETTERS = 256  # up to which a text counts as short


def signature_schema(config: Config) -> pa.Schema:
    """Columns of a signatures table."""
    cut = config.dedup.banding
    key = {"meaning": "key of the signature's values in this band"}
    return pa.schema([
        schema.SIGNATURE_OF.field("row"),
        schema.SIGNATURE_OF.field("doc_id"),
        *(pa.field(band_column(band), pa.uint64(), nullable=False, metadata=key) for band in range(cut.bands)),
        pa.field("sketch", pa.binary(cut.num_perm), nullable=False, metadata={"meaning": "lowest byte of each value"}),
        schema.SIGNATURE_OF.field("shingles"),
    ])  # fmt: skip


def band_column(band: int) -> str:
    return f"band_{band:03d}"


def units(state: State) -> list[Unit]:
    copied = state.completed("copies")
    if not copied or not state.whole("copies"):
        return []
    inputs, copies = document_inputs(state), identity(copied)
    mine = {file.unit: file for file in files(state) if not file.run}
    return [
        Unit("signatures", name, {"parts": len(copied)}, inputs[name] | {"copies": copies}, reads=(file,))
        for name, file in mine.items()
    ]


def settings(config: Config) -> dict[str, Any]:
    return signature_settings(config)


def work(unit: Unit, config: Config, store: Store) -> Result:
    (file,) = unit.reads
    documents, cut = passing(store, config, unit.name), config.dedup.banding
    if len(documents) != file.rows:
        raise InputError(f"{store.path(f'fingerprints/{unit.name}.parquet')} belongs to other documents; delete it and run again")
    row = not_copied(store, unit.params["parts"], file)
    documents = documents.take(pa.array(row))
    texts = normalised(documents["text"])
    shingle = config.dedup.shingle
    values = signatures(texts, num_perm=cut.num_perm, shingle=shingle, seed=config.dedup.seed)
    keys = band_keys(values, cut.bands, cut.rows)
    short = pc.if_else(pc.less_equal(pc.utf8_length(texts), FEW_LETTERS), texts, "")
    few = shingle_sets(short, shingle)
    columns: dict[str, Any] = {
        "row": row.astype(np.int32),
        "doc_id": documents["doc_id"].combine_chunks(),
        "sketch": fixed(sketches(values), cut.num_perm),
        "shingles": pa.LargeListArray.from_arrays(few.starts, pa.array(few.hashes)),
    }
    columns |= {band_column(band): keys[:, band] for band in range(cut.bands)}
    target = f"signatures/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(schema.table(signature_schema(config), columns), out, dictionaries=False)
    counts = Counts(records=len(row), kept=len(row))
    counts.letters["kept"] = pc.sum(documents["letters"]).as_py() or 0
    return Result(counts, [out.written(target)])


def not_copied(store: Store, parts: int, file: File) -> Any:
    """Rows of a file's documents that are no copies."""
    stays = np.ones(file.rows, np.bool_)
    if file.rows:
        copied = copies_between(store, parts, file.first, file.last)["place"].to_numpy()
        stays[copied.astype(np.int64) - file.first] = False
    return np.flatnonzero(stays)


def fixed(values: Any, width: int) -> pa.FixedSizeBinaryArray:
    """Rows of bytes as binaries of that width."""
    raw = pa.py_buffer(np.ascontiguousarray(values).view(np.uint8).reshape(-1))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, raw])


def unfixed(column: pa.ChunkedArray, kind: Any) -> Any:
    """Binaries of one width as an array of numbers, [n, width / size of a number]."""
    whole = column.combine_chunks()
    width = column.type.byte_width
    if not len(column):
        return np.empty((0, width // np.dtype(kind).itemsize), kind)
    raw = np.frombuffer(whole.buffers()[1], np.uint8)[whole.offset * width : (whole.offset + len(whole)) * width]
    return raw.view(kind).reshape(len(whole), -1)


STAGE = Stage("signatures", SIGNATURES, "documents that are no copies", settings, units, work)
