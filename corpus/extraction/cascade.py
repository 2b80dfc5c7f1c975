"""trafilatura's cascade of extractors for one choice of options, with the same text in half the time.

trafilatura (Barbaresi 2021) tries its own rules, then readability and jusText, then the whole body, then all of it again with
looser rules, and compares lengths. Left out here is what is bound to lose: readability, where the page has too little text
for it to be preferred; the length of the whole page, where the extract is surely a fifth of it; most of jusText's work
(paragraphs.py). Its expressions on class and id are answered from memory (attribute_tests.py), its elements are made
without a Python call for each. What decides stays trafilatura's own code.

All this leans on the inside of the versions in KNOWN; with another one plain `trafilatura.extract` is called. That both give the same
text for every page is tested on all sample pages (tests/corpus/test_cascade.py). The expressions are exchanged inside
trafilatura, for the whole process.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from copy import copy
from functools import cache
from importlib import import_module
from typing import Any

import trafilatura
from justext.core import define_stoplist
from lxml import etree
from lxml import html as lxml_html
from trafilatura import core, external, htmlprocessing, main_extractor, utils, xpaths
from trafilatura.settings import Document, Extractor

from seiryu.corpus.extraction.attribute_tests import AttributeTest
from seiryu.corpus.extraction.paragraphs import good_paragraphs

baseline: Any = import_module("trafilatura.baseline")  # the package calls a function of it by the same name
KNOWN = ("2.3.0", "2.3.1")
OPTIONS: dict[str, Any] = {"include_comments": False, "include_tables": False}

_DEEPEST = 2048  # levels that libxml2 reads
_SECTIONS = ("div", "item", "list", "p", "section", "span")
_BODIES = ("article", "div", "main", "section")
_STRING = etree.XPath("string()", smart_strings=False)
# Written by readability as <tag/> when empty, and read again as the beginning of raw text up to the end of the page.
_RAW_TEXT = ("xmp", "noframes", "noembed", "plaintext", "title")
_RETRIED_BELOW, _RETRIED_SHARE = core.ESCALATION_MAX_LENGTH, core.ESCALATION_PAGE_SHARE


class PageCut(Exception):
    """A page that the parser cannot read to its end: nested deeper than 2,048 levels."""


def extract(html: str) -> str | None:
    """The text that `trafilatura.extract(html, **OPTIONS)` gives. PageCut where the parser gives up before the end of the page.

    A page nested deeper than 255 levels, or with a text or attribute of 10 MB, is read whole, where trafilatura loses the rest.
    """
    if trafilatura.__version__ not in KNOWN:
        return trafilatura.extract(html, **OPTIONS)
    options = _prepared()
    try:
        tree = utils.load_html(html, options.max_file_size)
        _check_whole()
        if tree is None:
            return None
        body, text = _sequence(tree, options)
    except (TypeError, ValueError):  # what trafilatura takes for a page without text
        return None
    if len(text) < options.min_output_size:
        return None
    return core.determine_returnstring(Document(body=body), options)


def _check_whole() -> None:
    """libxml2 stops at its limits without a word, and what follows is lost."""
    fault = utils.HTML_PARSER.error_log.last_error
    if fault is not None and fault.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        raise PageCut(f"the parser stops at line {fault.line}: {fault.message}")


def _sequence(tree: lxml_html.HtmlElement, options: Extractor) -> tuple[etree._Element, str]:
    """What trafilatura_sequence does when neither comments nor tables are wanted: the body, and its text for comparisons."""
    forum = core._forum_thread_page(tree)
    tree = htmlprocessing.prune_unwanted_nodes(tree, xpaths.RAW_TREE_PRUNE_XPATH)
    if not forum:
        tree = htmlprocessing.prune_unwanted_nodes(tree, xpaths.REMOVE_COMMENTS_AND_LISTS_XPATH)
    cleaned, backup = core._prepare_tree(tree, options, None)
    body, text = main_extractor.extract_content(cleaned, options)
    letters = _letters(tree)
    raw = lxml_html.HtmlElement() if _readability_loses(tree, letters, body, text, options) else copy(tree)
    body, text = external.compare_extraction(backup, raw, body, text, options)
    if len(text) < options.min_extracted_size:
        whole, whole_text, length = baseline.baseline(tree)
        if length > len(text):
            body, text = whole, whole_text
    if 0 < len(text) < min(_RETRIED_BELOW, _RETRIED_SHARE * _most_spaced(tree, letters)) and len(text) < _RETRIED_SHARE * len(
        baseline.html2txt(tree)
    ):
        return _retried(tree, body, text, options)
    return body, text


def _retried(tree: lxml_html.HtmlElement, body: etree._Element, text: str, options: Extractor) -> tuple[etree._Element, str]:
    """The last step: looser rules, or jusText alone, if either gives clearly more."""
    looser = copy(options)
    looser.focus = "recall"
    loose_body, loose_text, paragraphs, paragraph_text = body, "", body, ""
    try:
        loose_body, loose_text = core._recall_retry(tree, looser, None)
    except Exception as error:  # noqa: BLE001 - as trafilatura: a retry that fails changes nothing
        _swallowed(error)
    try:
        paragraphs, paragraph_text = external.justext_rescue(copy(tree), options)
    except Exception as error:  # noqa: BLE001
        _swallowed(error)
    if len(paragraph_text) > max(len(loose_text), core.ESCALATION_JUSTEXT_RATIO * len(text)):
        return paragraphs, paragraph_text
    if len(loose_text) >= options.min_extracted_size and len(loose_text) > core.ESCALATION_ACCEPT_RATIO * len(text):
        return loose_body, loose_text
    return body, text


def _swallowed(error: Exception) -> None:
    """Memory that runs out must end the page, not shorten its text."""
    if isinstance(error, MemoryError):
        raise error


def _readability_loses(tree: lxml_html.HtmlElement, letters: int, body: etree._Element, text: str, options: Extractor) -> bool:
    """Whether readability's text is too short to be preferred, whatever it is: it is a part of the page's text.

    Preferred is what has more than twice the letters, or more than twice the least size where the rules found no paragraph
    or mostly tables (external._prefer_readability).
    """
    most = letters + 5 * sum(1 for _ in tree.iter("iframe"))  # "VIDEO" in place of each
    if most > 2 * len(text):
        return False
    if sum(1 for _ in tree.iter(*_RAW_TEXT)) > 1:  # the page's own title is one
        return False
    return most <= 2 * options.min_extracted_size or (
        bool(body.xpath(".//p//text()")) and len(body.findall(".//table")) <= len(body.findall(".//p"))
    )


def _most_spaced(tree: lxml_html.HtmlElement, letters: int) -> int:
    """At least the length of trafilatura's html2txt: each block may add a blank before and after it."""
    return letters + 2 * sum(1 for _ in tree.iter(*baseline._BLOCK_ELEMS))


def _letters(tree: lxml_html.HtmlElement) -> int:
    """At least the letters of the page's text without scripts and styles, and one for each stretch of white space."""
    words = _STRING(tree).split()
    hidden = (_STRING(element) for element in tree.iter("script", "style"))
    return sum(map(len, words)) + len(words) - sum(len(word) for text in hidden for word in text.split())


@cache
def _prepared() -> Extractor:
    """The options, made once; and trafilatura prepared for speed."""
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 4 * _DEEPEST))  # trafilatura goes down the tree by calling itself
    utils.HTML_PARSER = lxml_html.HTMLParser(
        collect_ids=False, default_doctype=False, encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True
    )
    # lxml asks a Python function for the class of every element it hands out; trafilatura uses none of the special ones.
    utils.HTML_PARSER.set_element_class_lookup(
        etree.ElementDefaultClassLookup(
            element=lxml_html.HtmlElement,
            comment=lxml_html.HtmlComment,
            pi=lxml_html.HtmlProcessingInstruction,
            entity=lxml_html.HtmlEntity,
        )
    )
    both, last = ("div", "section", "aside"), ("div", "list", "section", "details", "ol", "ul")
    _exchange(xpaths.RAW_TREE_PRUNE_XPATH, 0, both, suspects=True)
    _exchange(xpaths.RAW_TREE_PRUNE_XPATH, 1, both)
    _exchange(xpaths.REMOVE_COMMENTS_AND_LISTS_XPATH, 0, last)
    _exchange(xpaths.OVERALL_DISCARD_XPATH, 0, _SECTIONS)
    _exchange(xpaths.OVERALL_DISCARD_XPATH, 1, (), only=False)
    _exchange(xpaths.TEASER_DISCARD_XPATH, 0, _SECTIONS)
    _exchange(xpaths.DISCARD_IMAGE_ELEMENTS, 0, _SECTIONS)
    for place in (0, 2, 3, 4):
        _exchange(xpaths.BODY_XPATH, place, _BODIES, first=True)
    cut = ("aside", "div", "fencedframe", "footer", "script", "style", "svg", "template")
    baseline.BASIC_CLEAN_XPATH = AttributeTest(baseline.BASIC_CLEAN_XPATH, cut, only=False)
    external.try_justext = _justext
    htmlprocessing.link_density_test = _LinkDensity(htmlprocessing.link_density_test)
    return Extractor(comments=False, tables=False)


def _justext(tree: Any, url: str | None, target_language: str | None) -> etree._Element:  # noqa: ARG001 - trafilatura's signature
    """What external.try_justext does for a page of unknown language."""
    body = etree.Element("body")
    for text in good_paragraphs(tree, *_stop_words()):
        etree.SubElement(body, "p").text = text
    return body


@cache
def _stop_words() -> tuple[tuple[str, ...], frozenset[str]]:
    words = _Hashed(external.jt_stoplist_init())
    return words, define_stoplist(words)


class _LinkDensity:
    """link_density_test; an element without a link has passed it."""

    def __init__(self, test: Callable[..., tuple[bool, bool]]) -> None:
        self._test = test

    def __call__(self, element: Any, favor_precision: bool = False) -> tuple[bool, bool]:
        if next(element.iter("ref"), None) is None:
            return False, False
        return self._test(element, favor_precision)


def _exchange(expressions: list[Any], place: int, tags: tuple[str, ...], **how: bool) -> None:
    expressions[place] = AttributeTest(expressions[place], tags, **how)


class _Hashed(tuple[str, ...]):
    """A tuple that is hashed once: jusText looks its 154,484 stop words up in a cache at every call."""

    def __hash__(self) -> int:
        try:
            found: int = self.__dict__["hash"]
        except KeyError:
            found = self.__dict__["hash"] = super().__hash__()
        return found
