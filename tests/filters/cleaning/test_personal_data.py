import gzip
import json
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters.cleaning.personal_data import KINDS, MASKS, SIGNALS, find, mask, measure_personal_data
from seiryu.filters.cleaning.personal_numbers import is_card, is_my_number

ROOT = Path(__file__).parents[3]
PACK = ROOT.parent / "shared" / "data" / "pack" / "labels.jsonl.gz"

# Each text with what becomes of it, the masks in short. The numbers are made up or are those that makers print on samples.
FOUND = [
    # numbers of telephones: separators, widths, brackets
    ("電話は03-1234-5678まで", "電話は<電>まで"),
    ("０３－１２３４－５６７８へ", "<電>へ"),
    ("ＴＥＬ　０９０－１２３４－５６７８", "ＴＥＬ　<電>"),
    ("TEL03-1234-5678FAX03-1234-5679", "TEL<電>FAX<電>"),
    ("Tel:03-1234-5678／Fax:03-1234-5679", "Tel:<電>／Fax:<電>"),
    ("TEL.045-123-4567", "TEL.<電>"),
    ("☎0422-12-3456（代表）", "☎<電>（代表）"),
    ("℡04992-1-2345", "℡<電>"),
    ("(03)1234-5678", "<電>"),
    ("（０３）１２３４－５６７８", "<電>"),
    ("(03)-1234-5678", "<電>"),
    ("03(1234)5678", "<電>"),
    ("03（1234）5678です", "<電>です"),
    ("03)1234-5678", "<電>"),
    ("03‐1234‐5678、03‑1234‑5678、03–1234–5678", "<電>、<電>、<電>"),
    ("03−1234−5678、03ー1234ー5678", "<電>、<電>"),
    ("03 1234 5678", "<電>"),
    ("03　1234　5678", "<電>"),
    ("03.1234.5678", "<電>"),
    ("03 - 1234 - 5678", "<電>"),
    ("サーバー03-1234-5678", "サーバー<電>"),
    ("03-1234-5678 03-1234-5679", "<電> <電>"),
    ("電話06-7123-6821 / 080-5123-2198", "電話<電> / <電>"),
    ("03-12345678", "<電>"),
    # mobile, IP, free and shared cost
    ("携帯：090-1234-5678", "携帯：<電>"),
    ("070-1234-5678と060-1234-5678", "<電>と<電>"),
    ("IP電話050-1234-5678", "IP電話<電>"),
    ("09012345678です", "<電>です"),
    ("０８０１２３４５６７８", "<電>"),
    ("090(1234)5678", "<電>"),
    ("0120-123-456", "<電>"),
    ("℡０１２０－５０６０８１", "℡<電>"),
    ("0120-12-3456", "<電>"),
    ("0800-123-4567", "<電>"),
    ("ナビダイヤル0570-012-345", "ナビダイヤル<電>"),
    ("フリーダイヤル0120123456", "フリーダイヤル<電>"),
    ("電話番号\n0312345678", "電話番号\n<電>"),
    # from abroad
    ("+81-3-1234-5678", "<電>"),
    ("+81 90 1234 5678", "<電>"),
    ("+81(0)3-1234-5678", "<電>"),
    ("(+81)3-1234-5678", "<電>"),
    ("＋８１－３－１２３４－５６７８", "<電>"),
    ("+81312345678、+819012345678", "<電>、<電>"),
    # My Number
    ("1234-5678-9018", "<個>"),
    ("１２３４－５６７８－９０１８", "<個>"),
    ("マイナンバーは123456789018です", "マイナンバーは<個>です"),
    ("個人番号 1234 5678 9018", "個人番号 <個>"),
    # credit cards
    ("4111-1111-1111-1111", "<カ>"),
    ("4111 1111 1111 1111", "<カ>"),
    ("カード番号４１１１１１１１１１１１１１１１", "カード番号<カ>"),
    ("4111-1111-1111-1111 12/25", "<カ> 12/25"),
    ("5555-5555-5555-4444", "<カ>"),
    ("2223-0031-2200-3222", "<カ>"),
    ("3782-822463-10005", "<カ>"),
    ("3530-1113-3330-0000", "<カ>"),
    ("3056-930902-5904", "<カ>"),
    ("6011111111111117", "<カ>"),
    ("VISA 4222222222222", "VISA <カ>"),
    # postal codes with their address
    ("〒100-0001 東京都千代田区千代田1-1", "<住>"),
    ("〒106-0032 東京都港区六本木７−４−８ ウインドビル B1F", "<住> ウインドビル B1F"),
    ("〒060-0005 北海道札幌市中央区北5条西11丁目15-4", "<住>"),
    ("〒060-0061 北海道札幌市中央区北一条西4-1-2、", "<住>、"),
    ("〒444-1213　愛知県岡崎市羽根北町一丁目３番地２　", "<住>　"),
    ("〒113-0033 東京都文京区本郷７丁目３番１号です", "<住>です"),
    ("〒５３０－０００１ 大阪府大阪市北区梅田３－１－１", "<住>"),
    ("〒541-0056　大阪市中央区久太郎町3-5-3", "<住>"),
    ("〒120-0026東京都足立区千住旭町11-7", "<住>"),
    ("〒600-8813\n京都府京都市下京区中堂寺南町134番地", "<住>"),
    ("〒1500002 東京都渋谷区渋谷二丁目3番4号", "<住>"),
    ("150-0002 渋谷区渋谷1-2-3 03-1234-5678", "<住> <電>"),
    ("〒800-0042 福岡県北九州市門司区上馬寄1丁目8-1-1203", "<住>"),
    # e-mail
    ("連絡はinfo@example.co.jpまで", "連絡は<メ>まで"),
    ("<a.b+c_d@sub.example.com>", "<<メ>>"),
    ("ｉｎｆｏ＠ｅｘａｍｐｌｅ．ｊｐ", "<メ>"),
    ("info＠example.jp。", "<メ>。"),
    ("info[at]example.jp", "<メ>"),
    ("info (at) example.jp", "<メ>"),
    ("info（アットマーク）example.jp", "<メ>"),
    ("mailto:webmaster@example.com?subject=a", "mailto:<メ>?subject=a"),
    ("09012345678@docomo.ne.jp", "<メ>"),
    ("メール:user-name@xn--wgv71a.jp.", "メール:<メ>."),
]
SHORT = {"<電>": "phone", "<個>": "my_number", "<カ>": "credit_card", "<住>": "address", "<メ>": "email"}

NOT_FOUND = [
    # dates, times, counts, prices
    "2024-01-15", "2024-01-15 12:34:56", "20240115123456", "2024/01/15 03:12:34", "1990-2024", "0123-45", "10,000,000円",
    "03:15:45.123456", "平成30年04月01日", "2010 2011 2012", "2010-2011-2012", "2010 2011 2012 2013", "1984 1985 1986 1987 1988",
    # books, articles, orders, accounts, versions
    "ISBN 978-4-00-310101-8", "ISBN4-00-310101-5", "ISBN 0306406152", "9784003101018", "4901234567894", "JAN 4902370517859",
    "注文番号 123456789012", "口座番号 1234567", "0123456789", "01234567890", "型番 03-12-345", "v03.12.45", "1.2.3.4",
    "RFC 2822, 2119, 3339, 4648", "法人番号 7000012050002", "法人番号：1234567890123",
    # networks, addresses of pages, code
    "192.168.10.123", "10.0.0.1 - 10.0.0.254", "2001:db8::0312:3456:7890", "https://example.jp/09012345678.html",
    "https://example.jp/?id=09012345678", "https://twitter.com/a/status/1234567890123456789", "a09012345678", "09012345678b",
    "0x0312345678", "550e8400-e29b-41d4-0312-345678901234", "id_0312345678", "sha1:0312345678901234567890",
    # what is longer or shorter than a number
    "1-03-1234-5678", "03-1234-5678-9012", "03-1234-56789", "103-1234-5678", "03-123-4567", "090-1234-567", "00-1234-5678",
    "01-1234-5678", "0900-000-000", "02-1234-5678", "電話 (02) 2601-3998", "電話 (0966-733-338)", "0000-0000-0000-0000", "03-XXXX-XXXX",
    "+1-202-555-0123", "+44 20 7946 0958", "+82-2-312-3456",
    # check digits that are wrong, neighbours
    "1234-5678-9012", "マイナンバー 123456789012", "123456789018", "1234 5678 9018", "4111-1111-1111-1112", "4111 1111 1111 1111 1234",
    "9111-1111-1111-1111", "4111-111111-11111", "4111-1111 1111-1111", "4222222222222", "30569309025904",
    # postal codes and places without the other, or without a number
    "〒100-0001", "郵便番号は100-0001です", "東京都千代田区千代田1-1", "〒100-8111 東京都千代田区千代田", "100-0001年の人口は", "部品100-0001と区間3",
    # no e-mail
    "@username", "user@host", "icon@2x.png", "lodash@4.17.21", "foo @ bar", "a@b.c", "＠ＩＴ", "x@y@example", "array[at]index", "5@100.00",
    "service@.example.com", "getty@tty1.service",
]  # fmt: skip


@pytest.mark.parametrize(("text", "short"), FOUND)
def test_personal_data_are_masked_as_people_write_them(text, short):
    expected = short
    for mark, kind in SHORT.items():
        expected = expected.replace(mark, MASKS[kind])
    masked, counts = mask(text)
    assert masked == expected
    assert counts == Counter({kind: short.count(mark) for mark, kind in SHORT.items() if mark in short})


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_only_looks_like_personal_data_stays(text):
    assert find(text) == []
    assert mask(text) == (text, Counter())


@pytest.mark.parametrize("text", [text for text, _ in FOUND])
def test_kana_kanji_and_brackets_around_change_nothing(text):
    alone = mask(text)
    for before, after in (("連絡先は", "まで"), ("「", "」"), ("\n", "\n"), ("・", "、"), ("あ", "ア")):
        if text[:1].isascii() or before != "連絡先は":
            masked, counts = mask(f"{before}{text}{after}")
            assert counts == alone[1]
            assert masked == f"{before}{alone[0]}{after}"


def test_only_the_kinds_that_are_asked_for_are_masked_and_the_others_still_hide_what_is_in_them():
    text = "09012345678@docomo.ne.jp、03-1234-5678"
    assert mask(text, ("phone",)) == ("09012345678@docomo.ne.jp、<電話番号>", Counter(phone=1))
    assert mask(text, ("email",)) == ("<メールアドレス>、03-1234-5678", Counter(email=1))
    assert mask(text, ()) == (text, Counter())
    with pytest.raises(ValueError, match=r"^tel: there is no such kind of personal data; known: email, phone, "):
        mask(text, ("tel",))


PIECES = (
    *"0123456789０９-－ー 　()（）.@＠+〒\nあ都区市町アaz<>/", "03-1234-5678", "090", "1234", "5678", "9018", "4111", "1111", "電話", "TEL", "+81",
    "マイナンバー", "カード", "info@example.jp", "[at]", "〒100-0001", "東京都千代田区", "1-2-3", "丁目", "4111-1111-1111-1111", "1234-5678-9018",
)  # fmt: skip


@settings(deadline=None, max_examples=1000)
@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.text(st.characters(codec="utf-8"))))
def test_masking_twice_is_masking_once_and_leaves_the_rest_alone(text):
    hits = find(text)
    assert all(0 <= begin < end <= len(text) and kind in KINDS for begin, end, kind in hits)
    assert all(first[1] <= second[0] for first, second in pairwise(hits))
    masked, counts = mask(text)
    assert counts == Counter(kind for _, _, kind in hits)
    outside = [
        text[a:b] for a, b in zip([0, *(end for _, end, _ in hits)], [*(begin for begin, _, _ in hits), len(text)], strict=True)
    ]
    inside = [MASKS[kind] for _, _, kind in hits]
    assert masked == "".join(piece for pair in zip(outside, [*inside, ""], strict=True) for piece in pair)
    assert mask(masked) == (masked, Counter())


@settings(deadline=None, max_examples=200)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=10).map("".join), max_size=5), st.sets(st.sampled_from(KINDS)))
def test_signals_are_the_counts_of_masks_whatever_kinds_are_masked(texts, kinds):
    measured = measure_personal_data(pa.array(texts, pa.large_string()))
    assert list(measured) == [signal.name for signal in SIGNALS]
    assert {column.dtype for column in measured.values()} == {np.dtype(np.int32)}
    for place, text in enumerate(texts):
        counts = mask(text, kinds)[1]
        assert {
            kind: int(measured[signal.name][place]) for kind, signal in zip(KINDS, SIGNALS, strict=True) if kind in kinds
        } == {kind: counts[kind] for kind in kinds}


@given(st.text("0123456789", min_size=11, max_size=11))
def test_exactly_one_check_digit_makes_a_my_number(digits):
    assert [is_my_number(digits + last) for last in "0123456789"].count(True) == 1


@given(st.text("0123456789", min_size=14, max_size=14))
def test_exactly_one_check_digit_makes_a_card_and_one_wrong_digit_breaks_it(digits):
    good = [f"4{digits}{last}" for last in "0123456789" if is_card(f"4{digits}{last}")]
    assert len(good) == 1
    for place in range(1, 16):
        wrong = good[0][:place] + str((int(good[0][place]) + 1) % 10) + good[0][place + 1 :]
        assert not is_card(wrong)


HOSTILE = (
    "1", "１", "a@", "0-", "0-0 ", "+81-", "0 ", "03 1234 5678 ", "〒100-0001 東京都", "(at)", "1234 ", "0120-", "4111-", "4111 ", "電話03",
    "a[at]b.", "[", "〒", "100-0001", "1111111111a", "a.", "@", "a@b.", "一丁目", "〒100-0001東区一",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_linear_time(piece):
    few, many = piece * (20_000 // len(piece)), piece * (160_000 // len(piece))
    times = []
    for text in (few, many):
        rounds = []
        for _ in range(3):  # the best of three: another process may take the caches away
            begin = time.process_time()
            mask(text)
            rounds.append(time.process_time() - begin)
        times.append(min(rounds))
    assert times[1] < 24 * max(times[0], 0.01)  # eight times the text; quadratic would be 64
    assert times[1] < 3


@pytest.mark.parametrize("labels", [ROOT / "samples" / "labels.jsonl.gz", PACK], ids=["samples", "pack"])
def test_in_manuals_and_statutes_only_addresses_of_mail_and_one_house_are_found(labels):
    """What was found there was read: 724 e-mail addresses (124 distinct), one office, and no number that is none."""
    if not labels.exists():
        pytest.skip("the larger pack is not beside the repository")
    found: Counter[str] = Counter()
    with gzip.open(labels, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            text = row.get("gold_text") or ""
            found.update(kind for _, _, kind in find(text))
            masked, _ = mask(text)
            assert mask(masked) == (masked, Counter())
    assert found["email"] > 50
    assert found["address"] <= 1
    assert set(found) <= {"email", "address"}
