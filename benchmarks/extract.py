"""The whole way from an archive to documents on one core, and how much of it is trafilatura's.

The clock for trafilatura runs inside the stage. Timed alone on the same pages, in turn with the stage, its share came out
anywhere between 70 and 101 % on a shared machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from unittest.mock import patch

from benchmarks.inputs import MAX_PAGE, SAMPLES, Inputs, web_pages
from benchmarks.timing import Figure, alternate, each, rate
from seiryu.corpus.archive.warc import raw_records
from seiryu.filters.language import language
from seiryu.pipelines.config import Config, Source
from seiryu.pipelines.stages import extract as stage

ARCHIVE = SAMPLES / "CC-MAIN-2025-05-00000.warc.gz"


class Clock:
    """`main_text` with a clock. `rounds`: its seconds and its calls in each pass over the archive."""

    def __init__(self) -> None:
        self._function = stage.main_text
        self.rounds: list[list[float]] = []

    def __call__(self, html: str) -> str:
        begin = time.perf_counter()
        try:
            return self._function(html)
        finally:
            self.rounds[-1].append(time.perf_counter() - begin)


def figures(inputs: Inputs) -> Iterator[Figure]:
    clock, pages, texts = Clock(), sum(1 for _ in web_pages(ARCHIVE)), inputs.texts(2000, 300)
    with patch.object(stage, "main_text", clock):
        rounds = alternate({"stage": lambda: extract(clock), "language": lambda: [language(text) for text in texts]})
    calls = len(clock.rounds[0])
    own = [sum(seconds) for seconds in clock.rounds[1:]]  # the first pass was not timed
    each_page = [1e3 * seconds / calls for seconds in own]
    shares = [100 * inside / whole for inside, whole in zip(own, rounds.seconds["stage"], strict=True)]
    what = f"{ARCHIVE.name.removesuffix('.warc.gz')}, {pages} pages"
    yield rounds.figure(f"extract stage, {what}", "stage", "pages/s", rate(pages))
    yield Figure(f"main_text, the {calls} with kana, a page", median(each_page), "ms", min(each_page), max(each_page))
    yield Figure("share of the stage's time in main_text", median(shares), "%", min(shares), max(shares))
    yield rounds.figure("language, 2,000 letters, a text", "language", "ms", each(len(texts)))


def extract(clock: Clock) -> None:
    """The stage's function over the archive."""
    clock.rounds.append([])
    extractor = stage.Extractor(Config(run="none", source=Source(paths=(str(ARCHIVE),))), ARCHIVE.name)
    with ARCHIVE.open("rb") as file:
        for _ in extractor.documents(raw_records(file, ARCHIVE.name, MAX_PAGE)):
            pass
