"""What is measured on: the archives of one folder, the pages in them, and the texts of their labels."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from seiryu.corpus.archive.page import BodyError, payload, read_page
from seiryu.corpus.archive.warc import RawRecord, raw_records

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
LARGER = ROOT.parent / "shared" / "data" / "pack"  # more archives of the same kind, where they lie beside the repository
MAX_PAGE = 20_000_000
T = TypeVar("T")
Html = tuple[bytes, str | None]  # payload, charset of the HTTP header


@dataclass
class Inputs:
    """The archives of a folder, with `labels.jsonl.gz` beside them, as in samples/."""

    folder: Path

    @cached_property
    def archives(self) -> list[Path]:
        return sorted(self.folder.glob("*.warc.gz"))

    @cached_property
    def html(self) -> list[Html]:
        """The payloads of all web pages."""
        return [page for path in self.archives for page in web_pages(path)]

    @cached_property
    def _long_texts(self) -> list[str]:
        with gzip.open(self.folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = [json.loads(line).get("gold_text") or "" for line in lines]
        return list(dict.fromkeys(text for text in texts if len(text) >= 1700))

    def texts(self, letters: int, most: int) -> list[str]:
        """Beginnings of real texts, all of this length and no two the same; taken evenly when there are more than `most`."""
        return evenly(list(dict.fromkeys(text[:letters] for text in self._long_texts if len(text) >= letters)), most)


def web_pages(archive: Path) -> Iterator[Html]:
    """The payloads of an archive's web pages that can be had; the diagnostics hold some that cannot."""
    with archive.open("rb") as file:
        for record in raw_records(file, archive.name, MAX_PAGE):
            if not isinstance(record, RawRecord) or record.kind != "response" or record.content is None:
                continue
            with suppress(BodyError):
                page = read_page(record)
                if page.status == 200 and page.html:
                    yield payload(page, MAX_PAGE), page.charset


def evenly(items: list[T], most: int) -> list[T]:
    """At most `most` of the items, evenly over the list."""
    return items[:: -(-len(items) // most)] if items else []
