import codecs

import pytest

from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.decoding.charset_labels import _CODECS, codec_of


def test_every_encoding_that_browsers_read_has_a_codec_but_utf_16():
    assert len(set(_CODECS.values())) == 34
    assert all(codecs.lookup(codec) for codec in _CODECS.values())


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("utf-8", "utf-8"), ("UTF8", "utf-8"), ("unicode-1-1-utf-8", "utf-8"), ("x-unicode20utf8", "utf-8"),
        ("Shift_JIS", "cp932"), ("x-sjis", "cp932"), ("windows-31j", "cp932"), ("ms_kanji", "cp932"), ("csShiftJIS", "cp932"),
        ("EUC-JP", "euc_jp"), ("x-euc-jp", "euc_jp"), ("csEUCPkdFmtJapanese", "euc_jp"), ("csISO2022JP", "iso2022_jp"),
        ("latin1", "cp1252"), ("us-ascii", "cp1252"), ("iso-8859-9", "cp1254"), ("iso-8859-11", "cp874"), ("dos-874", "cp874"),
        ("logical", "iso8859-8"), ("ISO-8859-8-I", "iso8859-8"), ("visual", "iso8859-8"), ("sun_eu_greek", "iso8859-7"),
        ("gb2312", "gb18030"), ("x-gbk", "gb18030"), ("chinese", "gb18030"), ("x-x-big5", "big5hkscs"), ("ks_c_5601-1987", "cp949"),
        ("korean", "cp949"), ("koi8-ru", "koi8-u"), ("x-mac-ukrainian", "mac-cyrillic"), ("macintosh", "mac-roman"),
        ("asmo-708", "iso8859-6"), ("csibm866", "cp866"), (" \tutf-8\n", "utf-8"),
    ],
)  # fmt: skip
def test_a_label_of_the_web_names_the_codec_of_the_web(label, codec):
    assert codec_of(label) == codec


@pytest.mark.parametrize(
    ("label", "codec"),
    [("cp932", "cp932"), ("eucjp", "euc_jp"), ("iso-2022-jp-3", "iso2022_jp"), ("euc-jis-2004", "euc_jis_2004")],
)
def test_what_japanese_pages_say_beyond_the_standard_is_understood(label, codec):
    assert codec_of(label) == codec


@pytest.mark.parametrize(
    "label",
    [
        None,
        "",
        "utf-7",
        "utf-32",
        "hz-gb-2312",
        "iso-2022-kr",
        "iso-2022-cn",
        "x-user-defined",
        "replacement",
        "none",
        "a\0b",
        "utf-16",
    ],
)
def test_what_names_no_encoding_of_a_page_is_none(label):
    assert codec_of(label) is None


@pytest.mark.parametrize("label", sorted(_CODECS))
def test_a_page_that_declares_a_label_is_read_by_it(label):
    codec = codec_of(label)
    sample = {"cp949": "한국어 문서입니다", "gb18030": "这是一个中文网页", "big5hkscs": "這是一個中文網頁"}.get(codec)
    if sample:
        found = decode(f'<meta charset="{label}"><p>'.encode() + (sample * 9).encode(codec))
        assert (found.charset, found.source, found.text.endswith(sample)) == (codec, "meta", True)
    assert decode(b"<p>plain", label).text == "<p>plain"


@pytest.mark.parametrize("label", ["windows-1252", "iso-8859-1", "windows-1255", "windows-874"])
def test_gaps_of_windows_tables_are_control_characters_as_in_browsers(label):
    found = decode(b"<p>caf\xe1 \x81 " * 9, label)
    assert (found.replaced, found.text.count("\x81")) == (0, 9)
