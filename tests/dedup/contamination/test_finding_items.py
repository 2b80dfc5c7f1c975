"""Items are found where they stand, altered in what does not matter, and a phrase of them is not the item."""

import json
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from plain_contamination import plain_find

from seiryu.dedup.contamination import FOUND, Benchmarks, Rule, finding
from seiryu.dedup.contamination.items import Items

QUESTIONS = (
    "電車に乗る前に、改札口で機械に通すものは何ですか？", "太郎は1個80円のりんごを6個と、120円のみかんを3個買いました。全部でいくら払いましたか？",
    "次の記述のうち、光合成について正しいものはどれか。", "江戸幕府の第三代将軍で、参勤交代の制度を定めた人物は誰ですか。",
    "与えられた整数のリストから、偶数だけを取り出して昇順に並べた新しいリストを返す関数を書いてください。",
    "『坊っちゃん』と『三四郎』では、どちらが先に発表されましたか？",
)  # fmt: skip
SHORT = "日本で一番高い山は？"
RULE = Rule()


def items_of(*texts: str | list[str]) -> Items:
    listed = [[text] if isinstance(text, str) else text for text in texts]
    return Items(list(range(1, len(texts) + 1)), listed, "")


def benchmarks(*texts: str | list[str], rule: Rule = RULE) -> Benchmarks:
    return Benchmarks({"quiz": items_of(*texts)}, rule)


def stretches(row: dict[str, Any], text: str) -> list[str]:
    return [text[begin:end] for begin, end in zip(row["begin"], row["end"], strict=True)]


letters = st.sampled_from("あいかハ\u3099ﾊﾞ１a㌔、　\n゛𠮷")
some_texts = st.text(letters, max_size=40)


@given(
    st.lists(st.lists(some_texts, max_size=3), min_size=1, max_size=6),
    st.lists(some_texts, max_size=4),
    st.integers(1, 5),
    st.data(),
)
@example([["あいかハ"]] * 3, ["あいか、ハ゛あいかハ\u3099"], 3, None)
def test_everything_found_is_what_the_rule_says(items: list[list[str]], texts: list[str], ngram: int, data: Any) -> None:
    rule = (
        Rule(ngram, data.draw(st.sampled_from([0.3, 0.5, 0.8, 1.0])), data.draw(st.integers(1, ngram)))
        if data
        else Rule(3, 0.5, 2)
    )
    if data and items[0]:
        texts = [*texts, data.draw(some_texts) + items[0][0] + data.draw(some_texts)]
    try:
        made = Benchmarks({"a": items_of(*items)}, rule)
    except ValueError:
        return  # nothing can be looked for
    found = {text: {} for text in range(len(texts))}
    for row in made.find(pa.array(texts, pa.string())).to_pylist():
        found[row["document"]][row["item"] - 1] = pytest.approx(row["share"]), list(zip(row["begin"], row["end"], strict=True))
    assert found == {place: plain_find(items, text, rule) for place, text in enumerate(texts)}


WAYS = {
    "as it is": lambda text: text,
    "in full width": lambda text: "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text),
    "over lines": lambda text: "\n".join(text[at : at + 7] for at in range(0, len(text), 7)),
    "with other marks": lambda text: text.translate(str.maketrans({"、": "，", "。": "．", "？": "! ", "『": "「", "』": "」"})),
    "without marks": lambda text: "".join(letter for letter in text if letter.isalnum()),
    "decomposed": lambda text: "".join(
        {"が": "か\u3099", "で": "て\u3099", "ど": "と\u3099"}.get(letter, letter) for letter in text
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_item_in_a_page_is_found_at_its_place_however_it_is_set(way: str, pages: list[dict[str, Any]]) -> None:
    made = benchmarks(*QUESTIONS)
    texts, planted = [page["gold_text"] for page in pages[:: len(pages) // 60]], []
    for place, text in enumerate(texts):
        at = len(text) // 2
        planted.append(WAYS[way](QUESTIONS[place % len(QUESTIONS)]))
        texts[place] = f"{text[:at]}\n問　{planted[-1]}\n{text[at:]}"
    rows = made.find(pa.array(texts)).to_pylist()
    assert [(row["document"], row["item"], row["share"]) for row in rows] == [
        (place, place % len(QUESTIONS) + 1, 1.0) for place in range(len(texts))
    ]
    for row, text, item in zip(rows, texts, planted, strict=True):
        assert stretches(row, text) == [item.strip("『「").rstrip("。．？！! \n")]


def test_pages_without_items_hold_none(pages: list[dict[str, Any]]) -> None:
    made = benchmarks(*QUESTIONS, SHORT)
    assert len(made.find(pa.array([page["gold_text"] for page in pages]))) == 0


def test_a_letter_changed_in_a_long_item_costs_only_the_letters_around_it() -> None:
    item = QUESTIONS[1]
    text = item.replace("みかん", "なし")
    (row,) = benchmarks(item).find(pa.array([text])).to_pylist()
    assert 0.8 <= row["share"] < 1
    assert stretches(row, text) == ["太郎は1個80円のりんごを6個と、120円の", "を3個買いました。全部でいくら払いましたか"]


def test_half_an_item_is_not_the_item() -> None:
    assert len(benchmarks(*QUESTIONS).find(pa.array([text[: len(text) * 2 // 3] for text in QUESTIONS]))) == 0


def test_an_only_short_text_is_found_where_it_stands_alone() -> None:
    made = benchmarks(SHORT, [SHORT, "富士山"], rule=Rule(ngram=13))
    alone = ["Q. 日本で一番高い山は？ 富士山", "「日本で、一番高い山は」", "日本で一番高い山は", "山\n日本で一番高い山は\n富士山"]
    within = ["日本で一番高い山は富士山です", "西日本で一番高い山は？", "日本で一番高い山は 富士山"]
    assert [(row["document"], row["item"]) for row in made.find(pa.array(alone + within)).to_pylist()] == [
        (i, 1) for i in range(len(alone))
    ]
    assert (made.known["quiz"].items, made.known["quiz"].short) == (2, 1)


def test_choices_beside_a_short_question_flag_nothing() -> None:
    made = benchmarks(["お店は？", "スーパーマーケット"], QUESTIONS[0])
    assert made.known["quiz"].short == 1
    assert len(made.find(pa.array(["スーパーマーケット"]))) == 0


def test_what_many_items_have_in_common_is_no_part_of_them() -> None:
    told = "次の文章を読み、その内容に合うものを一つ選び、記号で答えなさい。"
    names = "松竹梅桜桃李杏柿栗梨柚"
    many = [told + f"{name}の木は{name * 9}と書く" for name in names]
    made = benchmarks(*many, rule=Rule(min_share=0.5))
    assert len(made.find(pa.array([told + "別の問い"]))) == 0
    (row,) = made.find(pa.array([many[3].removeprefix(told)])).to_pylist()
    assert row["item"] == 4
    few = benchmarks(*many[:10], rule=Rule(min_share=0.5))
    assert len(few.find(pa.array([told + "別の問い"]))) == 10


def test_items_of_nothing_but_common_runs_are_counted_and_none_to_look_for_is_an_error() -> None:
    told = "次のうち正しいものはどれか答えよ"
    many = [told + ending for ending in "一二三四五六七八九十百"]
    made = benchmarks(told, *many, QUESTIONS[0])
    assert (made.known["quiz"].common, made.known["quiz"].short) == (1, 0)
    with pytest.raises(ValueError, match="quiz: none of its 2 items can be looked for: 2 hold no text of 10 letters"):
        benchmarks("はい", "いいえ")


def test_what_is_found_of_one_benchmark_is_the_same_beside_others() -> None:
    texts = pa.array(["\n".join(QUESTIONS), QUESTIONS[2] + SHORT])
    one, other = items_of(*QUESTIONS[:3], QUESTIONS[2]), items_of(*QUESTIONS[2:], SHORT)
    both = Benchmarks({"one": one, "other": other}).find(texts).to_pylist()
    for name, items in (("one", one), ("other", other)):
        assert [row for row in both if row["benchmark"] == name] == Benchmarks({name: items}).find(texts).to_pylist()
    assert [row["document"] for row in both] == sorted(row["document"] for row in both)
    assert all(a["benchmark"] <= b["benchmark"] for a, b in pairwise(both) if a["document"] == b["document"])


def test_a_collision_of_hashes_is_no_find() -> None:
    morse = [bin(i).count("1") % 2 for i in range(2048)]  # any polynomial hash modulo 2^64 of odd base takes both for the same
    item, other = ("".join("あい"[bit ^ flip] for bit in morse) for flip in (0, 1))
    made = benchmarks(item, rule=Rule(ngram=2048))
    assert [row["document"] for row in made.find(pa.array([other, item])).to_pylist()] == [1]


def test_arrays_of_any_shape_give_the_same() -> None:
    made, texts = benchmarks(*QUESTIONS), ["", *QUESTIONS, "ﾊﾞ" + QUESTIONS[0], "何も無い"]
    want = made.find(pa.array(texts))
    assert want.schema.equals(FOUND, check_metadata=True)
    chunked = pa.chunked_array([texts[:2], [], texts[2:]], pa.large_string())
    for array in (pa.array(texts, pa.large_string()), chunked, pa.array(["x" * 99, *texts]).slice(1)):
        assert made.find(array).equals(want)
    assert len(made.find(pa.array([], pa.string()))) == len(made.find(pa.chunked_array([], pa.string()))) == 0
    with pytest.raises(TypeError, match="string"):
        made.find(pa.array([1]))
    with pytest.raises(ValueError, match="null"):
        made.find(pa.array(["a", None]))
    json.dumps(want.to_pylist())


def test_more_finds_than_the_kernel_has_room_for_are_all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made, texts = benchmarks(*[QUESTIONS[0]] * 5), pa.array([QUESTIONS[0], "何も無い"] * 40)
    want = made.find(texts)
    assert len(want) == 200
    monkeypatch.setattr(finding, "_ROOM", 7)
    assert made.find(texts).equals(want)


@pytest.mark.parametrize("rule", [Rule(5, 0.5, 6), Rule(5, 0, 5), Rule(5, 1.1, 5), Rule(5, 0.5, 0)])
def test_a_rule_that_means_nothing_is_refused(rule: Rule) -> None:
    with pytest.raises(ValueError, match="wanted"):
        benchmarks(*QUESTIONS, rule=rule)
