"""Final documents in, token ids out, each document at its place in the global order: one unit is some corpus files.

The order is that of a keyed hash of the doc_id, so it is the same for any number of files and workers; another such hash of what is to
be kept together is the order in which splits are filled. Ids lie in the global order in one flat file, and so do texts if a format
asks for them; the table beside tells where, so that a shard reads one stretch of each file. A document that stands in train more than
once has a row for each copy, and its ids once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.formats import FORMATS
from seiryu.corpus.formats.shard import Ids, Vocabulary
from seiryu.corpus.shard_schema import SEQUENCES
from seiryu.corpus.storage import Store, Written
from seiryu.corpus.tokenizers import Tokenizer, TokenizerError
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import read_signals, to_measure, tokenizer
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit, digest

_ROW_GROUP = 4096


def units(state: State) -> list[Unit]:
    cleaned, annotated = state.completed("clean"), state.completed("annotate")
    weighs = _signal(state.config)
    made = []
    for files in _gathered(
        {name: done.counts.letters["kept"] for name, done in cleaned.items()}, state.config.tokenize.unit_letters
    ):
        inputs = {"corpus": identity({name: cleaned[name] for name in files})}
        if weighs:
            inputs["signals"] = identity({name: annotated[name] for name in files})
        made.append(Unit("tokenize", files[0], {"files": digest(files)}, inputs, reads=tuple(files)))
    return made


def _gathered(letters: dict[str, int], most: int) -> list[list[str]]:
    """Neighbouring files in lots of `most` letters, unless one file has more. A lot is called by its first file."""
    lots: list[list[str]] = []
    held = 0
    for name, size in letters.items():
        if lots and held + size <= most:
            lots[-1].append(name)
            held += size
        else:
            lots.append([name])
            held = size
    return lots


def settings(config: Config) -> dict[str, Any]:
    chosen, loaded = config.shards, tokenizer(config.tokenize)
    return {
        "tokenizer": loaded.sha256, "eod": loaded.eod, "bos": vocabulary(config).bos, "seed": chosen.seed,
        "keep_together": chosen.keep_together, "repeat": chosen.repeat and chosen.repeat.model_dump(mode="json"),
        "texts": with_texts(config),
    }  # fmt: skip


def vocabulary(config: Config) -> Vocabulary:
    """Which ids the shards of a config hold."""
    loaded = tokenizer(config.tokenize)
    name = loaded.name.rstrip("/").rpartition("/")[2]
    return Vocabulary(loaded.vocab_size, loaded.eod, loaded.bos if config.tokenize.bos else None, name)


def with_texts(config: Config) -> bool:
    """Whether a format asks for texts."""
    return any(FORMATS[name].needs_text for name in config.shards.formats)


def shuffle_key(doc_id: str, seed: str, copy: int = 0) -> int:
    """Place of a document in the global order: the first 64 bits of BLAKE2b of its doc_id, keyed with the seed."""
    return _hash(f"{doc_id} {copy}" if copy else doc_id, seed, b"order")


def split_key(together: str, seed: str) -> int:
    """Place of what is kept together in the order in which splits are filled, by another such hash."""
    return _hash(together, seed, b"split")


def _hash(name: str, seed: str, what: bytes) -> int:
    key = hashlib.blake2b(seed.encode(), digest_size=32).digest()
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, key=key, person=what).digest(), "big")


def work(unit: Unit, config: Config, store: Store) -> Result:
    loaded, known = tokenizer(config.tokenize), vocabulary(config)
    counts, tables, encoded, lost = Counts(), [], [], []
    for name in unit.reads:
        documents = schema.read_table(store, f"corpus/{name}.parquet", schema.CORPUS)
        documents = documents.append_column("times", pa.array(_times(store, config, name, documents)))
        ids, why = encode(loaded, documents["text"].to_pylist())
        good = pa.array([not reason for reason, _ in why], pa.bool_())
        tables.append(documents.filter(good))
        encoded += [here for here, (reason, _) in zip(ids, why, strict=True) if not reason]
        lost.append(_lost(documents, why))
        counts.add(Counts(records=len(documents), kept=pc.sum(good).as_py() or 0))
        for reason, _ in why:
            if reason:
                counts.failed[reason] += 1
    outputs = write(store, unit.name, pa.concat_tables(tables), encoded, known, config)
    failed = pa.concat_tables(lost)
    if len(failed):
        target = f"ledger/tokenize/{unit.name}.parquet"
        with store.writing(target) as out:
            schema.write_table(failed, out)
        outputs.append(out.written(target))
    counts.extra["tokens"] = sum(map(len, encoded)) + len(encoded) * (1 + (known.bos is not None))
    return Result(counts, outputs)


def write(store: Store, name: str, documents: pa.Table, ids: list[Ids], known: Vocabulary, config: Config) -> list[Written]:
    """Documents of `schema.CORPUS`, with `times` each is to stand in train, and their ids, to the files of a unit."""
    table, order = _table(documents, ids, known, config)
    outputs = [_ids(store, name, known, [ids[row] for row in order])]
    if with_texts(config):
        outputs.append(_texts(store, name, documents["text"].take(pa.array(order, pa.int64()))))
    target = f"tokens/{name}.parquet"
    with store.writing(target) as out:
        pq.write_table(
            table, out, compression="zstd", compression_level=3, row_group_size=_ROW_GROUP, write_page_checksum=True,
            use_dictionary=["warc", "host", "contaminated", "copy", "duplicates"],
        )  # fmt: skip
    return [*outputs, out.written(target)]


def encode(loaded: Tokenizer, texts: Sequence[str]) -> tuple[Sequence[Ids], list[tuple[str, str]]]:
    """The ids of each text, and why it can be no sequence: (reason, detail), empty if it can."""
    encoded = loaded.encode_each(texts)
    ids = [np.empty(0, np.int32) if isinstance(found, TokenizerError) else found for found in encoded]
    why = [("not_encodable", str(found)) if isinstance(found, TokenizerError) else ("", "") for found in encoded]
    for i, found in enumerate(ids):
        if not why[i][0] and not len(found):
            why[i] = ("no_tokens", f"{loaded.name} makes no token of it")
        elif (found == loaded.eod).any():
            why[i] = ("holds_end_of_document", f"{loaded.name} makes {loaded.eod} of a part of the text")
    return ids, why


def _lost(documents: pa.Table, why: list[tuple[str, str]]) -> pa.Table:
    """The rows of the ledger for what cannot be a sequence."""
    rows = [i for i, (reason, _) in enumerate(why) if reason]
    taken = documents.take(pa.array(rows, pa.int64()))
    columns = {name: taken[name].combine_chunks() for name in ("warc", "warc_offset", "url")}
    columns |= {"warc_length": [0] * len(rows), "reason": [why[i][0] for i in rows], "detail": [why[i][1] for i in rows]}
    return schema.table(schema.LEDGER, columns)


def _signal(config: Config) -> str:
    """The signal that says how often documents are repeated; empty if none does, or the number of duplicates."""
    repeat = config.shards.repeat
    return repeat.by if repeat and repeat.by != "duplicates" else ""


def _times(store: Store, config: Config, name: str, documents: pa.Table) -> npt.NDArray[np.float64]:
    """How often each document of a file is to stand in train."""
    repeat, times = config.shards.repeat, np.ones(len(documents))
    if not repeat:
        return times
    if signal := _signal(config):
        table = read_signals(store, to_measure(config), name, ["doc_id", signal])
        rows = pc.index_in(documents["doc_id"], table["doc_id"])
        if rows.null_count:
            raise InputError(f"{store.path(f'signals/{name}.parquet')} belongs to other documents; delete it and run again")
        values = table[signal].take(rows).to_numpy()
    else:
        values = documents[repeat.by].to_numpy()
    for least, wanted in repeat.steps:
        times[values >= least] = wanted
    return times


def _table(documents: pa.Table, ids: list[Ids], known: Vocabulary, config: Config) -> tuple[pa.Table, list[int]]:
    """The rows of `SEQUENCES`, and the documents in the order in which their ids lie in the file."""
    seed, doc_ids, more = config.shards.seed, documents["doc_id"].to_pylist(), 1 + (known.bos is not None)
    together = documents[{"document": "doc_id"}.get(config.shards.keep_together, config.shards.keep_together)].to_pylist()
    times = documents["times"].to_pylist()
    keys = [
        (shuffle_key(doc_id, seed, copy), doc_id, copy, row)
        for row, doc_id in enumerate(doc_ids)
        for copy in range(_copies(doc_id, times[row], seed))
    ]
    keys.sort()
    order = [row for _, _, copy, row in keys if not copy]
    lengths = np.array([len(found) + more for found in ids], np.int64)
    sizes = (
        pc.binary_length(documents["text"]).to_numpy().astype(np.int64) if with_texts(config) else np.zeros(len(ids), np.int64)
    )
    rows = np.array([row for *_, row in keys], np.int64)
    splits = np.array([split_key(name, seed) for name in together], np.uint64)
    columns: dict[str, Any] = {
        "shuffle_key": np.array([key for key, *_ in keys], np.uint64), "split_key": splits[rows],
        "copy": np.array([copy for _, _, copy, _ in keys], np.int16),
        "start": _starts(lengths, order)[rows], "tokens": lengths[rows].astype(np.int32),
        "text_start": _starts(sizes, order)[rows], "text_bytes": sizes[rows],
    }  # fmt: skip
    told = [name for name in SEQUENCES.names if name not in columns]
    taken = documents.select(told).take(pa.array(rows))
    columns |= {name: taken[name].combine_chunks() for name in told}
    return schema.table(SEQUENCES, columns), order


def _copies(doc_id: str, times: float, seed: str) -> int:
    """How often a document stands in train; of a fraction, a hash says whether it counts for this one."""
    whole = int(times)
    return whole + (times > whole and _hash(doc_id, seed, b"times") < (times - whole) * 2**64)


def _starts(sizes: npt.NDArray[np.int64], order: list[int]) -> npt.NDArray[np.int64]:
    """Where each begins if they lie in this order."""
    starts = np.zeros(len(sizes), np.int64)
    starts[order] = np.cumsum(sizes[order]) - sizes[order]
    return starts


def _ids(store: Store, name: str, known: Vocabulary, ids: list[Ids]) -> Written:
    """All ids one after the other, each document with its end, and its begin if that is asked for."""
    begin = [] if known.bos is None else [np.array([known.bos])]
    end = np.array([known.eod])
    flat = [part for found in ids for part in (*begin, found, end)]
    target = f"tokens/{name}.ids"
    with store.writing(target) as out:
        out.write(np.concatenate([np.empty(0, known.dtype), *flat], dtype=known.dtype, casting="unsafe"))
    return out.written(target)


def _texts(store: Store, name: str, texts: pa.ChunkedArray) -> Written:
    target = f"tokens/{name}.txt"
    with store.writing(target) as out:
        for text in texts:
            out.write(text.as_buffer())
    return out.written(target)


STAGE = Stage("tokenize", 2, "documents", settings, units, work)
