"""The shortened cascade against trafilatura itself: other people's pages, and pages that nobody would write."""

import copy
import random

import pytest
from archive_bytes import PACK, SAMPLES
from justext.core import ParagraphMaker, classify_paragraphs, revise_paragraph_classification
from lxml import etree
from lxml import html as lxml_html
from plain_trafilatura import plain_texts, text_or_error
from trafilatura import external, xpaths

from seiryu.corpus.archive.page import BodyError, payload, read_page
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction import cascade
from seiryu.corpus.extraction.attribute_tests import AttributeTest
from seiryu.corpus.extraction.paragraphs import LIMITS, cut_paragraphs, good_paragraphs


def pages(paths, step):
    found = []
    for path in paths:
        with path.open("rb") as file:
            for record in raw_records(file, path.name, 1 << 24):
                if isinstance(record, RawRecord) and record.kind == "response" and record.content is not None:
                    try:
                        page = read_page(record)
                        if page.html:
                            found.append(decode(payload(page, 1 << 24), page.charset).text)
                    except BodyError:
                        continue
    return found[::step]


@pytest.fixture(scope="module")
def sample_pages():
    return pages(SAMPLES, 2)


def parsed(html):
    return lxml_html.document_fromstring(html.encode("utf-8", "replace"), parser=lxml_html.HTMLParser(encoding="utf-8"))


def same_as_trafilatura(found):
    plain = plain_texts(found, cascade.OPTIONS)
    ours = [text_or_error(cascade.extract, html) for html in found]
    assert sum(map(bool, plain)) > 0.5 * len(plain)
    differing = [place for place, (one, other) in enumerate(zip(plain, ours, strict=True)) if (one or "") != (other or "")]
    assert not differing, [(found[place][:200], plain[place], ours[place]) for place in differing[:3]]


def test_the_version_in_use_is_known():
    """Else plain trafilatura is called, twice as slow; look whether its inside changed, and add it to KNOWN."""
    assert cascade.trafilatura.__version__ in cascade.KNOWN


def test_sample_pages_give_the_text_that_trafilatura_gives(sample_pages):
    same_as_trafilatura(sample_pages)


def test_pages_of_the_pack_give_the_text_that_trafilatura_gives():
    if not PACK:
        pytest.skip("the larger pack of pages is not beside the repository (../shared/data/pack)")
    same_as_trafilatura(pages(PACK, 25))


def test_mutilated_pages_give_the_text_that_trafilatura_gives(sample_pages):
    chance = random.Random(7)
    same_as_trafilatura([mutilated(chance.choice(sample_pages), chance) for _ in range(400)])


NAMES = ("footer", "post", "entry", "article", "content", "sidebar", "comment-list", "hidden", "teaser", "caption", "main", "share-x",
         "infinite-scroll", "mvp-post-add-box", "cookie-consent", "nav", "text\x01", "")  # fmt: skip
TAGS = ("div", "section", "article", "p", "span", "ul", "li", "table", "td", "form", "aside", "iframe", "noframes", "xmp", "title", "main",
        "blockquote", "pre", "h2", "a", "select", "textarea", "details", "br")  # fmt: skip


def mutilated(html, chance):
    """A page with tags cut off, doubled, renamed and given other classes, and English among the Japanese."""
    for _ in range(chance.randrange(1, 25)):
        at = chance.randrange(len(html) + 1)
        end = min(len(html), at + chance.randrange(1, 400))
        tag, name = chance.choice(TAGS), chance.choice(NAMES)
        cut = [
            html[:at] + html[end:],
            html[:end] + html[at:],
            html[:at] + f'<{tag} class="{name}">' + html[at:],
            html[:at] + f'<{tag} id="{name}" class="{name} x">' + html[at:end] + f"</{tag}>" + html[end:],
            html[:at] + f"</{tag}>" + html[at:],
            html[:at] + f"<p>It is the {name} of a page that was written in the hope to be of use to all of us. " * 3 + html[at:],
            html[:at] + chance.choice(["<", '">', "<!--", "-->", "&#x1;", "&#12354;", "<![CDATA[", "\0"]) + html[at:],
        ]
        html = chance.choice(cut)
    return html


def test_paragraphs_are_cut_and_judged_as_justext_does(sample_pages):
    listed = external.jt_stoplist_init()
    words = frozenset(word.lower() for word in listed)
    chance, some_good = random.Random(3), 0
    for html in [*sample_pages[::20], *(mutilated(chance.choice(sample_pages), chance) for _ in range(40))]:
        tree = parsed(html)
        paragraphs = ParagraphMaker.make_paragraphs(tree)
        ours = list(cut_paragraphs(tree))
        assert [(each.text, each.chars_count_in_links, "select" in each.dom_path) for each in ours] == [
            (each.text, each.chars_count_in_links, "select" in each.dom_path) for each in paragraphs
        ]
        classify_paragraphs(paragraphs, listed, *LIMITS)
        revise_paragraph_classification(paragraphs, 150)
        good = [each.text for each in paragraphs if not each.is_boilerplate]
        assert good_paragraphs(tree, listed, words) == good
        some_good += bool(good)
    assert some_good > 3


def test_an_expression_answered_from_memory_finds_the_same_elements(sample_pages):
    cascade.extract(sample_pages[0])
    exchanged = [test for name in dir(xpaths) if name.endswith(("XPATH", "ELEMENTS")) for test in getattr(xpaths, name)
                 if isinstance(test, AttributeTest)]  # fmt: skip
    assert len(exchanged) == 11
    for html in sample_pages[::25]:
        tree = parsed(html)
        for test in exchanged:
            expected = etree.XPath(test.path, namespaces={"re": "http://exslt.org/regular-expressions"})(tree)
            assert test(tree) == (expected[:1] if test.first else expected), test.path


def test_memory_is_forgotten_before_it_grows(monkeypatch):
    monkeypatch.setattr("seiryu.corpus.extraction.attribute_tests.REMEMBERED", 50)
    test = AttributeTest(etree.XPath(".//*[self::p][contains(@class, 'a')]"), ("p",))
    body = etree.fromstring("<body>" + "".join(f'<p class="{"ab"[n % 2]}{n}"/>' for n in range(500)) + "</body>")
    assert len(test(body)) == 250
    assert test.remembered <= 50


def test_a_value_that_cannot_be_written_is_put_to_the_expression_itself():
    test = AttributeTest(etree.XPath(".//*[self::p][contains(@class, 'a')]"), ("p",))
    tree = lxml_html.document_fromstring("<body><p class='a&#1;'>x</p><p class=a>y</p><p class=b>z</p>")
    assert [each.text for each in test(tree)] == ["x", "y"]


def test_memory_that_runs_out_in_a_retry_ends_the_page(sample_pages, monkeypatch):
    def fails(*_):
        raise MemoryError

    monkeypatch.setattr(cascade.core, "_recall_retry", fails)
    ends = [text_or_error(cascade.extract, html) for html in sample_pages[::3]]
    assert 5 < ends.count("MemoryError") < 0.5 * len(ends)


def test_the_page_is_not_changed_by_being_read(sample_pages):
    html = sample_pages[3]
    assert cascade.extract(copy.copy(html)) == cascade.extract(html)


def nested(levels):
    deep, after = "<p>深いところにある本文です。</p>" * 60, "<p>あとに続く本文です。</p>" * 60
    return "<html><body>" + "<div>" * levels + deep + "</div>" * levels + after + "</body></html>"


@pytest.mark.parametrize("levels", [10, 254, 300, 2000])
def test_nesting_hides_no_text(levels):
    text = cascade.extract(nested(levels))
    assert (text.count("深い"), text.count("あと")) == (60, 60)


@pytest.mark.parametrize("levels", [2050, 100_000])
def test_a_page_that_the_parser_does_not_read_to_its_end_is_refused(levels):
    with pytest.raises(cascade.PageCut, match="Excessive depth"):
        cascade.extract(nested(levels))
    assert cascade.extract(nested(5))


@pytest.mark.parametrize(
    "large", ["<p>" + "長い。" * 4_000_000, "<a title='" + "x" * 11_000_000 + "'>", "<!--" + "x" * 11_000_000 + "-->"]
)
def test_eleven_megabytes_in_one_piece_hide_no_text(large):
    before, after = "<p>まえの本文です。</p>" * 60, "<p>あとの本文です。</p>" * 60
    text = cascade.extract(f"<html><body><article>{before}{large}</p></a>{after}</article></body></html>")
    assert (text.count("まえの"), text.count("あとの")) == (60, 60)
