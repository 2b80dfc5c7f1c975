"""All documents numbered through: those of this run by file and row, then those that earlier runs hold.

A document's number is `first` of its file and its row among the documents that pass. Numbers, and not documents, go through the steps
of selection; names of files go to the workers beside a unit (`Unit.reads`), not into its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.stages.deduplicating.earlier import earlier_runs
from seiryu.pipelines.state import State

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


def blocks(files: Sequence[File], most: int) -> dict[str, tuple[File, ...]]:
    """Files in blocks, by name: of one run, at most FILES_A_BLOCK of them, and at most `most` documents unless one file has more."""
    found: list[list[File]] = []
    for file in files:
        block = found[-1] if found else []
        if block and block[0].run == file.run and len(block) < FILES_A_BLOCK and documents(block) + file.rows <= most:
            block.append(file)
        else:
            found.append([file])
    numbers = dict.fromkeys({file.run for file in files}, 0)
    named = {}
    for block in found:
        run = block[0].run
        named[f"earlier-{run}-{numbers[run]:05d}" if run else f"{numbers[run]:05d}"] = tuple(block)
        numbers[run] += 1
    return named


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


class Bits:
    """A flag for each of n documents, an eighth of a byte each."""

    def __init__(self, documents: int) -> None:
        self._bits = np.zeros(documents // 8 + 1, np.uint8)

    def add(self, numbers: NDArray[np.int64]) -> None:
        np.bitwise_or.at(self._bits, numbers >> 3, np.uint8(1) << (numbers & 7).astype(np.uint8))

    def of(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        flags: NDArray[np.bool_] = (self._bits[numbers >> 3] >> (numbers & 7).astype(np.uint8) & 1).astype(np.bool_)
        return flags
