"""The main text of a page, as the Swallow corpus takes it: trafilatura without comments and tables.

10 to 30 ms a page, nearly nine tenths of the work of the extract stage. trafilatura 2 logs what it cannot parse and returns None; a
page it raises on is the caller's to count.
"""

from __future__ import annotations

import html as entities
import logging
import re
from functools import cache
from typing import Any

EXTRACTOR = "trafilatura"
_TITLE = re.compile(r"<title(?:\s[^<>]{0,500})?>", re.IGNORECASE)
_TITLE_END = re.compile(r"</title", re.IGNORECASE)
_SEARCHED = 1 << 18  # letters, for the title to begin in; it has at most 1 << 12
_SURROGATE = re.compile("[\ud800-\udfff]")


@cache
def _trafilatura() -> Any:
    import trafilatura  # costs 0.2 s and more, and is needed by workers only

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    return trafilatura


def extractor_version() -> str:
    """Versions of what decides the text."""
    from lxml import etree

    libxml2 = ".".join(map(str, etree.LIBXML_COMPILED_VERSION))
    return f"trafilatura {_trafilatura().__version__}, lxml {etree.__version__}, libxml2 {libxml2}"


def main_text(html: str) -> str:
    """The main text, a paragraph a line; empty when there is none. Whatever trafilatura raises passes through."""
    text = _trafilatura().extract(html, include_comments=False, include_tables=False)
    return _SURROGATE.sub("\ufffd", text) if text else ""


def title(html: str) -> str:
    """The content of the first <title>, entities decoded and white space folded; empty when there is none."""
    begin = _TITLE.search(html, 0, _SEARCHED)
    end = _TITLE_END.search(html, begin.end(), begin.end() + (1 << 12)) if begin else None
    if not begin or not end:
        return ""
    return _SURROGATE.sub("\ufffd", " ".join(entities.unescape(html[begin.end() : end.start()]).split()))
