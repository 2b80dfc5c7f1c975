"""The main text of a page by resiliparse's rules, where trafilatura takes too long: 2 ms a page of 40,000 letters.

resiliparse (Bevendorff et al., ECIR 2018) drops elements by tag, class and share of links, and keeps the rest; it parses with
lexbor, as a browser would. Its options were chosen by F1 against the gold texts of benchmarks/gold.py (Japanese pages, grade B;
every third of the samples / every sixth of the larger pack):

    options as they come, no bullets, no alt texts  .887 / .913
    + letters standing alone kept                   .904 / .930
    + three more levels below <body>                .939 / .947    this file
    + alt texts                                     .923 / .935
    + form fields                                   .936 / .944
    without tables                                  .906 / .914
    all text of the page                            .902 / .852

Two of its rules harm Japanese pages and are got round: a text node of one letter, as は in <b>甲</b>は<b>乙</b>, counts as an icon of
a font and is dropped, unless an invisible blank stands by; and it drops every <ul> near <body>, and tests lists of links there less
strictly than below, which three levels more set right.
comments, post_meta and hidden_elements change nothing that the gold could tell.

Tables stay, a row a line: trafilatura leaves them out for the Swallow corpus, but old Japanese sites lay out whole articles in
them. Indentation goes, in <pre> too: it cannot be told from that of lists.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from unicodedata import normalize

_SURROGATE = re.compile("[\ud800-\udfff]")
# A node of one letter that takes three bytes in UTF-8 (private letters not), or one reference that may become it.
_ALONE = re.compile(r">(\s*+(?:[\u0800-\ud7ff\uf900-\uffff]|&#?\w{2,10};?)\s*+)(?=<)")
_INVISIBLE = "\u200b"
_BODY = re.compile(r"<body(?:\s[^>]*)?>", re.IGNORECASE)
_NEST = re.compile(r"<(/?)(?:div|ul|article|section|footer)[\s>]", re.IGNORECASE)
_DEEPEST = 400  # levels; the share of links is computed anew on each of them, so 20,000 levels take 12 s


@cache
def _resiliparse() -> Any:
    from resiliparse.extract import html2text

    return html2text.extract_plain_text


def main_text(html: str) -> str:
    """The main text, a paragraph, list item or table row a line; empty when there is none.

    Wide and no-break blanks are blanks, runs of them are one, letters are NFC and printable, as in trafilatura's text. A page nested
    deeper than 400 levels is taken as a whole, menus included.
    """
    prepared = _ALONE.sub(rf">\1{_INVISIBLE}", html)
    if body := _BODY.search(prepared):
        prepared = f"{prepared[: body.end()]}<div><div><div>{prepared[body.end() :]}"
    try:
        prepared.encode()
    except UnicodeEncodeError:
        prepared = _SURROGATE.sub("\ufffd", prepared)
    text = _resiliparse()(prepared, main_content=not _too_deep(html), list_bullets=False, alt_texts=False)
    lines = (" ".join(line.split()) for line in normalize("NFC", text).split("\n"))
    return "\n".join(filter(None, map(_printable, lines)))


def _printable(line: str) -> str:
    return line if line.isprintable() else " ".join("".join(filter(str.isprintable, line)).split())


def _too_deep(html: str) -> bool:
    """Whether elements that are tested for links lie in each other beyond all measure. Exact only where there are many of them."""
    if html.count("<") < _DEEPEST * 10:
        return False
    depth = deepest = 0
    for mark in _NEST.finditer(html):
        depth = max(0, depth - 1) if mark[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest > _DEEPEST
