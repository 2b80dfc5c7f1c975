"""Cleaning of texts of 2,000 letters, the pieces apart, and what it showed; repeated lines and paragraphs, counted and added up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from benchmarks.inputs import Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.corpus import schema
from seiryu.filters.cleaning import CleanSettings, clean
from seiryu.filters.cleaning.difference import difference
from seiryu.filters.cleaning.line_sums import Part, in_many_documents, on_many_pages
from seiryu.filters.cleaning.repeated_lines import count_lines, count_paragraphs

FILES, SITES, ROWS = 20, 500, 50_000
UNMASKED = CleanSettings(personal_data=())


def figures(inputs: Inputs) -> Iterator[Figure]:
    texts = inputs.texts(2000, 200)
    menu = frozenset(line.strip() for text in texts[::20] for line in text.split("\n"))
    ends = [(text, clean(text, UNMASKED, menu).text) for text in texts]
    pages, sites = pa.chunked_array([texts * 10]), pa.chunked_array([[f"{number % 50}.jp" for number in range(len(texts) * 10)]])
    lines = sum(text.count("\n") + 1 for text in texts) * 10
    of_sites, of_corpus = [lines_of(number) for number in range(FILES)], [paragraphs_of(number) for number in range(FILES)]
    rounds = alternate(
        {
            "clean": lambda: [clean(text, repeated=menu) for text in texts],
            "nothing masked": lambda: [clean(text, UNMASKED, menu) for text in texts],
            "difference": lambda: [difference(before, after) for before, after in ends],
            "count_lines": lambda: count_lines(pages, sites, 5),
            "count_paragraphs": lambda: count_paragraphs(pages, 20),
            "on_many_pages": lambda: on_many_pages(of_sites, FILES * ROWS, 20, 0.2),
            "in_many_documents": lambda: in_many_documents(of_corpus, FILES * ROWS, 100),
        }
    )
    yield rounds.figure(f"clean, {len(texts)} of 2,000 letters", "clean", "texts/s", rate(len(texts)))
    yield rounds.figure("clean, without personal data", "nothing masked", "texts/s", rate(len(texts)))
    yield rounds.figure("difference", "difference", "texts/s", rate(len(texts)))
    yield rounds.figure(f"count_lines, {len(pages):,} pages", "count_lines", "lines/s", rate(lines))
    yield rounds.figure(f"count_paragraphs, {len(pages):,} pages", "count_paragraphs", "lines/s", rate(lines))
    yield rounds.figure(f"on_many_pages, {FILES} files of {ROWS:,} rows", "on_many_pages", "rows/s", rate(FILES * ROWS))
    yield rounds.figure(f"in_many_documents, {FILES} of {ROWS:,}", "in_many_documents", "rows/s", rate(FILES * ROWS))


def lines_of(seed: int) -> Part:
    """The counts of one file: lines of one page, and on each site 20 that all files have."""
    rng = np.random.default_rng(seed)
    place = np.random.default_rng(0).integers(0, 2**63, SITES, np.uint64)
    own, menu = rng.integers(0, SITES, ROWS - 21 * SITES), np.repeat(np.arange(SITES), 20)
    line = np.concatenate(
        [place, rng.integers(0, 2**63, len(own), np.uint64), place[menu] + np.tile(np.arange(1, 21), SITES).astype(np.uint64)]
    )
    site = np.concatenate([np.arange(SITES), own, menu])
    columns = {
        "place": place[site], "line": line, "site": [f"{number}.jp" for number in site.tolist()],
        "text": [f"{number:x} 番の行です" for number in line.tolist()],
        "pages": np.concatenate([np.full(SITES, 4), np.ones(len(own), int), np.full(len(menu), 2)]),
    }  # fmt: skip
    return part(schema.table(schema.LINE_COUNTS, columns).sort_by([("place", "ascending"), ("line", "ascending")]))


def paragraphs_of(seed: int) -> Part:
    """The counts of one file: paragraphs of one document, and 200 that all files have."""
    common = np.random.default_rng(0).integers(0, 2**63, 200, np.uint64)
    place = np.sort(np.concatenate([common, np.random.default_rng(seed + 1).integers(0, 2**63, ROWS - 200, np.uint64)]))
    texts = [f"{number:x} 番の段落にはこの文章があります" for number in place.tolist()]
    documents = np.where(np.isin(place, common), 10, 1)
    return part(schema.table(schema.PARAGRAPHS, {"place": place, "text": texts, "documents": documents}))


def part(table: pa.Table) -> Part:
    select: Callable[..., pa.Table] = table.select
    return lambda names: select(list(names))
