"""How much of a page's main text each extractor finds, and how much else it brings along, against the gold texts of the labels.

F1 of the multisets of character 5-grams, white space taken out; a page counts once, however long. The 5-gram is the near-duplicate
test's own unit; a lost sentence costs its share and a moved one nothing, while order is no fault of either extractor.
A longest common subsequence would count letters as well, but its work grows with the product of both lengths.

Grade B is the template's content element; C is loose, so only its recall means anything. What is scored and timed is the text as a
document gets it, with what the extractor needs done before and after it.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.inputs import MAX_PAGE, Inputs, evenly
from benchmarks.timing import Figure
from seiryu.corpus import extraction
from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.corpus.decoding.charset import decode

EXTRACTORS: dict[str, Callable[[str], str]] = {
    name: partial(extraction.main_text, extractor=name) for name in extraction.EXTRACTORS
}
MOST = 700  # pages of grade B that are measured, evenly over a folder
_MIX = np.array([1, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], dtype=np.uint64)
Grams = tuple[np.ndarray, np.ndarray]  # distinct 5-grams as 64-bit sums, and how often each occurs


class Score(NamedTuple):
    """Of one page or as a mean of pages, each from 0 to 1."""

    f1: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class GoldPage:
    html: str
    gold: str
    grade: str
    japanese: bool
    url: str


@dataclass(frozen=True, slots=True)
class Result:
    """What one extractor made of the pages, in their order."""

    texts: list[str]
    scores: list[Score]
    seconds: float


def figures(inputs: Inputs) -> Iterator[Figure]:
    pages = gold_pages(inputs.folder, MOST)
    for name, extractor in EXTRACTORS.items():
        extraction.prepare(name)
        result = measured(pages, extractor)
        for group, mean in means(pages, result.scores).items():
            for what, value in mean.items():
                yield Figure(f"{name}, {inputs.folder.name}, {group}: {what}", value, "")
        yield Figure(f"{name}, {inputs.folder.name}, a page", 1e3 * result.seconds / len(pages), "ms")


def gold_pages(folder: Path, most: int | None = None) -> list[GoldPage]:
    """The pages of a folder whose labels hold a gold text, in the order of the archives; `most` of grade B, chosen evenly."""
    with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row.get("gold_text")]
    rows.sort(key=lambda row: (row["warc"], row["offset"]))
    of_template, others = [row for row in rows if row["gold_grade"] == "B"], [row for row in rows if row["gold_grade"] != "B"]
    chosen = {(row["warc"], row["offset"]): row for row in [*evenly(of_template, most or len(rows)), *others]}
    return [page for path in sorted(folder.glob("*.warc.gz")) for page in _of_archive(path, chosen)]


def _of_archive(path: Path, rows: dict[tuple[str, int], dict[str, Any]]) -> Iterator[GoldPage]:
    with path.open("rb") as file:
        for record in raw_records(file, path.name, MAX_PAGE):
            row = rows.get((path.name, record.offset))
            if row and isinstance(record, RawRecord):
                page = read_page(record)
                html = decode(payload(page, MAX_PAGE), page.charset).text
                yield GoldPage(html, row["gold_text"], row["gold_grade"], row["lang"] == "ja", row["url"])


def measured(pages: list[GoldPage], extractor: Callable[[str], str]) -> Result:
    """Texts and scores of the pages; a page that occurs again is not extracted again, and takes the seconds of the first."""
    known: dict[str, tuple[str, float]] = {}
    for page in pages:
        if page.html not in known:
            begin = time.perf_counter()
            text = extractor(page.html)
            known[page.html] = text, time.perf_counter() - begin
    texts = [known[page.html][0] for page in pages]
    scores = [score(page.gold, text) for page, text in zip(pages, texts, strict=True)]
    return Result(texts, scores, sum(known[page.html][1] for page in pages))


def means(pages: list[GoldPage], scores: list[Score]) -> dict[str, dict[str, float]]:
    """By group of pages, as `B ja` (Japanese pages of grade B) and `B all`: the mean of each figure that the grade allows."""
    found = {}
    for grade in sorted({page.grade for page in pages}):
        for group, any_language in (("ja", False), ("all", True)):
            of_group = [
                values
                for page, values in zip(pages, scores, strict=True)
                if page.grade == grade and (page.japanese or any_language)
            ]
            if of_group:
                mean = Score(*np.mean(of_group, axis=0).tolist())._asdict()
                found[f"{grade} {group}"] = {"recall": mean["recall"]} if grade == "C" else mean
    return found


def score(gold: str, text: str) -> Score:
    """5-grams that both texts hold, over those of the text (precision) and of the gold (recall)."""
    (ours, our_counts), (theirs, their_counts) = grams(text), grams(gold)
    _, of_ours, of_theirs = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    shared = float(np.minimum(our_counts[of_ours], their_counts[of_theirs]).sum())
    if not shared:
        return Score(0.0, 0.0, 0.0)
    precision, recall = shared / float(our_counts.sum()), shared / float(their_counts.sum())
    return Score(2 * precision * recall / (precision + recall), precision, recall)


def grams(text: str, size: int = 5) -> Grams:
    """Distinct n-grams of the letters and their counts. A text shorter than one n-gram is one, filled up."""
    letters = np.frombuffer("".join(text.split()).encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    if 0 < len(letters) < size:
        letters = np.pad(letters, (0, size - len(letters)))
    rows = np.lib.stride_tricks.sliding_window_view(letters, size) if len(letters) else np.empty((0, size), dtype=np.uint64)
    return np.unique((rows * _MIX[:size]).sum(axis=1, dtype=np.uint64), return_counts=True)
