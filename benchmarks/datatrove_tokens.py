"""datatrove's step that tokenizes for Megatron beside ours, on the same texts: from texts in memory to `.bin` and `.idx`.

Each run is a process of its own (`python -m benchmarks.datatrove_tokens TASK FOLDER`) with one thread; the clock starts when the
tokenizer is loaded. datatrove's is MegatronDocumentTokenizer, called without an executor, with Llama 3's vocabulary in Hugging Face's
form, which is made here of its ranks: a token may come of any two that make it. Ours is `encode_batch` and the Megatron format's
writer. Both must come to the same ids. datatrove is no part of seiryu; what to install is requirements/bench.txt.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.inputs import ROOT, Inputs
from benchmarks.timing import Figure
from benchmarks.tokens import batch_of, write
from seiryu.corpus.formats.shard import Vocabulary
from seiryu.corpus.storage import Store
from seiryu.corpus.tokenizers import load_tokenizer, loading
from seiryu.corpus.tokenizers.llama import LLAMA3
from seiryu.corpus.tokenizers.tiktoken_file import read_ranks

ROUNDS = 3
LETTERS, TEXTS, COPIES = 1700, 1500, 3
LAST = "<|end_of_text|>"
WANTED = ("datatrove", "tokenizers")
INSTALL = "pip install --only-binary :all: --requirement requirements/bench.txt"


def figures(inputs: Inputs) -> Iterator[Figure]:
    if missing := [name for name in WANTED if not importlib.util.find_spec(name)]:
        print(f"left out, {', '.join(missing)} not installed: {INSTALL}", file=sys.stderr)
        return
    texts = inputs.texts(LETTERS, TEXTS) * COPIES
    found: dict[str, list[float]] = {"ours": [], "datatrove": []}
    sums = set()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "texts.json").write_text(json.dumps(texts))
        Path(folder, "tokenizer.json").write_text(as_hugging_face())
        for _ in range(ROUNDS):
            for task, seconds in found.items():
                told = run(task, folder)
                seconds.append(told["seconds"])
                sums.add(told["sha256"])
    if len(sums) != 1:
        raise RuntimeError("datatrove and seiryu came to other ids")
    letters = sum(map(len, texts)) / 1e6
    rates = {task: [letters / each for each in seconds] for task, seconds in found.items()}
    ratio = median(theirs / ours for theirs, ours in zip(found["datatrove"], found["ours"], strict=True))
    yield Figure(
        "texts to .bin and .idx, one thread", median(rates["ours"]), "M letters/s", min(rates["ours"]), max(rates["ours"]),
        "datatrove, MegatronDocumentTokenizer", median(rates["datatrove"]), ratio,
    )  # fmt: skip


def run(task: str, folder: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.datatrove_tokens", task, folder]
    one = {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ | one)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def as_hugging_face() -> str:
    """Llama 3's vocabulary as a tokenizer.json: which two pieces make each token is what merging by lower ranks comes to."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    path = loading.file_of(LLAMA3)
    ranks = read_ranks(path.read_bytes(), str(path))
    letters = letter_of_byte()
    named = {token: "".join(letters[byte] for byte in token) for token in ranks}
    merges = [(named[left], named[right]) for token in ranks for left, right in halves(token) if left in ranks and right in ranks]
    made = Tokenizer(models.BPE({named[token]: rank for token, rank in ranks.items()}, merges, ignore_merges=True))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3.pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(list(LLAMA3.special))
    text: str = made.to_str()
    return text


def letter_of_byte() -> list[str]:
    """The letter that stands for each byte in Hugging Face's byte-level vocabularies."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = iter(range(0x100, 0x200))
    return [chr(byte if byte in shown else next(rest)) for byte in range(256)]


def halves(token: bytes) -> Iterator[tuple[bytes, bytes]]:
    """All ways to cut a token in two."""
    return ((token[:i], token[i:]) for i in range(1, len(token)))


def ours(texts: list[str], folder: str) -> tuple[float, bytes]:
    loaded = load_tokenizer("llama3")
    vocabulary = Vocabulary(loaded.vocab_size, loaded.eod)
    begin = time.perf_counter()
    ids = [np.append(row, loaded.eod) for row in loaded.encode_batch(texts)]
    write(Store(folder), "megatron", batch_of(ids, texts, vocabulary), vocabulary)
    return time.perf_counter() - begin, Path(folder, "shards/megatron/train-00000-of-00001.bin").read_bytes()


def datatroves(texts: list[str], folder: str) -> tuple[float, bytes]:
    from datatrove.data import Document
    from datatrove.pipeline.tokens import MegatronDocumentTokenizer

    step = MegatronDocumentTokenizer(f"{folder}/theirs", tokenizer_name_or_path=f"{folder}/tokenizer.json", eos_token=LAST)
    documents = [Document(text, str(i)) for i, text in enumerate(texts)]
    step.tokenizer.encode("温める")  # which loads it
    begin = time.perf_counter()
    step.run(iter(documents))
    seconds = time.perf_counter() - begin
    return seconds, next(Path(folder, "theirs").glob("*.bin")).read_bytes()


if __name__ == "__main__":
    task, folder = sys.argv[1:]
    taken, data = {"ours": ours, "datatrove": datatroves}[task](json.loads(Path(folder, "texts.json").read_text()), folder)
    print(json.dumps({"seconds": taken, "sha256": hashlib.sha256(data).hexdigest()}))
