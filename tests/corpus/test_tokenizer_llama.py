"""Llama 3 and 4 against Meta's own tokenizers, on real Japanese pages and on text made to confuse them."""

import base64
import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.tokenizers import Tokenizer, TokenizerError, load_tokenizer, loading
from seiryu.corpus.tokenizers.llama import BY_NAME, LLAMA3
from seiryu.corpus.tokenizers.tiktoken_file import _BLANKS

REFERENCES = {
    name: pytest.importorskip(f"llama_models.{name}.tokenizer", reason="pip install llama-models")
    for name in ("llama3", "llama4")
}
ROOT = Path(__file__).parents[2]
# Of the samples, and of the larger set where it lies beside the repository.
LABELS = [ROOT / "samples" / "labels.jsonl.gz", *sorted((ROOT.parent / "shared/data").rglob("labels.jsonl.gz"))]
BYTES = b"".join(base64.b64encode(bytes([i])) + b" %d\n" % i for i in range(256))
SPELT = st.sampled_from(["<|end_of_text|>", "<|begin_of_text|>", "<|eot_id|>", "<|eot|>", "<|", "|>", " ", "\n", "\r\n", "。", "　", "\0", "が",
                         "か\u3099", "👨‍👩‍👧", "①", "'s", "'S", "'ſ", "/", "!", "\x1c", "\u180e", "\u2028", "\U000323b0"])  # fmt: skip
LONG = st.tuples(st.sampled_from("aあ1!。 \n\t　か"), st.integers(1, 3000)).map(lambda pair: pair[0] * pair[1])
TEXTS = st.lists(st.text() | SPELT | LONG, max_size=8).map("".join)
WITH_SURROGATES = st.lists(
    st.text(st.characters()) | st.sampled_from(["\ud800", "\udc00", "\ud83d\ude00"]) | SPELT, max_size=8
).map("".join)
LETTERS = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]


@pytest.fixture(scope="module", params=["llama3", "llama4"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def reference(name):
    return REFERENCES[name].Tokenizer.get_instance()


@pytest.fixture(scope="module")
def tokenizer(name) -> Tokenizer:
    return load_tokenizer(name)


def same(tokenizer, reference, texts) -> bool:
    expected = [reference.encode(text, bos=False, eos=False) for text in texts]
    return [ids.tolist() for ids in tokenizer.encode_batch(texts)] == expected


@pytest.mark.parametrize("labels", LABELS, ids=lambda path: path.parent.name)
def test_real_pages_get_the_ids_of_metas_tokenizer(tokenizer, reference, labels):
    with gzip.open(labels, "rt", encoding="utf-8") as lines:
        texts = [text for line in lines if (text := json.loads(line).get("gold_text"))]
    assert len(texts) > 1000
    assert same(tokenizer, reference, texts)


@given(texts=st.lists(TEXTS, max_size=5))
def test_any_text_gets_the_ids_of_metas_tokenizer(tokenizer, reference, texts):
    assert same(tokenizer, reference, texts)


@given(text=WITH_SURROGATES)
def test_text_with_surrogates_gets_the_ids_of_metas_tokenizer(tokenizer, reference, text):
    assert same(tokenizer, reference, [text])


@pytest.mark.parametrize("text", ["1" * 25_001, "12 " + "123 " * 100_000], ids=["25,000 without a space", "400,000 in all"])
def test_ids_part_from_metas_only_where_metas_tokenizer_cuts_a_long_text(tokenizer, reference, text):
    at = 25_000 if len(text) == 25_001 else 400_000
    assert same(tokenizer, reference, [text[:at]])
    assert not same(tokenizer, reference, [text])
    parts = tokenizer.encode_batch([text[:at], text[at:]])
    assert np.concatenate(parts).tolist() == reference.encode(text, bos=False, eos=False)


@given(text=TEXTS)
def test_decoding_gives_the_text_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode_batch([text])[0]) == text


@pytest.mark.parametrize("letter", ["a", "あ", "髙", "1", "!"])
def test_a_hundred_thousand_letters_without_a_break_are_encoded_at_once(tokenizer, reference, letter):
    # The reference's own `encode` would cut at 25,000 letters, so its model is asked.
    text = letter * 100_000
    assert tokenizer.encode_batch([text])[0].tolist() == reference.model.encode_ordinary(text)


@pytest.mark.parametrize("letter", [" ", "　", "\t"])
@pytest.mark.parametrize("behind", ["後", "", "!", "\n後"])
def test_more_blanks_than_tiktokens_expression_bears_are_cut_to_the_same_ids(tokenizer, letter, behind):
    text = f"前{letter * 300_000}{behind}{letter * 7}"
    assert tokenizer._cut_at_blanks(text, 1000).tolist() == tokenizer.encoding.encode_ordinary(text)


@pytest.mark.parametrize("behind", ["後", "", " \n後", "\ud800"])
def test_a_million_blanks_are_encoded(tokenizer, behind):
    text = f"前\n{'　' * 1_000_001}{behind}"
    if "\n" not in behind:  # else this would not be the way round anything
        with pytest.raises(ValueError, match="stack size"):
            tokenizer.encoding.encode_to_numpy(text.replace("\ud800", "\ufffd"), disallowed_special=())
    assert tokenizer.decode(tokenizer.encode_batch([text])[0]) == text.replace("\ud800", "\ufffd")


@given(text=TEXTS)
def test_cutting_at_blanks_gives_the_same_ids(tokenizer, text):
    assert tokenizer._cut_at_blanks(text, 2).tolist() == tokenizer.encoding.encode_ordinary(text)


@pytest.mark.parametrize("around", ["a{0}{0}b", "!{0}{0}1"])
def test_cutting_at_blanks_gives_the_same_ids_around_every_letter_there_is(tokenizer, around):
    # Another engine with the same pattern would fail here: each knows the letters of its own version of Unicode.
    text = "".join(map(around.format, LETTERS))
    assert np.array_equal(tokenizer._cut_at_blanks(text, 2), tokenizer.encoding.encode_to_numpy(text))


def test_blanks_are_all_white_space_of_unicode_but_line_breaks():
    not_of_unicode = set("\x1c\x1d\x1e\x1f")  # white space for Python alone
    spaces = {letter for letter in LETTERS if letter.isspace()} - not_of_unicode - {"\r", "\n"}
    assert {letter for letter in LETTERS if _BLANKS.fullmatch(letter)} == spaces


def test_text_that_spells_a_special_token_stays_text(tokenizer):
    texts = [f"前{special}後" for special in tokenizer.special]
    ordinary = tokenizer.vocab_size - len(tokenizer.special)
    for text, ids in zip(texts, tokenizer.encode_batch(texts), strict=True):
        assert ids.max() < ordinary
        assert tokenizer.decode(ids) == text


def test_vocabulary_and_special_tokens_are_llamas(tokenizer, reference, name):
    assert tokenizer.vocab_size == reference.n_words == {"llama3": 128_256, "llama4": 202_048}[name]
    assert tokenizer.eod == reference.eos_id
    assert tokenizer.bos == reference.bos_id
    assert tokenizer.special == reference.special_tokens
    assert tokenizer.sha256 == BY_NAME[name].sha256


def test_ids_are_int32_rows_and_an_empty_text_has_none(tokenizer):
    empty, one = tokenizer.encode_batch(["", "清流"])
    assert empty.dtype == one.dtype == np.int32
    assert (empty.shape, one.ndim) == ((0,), 1)
    assert tokenizer.encode_batch([]) == []


def test_a_lone_surrogate_becomes_the_replacement_character(tokenizer, reference):
    ids = tokenizer.encode_batch(["清\ud800流"])[0]
    assert ids.tolist() == reference.model.encode_ordinary("清\ud800流")
    assert tokenizer.decode(ids) == "清\ufffd流"


def test_a_file_of_bytes_is_a_vocabulary_with_the_special_tokens_behind_it(tmp_path):
    path = tmp_path / "bytes.tiktoken"
    path.write_bytes(BYTES)
    loaded = load_tokenizer(str(path))
    assert (loaded.vocab_size, loaded.eod, loaded.bos) == (512, 257, 256)
    assert loaded.encode_batch(["清"])[0].tolist() == list("清".encode())


def test_a_file_changed_in_place_is_read_again(tmp_path):
    path = tmp_path / "a.tiktoken"
    path.write_bytes(BYTES)
    before = load_tokenizer(str(path))
    path.write_bytes(BYTES + base64.b64encode(b"ab") + b" 256\n")
    after = load_tokenizer(str(path))
    assert after.sha256 != before.sha256
    assert after.encode_batch(["ab"])[0].tolist() == [256]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (BYTES.replace(b" 3\n", b"\n", 1), "line 4: "),
        (BYTES.replace(b" 3\n", b" x\n", 1), "line 4: "),
        (BYTES.replace(b"Aw==", b"A!==", 1), "line 4: "),
        (BYTES.replace(b" 3\n", b" 4\n", 1), "line 4: rank 3 was expected"),
        (BYTES + b"Aw== 256\n", "line 257: an empty or repeated token"),
        (BYTES[: BYTES.index(b"/w==")], "no token for byte 0xff"),
        (b"", "no token for byte 0x00"),
        (b"\x80\x02ctorch\n", "line 1: "),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path, content, problem):
    path = tmp_path / "damaged.tiktoken"
    path.write_bytes(content)
    with pytest.raises(TokenizerError, match=f"damaged.tiktoken is not a tiktoken file: {problem}") as caught:
        load_tokenizer(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(TokenizerError, match=r"no tokenizer file .*nowhere"):
        load_tokenizer(str(tmp_path / "nowhere"))
    with pytest.raises(TokenizerError, match=r"no tokenizer file .*tokenizer\.json"):
        load_tokenizer(str(tmp_path))


def test_another_file_in_the_place_of_llama_3s_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(BYTES)
    monkeypatch.setattr(loading, "file_of", lambda _: path)
    with pytest.raises(TokenizerError, match=f"not that of llama3, {LLAMA3.sha256}"):
        load_tokenizer("llama3")


def test_without_llama_models_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(loading.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(TokenizerError, match="pip install llama-models"):
        load_tokenizer("llama3")


def test_loading_does_not_run_llama_models():
    code = (
        "import sys; from seiryu.corpus.tokenizers import load_tokenizer; load_tokenizer('llama3');"
        "print([name for name in sys.modules if name.startswith('llama_models')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
