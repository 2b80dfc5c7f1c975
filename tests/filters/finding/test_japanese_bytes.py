import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import PACK, ROOT, labelled_pages

from seiryu.filters.finding.japanese_bytes import look_for_kana

MIN_KANA = 20
KANA = "これはテストです。カタカナとひらがなをかぞえます。"
COUNT = sum("\u3041" <= letter <= "\u30ff" for letter in KANA)
KOREAN = "한국어 문서입니다. 글자를 읽습니다. " * 50
CHINESE = "这是一个中文网页，内容很多。我们在这里写一些文字。" * 50
TRADITIONAL = "這是一個中文網頁，內容很多。我們在這裡寫一些文字。" * 50
RUSSIAN = "Это русская страница, и она написана кириллицей. " * 50
THAI = "ภาษาไทยเป็นภาษาที่มีระดับเสียงของคำแน่นอน ค่าของคำ " * 50
FRENCH = "Les élèves français étudient à l'école où règne la sérénité. " * 50
MENU = (
    '<ul><li><a href="/a">はじめに読んでください</a><li><a href="/b">インストールのしかた</a><li><a href="/c">ダウンロード</a></ul>'
    * 3
)


def pages(folder):
    for row, body, charset in labelled_pages(folder):
        yield row, body, look_for_kana(body, charset)


@pytest.fixture(scope="module")
def samples():
    return list(pages(ROOT / "samples"))


def precision_and_recall(found):
    taken = [row["lang"] == "ja" for row, _, evidence in found if not evidence.refused]
    japanese = sum(row["lang"] == "ja" for row, _, _ in found)
    return sum(taken) / len(taken), sum(taken) / japanese


def test_japanese_sample_pages_are_told_from_all_others(samples):
    precision, recall = precision_and_recall(samples)
    assert len(samples) > 1400
    assert recall >= 0.995
    assert 2 * precision * recall / (precision + recall) >= 0.99


def test_japanese_pages_of_the_pack_are_told_from_all_others():
    if not PACK.exists():
        pytest.skip("the larger pack of pages is not beside the repository (../shared/data/pack)")
    precision, recall = precision_and_recall(found := list(pages(PACK)))
    assert len(found) > 4000
    assert recall >= 0.995
    assert 2 * precision * recall / (precision + recall) >= 0.99


def test_pages_that_are_not_utf_8_are_taken_all_the_same(samples):
    found = [(row, evidence) for row, _, evidence in samples if row["lang"] == "ja" and not row["encoding"].startswith("utf-8")]
    assert {row["encoding"] for row, _ in found} >= {"cp932", "euc_jp", "iso2022_jp", "utf-16"}
    assert [row["url"] for row, evidence in found if evidence.refused] == []


def test_a_page_refused_undecoded_for_few_kana_holds_few(samples):
    refused = [(row, body, evidence) for row, body, evidence in samples if evidence.refused == "few_kana"]
    assert len(refused) > 400
    for row, body, evidence in refused:
        assert evidence.decoded is None
        text = body.decode(row["encoding"], "replace")
        assert sum("\u3041" <= letter <= "\u30ff" for letter in text) <= evidence.kana < MIN_KANA


def test_pages_that_say_they_are_japanese_and_are_not_are_refused(samples):
    liars = [
        evidence for row, _, evidence in samples if row["lang"] != "ja" and row.get("html_lang", "").lower().startswith("ja")
    ]
    assert len(liars) > 20
    assert sum(bool(evidence.refused) for evidence in liars) >= 0.9 * len(liars)


def test_japanese_pages_that_say_they_are_english_are_taken():
    if not PACK.exists():
        pytest.skip("the larger pack of pages is not beside the repository (../shared/data/pack)")
    liars = [evidence for row, _, evidence in pages(PACK) if row["lang"] == "ja" and row.get("html_lang", "").startswith("en")]
    assert len(liars) > 200
    assert all(not evidence.refused for evidence in liars)


def test_korean_and_chinese_sample_pages_are_not_taken(samples):
    others = [(row, found) for row, _, found in samples if row["lang_detail"].split("-")[0] in ("ko", "zh", "fr", "de")]
    assert len(others) > 200
    assert [row["url"] for row, found in others if not found.refused] == []


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", [None, "utf-8", "iso-8859-1"])
def test_kana_are_counted_in_every_encoding(codec, declared):
    text = f"<html><head><title>x</title></head><body>{KANA}</body></html>"
    evidence = look_for_kana(text.encode(codec), declared)
    assert (evidence.kana, evidence.refused) == (COUNT, "")
    assert evidence.kana_share > 0.9
    assert (evidence.decoded is None) == codec.startswith("utf-8")
    if evidence.decoded:
        assert evidence.decoded.text == text


@pytest.mark.parametrize("form", ["&#{};", "&#0{};", "&#x{:x};", "&#X{:X};", "&#x0{:x};", "&#{} "])
@pytest.mark.parametrize("codec", ["ascii", "utf-16", "cp1252"])
def test_numeric_references_are_kana_too(form, codec):
    text = "<html><body class=body>" + "".join(form.format(ord(letter)) for letter in KANA) + ("é" if codec == "cp1252" else "")
    evidence = look_for_kana(text.encode(codec), codec)
    assert (evidence.kana, evidence.refused) == (COUNT, "")
    assert evidence.kana_share > 0.9


def test_references_around_the_kana_are_not_kana():
    assert look_for_kana(b"&#12353;&#12543;&#x3041;&#x30ff;" * 20).kana == 80
    assert look_for_kana(b"&#12350;&#12544;&#x3100;&#x3030;&#123540;&#1235;&#x30421;&#12354a;&#12354" * 20).kana == 40


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (KOREAN, "cp949"), (KOREAN, "utf-8"), (CHINESE, "gb18030"), (CHINESE, "utf-8"), (TRADITIONAL, "big5hkscs"),
        (TRADITIONAL, "utf-8"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (FRENCH, "cp1252"), (FRENCH, "utf-8"), (THAI, "utf-8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("labelled", [True, False])
def test_other_scripts_are_refused_without_being_decoded(text, codec, labelled):
    evidence = look_for_kana(("<html><body>" + text).encode(codec), codec if labelled else None)
    assert (evidence.refused, evidence.decoded) == ("few_kana", None)


def test_thai_is_decoded_and_then_refused():
    assert look_for_kana(("<html><body>" + THAI).encode("cp874"), "tis-620").refused == "few_kana"


def test_kanji_alone_are_not_japanese():
    assert look_for_kana("東京都千代田区永田町一丁目七番一号".encode() * 100).refused == "few_kana"


@pytest.mark.parametrize("text", [FRENCH, KOREAN, CHINESE, RUSSIAN])
def test_an_article_under_a_japanese_menu_is_of_its_own_language(text):
    evidence = look_for_kana(f"<html lang=ja><body>{MENU}<p>{text}</p>".encode())
    assert evidence.kana >= MIN_KANA
    assert (evidence.kana_share, evidence.refused) == (0, "not_japanese_page")


def test_a_japanese_article_under_an_english_menu_is_taken():
    menu = '<li><a href="/">All about our company and its products</a>' * 100
    evidence = look_for_kana(f"<html lang=en><body>{menu}<p>{KANA * 3}</p>".encode())
    assert (evidence.refused, evidence.kana) == ("", 3 * COUNT)
    assert evidence.kana_share > 0.9


def test_the_limits_are_the_callers():
    page = f"<p>{KANA} {'latin ' * 20}</p>".encode()
    assert look_for_kana(page).refused == ""
    assert look_for_kana(page, min_kana=COUNT + 1).refused == "few_kana"
    assert look_for_kana(page, min_share=0.5).refused == "not_japanese_page"


def test_stray_bytes_in_a_page_of_another_encoding_do_not_hide_its_kana():
    for codec in ("cp932", "euc_jp", "utf-8"):
        data = b"\xff ".join([(KANA + "\n").encode(codec)] * 5)
        evidence = look_for_kana(data, codec)
        assert (evidence.refused, evidence.kana) == ("", 5 * COUNT)


def test_a_page_cut_inside_a_letter_still_counts():
    data = (KANA + "が").encode()
    for cut in (1, 2):
        assert look_for_kana(data[:-cut]).kana in (COUNT, COUNT + 1)
        assert look_for_kana(data[:-cut]).refused == ""


@settings(deadline=None)
@given(st.text())
def test_the_count_is_that_of_the_letters(text):
    plain = text.replace("&", "").replace("\ufeff", "").replace("\0", "").replace("\x1b", "")
    expected = sum("\u3041" <= letter <= "\u30ff" for letter in plain)
    odd = sum(letter == "\u3040" for letter in plain)  # a place without a letter, in the same 64
    assert expected <= look_for_kana(plain.encode(), min_kana=0).kana <= expected + odd


@settings(deadline=None)
@given(st.binary(), st.one_of(st.none(), st.text()))
def test_no_bytes_make_it_fail(data, declared):
    assert look_for_kana(data, declared, min_kana=0).kana >= 0
