"""What cleaning did, as pieces: always the two texts whole, and short and in the right place for what cleaning does."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters.cleaning import CleanSettings, clean
from seiryu.filters.cleaning.difference import difference

LABELS = Path(__file__).parents[3] / "samples" / "labels.jsonl.gz"


def sides(pieces):
    """(before, after) as the pieces tell them."""
    return tuple("".join(text for kind, text in pieces if kind != other) for other in ("new", "gone"))


def shown(before, after, context=1):
    """Pieces in one string: -gone-, +new+, and ... for what is skipped."""
    marks = {"same": "{}", "gone": "-{}-", "new": "+{}+", "skipped": "..."}
    return "".join(marks[kind].format(text) for kind, text in difference(before, after, context))


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("あ，い．う", "あ、い。う", "あ-，-+、+い-．-+。+う"),
        ("メニュー\n本文\n", "本文\n", "-メニュー\n-本文\n"),
        ("本文\nコメントを書く\n名前", "本文", "本文-\nコメントを書く\n名前-"),
        ("宛先は taro@example.com です", "宛先は <メールアドレス> です", "宛先は -taro@example.com-+<メールアドレス>+ です"),
        (
            "一，\nメニュー\n電話 03-1234-5678，まで\n",
            "一、\n電話 <電話番号>、まで\n",
            "一-，-+、+\n-メニュー\n-電話 -03-1234-5678，-+<電話番号>、+まで\n",
        ),
        ("一\n二\n三\n四，\n五\n六\n七\n", "一\n二\n三\n四、\n五\n六\n七\n", "...三\n四-，-+、+\n五\n..."),
        ("同じ\n", "同じ\n", "..."),
        ("", "", ""),
        ("", "新\n", "+新\n+"),
    ],
)
def test_the_pieces_show_what_went_and_the_stretch_that_changed(before, after, pieces):
    assert shown(before, after) == pieces


def test_more_or_less_around_a_change_is_shown_as_asked():
    before, after = "\n".join("一二三四五六七八"), "\n".join("一二三五六七八")
    assert shown(before, after, 0) == "...-四\n-..."
    assert shown(before, after, 2) == "...二\n三\n-四\n-五\n六\n..."
    assert shown(before, after, 99) == "一\n二\n三\n-四\n-五\n六\n七\n八"


LINES = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["あ，い．", "あ、い。", "メニュー", "taro@a.jp へ，", "<メールアドレス> へ、", "", "　", "x\r", "<b>長い</b>本文"]
)
TEXTS = st.lists(LINES, max_size=20).map("\n".join)


@settings(max_examples=500, deadline=None)
@given(TEXTS, TEXTS, st.integers(0, 3))
def test_the_pieces_are_both_texts_whatever_they_are(before, after, context):
    pieces = difference(before, after, context)
    assert sides(pieces) == (before, after)
    assert all(text for _, text in pieces)
    assert {kind for kind, _ in pieces} <= {"same", "gone", "new", "skipped"}


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sets(LINES.map(str.strip).filter(bool)))
def test_of_what_cleaning_cut_and_changed_nothing_more_is_shown(text, repeated):
    cleaned = clean(text, CleanSettings(max_cut_share=1, personal_data=()), repeated)
    pieces = difference(text, cleaned.text)
    gone, new = (
        sum(letter not in "\n\r" for kind, part in pieces if kind == wanted for letter in part) for wanted in ("gone", "new")
    )
    common = [line.translate(str.maketrans("，．", "、。")).rstrip() for line in text.split("\n")]
    if len(set(common)) == len(common):  # else one line may be taken for another
        assert new == cleaned.punctuation_letters
    assert gone == new + cleaned.repeated_line_letters + cleaned.footer_letters


def test_real_pages_show_what_was_cleaned():
    with gzip.open(LABELS, "rt", encoding="utf-8") as lines:
        texts = [text for text in (json.loads(line).get("gold_text") for line in lines) if text]
    for text in texts:
        cleaned = clean(text, repeated={"Presets", "モジュール"})
        assert sides(difference(text, cleaned.text)) == (text, cleaned.text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("あ，\n" * 300_000, "あ、\n" * 300_000),
        ("あ\nい\n" * 150_000, "あ\n" * 150_000),
        ("あ，い" * 700_000, "あ、い" * 700_000),
        ("".join(f"宛先{n}@x.jp\n" for n in range(100_000)), "<メールアドレス>\n" * 100_000),
        ("".join(f"{n}@x.jp\nメニュー\n" for n in range(100_000)), "<メールアドレス>\n" * 100_000),
    ],
    ids=["each line", "every other line", "one long line", "masks", "masks and lines"],
)
def test_long_texts_are_compared_in_time_that_grows_with_their_length(before, after):
    assert sides(difference(before, after)) == (before, after)
