"""All documents numbered through: those of this run by file and row, then those that earlier runs hold.

A document's number is `first` of its file and its row among the documents that pass. Numbers, and not documents, go through the steps
of selection; names of files go to the workers beside a unit (`Unit.reads`), not into its record.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.dedup.meetings import Meetings
from seiryu.pipelines.config import Config
from seiryu.pipelines.stages.deduplicating.earlier import earlier_runs, what_is_held
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import digest

FILES_A_BLOCK = 256


class File(NamedTuple):
    """Documents of one file: `run` 0 is this one, n the n-th of `dedup.against`."""

    run: int
    unit: str
    first: int
    rows: int

    @property
    def last(self) -> int:
        return self.first + self.rows - 1


def files(state: State) -> tuple[File, ...]:
    """All files in the order of their numbers."""
    found, first = [], 0
    rows = [(0, name, done.counts.records) for name, done in state.completed("fingerprints").items()]
    rows += [(place, name, number) for place, run in enumerate(earlier_runs(state), 1) for name, number in run.files]
    for run, name, number in rows:
        found.append(File(run, name, first, number))
        first += number
    return tuple(found)


def documents(files: Iterable[File]) -> int:
    """How many documents there are."""
    return sum(file.rows for file in files)


class Block(NamedTuple):
    """Neighbouring documents of one run, by their numbers, and the files that hold them."""

    name: str
    first: int
    last: int
    files: tuple[File, ...]


def blocks_of_files(files: Iterable[File], most: int) -> list[Block]:
    """Files of this run in blocks of at most FILES_A_BLOCK and, unless one file has more, `most` documents.

    A block is called by its number and a hash of what it holds: other blocks have other names.
    """
    found: list[list[File]] = []
    for file in files:
        block = found[-1] if found else []
        if block and len(block) < FILES_A_BLOCK and documents(block) + file.rows <= most:
            block.append(file)
        else:
            found.append([file])
    return [
        Block(f"{number:05d}-{digest([list(file) for file in block])[:12]}", block[0].first, block[-1].last, tuple(block))
        for number, block in enumerate(found)
    ]


def blocks_of_earlier(files: Sequence[File], most: int) -> list[Block]:
    """Documents of earlier runs in blocks of `most`, wherever files begin: who only counts need not know the files."""
    found = []
    for run in sorted({file.run for file in files} - {0}):
        mine = [file for file in files if file.run == run and file.rows]
        begins = [file.first for file in mine]
        for number, first in enumerate(range(mine[0].first, mine[-1].last + 1, most) if mine else ()):
            last = min(first + most, mine[-1].last + 1) - 1
            holding = mine[bisect_right(begins, first) - 1 : bisect_right(begins, last)]
            found.append(Block(f"earlier-{run}-{number:05d}", first, last, tuple(holding)))
    return found


def member_bytes(config: Config, letters: float) -> int:
    """Memory that a document of so many letters takes where signatures are gathered and settled.

    Its signature and its set, twice, and who it meets.
    """
    cut = config.dedup.banding
    sets = 4 * letters if config.dedup.verify == "exact" else 0
    return int(2 * (8 * cut.bands + cut.num_perm + sets) + 48 * cut.bands + 400)


def mean_letters(state: State) -> float:
    """Letters of a document that has a signature."""
    signed = state.counts("signatures")
    return signed.letters["kept"] / signed.records if signed.records else 0.0


def stretches(config: Config, number: int, bytes_each: int) -> int:
    """How many units share `number` things of that many bytes."""
    return config.dedup.partitions or max(1, ceil(number * bytes_each / config.dedup.memory))


def stores(store: Store, config: Config) -> list[Store]:
    """Where the files of each run lie, by `File.run`."""
    return [store, *(Store(path) for path in config.dedup.against)]


def numbering(state: State) -> dict[str, Any]:
    """What decides which document has which number, for the inputs of all units that read or write numbers."""
    return {"fingerprints": identity(state.completed("fingerprints"))} | what_is_held(state)


def read_of(places: Sequence[Store], file: File, folder: str, wanted: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """A table of a file, wherever its run lies. InputError as `read_table`; of an earlier run it says that it is one."""
    try:
        return schema.read_table(places[file.run], f"{folder}/{file.unit}.parquet", wanted, columns)
    except InputError as error:
        if not file.run:
            raise
        raise InputError(f"{error}: in an earlier run (dedup.against), so bring it back, or take that run out") from error


def held(places: Sequence[Store], file: File, doc_id: pa.ChunkedArray) -> pa.BooleanArray:
    """Which of an earlier run's documents it still holds in the end."""
    corpus = read_of(places, file, "corpus", schema.CORPUS, ["doc_id"])
    found: pa.BooleanArray = pc.is_in(doc_id, corpus["doc_id"]).combine_chunks()
    return found


def write_meetings(store: Store, name: str, meetings: Meetings) -> Any:
    """Write who meets whom, bucket by bucket."""
    table = schema.table(schema.MEETINGS, {"number": pa.array(meetings[0]), "bucket": pa.array(meetings[1])})
    with store.writing(name) as out:
        schema.write_table(table, out, dictionaries=False)
    return out.written(name)


def read_meetings(store: Store, name: str) -> Meetings:
    """What `write_meetings` wrote."""
    table = schema.read_table(store, name, schema.MEETINGS)
    return table["number"].to_numpy(), table["bucket"].to_numpy()


class Bits:
    """A flag for each of n documents, an eighth of a byte each."""

    def __init__(self, documents: int) -> None:
        self._bits = np.zeros(documents // 8 + 1, np.uint8)

    def add(self, numbers: NDArray[np.int64]) -> None:
        np.bitwise_or.at(self._bits, numbers >> 3, np.uint8(1) << (numbers & 7).astype(np.uint8))

    def of(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        flags: NDArray[np.bool_] = (self._bits[numbers >> 3] >> (numbers & 7).astype(np.uint8) & 1).astype(np.bool_)
        return flags
