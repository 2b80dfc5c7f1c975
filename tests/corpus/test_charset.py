import codecs
import gzip
import json
import re

import pytest
from archive_bytes import PACK, SAMPLES
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.decoding.charset import decode

TEXT = "日本語の文字コードは、バイトの並びから分かることが多い。髙島屋で①番の商品を買った。ひらがなとカタカナ。" * 3
PAGE = f"<html><head><title>見出し</title></head><body><p>{TEXT}</p></body></html>"
PLAIN = PAGE.replace("髙", "高").replace("①", "一")


def pages(paths, labels):
    for path in paths:
        with path.open("rb") as file:
            for record in raw_records(file, path.name, 1 << 24):
                row = labels.get((path.name, record.offset))
                if row and record.kind == "response" and row["kind"] == "html" and row["status"] == 200:
                    page = read_page(record)
                    yield row, page.charset, payload(page, 1 << 24)


def read_right(row, declared, body):
    """Whether a page comes out as its true encoding gives it; where that does not fit all bytes, at least in that encoding."""
    found = decode(body, declared)
    try:
        true = body.decode(row["encoding"]).removeprefix("\ufeff")
    except UnicodeDecodeError:  # pages that were given up to four stray bytes, or cut
        return codecs.lookup(found.charset).name == codecs.lookup(row["encoding"]).name and found.replaced <= 8
    broken = re.compile("[\uf8f0-\uf8f3]")  # Python's cp932 makes letters of bytes that the web's has none for
    return found.text == broken.sub("\ufffd", true) and found.replaced == len(broken.findall(true))


@pytest.fixture(scope="module")
def sample_pages(labels):
    return list(pages(SAMPLES, labels))


@pytest.fixture(scope="module")
def japanese(sample_pages):
    """Texts of real Japanese pages that every Japanese encoding can write, without a word on their charset."""
    found = []
    for row, _, body in sample_pages:
        if row["lang"] == "ja" and row["lang_sure"] and row["encoding"] == "utf-8":
            text = re.sub(r'(?i)<\?xml[^>]*>|charset\s*=\s*["\']?[\w-]+', "", body.decode("utf-8", "ignore"))
            for codec in ("cp932", "euc_jp", "iso2022_jp", "cp932"):
                text = text.encode(codec, "xmlcharrefreplace").decode(codec)
            if len(re.findall("[ぁ-ん]", text)) > 50:
                found.append(text)
    assert len(found) > 300
    return found[::5]


def test_sample_pages_are_read_in_their_encoding_to_the_letter(sample_pages):
    known = [(row, declared, body) for row, declared, body in sample_pages if row["encoding"]]
    misses = [(row["url"], row["encoding"]) for row, declared, body in known if not read_right(row, declared, body)]
    assert len(known) > 1700
    assert misses == []


def test_pack_pages_are_read_in_their_encoding_to_the_letter(pack):
    with gzip.open(PACK[0].parent / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        labels = {(row["warc"], row["offset"]): row for row in map(json.loads, lines)}
    right = [read_right(*page) for page in pages(pack, labels) if page[0]["encoding"]]
    assert len(right) > 5000
    assert sum(right) / len(right) >= 0.999


@pytest.mark.parametrize(
    "declared", [None, "utf-8", "iso-8859-1", "windows-1252", "euc-jp", "shift_jis", "iso-2022-jp", "nonsense"]
)
@pytest.mark.parametrize("codec", ["cp932", "euc_jp", "iso2022_jp", "utf-8", "utf-16"])
def test_a_page_is_read_by_its_bytes_whatever_its_label_says(japanese, codec, declared):
    for text in japanese:
        found = decode(text.encode(codec), declared)
        assert (found.text, found.replaced) == (text, 0)


@pytest.mark.parametrize("codec", ["cp932", "euc_jp", "utf-8"])
@pytest.mark.parametrize("meta", ["utf-8", "shift_jis", "euc-jp", "iso-8859-1", "x-sjis"])
def test_a_wrong_meta_element_misleads_nobody(codec, meta):
    text = f'<meta http-equiv="content-type" content="text/html; charset={meta}">' + PLAIN
    found = decode(text.encode(codec))
    assert (found.text, found.charset, found.replaced) == (text, codec, 0)


@pytest.mark.parametrize("label", ["Shift_JIS", "x-sjis", "windows-31j", None])
def test_letters_of_cp932_that_shift_jis_lacks_are_read(label):
    text = PAGE + "髙①～㈱－ⅢⅸⅣ纊塚"
    found = decode(text.encode("cp932"), label)
    assert (found.text, found.charset, found.replaced) == (text, "cp932", 0)


def cp51932(text):
    """EUC-JP as Windows writes it: the rows of cp932, moved."""
    out = bytearray()
    for letter in text:
        pair = letter.encode("cp932")
        if len(pair) == 1:
            out += pair
            continue
        lead, trail = pair
        row = (lead - (0x81 if lead < 0xA0 else 0xC1)) * 2 + 1
        cell = trail - (0x3F if trail < 0x7F else 0x40) if trail < 0x9F else trail - 0x9E
        out += bytes([row + (trail >= 0x9F) + 0xA0, cell + 0xA0])
    return bytes(out)


def cp50220(text):
    """ISO-2022-JP as Windows writes it."""
    return re.sub(rb"[\x80-\xff]+", lambda run: b"\x1b$B" + bytes(byte & 0x7F for byte in run[0]) + b"\x1b(B", cp51932(text))


@pytest.mark.parametrize("label", ["euc-jp", "x-euc-jp", "iso-2022-jp", None])
def test_vendor_letters_are_read_in_euc_jp_and_iso_2022_jp(label):
    assert cp51932(PLAIN) == PLAIN.encode("euc_jp")
    found = decode(cp51932(PAGE), label)
    assert (found.text, found.charset, found.replaced) == (PAGE, "euc_jp", 0)
    found = decode(cp50220(PAGE), label)
    assert (found.text, found.charset, found.replaced) == (PAGE, "iso2022_jp", 0)


def test_vendor_letters_survive_a_broken_byte_elsewhere():
    found = decode(cp51932(PAGE) + b"\xff" + cp51932(PAGE), "euc-jp")
    assert (found.text, found.replaced) == (PAGE + "\ufffd" + PAGE, 1)


@pytest.mark.parametrize(
    ("codec", "letters"), [("iso2022_jp_ext", "ｱｲｳ"), ("iso2022_jp_2004", "𠂉𡈽"), ("iso2022_jp", "漢字"), ("iso2022_jp_1", "丂")]
)
def test_variants_of_iso_2022_jp_are_read(codec, letters):
    text = PLAIN + letters
    found = decode(text.encode(codec))
    assert (found.text, found.replaced, found.source) == (text, 0, "bytes")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf_16_is_read_with_and_without_a_mark(codec, mark):
    found = decode((mark + PAGE).encode(codec), "utf-8")
    assert (found.text, found.charset, found.source, found.replaced) == (PAGE, codec, "bom" if mark else "bytes", 0)


def test_a_mark_of_utf_8_is_no_letter():
    found = decode(b"\xef\xbb\xbf" + PAGE.encode(), "shift_jis")
    assert (found.text, found.charset, found.source) == (PAGE, "utf-8", "bom")


def test_images_and_other_binary_files_are_not_utf_16():
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0 \0\0\0 \x08\x06\0\0\0" + bytes(range(256)) * 2
    ico = b"\0\0\1\0\1\0\x10\x10\0\0\1\0 \0h\4\0\0\x16\0\0\0" + bytes(600)
    for data in (png, ico, bytes(1000), bytes(range(256)) * 4):
        assert not decode(data).charset.startswith("utf-16")


@pytest.mark.parametrize("codec", ["cp932", "euc_jp", "utf-8", "utf-16", "iso2022_jp"])
@pytest.mark.parametrize("cut", range(1, 9))
def test_a_page_cut_inside_a_letter_loses_that_letter(codec, cut):
    whole = PLAIN.replace("</p></body></html>", "")
    found = decode(whole.encode(codec)[:-cut])
    assert found.replaced == 0
    assert whole.startswith(found.text)
    assert len(found.text) >= len(whole) - 8


@pytest.mark.parametrize("codec", ["cp932", "euc_jp", "utf-8"])
@pytest.mark.parametrize("declared", [True, False])
def test_broken_bytes_in_a_good_page_are_counted_and_cost_nothing_else(codec, declared):
    data = (PLAIN + "\n<p>").encode(codec) + b"\xff\n" + PLAIN.encode(codec) + b"<p>\xff\n"
    found = decode(data, codec if declared else None)
    assert found.charset == codec
    assert found.text == f"{PLAIN}\n<p>\ufffd\n{PLAIN}<p>\ufffd\n"
    assert found.replaced == 2


def test_replacement_characters_of_the_page_itself_are_not_counted():
    assert decode((PAGE + "\ufffd").encode()).replaced == 0
    assert decode((PAGE + "\ufffd").encode() + b"\xff<").replaced == 1


def test_other_languages_keep_their_declared_charset():
    korean = "<p>" + "한국어 문서입니다. 글자를 읽습니다. " * 20
    chinese = "<p>" + "这是一个中文网页，内容很多。我们在这里写一些文字。" * 20
    traditional = "<p>" + "這是一個中文網頁，內容很多。我們在這裡寫一些文字。" * 20
    russian = "<p>" + "Это русская страница, и она написана кириллицей. " * 20
    french = "<p>" + "Les élèves français étudient à l'école où règne la sérénité. " * 20
    for text, codec, label in (
        (korean, "cp949", "euc-kr"),
        (chinese, "gb18030", "gb2312"),
        (traditional, "big5hkscs", "big5"),
        (russian, "cp1251", "windows-1251"),
        (russian, "koi8-r", "koi8-r"),
        (french, "cp1252", "iso-8859-1"),
        (french, "iso8859-15", "iso-8859-15"),
    ):
        found = decode(text.encode(codec), label)
        assert (found.text, found.charset, found.source) == (text, codec, "header")
        found = decode(f'<meta charset="{label}">'.encode() + text.encode(codec))
        assert (found.charset, found.source) == (codec, "meta")


@pytest.mark.parametrize(
    "label", ["undefined", "rot13", "idna", "punycode", "utf-7", "zlib", "utf-32", "unicode_escape", "a\0b", "\udc80", "x" * 9999]
)
def test_a_label_that_is_no_charset_of_the_web_is_passed_over(label):
    found = decode(b"caf\xe9 +AGE- \\u3042", label)
    assert "+AGE- \\u3042" in found.text


@settings(deadline=None, max_examples=400)
@given(
    st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-16")), st.binary().map(lambda data: b"\x1b$B" + data)),
    st.one_of(
        st.none(),
        st.text(),
        st.sampled_from(["utf-8", "euc-jp", "shift_jis", "iso-2022-jp", "iso-2022-kr", "hz", "utf-16", "johab"]),
    ),
)
@example(b"", "")
@example(b"\xff", "undefined")
@example(b"\xff\xfe\x00\xd8", None)
@example(b"\x1b$B\xff\xff!", "iso-2022-jp")
def test_no_bytes_and_no_label_make_it_fail(data, label):
    found = decode(data, label)
    assert 0 <= found.replaced <= len(found.text)
    found.text.encode("utf-8", "strict")


@pytest.mark.parametrize("codec", ["cp932", "euc_jp"])
def test_a_page_of_megabytes_is_read_as_a_small_one_is(codec):
    data = (PLAIN * 6000).encode(codec)[:2_000_000]
    assert decode(data).charset == codec
    assert decode(b"<meta " * 300_000 + data[:100_000]).charset == codec
    assert decode(data + bytes(range(128, 256)) * 4000).charset
