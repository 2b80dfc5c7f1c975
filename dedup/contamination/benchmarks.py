"""Test items in training texts: which stand in which document, and where.

An item is what one line of a benchmark's file holds. It is found in a document when runs of `ngram` letters that both have cover
`min_share` of the item's letters, in any order. What is found is the item and not a phrase of it, so a common phrase flags nothing
by itself; and one quoted with other marks, widths, line breaks, or a letter changed here and there is still found. The rules of
others:

- GPT-3 (Brown et al. 2020, appendix C): one n-gram of 8 to 13 words in common, n-grams of more than ten documents left out, and 200
  letters cut to each side. datatrove, which made FineWeb: one n-gram of 12 words. Both flag a page for a phrase.
- PaLM (Chowdhery et al. 2022, section 8): 70 % of an item's 8-grams of words. One changed word takes eight of them.
- Llama 3 (Dubey et al. 2024, section 5.1.4): the share of an item's tokens in 8-grams that the corpus has too.

This is Llama 3's with letters, since Japanese has no agreed words; ten letters are six of Sudachi's. Ten and 0.8 are measured on real
benchmarks and pages (docs/decontamination.md): 13 letters find less of what was altered and flag as many innocent pages, 8 flag more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seiryu.dedup.contamination.finding import found_in, spans_in
from seiryu.dedup.contamination.grams import Grams, Texts, grams_of
from seiryu.dedup.contamination.items import Items, Source, read_items
from seiryu.dedup.contamination.normal_letters import letters_of_texts
from seiryu.dedup.shingles import text_chunks

FOUND = pa.schema(
    [
        pa.field(name, kind, nullable=False, metadata={"meaning": meaning})
        for name, kind, meaning in (
            ("document", pa.int64(), "the text's place among those that were looked at"),
            ("benchmark", pa.string(), "name of the benchmark"),
            ("item", pa.int32(), "line of the item in the benchmark's file, from 1"),
            ("share", pa.float32(), "of the item's letters that it is looked for by, those that runs of the text cover"),
            (
                "begin",
                pa.list_(pa.field("item", pa.int32(), nullable=False)),
                "where each stretch they hold begins, in code points",
            ),
            ("end", pa.list_(pa.field("item", pa.int32(), nullable=False)), "where it ends, behind its last code point"),
        )
    ]
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes an item found: letters of a run, and the share of the item's letters that such runs cover.

    Texts that are shorter are not looked for, unless one is all that an item has: of `min_letters` and more it is found where it stands
    whole and alone (see finding.py).
    """

    ngram: int = 10
    min_share: float = 0.8
    min_letters: int = 8


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What is known of one: its items, those of them that are not looked for, and the sha256 of its file, decompressed.

    `short`: they hold no text that is long enough; `common`: nothing that does not stand in more than ten texts of the benchmark.
    """

    name: str
    items: int
    short: int
    common: int
    sha256: str


class Benchmarks:
    """Benchmarks that are looked for. Made by `load`; `known`: what there is to say of each, by name.

    An item found twice in a file, by two equal lines, is told twice.
    """

    known: dict[str, Benchmark]

    def __init__(self, items: Mapping[str, Items], rule: Rule = Rule()) -> None:
        if not 1 <= rule.min_letters <= rule.ngram or not 0 < rule.min_share <= 1:
            raise ValueError(f"ngram of at least min_letters, and a share above 0 and up to 1 are wanted, not {rule}")
        self.rule = rule
        self._lines = [line for found in items.values() for line in found.lines]
        self._names = [name for name, found in items.items() for _ in found.lines]
        texts = _different(items)
        self._grams: Grams = grams_of(texts, len(self._lines), rule.ngram, rule.min_letters, rule.min_share)
        too_short = np.diff(self._grams.text_starts) == 0
        self.known = {}
        for name, found in items.items():
            mine = [place for place, each in enumerate(self._names) if each == name]
            short, without = too_short[mine], self._grams.totals[mine] == 0
            if without.all():
                raise ValueError(
                    f"{name}: none of its {len(mine):,} items can be looked for: {int(short.sum()):,} hold no text of {rule.ngram} "
                    "letters, the others only what many of them have in common"
                )
            self.known[name] = Benchmark(name, len(mine), int(short.sum()), int((without & ~short).sum()), found.sha256)

    @classmethod
    def load(cls, sources: Mapping[str, Source], rule: Rule = Rule()) -> Benchmarks:
        """Read benchmarks from their files. ValueError in one line, with file and line, for what cannot be used (see `read_items`)."""
        return cls({name: read_items(source) for name, source in sources.items()}, rule)

    def find(self, texts: pa.Array | pa.ChunkedArray) -> pa.Table:
        """A row of FOUND for each item in each text; by text, then in the order of benchmarks and lines.

        `texts` is string or large_string, chunked or not; TypeError for another type, ValueError for nulls.
        """
        documents, items, shares, spans = [], [], [], []
        first = 0
        for chunk in text_chunks(texts):
            found = found_in(chunk, self._grams)
            for row in np.unique(found.rows).tolist():
                here = slice(*np.searchsorted(found.rows, [row, row + 1]).tolist())
                mine = found.items[here].tolist()
                documents += [first + row] * len(mine)
                items += mine
                shares += (found.letters[here] / self._grams.totals[mine]).tolist()
                spans += spans_in(chunk[row].as_py(), mine, self._grams)
            first += len(chunk)
        columns = {
            "document": documents, "benchmark": [self._names[item] for item in items], "item": [self._lines[item] for item in items],
            "share": shares, "begin": [[begin for begin, _ in each] for each in spans],
            "end": [[end for _, end in each] for each in spans],
        }  # fmt: skip
        return pa.table([pa.array(columns[field.name], field.type) for field in FOUND], schema=FOUND)


def _different(items: Mapping[str, Items]) -> Texts:
    """The different texts of each benchmark by their letters, with the items that each stands in, counted over all benchmarks."""
    letters: list[NDArray[np.uint32]] = []
    owners: list[list[int]] = []
    benchmarks: list[int] = []
    first = 0
    for number, found in enumerate(items.values()):
        known: dict[bytes, list[int]] = {}
        flat = [(first + place, text) for place, texts in enumerate(found.texts) for text in texts]
        for (item, _), made in zip(flat, letters_of_texts([text for _, text in flat]), strict=True):
            if (owner := known.get(made.tobytes())) is None:
                owner = known[made.tobytes()] = []
                letters.append(made)
                owners.append(owner)
                benchmarks.append(number)
            if not owner or owner[-1] != item:
                owner.append(item)
        first += len(found.lines)
    starts = np.concatenate([[0], np.cumsum([len(made) for made in letters], dtype=np.int64)])
    together = np.concatenate([np.empty(0, np.uint32), *letters])
    return Texts(together, starts.astype(np.int64), owners, np.array(benchmarks, np.int32))
