import hashlib
import random
import struct
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import fasttext
import pytest

from seiryu.filters.classifiers.model_file import read_model_file

MAKES = [
    {"loss": "softmax"}, {"loss": "hs"}, {"loss": "ova"}, {"loss": "ns"}, {"wordNgrams": 3}, {"minn": 0, "maxn": 0, "bucket": 0},
    {"quantize": {}}, {"quantize": {"qnorm": True, "qout": True}}, {"quantize": {"cutoff": 300, "qnorm": True}},
]  # fmt: skip


def labels_for(options):
    """Labels enough for what is made: a matrix of labels is compressed from 256 rows on."""
    return tuple(map(str, range(260))) if "qout" in str(options) else ("0", "1", "2", "3")


@pytest.mark.parametrize("options", MAKES, ids=str)
def test_a_model_of_any_make_is_what_fasttext_says_of_it(make_model, options):
    path = make_model(labels_for(options), **options)
    found, model = read_model_file(path), fasttext.load_model(path)
    assert list(found.labels) == model.get_labels()
    assert found.words == len(model.get_words())
    assert found.dimension == model.get_dimension()
    assert found.quantized == model.is_quantized() == ("quantize" in options)
    assert found.sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_the_model_that_tells_languages_is_one():
    found = read_model_file(str(files("seiryu.filters") / "models" / "lid.176.ftz"))
    assert len(found.labels) == 176
    assert "__label__ja" in found.labels


def test_word_vectors_are_no_classifier(word_vectors):
    with pytest.raises(
        ValueError, match=r"vectors\.bin: a fastText model of word vectors \(unsupervised\); a classifier .* is wanted$"
    ):
        read_model_file(word_vectors)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a fastText model: it is empty"),
        (b"PK\x03\x04 a zip file", r"not a fastText model; it begins with b'PK\\x03\\x04 a z'"),
        (b"\xba\x16O/", r"not a fastText model; it begins with b'\\xba\\x16O/'"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS's pointer to one; fetch the file itself"),
        (struct.pack("<ii", 793712314, 13), "of version 13; versions 11 and 12 can be read"),
        (struct.pack("<ii", 793712314, 12), r"a damaged fastText model: it ends after 8 bytes, and 64 or more are wanted"),
        (struct.pack("<ii12id", 793712314, 12, 5, 5, 5, 1, 5, 1, 3, 9, 0, 0, 0, 100, 1e-4), "there is no kind of model 9"),
        (
            struct.pack("<ii12id", 793712314, 12, 0, 5, 5, 1, 5, 1, 3, 3, 0, 0, 0, 100, 1e-4),
            "dim is 0, and 1 to 1048576 is possible",
        ),
        (
            struct.pack("<ii12id", 793712314, 12, 5, 5, 5, 1, 5, 2, 3, 3, 0, 0, 0, 100, 1e-4),
            "it has n-grams and 0 buckets for them",
        ),
        (
            struct.pack(
                "<ii12idiiiqq", 793712314, 12, 5, 5, 5, 1, 5, 1, 3, 3, 0, 0, 0, 100, 1e-4, 2**31 - 1, 2**31 - 2, 1, 0, -1
            ),
            "2,147,483,647 entries of a dictionary are more than the file can hold",
        ),
    ],
)
def test_what_is_no_model_is_refused_in_one_line_that_says_why(tmp_path, content, why):
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=why) as raised:
        read_model_file(str(path))
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_a_path_that_leads_to_no_file_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"nothing: there is no such file; the path of a fastText model \(\.bin or \.ftz\) is wanted$"
    ):
        read_model_file(str(tmp_path / "nothing"))
    with pytest.raises(ValueError, match=r"is a directory; the path of a fastText model"):
        read_model_file(str(tmp_path))
    with pytest.raises(ValueError, match=r"/dev/null: not a fastText model: it is no regular file"):
        read_model_file("/dev/null")


@pytest.mark.parametrize("options", [{}, {"quantize": {"cutoff": 300, "qnorm": True}}], ids=str)
def test_a_model_cut_anywhere_or_followed_by_more_is_damaged(make_model, tmp_path, options):
    whole, path = Path(make_model(**options)).read_bytes(), tmp_path / "cut.bin"
    for size in [*range(8, 300), *range(300, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="damaged fastText model: "):
            read_model_file(str(path))
    path.write_bytes(whole + b"\0")
    with pytest.raises(ValueError, match="1 bytes follow its end"):
        read_model_file(str(path))


CHILD = """
import sys, fasttext
from seiryu.filters.classifiers.model_file import read_model_file
for path in sys.stdin.read().split():
    try:
        read_model_file(path)
    except ValueError as error:
        assert "\\n" not in str(error)
        print("refused")
        continue
    try:
        model = fasttext.load_model(path)
        model.predict(["語1 語2 語300", "未知 " * 50, "語1"], k=-1)
    except RuntimeError:
        pass  # weights that are no numbers
    print("loaded")
"""


def test_no_damage_that_passes_takes_the_process_down(make_model, tmp_path):
    """Sizes, flags and words changed at random; what the check lets through is loaded and asked, in a process of its own."""
    chance = random.Random(20260301)
    models = [Path(make_model(labels_for(options), **options)).read_bytes() for options in MAKES]
    paths = []
    for number in range(600):
        damaged = bytearray(chance.choice(models))
        for _ in range(chance.choice((1, 1, 3))):
            at = chance.randrange(min(len(damaged) - 4, chance.choice((92, 400, len(damaged)))))
            if chance.random() < 0.5:
                damaged[at] = chance.randrange(256)
            else:
                damaged[at & ~3 : (at & ~3) + 4] = struct.pack(
                    "<i", chance.choice((0, -1, 1, 2, 3, 255, 2**31 - 1, -(2**31), 99_999))
                )
        paths.append(tmp_path / f"{number}.bin")
        paths[-1].write_bytes(damaged)
    ended = subprocess.run(
        [sys.executable, "-c", CHILD], input=" ".join(map(str, paths)), capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    said = ended.stdout.split()
    assert len(said) == len(paths)
    assert said.count("refused") > 100 < said.count("loaded")
