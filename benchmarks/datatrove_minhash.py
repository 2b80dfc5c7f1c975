"""datatrove's four MinHash stages beside ours, on the same texts: 500 real pages and an edited version of each.

Each run is a process of its own (`python -m benchmarks.datatrove_minhash TASK BANDS ROWS FILE`) with one thread. The clock starts
when texts are in memory and imports, dictionaries and kernels are warm, and stops when it is known which stay. Ours is
`near_duplicates`: normal form, signatures, bands, choice, with each removal verified by exact similarity, or none. datatrove's
are MinhashDedupSignature, -Buckets, -Cluster and -Filter, called one after the other without an executor, their
files in a temporary folder. datatrove counts n-grams of words, so it runs twice:

- letters: on our normal form, with a tokenizer that makes each letter a word and its own simplification off: the same shingles
  as ours. The normal form is ready before its clock starts, and part of our time.
- words: as it comes, with language `jpn`: its simplification, spaCy with Sudachi, 5-grams of words.

datatrove verifies nothing and keeps one document of each connected component, whichever is its root, where we keep the best.
So documents found to have a duplicate are compared, not those that are removed. What each choice is worth tells brute
force over letters: removed documents that none of those kept is 0.8 alike. datatrove is no part of seiryu; what to install
is the extra `bench` of pyproject.toml.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from benchmarks.inputs import ROOT, Inputs
from benchmarks.near_duplicates import THRESHOLD, Known, chosen_pages, compared
from benchmarks.timing import Figure
from seiryu.dedup.bands import FINEWEB, SWALLOW, Banding
from seiryu.dedup.in_memory import Near, near_duplicates
from seiryu.dedup.normal import normal

PAGES = 500
ROUNDS = 3  # of ours, which takes less than a second
WANTED = ("datatrove", "spacy", "sudachipy", "tokenizers", "xxhash")
INSTALL = "pip install --only-binary :all: --requirement requirements/bench.txt"
TASKS = [("letters", FINEWEB), ("words", FINEWEB), ("letters", SWALLOW)]
WARM = ["最初の一回は、辞書や核を読むのに時間がかかる。", "二回目からは速い。"]


@dataclass(frozen=True, slots=True)
class Found:
    """What one run did: documents removed, and documents with a duplicate, kept or not."""

    seconds: float
    removed: list[int]
    grouped: list[int]


def figures(inputs: Inputs) -> Iterator[Figure]:
    if missing := [name for name in WANTED if not importlib.util.find_spec(name)]:
        print(f"left out, {', '.join(missing)} not installed: {INSTALL}", file=sys.stderr)
        return
    known = compared(chosen_pages(inputs, PAGES))
    number = len(known.texts)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "texts.json"
        file.write_text(json.dumps(known.texts), encoding="utf-8")
        ours: dict[Banding, dict[str, Found]] = {}
        for task, banding in TASKS:
            if banding not in ours:
                ours[banding] = {verify: median_of(ROUNDS, verify, banding, file) for verify in ("exact", "none")}
            theirs = child(task, banding, file)
            yield from beside(f"{banding.bands} x {banding.rows}", f"datatrove, {task}", number, ours[banding], theirs, known)


def beside(name: str, other: str, number: int, ours: dict[str, Found], theirs: Found, known: Known) -> Iterator[Figure]:
    exact, unverified = ours["exact"], ours["none"]
    what = f"{name}, {number:,} texts"
    ratio = theirs.seconds / exact.seconds
    yield Figure(what, exact.seconds, "s", against=other, other=theirs.seconds, ratio=ratio)
    yield Figure(what, number / exact.seconds, "texts/s", against=other, other=number / theirs.seconds, ratio=ratio)
    ratio = theirs.seconds / unverified.seconds
    yield Figure(
        f"{what}, not verified", number / unverified.seconds, "texts/s", against=other, other=number / theirs.seconds, ratio=ratio
    )
    for label, own in ((what, exact), (f"{what}, not verified", unverified)):
        yield Figure(f"{label}: removed", len(own.removed), "texts", against=other, other=len(theirs.removed))
        lost = orphans(theirs, known)
        yield Figure(f"{label}: of them none as alike stays", orphans(own, known), "texts", against=other, other=lost)
        both = len(set(own.grouped) & set(theirs.grouped))
        yield Figure(f"{label}: with a duplicate, to both", both, "texts")
        yield Figure(f"{label}: to one only", len(own.grouped) - both, "texts", against=other, other=len(theirs.grouped) - both)


def orphans(found: Found, known: Known) -> int:
    """Removed documents to which no document that was kept is as alike as the threshold."""
    removed, represented = set(found.removed), set()
    columns = (known.pairs.low.tolist(), known.pairs.high.tolist(), known.pairs.similarity.tolist())
    for low, high, similarity in zip(*columns, strict=True):
        if similarity >= THRESHOLD:
            represented |= {high} if low not in removed else set()
            represented |= {low} if high not in removed else set()
    return len(removed - represented)


def median_of(rounds: int, task: str, banding: Banding, file: Path) -> Found:
    return sorted((child(task, banding, file) for _ in range(rounds)), key=lambda found: found.seconds)[rounds // 2]


def child(task: str, banding: Banding, file: Path) -> Found:
    command = [sys.executable, "-m", "benchmarks.datatrove_minhash", task, str(banding.bands), str(banding.rows), str(file)]
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TQDM_DISABLE": "1",
        "LOGURU_LEVEL": "WARNING",
    }
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, env=environment)
    return Found(**json.loads(done.stdout.splitlines()[-1]))


def ours(texts: list[str], near: Near) -> Found:
    begin = time.perf_counter()
    survivor = near_duplicates(pa.array(texts), near=near).survivor.tolist()
    seconds = time.perf_counter() - begin
    removed = [row for row, stays in enumerate(survivor) if stays != row]
    return Found(seconds, removed, sorted({*removed, *(survivor[row] for row in removed)}))


def datatrove(texts: list[str], banding: Banding, words: bool) -> Found:
    """By words: its own simplification and tokenizer for Japanese. Else by letters, of texts that are simple already."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.utils.text import TextNormConfig
    from datatrove.utils.word_tokenizers import WordTokenizer, load_word_tokenizer

    class Letters(WordTokenizer):
        word_tokenize = sent_tokenize = list
        span_tokenize = None

    simplify = TextNormConfig() if words else TextNormConfig(*[False] * 7)
    config = MinhashConfig(n_grams=5, num_buckets=banding.bands, hashes_per_bucket=banding.rows, norm_config=simplify)
    tokenizer = load_word_tokenizer("jpn") if words else Letters()
    tokenizer.word_tokenize(WARM[0])
    documents = [Document(text=text, id=str(number)) for number, text in enumerate(texts)]
    with TemporaryDirectory() as folder:
        begin = time.perf_counter()
        MinhashDedupSignature(f"{folder}/signatures", config, tokenizer).run(documents)
        buckets = MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/pairs", config=config)
        for bucket in range(banding.bands):
            buckets.run(None, bucket, banding.bands)
        MinhashDedupCluster(f"{folder}/pairs", f"{folder}/removed", config, save_cluster_id=True).run(None, 0, 1)
        kept = list(MinhashDedupFilter(f"{folder}/removed", load_cluster_ids=True).run(documents))
        seconds = time.perf_counter() - begin
    removed = set(range(len(texts))).difference(int(document.id) for document in kept)
    with_others = {int(document.id) for document in kept if document.metadata["minhash_cluster_id"] >= 0}
    return Found(seconds, sorted(removed), sorted(removed | with_others))


def measure(task: str, banding: Banding, texts: list[str]) -> Found:
    """One run in this process."""
    if task in ("letters", "words"):
        return datatrove(texts if task == "words" else list(map(normal, texts)), banding, task == "words")
    near = Near(banding, THRESHOLD, task)
    ours(WARM * 3, near)
    return ours(texts, near)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[4]).read_text(encoding="utf-8"))
    print(json.dumps(asdict(measure(sys.argv[1], Banding(int(sys.argv[2]), int(sys.argv[3])), given))))
