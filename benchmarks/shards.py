"""The stages that make shards: tokenizing on two Ray workers beside two bare processes, and what merging many small parts takes.

- tokenize: the stage as it runs, with tables, keys, files and sidecars, beside two processes that hold the same texts in memory and do
  nothing but `encode_ordinary_batch`, one thread each. Ray is up and all have loaded the vocabulary before the clock starts.
- merge: the stage `shards` over 10, 100 and 1,000 parts that hold the same sequences in all, in a fresh process each; its peak of
  memory above what it had when everything was imported.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.inputs import ROOT, Inputs
from benchmarks.select import memory
from benchmarks.timing import Figure
from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.corpus.tokenizers import load_tokenizer
from seiryu.pipelines.config import Config, Engine
from seiryu.pipelines.shard_config import Shards, Tokenize
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.stages import shards, splits, tokenize
from seiryu.pipelines.unit import Unit

FILES, LETTERS = 16, 1_500_000  # files of the corpus, letters in each
ROUNDS = 5
PARTS = (10, 100, 1000)
SEQUENCES, TOKENS = 40_000, 1000  # merged, and the mean length of one: 160 MB of ids


def figures(inputs: Inputs) -> Iterator[Figure]:
    yield from tokenizing(inputs)
    yield from merging()


def config_of(run: str, **tokenized: Any) -> Config:
    return Config(run=run, source=Files(kind="files", paths=("none",)), tokenize=Tokenize(**tokenized),
                  shards=Shards(tokens=10**12), engine=Engine(workers=2))  # fmt: skip


def corpus_of(texts: list[str], begin: int) -> pa.Table:
    """A corpus file of these texts."""
    n = len(texts)
    ids = [f"{begin + i:032x}" for i in range(n)]
    columns: dict[str, Any] = {
        "doc_id": ids, "url": [f"https://example.jp/{i}" for i in ids], "host": ["example.jp"] * n, "site": ["example.jp"] * n,
        "title": ["題"] * n, "text": texts, "crawl_date": [datetime(2025, 1, 1, tzinfo=UTC)] * n, "warc": ["a.warc.gz"] * n,
        "warc_offset": range(n), "payload_digest": ["sha1:x"] * n, "letters": [len(text) for text in texts],
        "japanese_share": [0.9] * n, "language_score": [1.0] * n, "duplicates": [0] * n, "contaminated": [""] * n, "cluster": ids,
    }  # fmt: skip
    return schema.table(schema.CORPUS, columns)


def tokenizing(inputs: Inputs) -> Iterator[Figure]:
    from seiryu.pipelines.engine.cluster import cluster
    from seiryu.pipelines.engine.running import run_units
    from seiryu.pipelines.stages import tokenize

    texts, size = inputs.texts(1700, 2000), LETTERS // 1700
    files = [[texts[(start * size + i) % len(texts)][start:] for i in range(size)] for start in range(FILES)]
    letters = sum(len(text) for file in files for text in file)
    seconds: dict[str, list[float]] = {"stage": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder:
        store, config = Store(folder), config_of(folder, unit_letters=LETTERS)
        for number, file in enumerate(files):
            with store.writing(f"corpus/{number:04d}.parquet") as out:
                schema.write_table(corpus_of(file, number * 10**6), out)
        units = [Unit("tokenize", f"{n:04d}", {"files": f"{n:04d}"}, {"corpus": ""}, reads=(f"{n:04d}",)) for n in range(FILES)]
        bare = [Bare([text for file in files[half::2] for text in file]) for half in range(2)]
        with cluster(config):
            for turn in range(-1, ROUNDS):
                begin = time.perf_counter()
                progress = run_units(tokenize.STAGE, units, config, lambda *_: None)
                middle = time.perf_counter()
                for process in bare:
                    process.begin()
                for process in bare:
                    process.wait()
                end = time.perf_counter()
                if progress.set_aside:
                    raise RuntimeError(str(progress.set_aside))
                if turn >= 0:
                    seconds["stage"].append(middle - begin)
                    seconds["bare"].append(end - middle)
        for process in bare:
            process.end()
    rates = [letters / 1e6 / each for each in seconds["stage"]]
    ratio = median(theirs / ours for theirs, ours in zip(seconds["bare"], seconds["stage"], strict=True))
    yield Figure(
        f"stage tokenize, 2 workers, {FILES} files", median(rates), "M letters/s", min(rates), max(rates),
        "2 processes, encode_ordinary_batch", median(letters / 1e6 / each for each in seconds["bare"]), ratio,
    )  # fmt: skip


class Bare:
    """A process that holds texts and encodes them when it is told to."""

    def __init__(self, texts: list[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=bare_main, args=(theirs, texts))
        self._process.start()
        self.wait()

    def begin(self) -> None:
        self._ours.send(True)

    def wait(self) -> None:
        self._ours.recv()

    def end(self) -> None:
        self._ours.send(False)
        self._process.join()


def bare_main(pipe: Any, texts: list[str]) -> None:
    encoding = load_tokenizer("llama3").encoding  # type: ignore[attr-defined]
    pipe.send(0)
    while pipe.recv():
        encoding.encode_ordinary_batch(texts, num_threads=1)
        pipe.send(0)


def merging() -> Iterator[Figure]:
    sizes = 0
    for parts in PARTS:
        with tempfile.TemporaryDirectory() as folder:
            sizes = write_parts(Store(folder), parts)
            command = [sys.executable, "-m", "benchmarks.shards", folder, str(parts)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        what = f"merging {parts:,} parts, {SEQUENCES:,} sequences, {sizes / 1e6:.0f} MB"
        yield Figure(f"{what}: memory", told["peak"] / 1e6, "MB")
        yield Figure(f"{what}: rate", sizes / 1e6 / told["seconds"], "MB/s")


def write_parts(store: Store, parts: int) -> int:
    """The token files of many parts, as `tokenize` leaves them, with the same ids in all however many they are; their bytes."""
    random = np.random.default_rng(3)
    config, size, begin = config_of(store.root), 0, 0
    known = tokenize.vocabulary(config)
    for part in range(parts):
        n = SEQUENCES * (part + 1) // parts - begin
        ids = [random.integers(0, 128_000, int(length)) for length in random.integers(TOKENS // 2, TOKENS * 3 // 2, n)]
        documents = corpus_of(["字"] * n, begin).append_column("times", pa.array(np.ones(n)))
        written = tokenize.write(store, f"{part:05d}", documents, ids, known, config)
        size += next(each.size for each in written if each.name.endswith(".ids"))
        begin += n
    unit = Unit("splits", "all", {}, {}, reads=tuple(f"{part:05d}" for part in range(parts)))
    splits.work(unit, config, store)
    return size


def merge(folder: str, parts: int) -> None:
    """In a fresh process: the stage's work on one shard, once small for what is imported at first use, then measured."""
    store, config = Store(folder), config_of(folder)
    reads = tuple(f"{part:05d}" for part in range(parts))

    def make(of: int) -> None:
        shards.work(
            Unit("shards", f"train-00000-of-{of:05d}", {"split": "train", "index": 0, "shards": of}, {}, reads=reads),
            config,
            store,
        )

    make(1000)
    before, begin = memory("VmHWM"), time.perf_counter()
    make(1)
    seconds = time.perf_counter() - begin
    print(json.dumps({"peak": memory("VmHWM") - before, "seconds": seconds}))


if __name__ == "__main__":
    merge(sys.argv[1], int(sys.argv[2]))
