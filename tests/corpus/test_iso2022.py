import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.decoding.iso2022 import decode_iso2022

PAGE = "<html><title>見出し</title><p>日本語の文章、ひらがなとカタカナ。</p>\n<p>二行目</p>"


def japanese(codec):
    """Letters of the BMP that a codec writes."""
    return [chr(point) for point in range(0x20, 0xFFE6) if chr(point).encode(codec, "ignore")]


@pytest.mark.parametrize(
    "codec", ["iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_2004", "iso2022_jp_ext"]
)
def test_every_letter_of_every_dialect_is_read_as_python_reads_it(codec):
    letters = [letter for letter in japanese(codec) if letter.encode(codec).find(b"\x1b.A") < 0]  # Latin-1 of -2: not on the web
    assert len(letters) > 6900
    text = "".join(letters)
    assert decode_iso2022(text.encode(codec), "strict") == text.encode(codec).decode(codec)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["日本", "ｱｲｳ", "丂丄", "abc", "\n", "한국", "𠂉"]), max_size=8))
def test_dialects_mixed_in_one_page_are_read(parts):
    data, text = b"", ""
    for part in parts:
        for codec in ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2", "iso2022_jp_2004"):
            written = part.encode(codec, "ignore")
            if written.decode(codec) == part:
                data, text = data + written, text + part
                break
    found = decode(PAGE.encode("iso2022_jp") + data)
    assert (found.text, found.charset, found.replaced) == (PAGE + text, "iso2022_jp", 0)


@pytest.mark.parametrize(
    "written", [b"\x1b(I123\x1b(B", b"\x0e123\x0f", b"\xb1\xb2\xb3", b"\x1b$B\x0e123\x0f\x1b(B", b"\x1b(I\xb1\xb2\xb3\x1b(B"],
    ids=["ESC ( I", "SO and SI", "eighth bit", "SO amid kanji", "both"],
)  # fmt: skip
def test_half_width_katakana_are_read_however_they_are_shifted(written):
    found = decode(PAGE.encode("iso2022_jp") + written + b"<p>")
    assert (found.text, found.charset, found.replaced) == (PAGE + "ｱｲｳ<p>", "iso2022_jp", 0)


@pytest.mark.parametrize("broken", [b"\x1b$B\xff\x1b(B", b"\x1b$B!\x1b(B"], ids=["byte", "half a pair"])
def test_a_broken_pair_costs_itself(broken):
    good = PAGE.encode("iso2022_jp")
    found = decode(good + broken + good, "iso-2022-jp")
    assert (found.charset, found.replaced) == ("iso2022_jp", 1)
    assert found.text.startswith(PAGE)
    assert found.text.endswith(PAGE)
    assert "\ufffd" in found.text


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_page_may_end_amid_a_letter_or_an_escape(cut):
    data = (PAGE + "漢字").encode("iso2022_jp")
    text = decode_iso2022(data[:-cut], "strict")
    assert (PAGE + "漢字").startswith(text)
    assert len(text) >= len(PAGE + "漢字") - 5


def test_line_breaks_amid_two_byte_text_stay():
    data = b"\x1b$B" + "日本".encode("euc_jp").translate(bytes(byte & 0x7F for byte in range(256))) + b"\n"
    assert decode_iso2022(data * 2, "strict") == "日本\n日本\n"


def test_an_escape_in_a_page_of_utf_8_is_no_reason():
    page = "<pre>\x1b$B\x1b(B の説明</pre>" * 20
    found = decode(page.encode())
    assert (found.text, found.charset) == (page, "utf-8")


@settings(deadline=None)
@given(st.binary(), st.sampled_from([b"\x1b$B", b"\x1b(I", b"\x1b$(D", b"\x1b$A", b"\x1b(J", b""]))
def test_no_bytes_make_it_fail(data, escape):
    decode_iso2022(escape + data, "replace").encode()
    try:
        text = decode_iso2022(escape + data, "strict")
    except UnicodeDecodeError:
        return
    assert "\ufffd" not in text.replace(codecs.BOM_UTF8.decode(), "")
