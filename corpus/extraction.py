"""The main text of a page, as the Swallow corpus takes it: trafilatura without comments and tables.

15-30 ms a page, nine tenths of a run. trafilatura 2 logs what it cannot parse and returns None; a page it raises on is the
caller's to count.
"""

from __future__ import annotations

import html as entities
import logging
import re
from functools import cache
from typing import Any

EXTRACTOR = "trafilatura"
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


@cache
def _trafilatura() -> Any:
    import trafilatura  # costs a second and is needed by workers only

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
    found = _TITLE.search(html, 0, 1 << 18)
    return _SURROGATE.sub("\ufffd", " ".join(entities.unescape(found[1]).split())) if found else ""
