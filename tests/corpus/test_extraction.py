import time

import pytest
from archive_bytes import SAMPLES

from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction import extractor_version, main_text, title


@pytest.fixture(scope="module")
def pages(labels):
    """(label, html) of the sample pages."""
    found = []
    for path in SAMPLES:
        with path.open("rb") as file:
            for record in raw_records(file, path.name, 1 << 24):
                row = labels.get((path.name, record.offset))
                if row and row["kind"] == "html" and row["status"] == 200:
                    page = read_page(record)
                    found.append((row, decode(payload(page, 1 << 24), page.charset).text))
    return found


def test_titles_are_those_of_the_labels(pages):
    known = [(row, html) for row, html in pages if row.get("title") is not None]
    assert len(known) > 1500
    assert [row["url"] for row, html in known if title(html) != " ".join(row["title"].split())] == []


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<html><TITLE lang=ja>\n 表題&amp;&#12354;\t二 </TITLE><title>other</title>", "表題&あ 二"),
        ("<title>a < b &lt; c</title>", "a < b < c"),
        ("<titlepage>no</titlepage><title>yes</title>", "yes"),
        ("<title></title>", ""),
        ("<title>endless", ""),
        ("<title>&#xD800;</title>", "\ufffd"),
        ("", ""),
    ],
)
def test_the_first_title_is_the_title(html, expected):
    assert title(html) == expected


def test_broken_markup_without_end_takes_linear_work():
    begin = time.process_time()
    for html in ("<title" * 200_000, "<title>" * 200_000, "<title " + "x" * 1_000_000, "<" * 1_000_000):
        assert title(html) in ("", "<title>" * 585)
    assert time.process_time() - begin < 5


def test_the_main_text_of_japanese_pages_is_found(pages):
    """Of the lines that a template's content element holds, most are in the text: a floor, not a benchmark."""
    shares = []
    for row, html in pages[::7]:
        lines = [line for line in (row.get("gold_text") or "").split("\n") if len(line) > 20]
        if row["lang"] == "ja" and row.get("gold_grade") == "B" and len(lines) >= 5:
            text = "".join(main_text(html).split())
            shares.append(sum("".join(line.split()) in text for line in lines) / len(lines))
    assert len(shares) > 40
    assert sum(shares) / len(shares) > 0.6


def test_the_main_text_is_a_paragraph_a_line_without_markup_and_always_the_same():
    paragraphs = [
        f"第{n}段落。これは本文であり、十分に長い文章として書かれている。読む人がいることを願っている。" for n in range(8)
    ]
    html = (
        "<html><body><nav><a href=/>menu</a></nav><article>"
        + "".join(f"<p>{line}</p>" for line in paragraphs)
        + "</article></body></html>"
    )
    text = main_text(html)
    assert text.split("\n") == paragraphs
    assert main_text(html) == text


@pytest.mark.parametrize(
    "html",
    [
        "",
        " ",
        "<html></html>",
        "no markup",
        "\0\0\0",
        "<" * 10_000,
        "<?xml version='1.0' encoding='utf-16'?><p>x",
        "\ufffd" * 500,
    ],
)
def test_what_has_no_main_text_gives_text_all_the_same(html):
    main_text(html).encode()


def test_the_version_names_all_that_decides_the_text():
    assert [part.split()[0] for part in extractor_version().split(", ")] == ["trafilatura", "justext", "lxml", "libxml2"]
