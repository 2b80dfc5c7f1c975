import gzip
import hashlib
import json
from itertools import pairwise

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters.classifiers.examples import Source, divide


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def divided(folder, source, held_out=0.3, *, segmented=False):
    """(label, text) of both sides as they lie on disk, and what is said of them."""
    (folder / "work").mkdir(exist_ok=True)
    found = divide(source, folder / "work", held_out, segmented=segmented)
    train = [
        tuple(line.removeprefix("__label__").split(" ", 1)) for line in found.train.read_text(encoding="utf-8").split("\n")[:-1]
    ]
    texts = found.held_out.read_text(encoding="utf-8").split("\n")[:-1]
    held = [(found.labels[number], text) for number, text in zip(found.held_out_labels.tolist(), texts, strict=True)]
    assert [found.labels[number] for number in found.train_labels.tolist()] == [label for label, _ in train]
    return train, held, found


ROWS = [{"text": f"文書{k}の本文\n二行目", "label": ("良", "並")[k % 3 == 0]} for k in range(400)]


def test_every_example_is_on_one_side_and_as_many_as_were_asked_for_are_held_out(tmp_path):
    train, held, found = divided(tmp_path, Source(write(tmp_path / "a.jsonl", ROWS)))
    assert sorted(train + held) == sorted((row["label"], row["text"].replace("\n", " ")) for row in ROWS)
    assert 0.2 < len(held) / len(ROWS) < 0.4
    assert found.labels == ("並", "良")
    assert found.counts(found.train_labels) == {label: sum(name == label for name, _ in train) for label in found.labels}
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["held_out", "train"]


def test_order_of_the_file_decides_nothing_and_the_labels_are_mixed(tmp_path):
    by_label = sorted(ROWS, key=lambda row: row["label"])
    train, held, _ = divided(tmp_path, Source(write(tmp_path / "a.jsonl", by_label)))
    assert (train, held) == divided(tmp_path, Source(write(tmp_path / "b.jsonl", by_label[::-1])))[:2]
    labels = [label for label, _ in train]
    assert sum(first != second for first, second in pairwise(labels)) > len(labels) / 4


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from(["同じ", "同じ 文", "同じ\n文", " 同じ  文 ", "違う"]), st.sampled_from("ab")),
        min_size=1,
        max_size=30,
    )
)
def test_texts_that_differ_only_in_white_space_are_on_the_same_side(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("same")
    rows = [{"text": text, "label": label} for text, label in pairs]
    train, held, found = divided(folder, Source(write(folder / "a.jsonl", rows)), 0.5)
    sides = [{" ".join(text.split()) for _, text in side} for side in (train, held)]
    assert not sides[0] & sides[1]
    assert found.duplicates == len(pairs) - len({" ".join(text.split()) for text, _ in pairs})


def test_a_text_is_on_the_side_it_was_on_when_others_come(tmp_path):
    few = {text for _, text in divided(tmp_path, Source(write(tmp_path / "a.jsonl", ROWS[:100])))[1]}
    many = {text for _, text in divided(tmp_path, Source(write(tmp_path / "b.jsonl", ROWS)))[1]}
    more = {text for _, text in divided(tmp_path, Source(str(tmp_path / "b.jsonl")), 0.6)[1]}
    assert few < many < more
    assert divided(tmp_path, Source(str(tmp_path / "b.jsonl")), 0)[1] == []


def test_plain_gzip_and_zstd_are_the_same_examples(tmp_path):
    plain = write(tmp_path / "a.jsonl", ROWS)
    data = (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "b").write_bytes(gzip.compress(data[:999]) + gzip.compress(data[999:]))
    (tmp_path / "c").write_bytes(zstandard.compress(data[:999]) + zstandard.compress(data[999:]))
    found = [divided(tmp_path, Source(path)) for path in (plain, str(tmp_path / "b"), str(tmp_path / "c"))]
    assert found[0][:2] == found[1][:2] == found[2][:2]
    assert {examples.sha256 for _, _, examples in found} == {hashlib.sha256(data).hexdigest()}


def test_labels_are_words_or_numbers_and_grades_stand_in_their_order(tmp_path):
    rows = [{"t": f"文{k}", "grade": grade} for k, grade in enumerate([10, 2, 2.0, "2", 0.5, -1, "__label__10"])]
    _, _, found = divided(tmp_path, Source(write(tmp_path / "a.jsonl", rows), "t", "grade"))
    assert found.labels == ("-1", "0.5", "2", "10")
    _, _, found = divided(
        tmp_path, Source(write(tmp_path / "b.jsonl", [{"text": "文", "label": x} for x in ("b", "1", "a", 10, 9)]))
    )
    assert found.labels == ("1", "9", "10", "a", "b")


def test_a_text_cannot_bring_labels_of_its_own(tmp_path):
    rows = [{"text": "__label__spy 清流\0は\r\n速い </s>", "label": "良"}]
    (tmp_path / "work").mkdir()
    found = divide(Source(write(tmp_path / "a.jsonl", rows)), tmp_path / "work", 0, segmented=False)
    assert found.train.read_bytes().decode() == "__label__良 清流 は 速い\n"


def test_segmented_texts_have_spaces_between_their_words(tmp_path):
    train, _, _ = divided(
        tmp_path, Source(write(tmp_path / "a.jsonl", [{"text": "清流は\n速い。", "label": "良"}])), 0, segmented=True
    )
    assert train[0][1].split() == ["清流", "は", "速い", "。"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"text": "a", "label": "b"', r"not JSON: Expecting ',' delimiter: .*"),
        (b"[" * 100_000, r"not JSON: .*"),
        (b'"a"', r"an object with text and label is wanted, not b'\"a\"\\n'"),
        (b"\xff\xfe", r"not UTF-8 \(byte 0\)"),
        (b'{"label": "b", "body": "c"}', r"has no \"text\"; it has 'label', 'body'"),
        (b'{"text": "a"}', r"has no \"label\"; it has 'text'"),
        (b'{"text": null, "label": "b"}', r"\"text\" must be a text, not null"),
        (b'{"text": " \\n\\u3000", "label": "b"}', r"\"text\" is blank"),
        (b'{"text": "</s>", "label": "b"}', r"\"text\" is blank"),
        (b'{"text": "\\ud83d", "label": "b"}', r"holds half a letter, '\\ud83d', as JSON can write it"),
        (b'{"text": "a", "label": ""}', r"\"label\" is empty"),
        (b'{"text": "a", "label": "__label__"}', r"\"label\" is empty"),
        (b'{"text": "a", "label": "b c"}', r"\"label\" 'b c' holds white space, at which fastText would end it"),
        (b'{"text": "a", "label": "b\\u3000"}', r"\"label\" 'b\\u3000' holds white space, at which fastText would end it"),
        (b'{"text": "a", "label": null}', r"\"label\" must be a text or a number, not null"),
        (b'{"text": "a", "label": true}', r"\"label\" must be a text or a number, not true"),
        (b'{"text": "a", "label": [1]}', r"\"label\" must be a text or a number, not \[1\]"),
        (b'{"text": "a", "label": NaN}', r"\"label\" must be a text or a number, not NaN"),
        (b'{"text": "a", "label": -Infinity}', r"\"label\" must be a text or a number, not -Infinity"),
    ],
)
def test_what_is_no_example_is_named_by_file_and_line(tmp_path, line, why):
    path = tmp_path / "data.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"text": "a", "label": "b"}\n\n  \n' + line + b"\n"
    )  # a byte order mark and blank lines are nothing
    with pytest.raises(ValueError, match=rf"^{path}, line 4: {why}$") as raised:
        divided(tmp_path, Source(str(path)))
    assert len(str(raised.value)) < 300


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path, why in (
        (tmp_path / "nothing", "cannot be read: No such file or directory"),
        (tmp_path, r"is a directory; a file of labelled texts \(\.jsonl, \.jsonl\.gz, \.jsonl\.zst\) is wanted"),
    ):
        with pytest.raises(ValueError, match=f"^{path}: {why}$"):
            divided(tmp_path, Source(str(path)))
    for name, data in (("empty", b""), ("blank", b"\n\n")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=r"holds no example$"):
            divided(tmp_path, Source(str(tmp_path / name)))


def test_a_compressed_file_that_breaks_off_is_named_with_the_last_line_that_came(tmp_path):
    data = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS * 50)
    for name, packed in (("gz", gzip.compress(data)), ("zst", zstandard.compress(data))):
        (tmp_path / name).write_bytes(packed[:-9])
        with pytest.raises(ValueError, match=rf"{name}: cannot be read after line \d+: Truncated compressed stream$"):
            divided(tmp_path, Source(str(tmp_path / name)))
