import html
import json
import random
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import ROOT, labelled_pages

from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction import main_text
from seiryu.filters.finding.most_letters import cannot_hold, most_letters
from seiryu.filters.finding.page_letters import legacy_kana, legacy_kana_bound, utf8_kana, writing
from seiryu.filters.letters import CLASSES, HIRAGANA, JAPANESE

TEXT = "清流は、山あいを流れる水である。𠮷野家！"

POSTS = json.dumps({"post_stream": {"posts": [{"cooked": f"<p>{TEXT * 12}</p>"}]}})
DISCOURSE = html.escape(json.dumps({"topic_1": POSTS}))


def held(text):
    """(Japanese letters, hiragana) of a text, letter by letter."""
    flags = [int(CLASSES[ord(letter)]) for letter in text]
    return sum(bool(flag & JAPANESE) for flag in flags), sum(bool(flag & HIRAGANA) for flag in flags)


@pytest.fixture(scope="module")
def pages():
    """Texts of Japanese sample pages in all encodings."""
    found = [decode(body, charset).text for row, body, charset in labelled_pages(ROOT / "samples") if row["lang"] == "ja"]
    assert len(found) > 700
    return found


def test_no_extracted_text_holds_more_than_the_bound_of_its_page(pages):
    few = 0
    for page in pages[::12]:
        bound, text = most_letters(page), held(main_text(page))
        assert text[0] <= bound[0]
        assert text[1] <= bound[1]
        few += bound[0] < 400 or bound[1] < 80
    assert few > 10  # pages that need no parsing


NUMBERS = [
    lambda letter: letter,
    lambda letter: f"&#{ord(letter)};",
    lambda letter: f"&#X{ord(letter):X}",
    lambda letter: f"&amp;#{ord(letter)};",
    lambda letter: json.dumps(letter)[1:-1],
    lambda letter: json.dumps(letter)[1:-1].replace("\\", "\\\\"),
    lambda letter: json.dumps(f"&#{ord(letter)};").replace("&", "\\u0026")[1:-1],
]


@pytest.mark.parametrize("written", NUMBERS)
def test_a_letter_counts_in_whatever_way_it_is_written(written):
    page = "<p>" + " ".join(map(written, TEXT)) + "</p>"
    assert most_letters(page) == held(TEXT)


@pytest.mark.parametrize(
    "place", ["<p>{}</p>", '<p title="{}">', "<!-- {} -->", "<script>{}", "<![CDATA[{}", "<textarea>{}", "<p '{}"]
)
def test_a_letter_counts_wherever_it_stands(place):
    assert most_letters(place.format(TEXT)) == held(TEXT)


@pytest.mark.parametrize(
    "page",
    [
        f'<script type="application/ld+json">{{"@type": "Article", "articleBody": {json.dumps(TEXT * 12)}}}</script>',
        f'<div id="data-preloaded" data-preloaded="{DISCOURSE}"></div>',
    ],
    ids=["JSON-LD", "Discourse"],
)
def test_text_that_stands_in_no_element_is_within_the_bound(page):
    whole = f"<html><head><title>x</title></head><body><p>x</p>{page}</body></html>"
    text = held(main_text(whole))
    assert text[0] >= held(TEXT * 12)[0]  # the extractor does take it
    assert text <= most_letters(whole)


@pytest.mark.parametrize(
    "page",
    [
        "<p>&amp;&#35;12354;",
        "<p>&num;12354;",
        r'{"a": "\u005cu3042"}',
        "<p>&amp;#&#49;2354;",
        "<p>&#<b>12354;</b>",
        "<ruby>&#12<rb>354;",
        "<p>&amp;#123<b>54;</b>",
        "<p>&amp;#12&shy;354;",
        "<p>&#123\x0154;",
        "<p>&amp;#x\xad3042;",
        '{"a": "\\\\u30\x0142"}',
    ],
)
def test_what_could_assemble_a_reference_leaves_only_the_length_as_bound(page):
    assert most_letters(page) == (len(page), len(page))


def test_vertical_punctuation_counts_as_what_it_becomes():
    page = "<html><body><p>x</p><p>" + "︐︑︒︕︖清流" * 40
    assert held(main_text(page)) <= most_letters(page) == (7 * 40, 0)


def test_normalization_makes_no_japanese_letter_of_others():
    for point in (*range(0xD800), *range(0xE000, 0x110000)):
        letter = chr(point)
        made = unicodedata.normalize("NFC", letter)
        if made != letter:
            assert held(made) <= held(letter)
    assert held(unicodedata.normalize("NFC", "か\u3099ハ\u309a")) == held("か\u3099ハ\u309a") == (2, 1)


@settings(deadline=None)
@given(st.text(st.sampled_from("#&;x\\uX0123456789abcdfEあア漢ｱ。!𠮷é< ")))
def test_the_bound_is_never_below_what_any_decoding_gives(text):
    japanese, hiragana = most_letters(text)
    for reading in (text, html.unescape(text), html.unescape(html.unescape(text)), unescaped(text)):
        found = held(reading)
        assert found[0] <= japanese
        assert found[1] <= hiragana


def unescaped(text):
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)


def test_kana_of_a_page_are_at_most_the_bound_of_its_encoding(pages):
    for page in pages[::5]:
        kana = len(re.findall("[\u3041-\u30ff]", page))
        assert utf8_kana(page.encode())[0] == kana
        page = page.replace("\xa0", " ").replace("\x80", " ")  # Python's cp932 has bytes for them, the web's has none
        cp932, euc = page.encode("cp932", "ignore"), page.encode("euc_jp", "ignore")
        in_cp932, in_euc = (
            len(re.findall("[ぁ-んァ-ヶ]", cp932.decode("cp932"))),
            len(re.findall("[ぁ-んァ-ヶ]", euc.decode("euc_jp"))),
        )
        assert in_cp932 <= legacy_kana_bound(cp932)[0]
        assert in_euc <= legacy_kana_bound(euc)[1]
        assert legacy_kana(cp932)[:2] == (in_cp932, 0)
        assert legacy_kana(euc)[2:] == (in_euc, 0)


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_the_bound_counts_every_pair(data):
    assert utf8_kana(data) == (sum(data.count(bytes([0xE3, trail])) for trail in (0x81, 0x82, 0x83)), data.count(b"&#"))
    assert legacy_kana_bound(data) == (
        len(re.findall(rb"(?=\x82[\x9f-\xf1]|\x83[\x40-\x96])", data)),
        len(re.findall(rb"(?=[\xa4\xa5][\xa1-\xf6])", data)),
    )


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<p>かな kana 漢字</p>", (2, 8)),
        ("<p>&#12354;&#x3042 &nbsp;&eacute;。</p>", (2, 2)),
        ('<a href="/">リンク</a>外', (0, 1)),
        ("<A class=x HREF=/>リンク</A >外", (0, 1)),
        ("<a name=here>しおり</a>外", (3, 4)),
        ("<abbr>あ</abbr><article>い</article>", (2, 2)),
        ("<!-- かな --><script>var かな</script><STYLE>かな</STYLE><title>かな</title>外", (0, 1)),
        ("<img alt='かな'>外", (0, 1)),
        ("1 < 2 あ <", (1, 1)),
        ("ｶﾅ한국Русский", (2, 11)),
        ("<!-- あ", (1, 1)),
        ("<a href=x>あ", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_writing_is_what_a_reader_sees_outside_links(page, found):
    assert writing(page.encode()) == found


@settings(deadline=None)
@given(st.one_of(st.binary(), st.text(st.sampled_from("<>!-/aA hrefscriptyle=&#x;あ")).map(str.encode)))
def test_no_bytes_make_the_kernels_fail(data):
    kana, letters = writing(data)
    assert 0 <= kana <= letters <= len(data)
    most_letters(data.decode("utf-8", "replace"))
    legacy_kana(data)


BLOCKS = ("div", "p", "blockquote", "q", "pre", "code", "ul", "li", "ol", "dl", "dt", "dd", "table", "tr", "td", "span", "b",
           "article", "section", "main", "h1", "h2", "details", "summary", "figure", "quote", "center", "form", "strong", "font")  # fmt: skip
CLASSES_OF_BLOCKS = (
    "",
    ' class="entry-content"',
    ' class="article-body"',
    ' id="content"',
    ' class="post"',
    ' itemprop="articleBody"',
)


def nest(chance, depth):
    """Blocks within each other against all rules, with text between them."""
    if not depth or chance.random() < 0.25:
        return "".join(chance.choice("これは日本語の文章です。漢字とカナ、あ") for _ in range(chance.choice([3, 10, 40, 120])))
    name = chance.choice(BLOCKS)
    inside = "".join(nest(chance, 0) * (chance.random() < 0.5) + nest(chance, depth - 1) for _ in range(chance.randint(1, 4)))
    named = chance.choice(CLASSES_OF_BLOCKS) if chance.random() < 0.3 else ""
    return f"<{name}{named}>{inside}" + f"</{name}>" * (chance.random() < 0.95)


@pytest.mark.parametrize("extractor", ["trafilatura", "resiliparse"])
def test_blocks_nested_against_all_rules_give_no_more_than_the_bound_allows(extractor):
    """Seed 5 holds pages that trafilatura puts out in part twice."""
    chance, repeated = random.Random(5), 0
    for _ in range(4000 if extractor == "trafilatura" else 500):
        page = f"<html><body>{''.join(nest(chance, chance.randint(1, 5)) for _ in range(chance.randint(1, 4)))}</body></html>"
        text = main_text(page, extractor)
        japanese = sum(bool(CLASSES[ord(letter)] & JAPANESE) for letter in text)
        hiragana = sum(bool(CLASSES[ord(letter)] & HIRAGANA) for letter in text)
        assert not cannot_hold(page, japanese, hiragana), page
        repeated += japanese > most_letters(page)[0]
    assert repeated or extractor == "resiliparse"
