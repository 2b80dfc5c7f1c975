"""What each rule and preset is worth: its verdicts against 300 documents of samples/ that were read (samples/quality.jsonl).

Labels: good, poor (little to learn from: lists, fragments, half-translated pages), harmful (garbled). A rule is right where it rejects
what is not good. Precision: share of what it rejects that is not good; recall: share of what is not good that it rejects. All are
manuals, so a low recall of a rule against spam says nothing about spam.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.inputs import MAX_PAGE, SAMPLES, Inputs
from benchmarks.timing import Figure
from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction import main_text
from seiryu.corpus.tokenizers import load_tokenizer
from seiryu.filters.finding.language import language
from seiryu.filters.instruments import Instruments, possible
from seiryu.filters.rules import judge
from seiryu.filters.rules.presets import load_preset, preset_names
from seiryu.filters.words import WordLists

LABELS = SAMPLES / "quality.jsonl"
LISTS = {"ng": ("hojichar:adult_keywords_ja",)}
ANY = "any rule"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a run has it, and what a reader thought of it."""

    doc_id: str
    text: str
    label: str


class Worth(NamedTuple):
    """Documents rejected, and how right that was; both shares are 0 where nothing is rejected."""

    rejected: int
    precision: float
    recall: float


def figures(_: Inputs) -> Iterator[Figure]:
    for preset in preset_names():
        for rule, worth in worths(preset).items():
            yield Figure(f"{preset}, {rule}: rejected", worth.rejected, "documents")
            yield Figure(f"{preset}, {rule}: precision", worth.precision, "")
            yield Figure(f"{preset}, {rule}: recall", worth.recall, "")


@cache
def documents() -> tuple[Document, ...]:
    """The labelled documents, extracted anew, in the order of the labels."""
    labels = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    texts: dict[tuple[str, int], str] = {}
    wanted = {(row["warc"], row["offset"]) for row in labels}
    for path in sorted(SAMPLES.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in raw_records(file, path.name, MAX_PAGE):
                if isinstance(record, RawRecord) and (path.name, record.offset) in wanted:
                    page = read_page(record)
                    texts[path.name, record.offset] = main_text(decode(payload(page, MAX_PAGE), page.charset).text)
    return tuple(Document(row["doc_id"], texts[row["warc"], row["offset"]], row["label"]) for row in labels)


@cache
def signals() -> dict[str, npt.NDArray[Any]]:
    """Every signal of the labelled documents."""
    made = Instruments(WordLists(LISTS), load_tokenizer("llama3"), morphology=True)
    texts = [document.text for document in documents()]
    return made.measure(pa.array(texts), np.array([language(text)[1] for text in texts]))


def worths(preset: str) -> dict[str, Worth]:
    """What each rule of a preset is worth, and all together under ANY."""
    rules = load_preset(preset, [signal.name for signal in possible(LISTS)])
    bad = np.array([document.label != "good" for document in documents()])
    mask = judge(rules, signals())
    by_rule = {rule.name: mask >> np.uint64(i) & np.uint64(1) != 0 for i, rule in enumerate(rules)}
    return {name: _worth(rejected, bad) for name, rejected in (by_rule | {ANY: mask != 0}).items()}


def _worth(rejected: npt.NDArray[np.bool_], bad: npt.NDArray[np.bool_]) -> Worth:
    right = int((rejected & bad).sum())
    number = int(rejected.sum())
    return Worth(number, right / number if number else 0.0, right / int(bad.sum()))
