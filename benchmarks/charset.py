"""Finding kana in the bytes of every page, decoding where that is needed.

The comparison for all pages is `bytes.decode` and nothing else, the least that could be done; for pages that are not UTF-8 it is
charset_normalizer, which trafilatura would ask. What either makes of a page is not compared here.
"""

from __future__ import annotations

from collections.abc import Iterator

import charset_normalizer

from benchmarks.inputs import Html, Inputs, evenly
from benchmarks.timing import Figure, alternate, each, rate
from seiryu.corpus.decoding.charset import decode
from seiryu.filters.finding.japanese_bytes import look_for_kana


def figures(inputs: Inputs) -> Iterator[Figure]:
    some = evenly(inputs.html, 1500)
    unicode, other = [page for page in some if utf8(page)], [page for page in some if not utf8(page)]
    rounds = alternate(
        {
            "look": lambda: [look_for_kana(*page) for page in unicode],
            "bytes.decode": lambda: [page[0].decode() for page in unicode],
            "look, others": lambda: [look_for_kana(*page) for page in other],
            "decode": lambda: [decode(*page) for page in other],
            "charset_normalizer": lambda: [str(charset_normalizer.from_bytes(page[0]).best()) for page in other],
        },
        rounds=3,
    )
    both = (rounds.median("look") + rounds.median("look, others")) / len(some)
    yield Figure(f"look_for_kana, {len(some):,} pages, {len(other) / len(some):.0%} not UTF-8", 1 / both, "pages/s")
    yield rounds.figure("look_for_kana, UTF-8", "look", "pages/s", rate(len(unicode)), "bytes.decode")
    yield rounds.figure("look_for_kana, not UTF-8", "look, others", "pages/s", rate(len(other)))
    yield rounds.figure("decode, not UTF-8", "decode", "pages/s", rate(len(other)), "charset_normalizer")
    letters = sum(len(page[0]) for page in other) / 1e6
    yield rounds.figure("decode, not UTF-8, a MB", "decode", "ms", each(letters))


def utf8(page: Html) -> bool:
    try:
        page[0].decode()
    except UnicodeDecodeError:
        return False
    return True
