"""The main text of a page, by one of two extractors, and its title.

`trafilatura`: as the Swallow corpus takes it, without comments and tables; 8 to 14 ms a page, most of the work of extraction.
`resiliparse`: a fifth of that; how much either finds of the gold texts is in tests/data/gold_floors.json. Both see a page made
readable first (reading.py). Whatever an extractor raises is the caller's to count.
"""

from __future__ import annotations

import html as entities
import re
from importlib.metadata import version

from seiryu.corpus.extraction.reading import readable_html, readable_text

EXTRACTORS = ("trafilatura", "resiliparse")
_TITLE = re.compile(r"<title(?:\s[^<>]{0,500})?>", re.IGNORECASE)
_TITLE_END = re.compile(r"</title", re.IGNORECASE)
_SEARCHED = 1 << 18  # letters, for the title to begin in; it has at most 1 << 12
_SURROGATE = re.compile("[\ud800-\udfff]")


def extractor_version(extractor: str = "trafilatura") -> str:
    """Versions of what decides the text."""
    if extractor == "resiliparse":
        return f"resiliparse {version('resiliparse')}"
    from lxml import etree

    libxml2 = ".".join(map(str, etree.LIBXML_COMPILED_VERSION))
    return f"trafilatura {version('trafilatura')}, justext {version('justext')}, lxml {etree.__version__}, libxml2 {libxml2}"


def prepare(extractor: str) -> None:
    """Import and warm up what an extractor needs, so that no page pays for it."""
    main_text("<html><body><p>本文。</p></body></html>", extractor)


def main_text(html: str, extractor: str = "trafilatura") -> str:
    """The main text, a paragraph a line; empty when there is none. ValueError for an extractor that is not in EXTRACTORS."""
    return main_text_of_readable(readable_html(html), extractor)


def main_text_of_readable(html: str, extractor: str) -> str:
    """The same for a page that `readable_html` has made readable: for who asks both extractors."""
    if extractor == "trafilatura":
        from seiryu.corpus.extraction.cascade import extract  # costs 0.3 s, and is needed by workers only

        text = extract(html) or ""
    elif extractor == "resiliparse":
        from seiryu.corpus.extraction.resiliparse_text import main_text as resiliparse_text

        text = resiliparse_text(html)
    else:
        raise ValueError(f"no extractor {extractor!r}; there are {', '.join(EXTRACTORS)}")
    return readable_text(_SURROGATE.sub("\ufffd", text))


def title(html: str) -> str:
    """The content of the first <title>, entities decoded and white space folded; empty when there is none."""
    begin = _TITLE.search(html, 0, _SEARCHED)
    end = _TITLE_END.search(html, begin.end(), begin.end() + (1 << 12)) if begin else None
    if not begin or not end:
        return ""
    return _SURROGATE.sub("\ufffd", " ".join(entities.unescape(html[begin.end() : end.start()]).split()))
