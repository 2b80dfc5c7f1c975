"""How well Japanese pages are found: precision, recall and F1 against the labels, of each test by itself and of all together.

Only pages whose language is sure are asked. What a page declares is measured beside what is used, to show why it is not. The precise
test judges what the rapid one let pass; pages that it refused, and pages without text, count as not Japanese.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.inputs import MAX_PAGE, Inputs
from benchmarks.timing import Figure
from seiryu.corpus.archive.page import BodyError, payload, read_page
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.decoding.declared import declared_languages, is_japanese
from seiryu.corpus.extraction import main_text, title
from seiryu.filters.finding.japanese_bytes import Evidence, look_for_kana
from seiryu.filters.finding.language import accepted, language

_KANA = re.compile("[\u3041-\u30ff]")
MIN_KANA = 20


@dataclass
class Labelled:
    """One page, and whether it is Japanese by its label."""

    japanese: bool
    body: bytes
    charset: str | None
    content_language: str

    @cached_property
    def evidence(self) -> Evidence:
        return look_for_kana(self.body, self.charset)

    @cached_property
    def text(self) -> str:
        return (self.evidence.decoded or decode(self.body, self.charset)).text

    @cached_property
    def declared(self) -> bool:
        return any(map(is_japanese, declared_languages(self.text, self.content_language)))

    @cached_property
    def titled(self) -> bool:
        return bool(_KANA.search(title(self.text)))

    @cached_property
    def language(self) -> tuple[str, float]:
        return language(main_text(self.text))


TESTS: dict[str, Callable[[Labelled], bool]] = {
    "declared, in any form": lambda page: page.declared,
    "kana in the title": lambda page: page.titled,
    "declared, or kana in the title": lambda page: page.declared or page.titled,
    "20 kana anywhere": lambda page: page.evidence.kana >= MIN_KANA,
    "rapid test": lambda page: not page.evidence.refused,
    "rapid test, or few kana and declared": lambda page: not page.evidence.refused or (page.evidence.kana > 0 and page.declared),
    "rapid test, then the model": lambda page: not page.evidence.refused and accepted(*page.language, 0),
    "rapid test, then the precise test": lambda page: not page.evidence.refused and accepted(*page.language, page.evidence.kana_share),
}  # fmt: skip


def figures(inputs: Inputs) -> Iterator[Figure]:
    pages = list(labelled_pages(inputs.folder))
    japanese = sum(page.japanese for page in pages)
    yield Figure("pages of sure language", len(pages), "")
    yield Figure("of them Japanese", japanese, "")
    for name, test in TESTS.items():
        taken = [page.japanese for page in pages if test(page)]
        right = sum(taken)
        yield Figure(f"{name}, precision", 100 * right / (len(taken) or 1), "%")
        yield Figure(f"{name}, recall", 100 * right / (japanese or 1), "%")
        yield Figure(f"{name}, F1", 200 * right / (len(taken) + japanese or 1), "%")


def labelled_pages(folder: Path) -> Iterator[Labelled]:
    with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        labels = {(row["warc"], row["offset"]): row for row in map(json.loads, lines)}
    for archive in sorted(folder.glob("*.warc.gz")):
        with archive.open("rb") as file:
            for record in raw_records(file, archive.name, MAX_PAGE):
                row = labels.get((archive.name, record.offset))
                if not isinstance(record, RawRecord) or not row or row["kind"] != "html" or row["status"] != 200:
                    continue
                with suppress(BodyError):
                    page = read_page(record)
                    if row["lang_sure"]:
                        yield Labelled(row["lang"] == "ja", payload(page, MAX_PAGE), page.charset, page.language)
