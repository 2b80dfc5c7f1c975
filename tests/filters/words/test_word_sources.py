from pathlib import Path

import pytest

from seiryu.filters.words import WordLists
from seiryu.filters.words.sources import find_list, read_words, words_of


def test_a_list_is_lines_without_blanks_and_comments_but_words_may_begin_with_a_hash(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("\ufeff# 注意\r\n禁句\r\n\n 秘密 \n#\n#裏垢\n  # 注意\n##\n援 交", "utf-8")
    assert read_words(path) == ["禁句", "秘密", "#裏垢", "##", "援 交"]


def test_own_lists_and_packaged_ones_stand_together_under_a_name(tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("内緒", "utf-8")
    lists = WordLists({"mine": (str(own), "hojichar:adult_keywords_ja"), "dating": ("seiryu:dating_sites",)})
    assert lists.names == ("mine", "dating")
    assert [(hit.word, hit.list) for hit in lists.hits("内緒でPCMAXとセックス。")] == [
        ("内緒", "mine"),
        ("PCMAX", "dating"),
        ("セックス", "mine"),
    ]


def test_hojichars_lists_have_the_size_that_is_said_of_them():
    others = ("adult_keywords_en", "discrimination_keywords_ja", "violence_keywords_ja", "advertisement_keywords_ja",
              "header_footer_keywords_ja", "dummy_ng_words")  # fmt: skip
    assert len(words_of(["hojichar:adult_keywords_ja"])) >= 1471
    assert 380 <= len({word for name in others for word in words_of([f"hojichar:{name}"])}) <= 480


def written(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("水\n".encode() + "禁句です\n".encode("cp932"), r"list\.txt, line 2: not UTF-8, as a word list must be: "),
        ("禁句\n秘密の言葉\n髙①".encode("cp932"), r"list\.txt, line 1: not UTF-8, as a word list must be, perhaps cp932: "),
        ("これは\n禁句\n秘密の言葉".encode("euc_jp"), r"list\.txt, line 1: not UTF-8, as a word list must be, perhaps euc_jp: "),
        ("\ufeff禁句\n秘密".encode("utf-16-le"), r"list\.txt, line 1: not UTF-8, as a word list must be, perhaps UTF-16: "),
        ("sex\nav\n".encode("utf-16-le"), r"list\.txt, line 1: a NUL is no part of a word, perhaps UTF-16: "),
        ("水\n禁\0句".encode(), r"list\.txt, line 2: a NUL is no part of a word"),
        (b" \n\n# nothing\n", r"list\.txt, line 1: the word list holds no word"),
        (b"", r"list\.txt, line 1: the word list holds no word"),
    ],
)
def test_a_list_that_cannot_be_used_says_which_line_and_what_it_may_be_in_one_line(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as caught:
        WordLists({"own": (written(tmp_path, content),)})
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.txt: the word list cannot be read: No such file"):
        WordLists({"own": (str(tmp_path / "absent.txt"),)})
    with pytest.raises(ValueError, match=r": the word list cannot be read: Is a directory"):
        WordLists({"own": (str(tmp_path),)})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("hojichar:adult_keywords_jp", r"hojichar has no such word list; did you mean hojichar:adult_keywords_ja\?"),
        ("seiryu:dating", r"seiryu has no such word list; did you mean seiryu:dating_sites\?"),
        ("seiryu:", r"seiryu has no such word list; there are dating_sites, footer_words"),
        ("hojichar:../dict/adult_keywords_ja", r"hojichar has no such word list"),
    ],
)
def test_a_packaged_list_that_is_not_there_is_told_with_the_nearest_that_is(source, message):
    with pytest.raises(ValueError, match=message):
        find_list(source)
