"""Signals of the writing: equal to their plain twin, and telling apart what they are for on real pages."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from writing_twin import twin

from seiryu.corpus.archive.page import payload, read_page
from seiryu.corpus.archive.warc import raw_records
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction import main_text
from seiryu.filters.letters import codepoints
from seiryu.filters.signals import FAMILIES, han
from seiryu.filters.signals.writing import SIGNALS, measure_writing

SAMPLES = Path(__file__).parents[3] / "samples"
LARGER = Path(__file__).parents[4] / "shared" / "data" / "pack"
# letters that mean something to a kernel, so that marks, hosts and entries come about
PARTS = [
    *"あア漢縺れ繝ｩ､･｡?。.,:/-(（)）1９w\n\r　 ã‚ƒ¤¥Ãâ€\x82\x1b\ufffd\ue000们國・①|★😀」éZ",
    "繧", "???", "､ｳ､ﾎ", "://", "www.", "a.jp/", "http://", "EE", "荳ｲ", "ð\x9f", "一二三四", "12. ", "abcdefghijklmnopqrst",
]  # fmt: skip
TELLING = st.lists(st.sampled_from(PARTS), max_size=50).map("".join)
ANY = st.text(st.characters(codec="utf-8"), max_size=60)


def measure(texts):
    return measure_writing(*codepoints(pa.array(texts, pa.string())))


def of(text):
    return {name: values[0].item() for name, values in measure([text]).items()}


def japanese(folder):
    with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        texts = [row["gold_text"] for row in rows if row["lang_sure"] and row["lang"] == "ja" and row.get("gold_text")]
    return list(dict.fromkeys(texts))


def chinese(folder, kinds, every):
    """Main texts of 50 kanji or more of every so many of the folder's Chinese pages."""
    with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row.get("lang_detail") in kinds and row["kind"] == "html"][::every]
    wanted = {(row["warc"], row["offset"]) for row in rows if row["status"] == 200}
    for name in sorted({name for name, _ in wanted}):
        with (folder / name).open("rb") as file:
            for record in raw_records(file, name, 20_000_000):
                if (name, record.offset) in wanted:
                    page = read_page(record)
                    text = main_text(decode(payload(page, 20_000_000), page.charset).text)
                    if sum("一" <= letter <= "鿿" for letter in text) >= 50:
                        yield text


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(TELLING, ANY), min_size=1, max_size=6))
@example(["?", "??", "あ???", "???", " ???あ", "????", "(???", "1???", "é???", "?\n???"])
@example(
    [
        "www.",
        "www.a",
        "a.www.b",
        "WWW.1?",
        "www.-a.jp/",
        "a.jp",
        "a.jp/",
        "a.b1/",
        "a..jp/",
        ".a.jp/",
        "a-.jp/",
        "éa.jp/",
        "/a.jp/",
    ]
)
@example(["a://", "a://b", "://b", "1://b", "xa://b://c", "a.b:c://d", "éa://b", "http://www.a.jp/", "[www.a.jp]"])
@example(["､ｳ", "､ｳ､", "､ｳ､ﾎ", "､､､､", "､､､", "･ﾗ､ﾎ､", "ｱ､ｲ､ｳ"])
@example(["ð\x9f\x98\x80", "ð\x9f\x98", "ã\x81", "ã\x81\x82", "Ã", "ƒA", "ƒ", "¤¡", "¤÷", "繝れ", "繝ｩ", "荳ｩ", "一ｩ"])
def test_every_signal_equals_its_plain_twin_on_any_text(texts):
    measured = measure(texts)
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin(text)


@pytest.mark.parametrize(("folder", "every"), [(SAMPLES, 5), (LARGER, 25)])
def test_every_signal_equals_its_plain_twin_on_real_pages(folder, every):
    if not folder.exists():
        pytest.skip(f"{folder} is not here: the larger set of pages lies beside the repository")
    texts = japanese(folder)[::every]
    assert len(texts) > 50
    texts += [
        texts[i].encode().decode(("cp932", "latin-1", "cp1252", "euc_jp")[i % 4], "replace") for i in range(0, len(texts), 5)
    ]
    measured = measure(texts)
    for i, text in enumerate(texts):
        assert {name: values[i].item() for name, values in measured.items()} == twin(text)


def test_each_signal_is_named_once_in_the_house_and_has_the_type_it_says():
    others = [signal.name for family in FAMILIES.values() if family.signals is not SIGNALS for signal in family.signals]
    names = [signal.name for signal in SIGNALS]
    assert len({*names, *others}) == len(names) + len(others)
    assert [(name, values.dtype) for name, values in measure(["水"]).items()] == [(s.name, s.dtype) for s in SIGNALS]


@pytest.mark.parametrize("nothing", ["", "\n", "\r\n\n", " \n　\n\t"])
def test_a_text_of_nothing_has_no_share_of_anything(nothing):
    assert set(of(nothing).values()) == {0}


def test_no_text_gives_empty_columns():
    assert {len(values) for values in measure([]).values()} == {0}


def test_neighbours_in_a_batch_do_not_change_a_text():
    texts = ["縺", "ゅ", "??", "?", "http:", "//a.jp/", "､ｳ", "､ﾎ", "", "ã", "\x81\x82"]
    together = measure(texts)
    for i, text in enumerate(texts):
        assert of(text) == {name: values[i].item() for name, values in together.items()}


def test_a_million_letters_take_linear_time():
    for unit in ("?", "､", "a.", "a:/", "www.", "縺", "ã", "・あ\n", "｜"):
        measure([unit * 1_000_000])


WRONG = [
    (right, wrong)
    for right in ("utf-8", "cp932", "euc_jp")
    for wrong in ("utf-8", "cp932", "euc_jp", "latin-1", "cp1252")
    if right != wrong
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_japanese_in_the_wrong_codec_is_told_from_japanese(right, wrong):
    clean = [text[:3000] for text in japanese(SAMPLES)[::9] if len(text) > 200]
    garbled = [text.encode(right, "ignore").decode(wrong, "replace") for text in clean]
    assert len(clean) > 50
    assert measure(clean)["mojibake_share"].max() < 0.003
    assert measure(garbled)["mojibake_share"].min() > 0.1


@pytest.mark.parametrize(
    "honest",
    [
        "ﾌﾟﾛｸﾞﾗﾑ､ﾃﾞｰﾀﾍﾞｰｽ･ｻｰﾊﾞｰ｡ ｶﾀｶﾅﾉ､ﾎﾝ ｢ﾃｽﾄ｣",
        "本当???まさか!!? なぜ????",
        "糸が縺れる。縺れた話、繧繝縁の畳",
        "価格は¥1,980、$20 — “quoted” text… naïve café déjà vu, Ünïcödé, Ø±×÷",
        "(´・ω・｀) ×××× ……… ‥‥ °C ½",
        "ÆØÅ Ça va? ¿Qué? ¡Hola!",
    ],
)
def test_honest_letters_are_no_mojibake(honest):
    assert of(honest)["mojibake_share"] == 0


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("名前 ???? ?????", 9),
        ("??????\n??", 6),
        ("文字\ufffd\ufffd化け", 2),
        ("縺薙ｓ縺ｫ縺｡縺ｯ", 8),
        ("ã\x81\x93ã\x82\x93", 6),
        ("ãƒ„ã‚“", 6),
        ("donâ€™t", 3),
        ("CafÃ©", 2),
        ("､ｳ､ﾋ､ﾁ､ﾏ", 8),
        ("\x1b$B%F%9%H\x1b(B", 2),
        ("\ue000\U000f0000", 2),
    ],
)
def test_letters_of_a_wrong_codec_are_counted_once_each(text, letters):
    assert round(of(text)["mojibake_share"] * len(text.replace("\n", ""))) == letters


def test_the_tables_of_han_follow_their_rules():
    def coded(letter, *codecs):
        return any(letter.encode(codec, "ignore") for codec in codecs)

    letters = [chr(point) for point in range(0x4E00, 0xA000)]
    assert "".join(
        letter for letter in letters if coded(letter, "gb2312") and not coded(letter, "cp932", "shift_jisx0213", "big5")
    ) == han.SIMPLIFIED  # fmt: skip
    assert (
        "".join(
            letter
            for letter in letters
            if b"\xa4\x40" <= letter.encode("big5", "ignore") <= b"\xc6\x7e"
            and not coded(letter, "gb2312")
            and not (len(jis := letter.encode("euc_jp", "ignore")) == 2 and jis < b"\xd0")
        )
        == han.TRADITIONAL
    )


def test_chinese_pages_have_letters_that_japanese_pages_have_not():
    japanese_pages = measure(japanese(SAMPLES))
    assert japanese_pages["simplified_han_share"].max() == 0
    assert np.quantile(japanese_pages["traditional_han_share"], 0.999) < 0.015
    simplified = measure(list(chinese(SAMPLES, ("zh-hans",), 3)))
    assert len(simplified["list_share"]) > 10
    assert simplified["simplified_han_share"].min() > 0.08
    assert simplified["traditional_han_share"].max() == 0
    traditional = measure(list(chinese(SAMPLES, ("zh-hant",), 3)))
    assert len(traditional["list_share"]) > 10
    assert traditional["traditional_han_share"].min() > 0.015
    assert np.median(traditional["traditional_han_share"]) > 0.08
    assert traditional["simplified_han_share"].max() == 0


def test_old_japanese_is_not_taken_for_chinese():
    soseki = "どこで生れたか頓と見當がつかぬ。何でも薄暗いじめじめした所でニャーニャー泣いて居た事丈は記憶して居る。"
    mori = "石炭をば早や積み果てつ。中等室の卓のほとりはいと靜にて、熾熱燈の光の晴れがましきも徒なり。"
    assert of(f"{soseki}\n{mori}")["traditional_han_share"] == 0
    assert of("請將這個檔案儲存後，從選單選擇關閉。")["traditional_han_share"] > 0.2
    assert of(f"{soseki}\n請將這個檔案儲存後，從選單選擇關閉。")["traditional_han_share"] > 0.1


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("・会社概要をご覧いただける一覧のページはこちらです、どうぞ", True),
        ("・会社の概要です。", False),
        ("会社概要", True),
        ("プライバシーポリシー（PDF）", True),
        ("お問い合わせ | 会社概要 | 採用情報 | サイトマップ | プライバシー", True),
        ("1. 申込書に必要事項を記入のうえ、下記の住所まで郵送する場合", True),
        ("（２） 申込書に必要事項を記入のうえ、下記の住所まで郵送する場合", True),
        ("１．５倍に増えたと伝えられているその数はどこにも記録されていないまま", False),
        ("(1. 申込書に必要事項を記入のうえ、下記の住所まで郵送する場合の例", False),
        ("2024. 申込書に必要事項を記入のうえ、下記の住所まで郵送する場合", False),
        ("今日は暑かったので", False),
        ("「はい」", False),
        ("そうです。", False),
        ("------------------------------------------------------------", True),
        ("この行は句点で終わらないけれども、充分に長いので文の一部と見なす本文", False),
    ],
)
def test_entries_of_lists_are_told_from_prose(line, entry):
    assert of(f"　{line} ")["list_share"] == entry


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("詳しくはhttps://example.jp/a?b=cを見る", 24),
        ("(http://example.jp)", 17),
        ("サイト www.example.jp です", 14),
        ("example.co.jp/path に", 18),
        ("example.co.jp は", 0),
        ("and/or 1.5/2 etc", 0),
        ("conf.d/main", 0),
        ("a://b c://", 5),
    ],
)
def test_urls_end_where_the_text_goes_on(text, letters):
    assert round(of(text)["url_share"] * len(text)) == letters


def test_shares_are_of_letters_without_line_breaks():
    signals = of("1２ab\nＡé→★😀水")
    assert (signals["digit_share"], signals["latin_share"], signals["symbol_share"]) == (0.2, 0.4, 0.3)
