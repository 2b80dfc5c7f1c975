"""resiliparse's text has the same shape as trafilatura's, and its two habits that harm Japanese do not show."""

import unicodedata

import pytest
from archive_bytes import SAMPLES
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction.resiliparse_text import main_text

FILLER = "これは十分に長い文章であり、本文として取り出されるはずの段落である。"


def article(body):
    return f"<html><body><h1>見出し</h1><p>{FILLER}</p>{body}</body></html>"


def lines(body):
    found = main_text(article(body)).split("\n")
    assert found[:2] == ["見出し", FILLER]
    return found[2:]


def test_letters_that_stand_alone_between_tags_are_kept():
    assert lines("<p><b>甲</b>は<b>乙</b>と<i>丙</i>。<b>丁</b>&#12399;<b>&hearts;</b>\n</p>") == ["甲は乙と丙。丁は♥"]


def test_signs_of_icon_fonts_and_anchors_are_not_text():
    assert lines("<p>見出しの文である<a href=#x>¶</a><i>\ue001</i></p>") == ["見出しの文である"]


def test_lists_of_an_article_right_below_body_are_kept_and_lists_of_links_are_not():
    assert lines("<ul><li>一つ目の項目である。<li>二つ目の項目である。</ul>") == ["一つ目の項目である。", "二つ目の項目である。"]
    assert lines("<ul><li><a href=/a>会社案内</a><li><a href=/b>採用情報</a></ul>") == []
    assert lines("<nav>案内</nav><footer>著作権</footer>") == []


def test_bullets_numbers_and_indentation_are_not_text():
    body = "<ul><li>甲の項目<ul><li>乙の項目</ul><li>丙の項目</ul><ol><li>丁の項目</ol><dl><dt>用語<dd>説明</dl>"
    assert lines(body) == ["甲の項目", "乙の項目", "丙の項目", "丁の項目", "用語", "説明"]


def test_a_row_of_a_table_is_a_line():
    assert lines("<table><tr><td>甲である<td>乙である<tr><td>丙である<td>丁である</table>") == [
        "甲である 乙である",
        "丙である 丁である",
    ]


def test_scripts_styles_forms_and_comments_are_no_text():
    assert (
        lines("<script>var 甲 = 1;</script><style>.乙 {}</style><!-- 丙 --><select><option>丁</select><noscript>戊</noscript>")
        == []
    )


def test_nul_and_lone_surrogates_do_no_harm():
    assert lines("<p>前の\0文と\ud800後の文である。</p>") == ["前の文と\ufffd後の文である。"]


@pytest.mark.parametrize(
    "html", ["", " ", "\0", "<html></html>", "<frameset><frame src=a></frameset>", "<title>題</title>", "<body>"]
)
def test_a_page_without_text_gives_none(html):
    assert main_text(html) == ""


@pytest.mark.parametrize("tag", ["div", "DIV", "ul", "b", "table", "ruby"])
def test_elements_nested_beyond_all_measure_are_read_to_the_end(tag):
    """The share of links is computed on every level: work that is quadratic without a limit."""
    assert (
        main_text("<p>始めの文である。</p>" + f"<{tag}>" * 20_000 + "終わりの文である。").split("\n")[-1] == "終わりの文である。"
    )


@given(st.lists(st.sampled_from(["<div>", "</div>", "<ul><li>", "</ul>", "<p>", "<br>", "<b>", "</b>", "<pre>", "<table><tr><td>", "は", "　", "\u200b", "\n \n", "か\u3099", "&nbsp;", "<body>", "<time>", "文章である。", "\ud83d", "\0", "</body>", "<"]))
       .map("".join))  # fmt: skip
def test_whatever_the_markup_the_text_is_a_paragraph_a_line(html):
    text = main_text(html)
    assert text == "\n".join(" ".join(line.split()) for line in text.split("\n"))
    assert "\n\n" not in text
    assert all(line.isprintable() for line in text.split("\n"))
    assert unicodedata.is_normalized("NFC", text)
    text.encode()


def test_no_letter_between_tags_is_lost_in_real_pages(labels):
    """Of the gold lines that hold a letter between two tags, nearly all are found as they are."""
    found = known = 0
    for path in SAMPLES[:2]:
        with path.open("rb") as file:
            for record in raw_records(file, path.name, 1 << 24):
                row = labels.get((path.name, record.offset))
                if not row or row["lang"] != "ja" or row.get("gold_grade") != "B":
                    continue
                page = read_page(record)
                html = decode(payload(page, 1 << 24), page.charset).text
                wanted = {"".join(line.split()) for line in row["gold_text"].split("\n") if "」" in line and len(line) > 20}
                if wanted and ">」<" in html:
                    text = "".join(main_text(html).split())
                    known, found = known + len(wanted), found + sum(line in text for line in wanted)
    assert known > 100
    assert found / known > 0.9
