"""Tokenizers of Hugging Face and sentencepiece against their own packages, and the end of document that each may have."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus.tokenizers import TokenizerError, load_tokenizer
from seiryu.corpus.tokenizers.end_of_document import ENDS_OF_CHAT, end_of_document

tokenizers = pytest.importorskip("tokenizers")
sentencepiece = pytest.importorskip("sentencepiece")

LINES = ["清流は澄んでいる。", "川の水は海に出る。", "Water runs clear in the mountains.", "山の水を飲む。\n魚が見える。"] * 50
SPELT = st.sampled_from(["</s>", "<s>", "<unk>", "<|endoftext|>", "<|im_end|>", "▁", "  ", "\n", "\0", "𠮷", "か\u3099"])
TEXTS = st.lists(st.text(max_size=20) | SPELT, max_size=6).map("".join)


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory) -> Path:
    """A folder with a tokenizer.json that truncates, pads, and puts tokens around a text, as files for inference do."""
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "<|endoftext|>", "<|im_end|>"], show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    made.train_from_iterator(LINES, trainer)
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A <|endoftext|>", special_tokens=[("<s>", 0), ("<|endoftext|>", 1)]
    )
    made.enable_truncation(4)
    made.enable_padding(length=64)
    folder = tmp_path_factory.mktemp("byte_level")
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": {"content": "<|endoftext|>"}, "bos_token": "<s>"}))
    return folder


@pytest.fixture(scope="module")
def plain(byte_level):
    """The same file in its package's own hands, without what is for inference."""
    made = tokenizers.Tokenizer.from_file(str(byte_level / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    made.encode_special_tokens = True
    return made


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=out, vocab_size=330, hard_vocab_limit=False, byte_fallback=True, character_coverage=1.0,
        normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("sentencepiece") / "tokenizer.model"
    path.write_bytes(out.getvalue())
    return path


@given(text=TEXTS)
def test_hugging_face_gives_the_ids_of_its_package_and_no_special_one(byte_level, plain, text):
    loaded = load_tokenizer(str(byte_level))
    ids = loaded.encode_batch([text])[0].tolist()
    assert ids == plain.encode(text, add_special_tokens=False).ids
    assert not {0, 1, 2} & set(ids)
    assert loaded.decode(loaded.encode_batch([text])[0]) == text


def test_hugging_face_names_what_its_files_say(byte_level):
    loaded = load_tokenizer(str(byte_level / "tokenizer.json"))
    assert (loaded.kind, loaded.eod, loaded.eod_token, loaded.bos) == ("huggingface", 1, "<|endoftext|>", 0)
    assert loaded.vocab_size == tokenizers.Tokenizer.from_file(str(byte_level / "tokenizer.json")).get_vocab_size()
    assert load_tokenizer(str(byte_level), "<|endoftext|>").eod == load_tokenizer(str(byte_level), "1").eod == 1


def with_files(folder: Path, made, **beside) -> str:
    """A tokenizer.json, and other files by their names without `.json`."""
    made.save(str(folder / "tokenizer.json"))
    for name, value in beside.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return str(folder)


@pytest.mark.parametrize("text", ["清\ud800流", "\udc00", "\ud83d\ude00\ud83d"])
def test_a_lone_surrogate_becomes_the_replacement_character(byte_level, model, text):
    clean = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for path in (byte_level, model):
        loaded = load_tokenizer(str(path))
        assert loaded.encode_batch([text])[0].tolist() == loaded.encode_batch([clean])[0].tolist()


@pytest.mark.parametrize("text", ["a" * 1_000_000, "川" * 200_000, f"前{' ' * 1_000_001}後"], ids=["letters", "kanji", "spaces"])
def test_a_million_letters_get_the_ids_of_the_packages(byte_level, plain, model, text):
    assert load_tokenizer(str(byte_level)).encode_batch([text])[0].tolist() == plain.encode(text, add_special_tokens=False).ids
    expected = sentencepiece.SentencePieceProcessor(model_file=str(model)).encode(text)
    assert load_tokenizer(str(model)).encode_batch([text])[0].tolist() == expected


def test_an_empty_text_has_no_ids(byte_level, model):
    for path in (byte_level, model):
        (ids,) = load_tokenizer(str(path)).encode_batch([""])
        assert (ids.dtype, ids.shape) == (np.int32, (0,))


def test_a_text_that_cannot_be_encoded_is_told_by_its_place(tmp_path):
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"水": 0}))
    made.add_special_tokens(["</s>"])
    loaded = load_tokenizer(with_files(tmp_path, made))
    with pytest.raises(TokenizerError, match=r"cannot encode text 2 of the batch: tokenizers: .*UNK") as caught:
        loaded.encode_batch(["水", "", "火", "水"])
    assert caught.value.place == pickle.loads(pickle.dumps(caught.value)).place == 2  # it crosses processes
    assert [ids.tolist() for ids in loaded.encode_batch(["水", "", "水"])] == [[0], [], [0]]


def test_an_end_of_document_that_its_file_does_not_call_special_is_special(byte_level, tmp_path):
    made = tokenizers.Tokenizer.from_file(str(byte_level / "tokenizer.json"))
    made.add_tokens([tokenizers.AddedToken(token, special=False, normalized=False) for token in ("<EOD>", "<other>")])
    eod, other = made.token_to_id("<EOD>"), made.token_to_id("<other>")
    text = "清<EOD>流<other>。"
    made.no_truncation()
    assert {eod, other} <= set(made.encode(text, add_special_tokens=False).ids)  # else there is nothing to guard against
    path = with_files(tmp_path, made, tokenizer_config={"eos_token": "<EOD>"})
    for loaded in (load_tokenizer(path), load_tokenizer(path, "<EOD>"), load_tokenizer(path, str(eod))):
        ids = loaded.encode_batch([text])[0]
        assert (loaded.eod, loaded.vocab_size) == (eod, made.get_vocab_size())
        assert eod not in ids
        assert other in ids
        assert loaded.decode(ids) == text
    (tmp_path / "tokenizer_config.json").unlink()
    assert load_tokenizer(path).eod_token == "<|endoftext|>"
    assert load_tokenizer(path, "<EOD>").eod == load_tokenizer(path, str(eod)).eod == eod


def test_the_map_of_special_tokens_speaks_where_the_config_does_not(byte_level, tmp_path):
    made = tokenizers.Tokenizer.from_file(str(byte_level / "tokenizer.json"))
    path = with_files(tmp_path, made, special_tokens_map={"eos_token": "<|im_end|>", "bos_token": {"content": "<s>"}})
    with pytest.raises(TokenizerError, match=r"its eos_token is <\|im_end\|>"):
        load_tokenizer(path)
    with_files(tmp_path, made, tokenizer_config={"eos_token": "<|endoftext|>", "bos_token": None})
    loaded = load_tokenizer(path)
    assert (loaded.eod_token, loaded.bos) == ("<|endoftext|>", 0)
    (tmp_path / "special_tokens_map.json").write_text("[]")
    with pytest.raises(TokenizerError, match=r"special_tokens_map\.json is damaged"):
        load_tokenizer(path)


@pytest.mark.parametrize(
    ("name", "wanted", "what"),
    [
        ("llama3", "<|begin_of_text|>", "begins a text"),
        ("llama3", "128004", "fills batches"),
        ("llama4", "<|finetune_right_pad|>", "fills batches"),
    ],
)
def test_what_begins_texts_or_fills_batches_ends_no_document(name, wanted, what):
    with pytest.raises(TokenizerError, match=rf"which {what}.*; set tokenize\.eod to <\|end_of_text\|>"):
        load_tokenizer(name, wanted)


def test_begin_and_pad_of_other_files_end_no_document_unless_the_file_says_so(byte_level, model, tmp_path):
    with pytest.raises(TokenizerError, match=r"<s>, which begins a text; set tokenize\.eod to </s>"):
        load_tokenizer(str(model), "<s>")
    with pytest.raises(TokenizerError, match=r"which begins a text; set tokenize\.eod to <\|endoftext\|>"):
        load_tokenizer(str(byte_level), "0")
    made = tokenizers.Tokenizer.from_file(str(byte_level / "tokenizer.json"))
    one = dict.fromkeys(("eos_token", "bos_token", "pad_token"), "<|endoftext|>")  # as GPT-2 has it
    loaded = load_tokenizer(with_files(tmp_path, made, tokenizer_config=one))
    assert loaded.eod == loaded.bos == 1


def test_what_the_files_beside_it_change_of_a_tokenizer_is_in_its_identity(byte_level, tmp_path):
    made = tokenizers.Tokenizer.from_file(str(byte_level / "tokenizer.json"))
    made.add_tokens([tokenizers.AddedToken("<pad>", special=False)])
    for name in ("plain", "padded"):
        (tmp_path / name).mkdir()
    plain = load_tokenizer(with_files(tmp_path / "plain", made, tokenizer_config={"eos_token": "<|endoftext|>"}))
    padded = load_tokenizer(
        with_files(tmp_path / "padded", made, tokenizer_config={"eos_token": "<|endoftext|>", "pad_token": "<pad>"})
    )
    assert plain.encode_batch(["a <pad> b"])[0].tolist() != padded.encode_batch(["a <pad> b"])[0].tolist()
    assert plain.sha256 != padded.sha256


@given(text=TEXTS)
def test_sentencepiece_gives_the_ids_of_its_package(model, text):
    loaded = load_tokenizer(str(model))
    plain = sentencepiece.SentencePieceProcessor(model_file=str(model))
    ids = loaded.encode_batch([text])[0].tolist()
    assert ids == plain.encode(text)
    assert not {1, 2} & set(ids)
    assert loaded.decode(loaded.encode_batch([text])[0]) == text.replace("▁", " ")  # which it writes for a space itself


def test_sentencepiece_names_what_its_model_says(model):
    loaded = load_tokenizer(str(model))
    assert (loaded.kind, loaded.eod, loaded.eod_token, loaded.bos) == ("sentencepiece", 2, "</s>", 1)
    assert loaded.vocab_size == sentencepiece.SentencePieceProcessor(model_file=str(model)).vocab_size()
    assert loaded.encode_batch(["清\ud800流"])[0].tolist() == loaded.encode_batch(["清\ufffd流"])[0].tolist()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"version": "1.0"}', "is not a tokenizer.json"),
        (b"\n\x0e\n\x05<unk>", "is not a model that sentencepiece"),
        (b"\n\x02\n\x00", "sentencepiece"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, content, problem):
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with pytest.raises(TokenizerError, match=problem):
        load_tokenizer(str(path))


@pytest.mark.parametrize("package", ["tokenizers", "sentencepiece"])
def test_without_its_package_the_error_says_what_to_install(package, byte_level, model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(TokenizerError, match=f"pip install {package}"):
        load_tokenizer(str(byte_level if package == "tokenizers" else model))


@pytest.mark.parametrize(
    ("name", "wanted"), [("llama3", "<|eot_id|>"), ("llama3", "128009"), ("llama4", "<|eot|>"), ("llama3", "<|eom_id|>")]
)
def test_the_end_of_a_chat_is_refused_with_the_reason_and_what_to_take(name, wanted):
    with pytest.raises(TokenizerError, match=r"ends a turn of a chat: .* set tokenize\.eod to <\|end_of_text\|>"):
        load_tokenizer(name, wanted)


def test_a_chat_models_own_eos_is_refused_too(byte_level, tmp_path):
    (tmp_path / "tokenizer.json").write_bytes((byte_level / "tokenizer.json").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "<|im_end|>"}')
    with pytest.raises(
        TokenizerError, match=r"its eos_token is <\|im_end\|>, which ends a turn .* tokenize\.eod to <\|endoftext\|>"
    ):
        load_tokenizer(str(tmp_path))
    assert load_tokenizer(str(tmp_path), "<|endoftext|>").eod == 1


def test_an_end_of_document_must_be_a_special_token_and_be_known():
    assert load_tokenizer("llama3", "<|end_of_text|>").eod == load_tokenizer("llama3", "128001").eod == 128_001
    with pytest.raises(TokenizerError, match=r"no special token of it; there are <\|begin_of_text\|>"):
        load_tokenizer("llama3", "17")
    with pytest.raises(TokenizerError, match=r"Set tokenize\.eod to one of its special tokens: <a>, <b>"):
        end_of_document("x", {"<a>": 0, "<b>": 1}, None)


@pytest.mark.parametrize("token", sorted(ENDS_OF_CHAT))
def test_no_end_of_a_turn_ends_a_document_whoever_names_it(token):
    special = {"</s>": 0, token: 1}
    assert end_of_document("x", special, None) == "</s>"
    for wanted, own in ((token, None), ("1", "</s>"), (None, token)):
        with pytest.raises(TokenizerError, match=r"ends a turn of a chat: .* set tokenize\.eod to </s>"):
            end_of_document("x", special, wanted, own)
