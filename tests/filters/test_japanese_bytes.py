import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.corpus.page import payload, read_page
from seiryu.corpus.warc import raw_records
from seiryu.filters.japanese_bytes import look_for_kana

ROOT = Path(__file__).parents[2]
THRESHOLD = 20  # the default of extract.min_kana
KANA = "これはテストです。カタカナとひらがなをかぞえます。"
COUNT = sum("\u3041" <= letter <= "\u30ff" for letter in KANA)


def pages(folder):
    with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        labels = {(row["warc"], row["offset"]): row for row in map(json.loads, lines)}
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in raw_records(file, path.name, 1 << 24):
                row = labels.get((path.name, record.offset))
                if row and row["kind"] == "html" and row["status"] == 200 and row["lang_sure"]:
                    page = read_page(record)
                    yield row, look_for_kana(payload(page, 1 << 24), page.charset)


def judged(folder):
    found = [(row["lang"] == "ja", evidence.kana >= THRESHOLD, row) for row, evidence in pages(folder)]
    missed = [row["url"] for japanese, taken, row in found if japanese and not taken]
    taken = [japanese for japanese, taken, _ in found if taken]
    return len(found), missed, sum(taken) / len(taken)


def test_no_japanese_sample_page_is_missed():
    pages, missed, precision = judged(ROOT / "samples")
    assert pages > 1400
    assert missed == []
    assert precision > 0.95  # the rest are English pages under a Japanese menu


def test_no_japanese_page_of_the_pack_is_missed():
    folder = ROOT.parent / "shared/data/pack"
    if not folder.exists():
        pytest.skip("the larger pack of pages is not beside the repository (../shared/data/pack)")
    pages, missed, precision = judged(folder)
    assert pages > 4000
    assert missed == []
    assert precision > 0.95


def test_korean_and_chinese_sample_pages_are_not_taken():
    others = [
        (row, evidence)
        for row, evidence in pages(ROOT / "samples")
        if row["lang_detail"].split("-")[0] in ("ko", "zh", "fr", "de")
    ]
    assert len(others) > 200
    assert [row["url"] for row, evidence in others if evidence.kana >= THRESHOLD] == []


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", [None, "utf-8", "iso-8859-1"])
def test_kana_are_counted_in_every_encoding(codec, declared):
    text = f"<html><head><title>x</title></head><body>{KANA}</body></html>"
    evidence = look_for_kana(text.encode(codec), declared)
    assert evidence.kana == COUNT
    assert (evidence.decoded is None) == codec.startswith("utf-8")
    if evidence.decoded:
        assert evidence.decoded.text == text


@pytest.mark.parametrize("form", ["&#{};", "&#0{};", "&#x{:x};", "&#X{:X};", "&#x0{:x};", "&#{} "])
@pytest.mark.parametrize("codec", ["ascii", "utf-16", "cp1252"])
def test_numeric_references_are_kana_too(form, codec):
    text = "<html><body class=body>" + "".join(form.format(ord(letter)) for letter in KANA) + ("é" if codec == "cp1252" else "")
    assert look_for_kana(text.encode(codec), codec).kana == COUNT


def test_references_around_the_kana_are_not_kana():
    assert look_for_kana(b"&#12353;&#12543;&#x3041;&#x30ff;").kana == 4
    assert look_for_kana(b"&#12350;&#12544;&#x3100;&#x3030;&#123540;&#1235;&#x30421;&#12354a;&#12354").kana == 2


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("한국어 문서입니다. 글자를 읽습니다. " * 50, "cp949"),
        ("한국어 문서입니다. 글자를 읽습니다. " * 50, "utf-8"),
        ("这是一个中文网页，内容很多。我们在这里写一些文字。" * 50, "gb18030"),
        ("這是一個中文網頁，內容很多。我們在這裡寫一些文字。" * 50, "big5hkscs"),
        ("這是一個中文網頁，內容很多。" * 50, "utf-8"),
        ("Les élèves étudient à l'école. " * 50, "cp1252"),
        ("Это русская страница. " * 50, "cp1251"),
    ],
)
def test_other_scripts_hold_no_kana(text, codec):
    for declared in (codec, None) if codec == "utf-8" else (codec,):
        assert look_for_kana(("<html><body>" + text).encode(codec), declared).kana < THRESHOLD


def test_a_page_cut_inside_a_letter_still_counts():
    data = (KANA + "が").encode()
    for cut in (1, 2):
        assert look_for_kana(data[:-cut]).kana == COUNT


@settings(deadline=None)
@given(st.text())
def test_the_count_is_that_of_the_letters(text):
    plain = text.replace("&", "").replace("\ufeff", "")
    expected = sum("\u3041" <= letter <= "\u30ff" for letter in plain)
    odd = sum(letter == "\u3040" for letter in plain)  # a place without a letter, in the same 64
    assert expected <= look_for_kana(plain.encode()).kana <= expected + odd


@settings(deadline=None)
@given(st.binary(), st.one_of(st.none(), st.text()))
def test_no_bytes_make_it_fail(data, declared):
    assert look_for_kana(data, declared).kana >= 0
