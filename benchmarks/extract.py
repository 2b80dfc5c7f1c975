"""What each step of extraction costs a page, in the order of the stage, and the language model.

The pages are those that the rapid test takes; from `readable_html` on those of them that could pass the rules. trafilatura's figure is
that of our shortened cascade (corpus/extraction/cascade.py); plain_loop.py holds it against trafilatura itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.inputs import Inputs, evenly
from benchmarks.timing import Figure, alternate, each
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.decoding.declared import declared_languages
from seiryu.corpus.extraction import EXTRACTORS, main_text_of_readable, title
from seiryu.corpus.extraction.reading import readable_html
from seiryu.filters.finding.japanese_bytes import look_for_kana
from seiryu.filters.finding.language import language
from seiryu.filters.finding.most_letters import cannot_hold, most_letters

PAGES = 400


def figures(inputs: Inputs) -> Iterator[Figure]:
    taken = evenly([page for page in inputs.html if page[0].strip() and not look_for_kana(*page).refused], PAGES)
    decoded = [decode(*page).text for page in taken]
    wanted = [html for html in decoded if not cannot_hold(html, 400, 80)]
    readable = [readable_html(html) for html in wanted]
    texts = [main_text_of_readable(html, "trafilatura") for html in readable]
    tasks = {
        "look_for_kana": lambda: [look_for_kana(*page) for page in taken],
        "decode": lambda: [decode(*page) for page in taken],
        "most_letters": lambda: [most_letters(html) for html in decoded],
        "readable_html": lambda: [readable_html(html) for html in wanted],
        **{name: lambda name=name: [main_text_of_readable(html, name) for html in readable] for name in EXTRACTORS},
        "language": lambda: [language(text) for text in texts],
        "title and declared languages": lambda: [(title(html), declared_languages(html)) for html in wanted],
    }
    rounds = alternate(tasks, rounds=3)
    letters = sum(map(len, decoded)) / len(decoded)
    yield Figure(f"pages, of {letters:,.0f} letters; {len(wanted) / len(taken):.0%} could pass the rules", len(taken), "pages")
    for name in tasks:
        number = len(taken) if name in ("look_for_kana", "decode", "most_letters") else len(wanted)
        yield rounds.figure(f"{name}, a page", name, "ms", each(number))
