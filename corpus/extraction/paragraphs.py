"""jusText's paragraphs without what nobody asks of them.

jusText (Pomikálek 2011, "Removing Boilerplate and Duplicate Content from Web Corpora", section 3) takes a paragraph for text by the
share of stop words among its words. justext writes down two paths for every paragraph, walks the tree by SAX events and
makes each text anew whenever it is looked at; here the same paragraphs are cut in one walk, and its own rules judge them.

A Japanese sentence has no blanks, so it is one word and no stop word. Where no paragraph is good or nearly so by itself,
none can become so by its neighbours, and the text is empty: this is so for most Japanese pages, and seen at once.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from justext.core import PARAGRAPH_TAGS, classify_paragraphs, revise_paragraph_classification
from justext.utils import normalize_whitespace
from lxml.etree import _Element, iterwalk

# trafilatura's limits: letters of a short paragraph and of a long one; stop words of a doubtful one and of a good one; links
LIMITS = (50, 150, 0.1, 0.2, 0.25, True)
_FARTHEST = 150


class Paragraph:
    """One block of text, with all that justext's rules ask of it."""

    __slots__ = ("_text", "_words", "cf_class", "chars_count_in_links", "class_type", "dom_path", "heading")

    def __init__(self, text: str, in_links: int, path: str) -> None:
        self._text, self.chars_count_in_links, self.dom_path = text, in_links, path
        self._words = text.split()
        self.cf_class = self.class_type = ""
        self.heading = False

    @property
    def text(self) -> str:
        return self._text

    @property
    def is_boilerplate(self) -> bool:
        return self.class_type != "good"

    def __len__(self) -> int:
        return len(self._text)

    def stopwords_density(self, stop_words: Container[str]) -> float:
        return sum(word.lower() in stop_words for word in self._words) / len(self._words)

    def links_density(self) -> float:
        return self.chars_count_in_links / len(self._text)

    def may_be_good(self, stop_words: Container[str]) -> bool:
        """False for one that is short or bad by itself."""
        return len(self._text) >= LIMITS[0] and self.stopwords_density(stop_words) >= LIMITS[2]


def good_paragraphs(tree: _Element, stop_list: tuple[str, ...], stop_words: Container[str]) -> list[str]:
    """Texts that jusText does not call boilerplate. `stop_words`: the list as a set, in lower case."""
    paragraphs = list(cut_paragraphs(tree))
    if not any(paragraph.may_be_good(stop_words) for paragraph in paragraphs):
        return []
    classify_paragraphs(paragraphs, stop_list, *LIMITS)
    revise_paragraph_classification(paragraphs, _FARTHEST)
    return [paragraph.text for paragraph in paragraphs if not paragraph.is_boilerplate]


def cut_paragraphs(tree: _Element) -> Iterator[Paragraph]:
    """The paragraphs that hold text, in order, as justext.core.ParagraphMaker cuts them; of the path it keeps whether in a select."""
    nodes: list[str] = []
    in_links = selects = 0
    path, in_link, after_br = "", False, False
    for event, element in iterwalk(tree, events=("start", "end", "comment", "pi")):
        text, ends = element.tail, False
        if event == "start":
            text, name = element.text, element.tag
            selects += "select" in name
            if name in PARAGRAPH_TAGS or (name == "br" and after_br):
                ends = True
            else:
                after_br = name == "br"
                if after_br:
                    nodes.append(" ")
                elif name == "a":
                    in_link = True
        elif event == "end":
            name = element.tag
            selects -= "select" in name
            ends = name in PARAGRAPH_TAGS
            if name == "a":
                in_link = False
        if ends:
            if nodes and (whole := _normalized("".join(nodes).strip())):
                yield Paragraph(whole, in_links, path)
            nodes, in_links, path = [], 0, "select" if selects else ""
        if text and not text.isspace():
            nodes.append(text)
            if in_link:
                in_links += len(_normalized(text))
            after_br = False
    if nodes and (whole := _normalized("".join(nodes).strip())):
        yield Paragraph(whole, in_links, path)


def _normalized(text: str) -> str:
    """Stretches of white space as one line break or blank."""
    if "\n" in text or "\r" in text:
        normalized: str = normalize_whitespace(text)
        return normalized
    words = " ".join(text.split())
    return f"{' ' * text[0].isspace()}{words}{' ' * text[-1].isspace()}" if words else " " * bool(text)
