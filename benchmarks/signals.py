"""Measuring texts: every signal of `measure`, against the plain-Python twin that its tests hold it to; NG words; code points."""

from __future__ import annotations

import runpy
from collections.abc import Iterator

import pyarrow as pa

from benchmarks.inputs import ROOT, Inputs
from benchmarks.timing import Figure, alternate, rate
from seiryu.filters.letters import codepoints
from seiryu.filters.signals import measure
from seiryu.filters.words.matching import matcher


def figures(inputs: Inputs) -> Iterator[Figure]:
    twin = runpy.run_path(str(ROOT / "tests" / "filters" / "signals" / "test_swallow.py"))["twin"]
    texts = inputs.texts(2000, 100)
    few, many = pa.array(texts), pa.array(texts * 10)
    rounds = alternate({"measure, the same": lambda: measure(few), "Counter": lambda: [twin(text) for text in texts],
                        "measure": lambda: measure(many)})  # fmt: skip
    yield rounds.figure(f"measure, {len(many):,} of 2,000 letters", "measure", "texts/s", rate(len(many)))
    yield rounds.figure(f"measure, {len(few):,} of 2,000 letters", "measure, the same", "texts/s", rate(len(few)), "Counter")

    words, letters, size = matcher(), 2000 * len(texts) / 1e6, sum(len(text.encode()) for text in texts) / 1e6
    clean = [text for text in texts if not words.hits(text)]
    array = pa.array(texts * 10)
    rounds = alternate(
        {
            "words": lambda: [words.letters(text) for text in clean],
            "codepoints": lambda: codepoints(array),
            "str.encode": lambda: [text.encode("utf-32-le") for text in array.to_pylist()],
        }
    )
    share = len(clean) / len(texts)
    yield rounds.figure("NG words, texts without any", "words", "M letters/s", rate(letters * share))
    yield rounds.figure("codepoints, MB of UTF-8", "codepoints", "MB/s", rate(size * 10), "str.encode")
