"""Benchmarks as people have them: nested or flat, packed or not; what is wrong with one is told with its line."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from seiryu.dedup.contamination import Benchmarks, Source
from seiryu.dedup.contamination.items import read_items

ROWS: list[dict[str, Any]] = [
    {"id": 1, "question": "問い一", "answers": {"text": ["答え一", "答え二"], "start": [3, 5]}},
    {"id": 2, "question": "問い二", "answers": {"text": []}, "more": [[{"question": "内"}], None]},
]
LINES = b"\xef\xbb\xbf" + b"\n\n".join(json.dumps(row, ensure_ascii=False).encode() for row in ROWS) + b"\r\n"


def test_the_texts_of_an_item_are_all_in_it_or_those_of_the_fields(tmp_path: Path) -> None:
    file = tmp_path / "quiz.jsonl"
    file.write_bytes(LINES)
    everything = read_items(Source(str(file)))
    assert (everything.lines, everything.texts) == ([1, 3], [["問い一", "答え一", "答え二"], ["問い二", "内"]])
    for fields, want in (
        (("question",), [["問い一"], ["問い二"]]), (("answers.text",), [["答え一", "答え二"], []]), (("answers",), [["答え一", "答え二"], []]),
        (("more.question", "question"), [["問い一"], ["内", "問い二"]]),
    ):  # fmt: skip
        assert read_items(Source(str(file), fields)).texts == want


def test_a_packed_file_is_the_same_file(tmp_path: Path) -> None:
    plain, *packed = (tmp_path / name for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "two.zst"))
    plain.write_bytes(LINES)
    packed[0].write_bytes(gzip.compress(LINES[:50]) + gzip.compress(LINES[50:]))
    packed[1].write_bytes(zstandard.compress(LINES))
    packed[2].write_bytes(zstandard.compress(LINES[:50]) + zstandard.compress(LINES[50:]))
    for file in packed:
        assert read_items(Source(str(file))) == read_items(Source(str(plain)))


BAD = {
    "line 2: not JSON": b'{"a": "b"}\n{"a": \n',
    "line 3: a JSON object is wanted, not \\[1, 2\\]": b'{"a": "b"}\n\n[1, 2]\n',
    "line 1: not UTF-8": b'{"a": "\x82\xa0"}\n',
    "line 1: not JSON: .*; a JSON object a line is wanted": b"question,A,B\n",
    "line 2: a text holds half a letter": b'{"a": "b"}\n{"question": "\\ud83d"}\n',
    "holds no item; a JSON object a line is wanted": b"\n",
    'no line has the field "question"; there are a, c': b'{"a": "b"}\n{"c": 1}\n',
    'the field "question" holds no text in any line': b'{"question": 5}\n',
    "cannot be read after line": gzip.compress(LINES)[:-20],
    "cannot be read after": zstandard.compress(LINES)[:-20],
    "line 1: ": b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_used_is_told_in_a_line_with_its_place(tmp_path: Path, message: str) -> None:
    file = tmp_path / "quiz.jsonl"
    file.write_bytes(BAD[message])
    with pytest.raises(ValueError, match=message) as raised:
        read_items(Source(str(file), ("question",)))
    assert str(raised.value).startswith(str(file))
    assert "\n" not in str(raised.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none.jsonl", "does not exist"), (tmp_path, "is a directory, not a file of items")):
        with pytest.raises(ValueError, match=message):
            Benchmarks.load({"quiz": Source(str(path))})
