import csv
from pathlib import Path

import pytest

from seiryu.filters.words import WordLists
from seiryu.filters.words.sources import words_of

with (Path(__file__).parents[2] / "data" / "innocent_words.tsv").open(encoding="utf-8", newline="") as file:
    INNOCENT = list(csv.DictReader(file, delimiter="\t"))
LISTS = {name: WordLists({name: (f"hojichar:{name}",)}) for name in {row["list"] for row in INNOCENT}}
DATING = WordLists({"dating": ("seiryu:dating_sites",)})
FRAMES = ("{}", "それは{}でした。", "「{}」と言った")
COUNTS = {
    "昨夜は彼女とセックスをした。": "セックス",
    "無料でエロ動画が見放題です。": "エロ動画",
    "このサイトはアダルトビデオの販売を行っています。": "アダルトビデオ",
    "人気AV女優の新作が出ました。": "AV女優",
    "盗撮された映像が流出した。": "盗撮",
    "児童ポルノの所持は犯罪です。": "児童ポルノ",
    "素人のオナニー画像を集めました。": "オナニー",
    "彼は強制わいせつの疑いで逮捕された。": "わいせつ",
    "風俗の求人はこちらから。": "風俗",
    "援交で知り合った女の子。": "援交",
    "巨乳の美女が登場。": "巨乳",
    "デリヘルを呼んだ。": "デリヘル",
    "電話でデリバリーヘルスを予約する。": "デリバリーヘルス",
    "でりばりーへるすの口コミ。": "デリバリーヘルス",
    "ソープランドに行ってきた。": "ソープランド",
    "熟女のフェラチオ特集。": "フェラチオ",
    "勃起不全の治療薬。": "勃起",
    "彼女のおっぱいを揉む。": "おっぱい",
    "ラブホテルの割引券。": "ラブホテル",
    "不倫がばれて離婚した。": "不倫",
    "人妻と出会える掲示板。": "人妻",
    "無修正の動画を公開中。": "無修正",
    "ロリコン向けの漫画。": "ロリコン",
    "援助交際は売春である。": "売春",
    "痴漢に遭った女性が訴えた。": "痴漢",
    "中出しされた体験談。": "中出し",
    "キャバクラで働く学生。": "キャバクラ",
    "射精の瞬間をとらえた。": "射精",
    "媚薬を通販で買う。": "媚薬",
    "ＳＥＸが好きな主婦。": "SEX",
    "夫婦のｾｯｸｽの悩み。": "セックス",
    "本日のﾊﾞｲﾌﾞは三割引。": "バイブ",
    "コンドームを着ける。": "コンドーム",
    "セ○クスしたい。": "セ○クス",
    "セ×クスの話。": "セ×クス",
    "彼とHした。": "Hした",
    "包茎手術の費用。": "包茎",
    "輪姦プレイの動画。": "輪姦プレイ",
    "近親者による性的虐待。": "性的",
    "彼氏とエッチな話をした。": "エッチな話",
    "tengaを使った感想。": "TENGA",
    "高校生が自殺した。": "自殺",
}


def hit(row, frame):
    """Whether the word counts in this sentence, and whether a plain search for substrings hits it."""
    lists, text = LISTS[row["list"]], frame.format(row["phrase"])
    counts = row["word"] in {hit.word for hit in lists.hits(text)}
    return counts, counts or row["word"] in {refusal.word for refusal in lists.refused(text)}


def test_the_table_holds_words_of_every_list_that_has_innocent_neighbours():
    assert len({row["phrase"] for row in INNOCENT}) >= 190
    assert len({row["list"] for row in INNOCENT}) == 7
    assert all(row["word"] in words_of([f"hojichar:{row['list']}"]) for row in INNOCENT)


@pytest.mark.parametrize("row", INNOCENT, ids=lambda row: f"{row['phrase']}-{row['word']}")
def test_without_boundaries_innocent_words_are_hit_and_with_them_none_but_those_that_say_why(row):
    for frame in FRAMES:
        counts, substring = hit(row, frame)
        assert substring
        assert counts == bool(row["still"]), (frame, row["still"])


def test_few_innocent_words_are_still_hit():
    assert sum(bool(row["still"]) for row in INNOCENT) <= 13


@pytest.mark.parametrize(("text", "word"), COUNTS.items())
def test_words_that_are_meant_count(text, word):
    assert word in [hit.word for hit in LISTS["adult_keywords_ja"].hits(text)]


@pytest.mark.parametrize("name", words_of(["seiryu:dating_sites"]))
@pytest.mark.parametrize("frame", ["昨日は{}に登録した。", "{}で知り合った人", "私も{}を使っています", "人気の{}について", "{}"])
def test_every_name_of_a_dating_service_counts_in_a_plain_sentence(frame, name):
    assert [hit.word for hit in DATING.hits(frame.format(name))] == [name]
