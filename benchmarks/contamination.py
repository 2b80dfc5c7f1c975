"""Decontamination: what looking for items costs, what it finds of altered ones, and what it finds in pages that hold none.

Items are those of `benchmarks/*.jsonl` (.gz, .zst) in the folder of --input, if there are any, by their field `question`, `text` or
`prompt`, or else all texts; without them sentences of the manual of GIMP, looked for in all other pages. One thread. Against: what
one writes first, NFKC by `unicodedata` and a Python set of the n-grams.
"""

from __future__ import annotations

import gzip
import json
import random
import time
import unicodedata
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from benchmarks.inputs import Inputs, evenly
from benchmarks.timing import Figure, alternate, rate
from seiryu.dedup.contamination import Benchmarks, Rule, Source
from seiryu.dedup.contamination.items import Items, read_items

PLAIN_TEXTS, ALTERED = 300, 1000
RULES = [Rule(ngram, share, 8) for ngram in (8, 10, 13) for share in (0.7, 0.8, 0.9)]
FIELDS = ("question", "text", "prompt")
LETTERS = "のにはをたがでてとしれさあいうえおかきく一二三人日本大"


def figures(inputs: Inputs) -> Iterator[Figure]:
    items, texts = items_and_pages(inputs)
    million, array = sum(map(len, texts)) / 1e6, pa.array(texts)
    begin = time.perf_counter()
    made = Benchmarks(items)
    number = sum(len(each.lines) for each in items.values())
    yield Figure(f"making ready {number:,} items, cold", time.perf_counter() - begin, "s")
    found = made.find(array)
    clean = array.filter(pa.array(~np.isin(np.arange(len(array)), found["document"].to_numpy())))
    some = clean.slice(0, PLAIN_TEXTS).to_pylist()
    known = {gram for each in items.values() for mine in each.texts for text in mine for gram in grams(text)}
    tasks = {"clean": partial(made.find, clean), "all": partial(made.find, array), "plain": partial(plain, known, some)}
    rounds = alternate(tasks)
    clean_million, some_million = sum(map(len, clean.to_pylist())) / 1e6, sum(map(len, some)) / 1e6
    yield rounds.figure(f"{len(clean):,} pages in which nothing is found", "clean", "M letters/s", rate(clean_million))
    yield rounds.figure(f"all {len(array):,}, with {len(found):,} finds", "all", "M letters/s", rate(million))
    yield rounds.figure(f"a Python set, {len(some):,} of the pages", "plain", "M letters/s", rate(some_million))
    for rule in RULES:
        yield from found_by(rule, items, array)


def found_by(rule: Rule, items: dict[str, Items], array: pa.Array) -> Iterator[Figure]:
    """False alarms, and the share of altered items that is found."""
    made, said = Benchmarks(items, rule), f"{rule.ngram} letters, share {rule.min_share}"
    found = made.find(array)
    yield Figure(f"{said}: pages that hold an item, of {len(array):,}", len(set(found["document"].to_pylist())), "")
    yield Figure(
        f"{said}: items they hold", len(set(zip(found["benchmark"].to_pylist(), found["item"].to_pylist(), strict=True))), ""
    )
    for letters in (1, 2, 4):
        shares = {name: share_found(rule, each, letters) for name, each in items.items()}
        yield Figure(f"{said}: of items altered by {letters} letters, found", sum(shares.values()) / len(shares), "%")
        if rule == Rule():
            yield from (Figure(f"  {name}", share, "%") for name, share in shares.items())


def share_found(rule: Rule, items: Items, letters: int) -> float:
    """Of up to ALTERED items that can be looked for, those found after so many letters were changed, put in or taken out."""
    draw = random.Random(letters)
    rows = evenly(list(range(len(items.lines))), ALTERED)
    chosen = Items([items.lines[row] for row in rows], [items.texts[row] for row in rows], "")
    made = Benchmarks({"one": chosen}, rule)
    texts = pa.array(["\n".join(altered(text, letters, draw) for text in each) for each in chosen.texts])
    found = made.find(texts)
    own = sum(
        chosen.lines[row] == item for row, item in zip(found["document"].to_pylist(), found["item"].to_pylist(), strict=True)
    )
    known = made.known["one"]
    return own / (known.items - known.short - known.common) * 100


def altered(text: str, letters: int, draw: random.Random) -> str:
    for _ in range(letters):
        place, (gone, new) = draw.randrange(len(text) + 1), draw.choice(((1, 1), (1, 0), (0, 1)))
        text = text[:place] + draw.choice(LETTERS) * new + text[place + gone :]
    return text


def plain(known: set[str], texts: list[str]) -> int:
    return sum(gram in known for text in texts for gram in grams(text))


def grams(text: str, ngram: int = 10) -> Iterator[str]:
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))
    return (letters[place : place + ngram] for place in range(len(letters) - ngram + 1))


def items_and_pages(inputs: Inputs) -> tuple[dict[str, Items], list[str]]:
    """Items by benchmark, and the different texts of pages that hold none by origin."""
    with gzip.open(inputs.folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        pages = [(page["source"], page.get("gold_text") or "") for page in map(json.loads, lines)]
    files = sorted(inputs.folder.glob("benchmarks/*.jsonl*"))
    if files:
        return {file.name.split(".")[0]: read(str(file)) for file in files}, list(
            dict.fromkeys(text for _, text in pages if text)
        )
    ours = [text for source, text in pages if source.startswith("gimp")]
    sentences = dict.fromkeys(line.strip() for text in ours for line in text.split("\n") if 20 <= len(line) <= 120)
    made = Items(list(range(1, len(sentences) + 1)), [[sentence] for sentence in sentences], "")
    return {"sentences": made}, list(dict.fromkeys(text for source, text in pages if text and not source.startswith("gimp")))


def read(path: str) -> Items:
    for field in FIELDS:
        try:
            return read_items(Source(path, (field,)))
        except ValueError:
            continue
    return read_items(Source(path))
