import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from seiryu.corpus.extraction.opt_outs import OptOuts, opt_outs

NOAI = '<meta name="robots" content="noai">'


@pytest.mark.parametrize(
    ("header", "robots"),
    [
        ("noindex", "noindex"),
        ("NoIndex, NOFOLLOW", "nofollow,noindex"),
        ("noai, noimageai,noai", "noai,noimageai"),
        ("none", "nofollow,noindex"),
        ("index\nnoindex", "index,noindex"),
        ("googlebot: noindex, nofollow", ""),
        ("CCBot: noindex", "noindex"),
        ("ccbot/2.0: noindex", "noindex"),
        ("*: noai", "noai"),
        ("otherbot: noindex, nofollow, ccbot: noai, noimageai, googlebot: nosnippet", "noai,noimageai"),
        ("noarchive, googlebot: noindex", "noarchive"),
        ("googlebot: noindex\nnoai", "noai"),
        ("noai\ngooglebot: noindex, nofollow\nbingbot: none", "noai"),
        ("max-snippet:-1, max-image-preview: Large, noai", "max-image-preview:large,max-snippet:-1,noai"),
        ("unavailable_after: 25 Jun 2010 15:00:00 PST, noai", "noai,unavailable_after"),
        ("unavailable_after: Wednesday, 25-Jun-2010 15:00:00 GMT, noai", "noai,unavailable_after"),
        ("noindex; nofollow", "nofollow,noindex"),
        ("noindex nofollow", "nofollow,noindex"),
        (", ,:,;", ""),
        ("", ""),
    ],
)
def test_a_header_speaks_to_all_or_to_crawlers_it_names(header, robots):
    assert opt_outs("", header) == OptOuts(robots)


@pytest.mark.parametrize(
    ("html", "robots"),
    [
        (NOAI, "noai"),
        ("<META CONTENT='NOAI, NoImageAI' NAME=Robots>", "noai,noimageai"),
        ("<meta\n  class=x content = noindex\n name = 'robots' />", "noindex"),
        ("<meta name=robots content=noindex/>", "noindex"),
        ('<meta name="robots" content="none">', "nofollow,noindex"),
        ('<meta name="ccbot" content="noindex">', "noindex"),
        ('<meta name="CCBot" content="nofollow"><meta name="robots" content="index">', "index,nofollow"),
        ('<meta name="googlebot" content="noindex"><meta name="GPTBot" content="noai">', ""),
        ('<meta name="robots" content="noai&#44; noimageai">', "noai,noimageai"),
        ('<meta name="robots" content="noindex nofollow">', "nofollow,noindex"),
        ('<meta name="robots" content="noai""><meta name="x" content="y">', "noai"),
        ('<meta name="x" content="a > b"><p title=">">' + NOAI, "noai"),
        ('<meta name="robots" name="other" content="noai" content="index">', "noai"),
        ('<meta property="robots" content="noai"><metadata name="robots" content="noai">', ""),
        ('<meta name="description" content="robots noai"><p>noai &lt;meta name="robots" content="noai"></p>', ""),
        ("<body><div>" + NOAI, "noai"),
        ("<noscript>" + NOAI + "</noscript>", "noai"),
        (f"<!-- {NOAI} -->", ""),
        (f"<!--> {NOAI}", "noai"),
        (f"<script>'{NOAI}'</script>", ""),
        (f"<textarea>{NOAI}</TEXTAREA >{NOAI}", "noai"),
        (f"<TITLE>{NOAI}</title><style>/* {NOAI} */</style><xmp>{NOAI}</xmp>", ""),
        (f"<script src='a.js'/>{NOAI}", "noai"),
        (f"<!-- <script> <title> {NOAI}", "noai"),
        (f'<meta name="robots" content="noai{NOAI}', ""),
    ],
)
def test_a_meta_element_counts_where_a_browser_sees_one(html, robots):
    assert opt_outs(html) == OptOuts(robots)


def test_header_and_page_both_count():
    assert opt_outs('<meta name="robots" content="index, noimageai">', "noai").robots == "index,noai,noimageai"


TDM = '<meta name="tdm-reservation" content="{}"><meta name="TDM-Policy" content="{}">'


@pytest.mark.parametrize(
    ("html", "headers", "reservation", "policy"),
    [
        ("", ("1", "https://a.jp/tdm.json"), "1", "https://a.jp/tdm.json"),
        ("", (" 0 ", ""), "0", ""),
        ("", ("2", ""), "", ""),
        (TDM.format(1, "https://a.jp/?a=1&amp;b"), ("", ""), "1", "https://a.jp/?a=1&b"),
        (TDM.format(1, ""), ("0", "https://a.jp/"), "1", "https://a.jp/"),
        (TDM.format(0, "https://a.jp/"), ("1", "https://b.jp/"), "0", "https://a.jp/"),
        (TDM.format("yes", ""), ("1", ""), "1", ""),
        ("<meta content=1 name=tdm-reservation />", ("", ""), "1", ""),
        (f"<!-- {TDM.format(1, 'https://a.jp/')} -->", ("", ""), "", ""),
    ],
)
def test_the_reservation_of_a_page_goes_before_that_of_its_header(html, headers, reservation, policy):
    assert opt_outs(html, "", *headers) == OptOuts("", reservation, policy)


def test_a_policy_that_does_not_fit_is_none_and_one_of_broken_letters_can_be_written():
    assert opt_outs("", "", "1", f"https://a.jp/{'a' * 2000}") == OptOuts("", "1", "")
    opt_outs("<meta name=tdm-policy content='https://a.jp/\ud800'>").tdm_policy.encode()


def test_any_number_of_directives_makes_a_short_list_that_hides_nothing_rules_ask_for():
    metas = "".join(f"<meta name=robots content='{', '.join(f'x{i}-{j}' for j in range(90))}'>" for i in range(100))
    robots = opt_outs(metas + NOAI + "<meta name=robots content=noindex>", f"{'a' * 100_000}, noimageai").robots
    assert len(robots) < 2000
    assert {"noai", "noimageai", "noindex"} <= set(robots.split(","))


# pieces that any parser takes alike
PIECES = st.sampled_from(
    [
        *(f"<meta name={name} content={content}>" for name in ("robots", "'CCBOT'", '"googlebot"') for content in ("noai", "'a,b'")),
        '<meta title="x > y" content="c" name="robots">', "<meta charset=utf-8>", "<p title='<meta name=robots content=title>'>", "<a href=x='>", "<b '>", "<br/>",
        "<!-- <meta name=robots content=comment> -->", "<!---->", "<!-- > --", "-->", "<script>", "</script>", "<style>", "</style >",
        "<title>", "</title>", "<textarea>", "</textarea>", "<body>", "</head>", "本文", "<div>", "</div>", "<", ">", '"', "'", "<meta ",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=1000)
@given(st.lists(PIECES, max_size=12).map(lambda pieces: "".join(pieces) + "-->'\">" + "</script></style></title></textarea>"))
def test_meta_elements_are_those_that_lexbor_finds(html):
    metas = HTMLTree.parse(html).document.get_elements_by_tag_name("meta")
    said = [meta.getattr("content") for meta in metas if (meta.getattr("name") or "").lower() in ("robots", "ccbot")]
    assert opt_outs(html).robots == ",".join(sorted({part for content in said for part in content.split(",")}))


@settings(deadline=None)
@given(st.lists(PIECES | st.text(max_size=3)).map("".join), st.text(), st.text(), st.text())
def test_no_page_and_no_header_makes_it_fail(html, robots, reservation, policy):
    found = opt_outs(html, robots, reservation, policy)
    assert found.tdm_reservation in ("", "0", "1")
    assert found.robots.isascii()


HOSTILE = ["<", "<meta ", "<meta>", "<meta x='", '<meta x="', "<!--", "<!-->", "<script>", "<script", "</script", "<title/>", "=",
           "<meta robots a", "<meta robots a   ", f"<meta robots {'=' * 9000}>", f"<meta name=robots content='{'a,' * 4000}'>"]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=lambda piece: piece[:16])
@pytest.mark.parametrize("before", ["", "<meta name=robots content=", "<meta name=robots content='"])
def test_hostile_pages_take_linear_work(piece, before):
    """2 MB of anything; what goes back for each piece would take minutes."""
    begin = time.process_time()
    opt_outs(before + piece * (2_000_000 // len(piece)))
    assert time.process_time() - begin < 4
