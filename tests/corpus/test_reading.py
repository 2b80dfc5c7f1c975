"""What a Japanese reader sees is what both extractors give."""

import re

import pytest
from archive_bytes import ROOT
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction import EXTRACTORS, main_text
from seiryu.corpus.extraction.reading import readable_html, readable_text
from seiryu.corpus.extraction.resiliparse_text import main_text as resiliparse_text

FILLER = "これは十分に長い文章であり、本文として取り出されるはずの段落である。読む人がいることを願っている。"
WIDE_PAIR = re.compile("[ぁ-んァ-ヶ一-龥、。](?: )[ぁ-んァ-ヶ一-龥]")


@pytest.fixture(params=EXTRACTORS)
def read(request):
    """The lines that an extractor gives for a piece of an article, the article's own lines taken away."""

    def lines(body):
        html = f"<html lang=ja><head><title>題</title></head><body><article><h1>見出し</h1>{f'<p>{FILLER}</p>' * 6}{body}</article></body></html>"
        text = main_text(html, request.param)
        assert text.startswith(f"見出し\n{FILLER}\n")
        return [line for line in text.split("\n") if line not in (FILLER, "見出し")]

    return lines


READ = "この漢字を読む、と彼は言ったのであった。"


@pytest.mark.parametrize(
    "ruby",
    [
        "<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>",
        "<ruby>漢字<rp>（<rt>かんじ<rp>）</ruby>",
        "<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>",
        "<ruby>漢<rt>かん字<rt>じ</ruby>",
        "<ruby><rb>漢</rb><rb>字</rb><rtc><rt>かん</rt><rt>じ</rt></rtc></ruby>",
        "<ruby><rb>漢<rb>字<rt>かん<rt>じ<rtc><rt>kanji</ruby>",
        "<ruby><ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby><rt>kanji</rt></ruby>",
        "<ruby>\n  漢字\n  <rp>(</rp>\n  <rt>かんじ</rt>\n  <rp>)</rp>\n</ruby>",
        '<RUBY CLASS=a>漢字<RP>(</RP><Rt title="a > b">かんじ</Rt><RP>)</RP></RUBY>',
        "<ruby><b>漢</b>字<rt><span lang=ja>かん<i>じ</i></span></rt></ruby>",
        "<ruby>漢<rt>かん</rt></ruby><ruby>字<rt>じ</rt></ruby>",
    ],
)
def test_ruby_leaves_its_base_and_no_reading(read, ruby):
    assert read(f"<p>この{ruby}を読む、と彼は言ったのであった。</p>") == [READ]


@pytest.mark.parametrize("unclosed", ["<ruby>漢<rt>かん字", "<ruby>漢字<rt>", "<rt>漢字</rt>", "漢<rp>字", "</rt>漢字</ruby>"])
def test_readings_that_never_end_and_those_without_ruby_lose_no_text(read, unclosed):
    (line, after) = read(
        f"<p>この{unclosed}を読む、と彼は言ったのであった。</p><p>次の段落もまた、失われることなく残っている。</p>"
    )
    assert line.replace("かん", "") == READ
    assert after == "次の段落もまた、失われることなく残っている。"


def test_a_reading_longer_than_any_reading_is_text(read):
    (line,) = read(f"<p>この<ruby>漢字<rt>{'本文である。' * 60}</ruby>と続く。</p>")
    assert line.count("本文である。") == 60


def test_brackets_that_the_author_wrote_stay(read):
    assert read("<p>この漢字(かんじ)を読む、と彼は（小声で）言ったのであった。</p>") == [
        "この漢字(かんじ)を読む、と彼は（小声で）言ったのであった。"
    ]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("改行が文の\n途中にある、\r\n  そして続くのである。", "改行が文の途中にある、そして続くのである。"),
        ("改行が文の \t\n 途中にある。", "改行が文の途中にある。"),
        ("この\n<a href=/x>リンク</a>\nは<b>\n太字</b>と\n<span>\n枠</span>である。", "このリンクは太字と枠である。"),
        ("この<a href=/x>リンク</a>は<b>太字</b>と<i>斜</i>、<em>体</em>で<u>線</u>。", "このリンクは太字と斜、体で線。"),
        ("English\nwords と\n日本語\nABC と", "English words と日本語 ABC と"),
        ("<span>東の国の話</span>\n<b>西の国の話</b>と続く", "東の国の話 西の国の話と続く"),
        ("한국어\n문장이다", "한국어 문장이다"),
    ],
)
def test_a_broken_line_of_the_source_is_no_blank_between_wide_letters(read, source, seen):
    assert read(f"<p>{source}</p>") == [seen]


def test_preformatted_lines_stay_lines(read):
    assert read("<pre>一行目である\n二行目である</pre><p>段落の\n文章である。</p>") == [
        "一行目である",
        "二行目である",
        "段落の文章である。",
    ]
    assert readable_html("<PRE>甲\n乙") == "<PRE>甲\n乙"
    assert readable_html("<textarea>甲\n乙</textarea>丙\n丁") == "<textarea>甲\n乙</textarea>丙丁"


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("数値&#12354;&#x3042;&#12354と&#150;&#151;&#146;と&hellip;、&lt;b&gt;と書く。", "数値あああと–—’と…、<b>と書く。"),
        ("表示&amp;amp;と&amp;lt;b&amp;gt;と&amp;#12354;と&amp;copyと書く。", "表示&amp;と&lt;b&gt;と&#12354;と&copyと書く。"),
        ("&nbsp;東京&nbsp;大阪　京都　　奈良は都市である。　", "東京 大阪 京都 奈良は都市である。"),
        ("　段落の初めは一字下げる。", "段落の初めは一字下げる。"),
        (
            "東\u200b京都&#8203;港区ソフト&shy;ハイ\u00adフン、長い<wbr>単語、\ufeff記号。",
            "東京都港区ソフトハイフン、長い単語、記号。",
        ),
        (
            "会議は<time datetime=2024-03-01>三月一日</time>に開かれ、終わりは<TIME>五日</TIME>(金)。",
            "会議は三月一日に開かれ、終わりは五日(金)。",
        ),
        ("inter<wbr>national と super&shy;market である。", "international と supermarket である。"),
        ("︵括弧︶﹁鉤﹂︑読点︒﹃二重﹄︙︽山︾︱と書いた。", "（括弧）「鉤」、読点。『二重』…《山》―と書いた。"),
        (
            "平成<span style='text-combine-upright:all'>12</span>年の<span class=tcy><span>31</span></span>日。",
            "平成12年の31日。",
        ),
    ],
)
def test_a_paragraph_reads_as_on_the_screen(read, source, seen):
    assert read(f"<p style='writing-mode: vertical-rl'>{source}</p>") == [seen]


def test_a_date_beside_the_article_stays_out_of_it(read):
    assert read("<p>本文の最後の段落である。</p><div>投稿日：<time>2024年3月1日</time></div>")[0] == "本文の最後の段落である。"
    assert readable_html("投稿日：<time>三月</time>\n") == "投稿日：<time>三月</time>\n"


@pytest.mark.parametrize("tag", ["p", "div", "font", "center", "main", "section", "CENTER class=a", "blockquote"])
def test_lines_of_br_are_lines_and_none_is_lost(read, tag):
    body = f"<{tag}>一行目である。<br>二行目である。<BR/><br>三行目は別の段落である。<br>\n四行目の文である。</{tag.split()[0]}>"
    assert read(body) == ["一行目である。", "二行目である。", "三行目は別の段落である。", "四行目の文である。"]


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_an_article_of_nothing_but_br_is_all_there(extractor):
    lines = [f"第{n}行の文章であり、昔のページは段落の要素を持たずに書かれていたものである。" for n in range(40)]
    html = "<html><body bgcolor=white>" + "<br>\n".join(lines) + "</body></html>"
    assert main_text(html, extractor).split("\n") == lines


@pytest.mark.parametrize(
    "html",
    ["", "<p>plain</p>", "<center>\n<p>甲</center>", f"<p>{FILLER}</p>\n<p>a\nb</p>\n", "a &amp; b", "<a href='?a=1&amp;b=2'>"],
)
def test_a_page_that_needs_nothing_comes_back_itself(html):
    assert readable_html(html) == html
    assert readable_text(html) is html


@given(st.lists(st.sampled_from(["<ruby>", "</ruby>", "<rt>", "</rt>", "<rp>", "<rb>", "<rtc>", "<p>", "</p>", "<b>", "漢", "字", "かな", "a", "\n", " ", "&amp;lt;", "<pre>", "</pre>", "<"]))
       .map("".join))  # fmt: skip
def test_what_was_mended_needs_no_mending_and_no_kanji_is_lost_outside_readings(html):
    once = readable_html(html)
    assert not re.search("</?r(?:uby|t|p|b|tc)>", once)
    if not re.search("</?r", html):
        assert readable_html(once) == once
        assert "".join(once.split()).replace("\u034f", "") == "".join(html.split())


@pytest.mark.parametrize(
    "piece",
    [
        "\n",
        " \n",
        "<rt",
        "<ruby>",
        "<ruby><rt>",
        '<rt "',
        "<pre",
        "<pre>",
        "あ\n<b>",
        "あ\n<b",
        "</b>\n",
        "&amp;",
        "<rt '",
        "あ \n",
    ],
)
def test_endless_repetition_is_read_in_linear_time(piece):
    """400,000 letters: quadratic work would show as a test that does not end."""
    html = piece * (400_000 // len(piece))
    assert len(readable_html(html)) <= len(html)


def real_pages(labels, wanted, most):
    """(url, html) of Japanese sample pages whose HTML the pattern finds."""
    found = []
    for path in sorted((ROOT / "samples").glob("*-00000.warc.gz")):
        with path.open("rb") as file:
            for record in raw_records(file, path.name, 1 << 24):
                row = labels.get((path.name, record.offset))
                if row and row["kind"] == "html" and row["status"] == 200 and row["lang"] == "ja":
                    page = read_page(record)
                    html = decode(payload(page, 1 << 24), page.charset).text
                    if wanted(html):
                        found.append((row["url"], html))
    return found[:: -(-len(found) // most)]


def test_mended_line_breaks_of_real_pages_cost_blanks_and_no_letters(labels):
    pages = real_pages(labels, lambda html: "&amp;" not in html and readable_html(html) != html, 40)
    assert len(pages) > 20
    before = after = same = 0
    for _, html in pages:
        old, new = resiliparse_text(html), resiliparse_text(readable_html(html))
        same += "".join(old.split()) == "".join(new.split())
        before, after = before + len(WIDE_PAIR.findall(old)), after + len(WIDE_PAIR.findall(new))
    assert same == len(pages)
    assert after < before / 2


def test_real_pages_about_markup_keep_what_they_write(labels):
    pages = real_pages(labels, lambda html: re.search(">[^<]*&amp;(?:lt|gt|quot);[^<]*</dd>", html), 5)
    assert pages
    for url, html in pages:
        for extractor in EXTRACTORS:
            text = main_text(html, extractor)
            assert re.search("&(?:lt|gt|quot);", text), url
            assert "\u034f" not in text
