"""From final documents to shards: every document once, in the global order, whatever the files, the units and the stretches."""

import hashlib
import random
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commandline import hashes
from corpus_tables import config_of, make, write_corpus

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.corpus.tokenizers import load_tokenizer, loading
from seiryu.corpus.tokenizers.llama import LLAMA3
from seiryu.pipelines.stages import shards, tokenize
from seiryu.pipelines.unit import Unit

LLAMA = load_tokenizer("llama3")
WORDS = ("清流", "川の", "水は", "どこまでも", "澄んで", "いた。", "<|end_of_text|>", "\u0000", "\n", "Kawa ", "🐟")


def documents(n: int, seed: int = 0) -> list[dict[str, object]]:
    draw = random.Random(seed)
    return [
        {
            "doc_id": f"{draw.getrandbits(128):032x}",
            "url": f"http://h{i % 7}.jp/{i}",
            "host": f"h{i % 7}.jp",
            "site": f"h{i % 7}.jp",
            "text": "".join(draw.choices(WORDS, k=draw.randint(1, 60))),
            "cluster": f"c{i // 3}",
            "duplicates": i % 5,
            "warc": f"a{i % 3}.warc.gz",
            "payload_digest": f"sha1:{i}",
        }
        for i in range(n)
    ]


def key(doc_id: str, seed: str = "seiryu") -> bytes:
    """The order, as docs/design.md tells it."""
    return hashlib.blake2b(
        doc_id.encode(), digest_size=8, key=hashlib.blake2b(seed.encode(), digest_size=32).digest(), person=b"order"
    ).digest()


@pytest.mark.parametrize("stretch", [1, 300, 1 << 26])
@pytest.mark.parametrize("files", [1, 4, 60])
def test_every_document_is_there_once_in_the_order_of_its_hash(
    tmp_path: Path, files: int, stretch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "_STRETCH", stretch)
    rows, store = documents(120), Store(str(tmp_path))
    names = write_corpus(store, [rows[i::files] for i in range(files)])
    found = make(store, config_of(tmp_path), [names[i : i + 3] for i in range(0, files, 3)], {"train": 3, "validation": 1})
    train = [sequence for name in sorted(found) if name.startswith("train") for sequence in found[name]]
    both = train + [sequence for name in found if name.startswith("validation") for sequence in found[name]]
    text = {row["doc_id"]: row["text"] for row in rows}
    assert sorted(doc_id for doc_id, _, _ in both) == sorted(text)
    assert [doc_id for doc_id, _, _ in train] == sorted((doc_id for doc_id, _, _ in train), key=key)
    for number, name in enumerate(sorted(name for name in found if name.startswith("train"))):
        assert all(number == int.from_bytes(key(doc_id), "big") * 3 >> 64 for doc_id, _, _ in found[name])
    for doc_id, copy, ids in both:
        assert (copy, ids) == (0, [*LLAMA.encoding.encode_ordinary(text[doc_id]), 128001])


def test_files_units_and_stretches_change_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formats = ("megatron", "datatrove", "mds", "parquet", "jsonl")
    made = []
    for files, lot, stretch in ((1, 1, 1 << 26), (40, 1, 700), (40, 7, 700)):
        folder = tmp_path / f"{files}-{lot}-{stretch}"
        store, rows = Store(str(folder)), documents(200)
        monkeypatch.setattr(shards, "_STRETCH", stretch)
        names = write_corpus(store, [rows[i::files] for i in range(files)])
        lots = [names[i : i + lot] for i in range(0, files, lot)]
        make(store, config_of(folder, formats=formats), lots, {"train": 2, "validation": 1})
        made.append(hashes(folder, "shards/megatron", "shards/datatrove", "shards/mds", "shards/jsonl", "splits"))
    assert made[0] == made[1] == made[2]
    assert any(name.startswith("shards/jsonl/validation") for name in made[0])


@pytest.mark.parametrize(("together", "column"), [("cluster", "cluster"), ("host", "host"), ("site", "site")])
def test_what_is_kept_together_lies_in_one_split(tmp_path: Path, together: str, column: str) -> None:
    rows, store = documents(210), Store(str(tmp_path))
    names = write_corpus(store, [rows[:100], rows[100:]])
    config = config_of(tmp_path, keep_together=together, validation={"share": 0.2}, test={"share": 0.2})
    found = make(store, config, [names], {"train": 1, "validation": 1, "test": 1})
    named = {row["doc_id"]: row[column] for row in rows}
    held = {name.partition("-")[0]: {named[doc_id] for doc_id, _, _ in sequences} for name, sequences in found.items()}
    assert held.keys() == {"train", "validation", "test"}
    assert not held["train"] & held["validation"] | held["train"] & held["test"] | held["validation"] & held["test"]
    tokens = {name.partition("-")[0]: sum(len(ids) for *_, ids in sequences) for name, sequences in found.items()}
    if together == "cluster":
        assert all(abs(tokens[split] / sum(tokens.values()) - 0.2) < 0.02 for split in ("validation", "test"))


def test_tokens_of_a_split_may_be_said_instead(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    names = write_corpus(store, [documents(300)])
    config = config_of(tmp_path, keep_together="document", validation={"tokens": 900})
    found = make(store, config, [names], {"train": 1, "validation": 1})
    longest = max(len(ids) for sequences in found.values() for *_, ids in sequences)
    assert abs(sum(len(ids) for *_, ids in found["validation-00000-of-00001"]) - 900) <= longest / 2


def test_documents_are_repeated_in_train_and_nowhere_else(tmp_path: Path) -> None:
    rows, store = documents(400), Store(str(tmp_path))
    names = write_corpus(store, [rows[:250], rows[250:]])
    config = config_of(tmp_path, repeat={"by": "duplicates", "times": {"2": 2, "4": 3.5}})
    found = make(store, config, [(name,) for name in names], {"train": 2, "validation": 1})
    duplicates, ids_of = {row["doc_id"]: row["duplicates"] for row in rows}, {}
    times = Counter()
    for name, sequences in found.items():
        for doc_id, copy, ids in sequences:
            assert ids_of.setdefault(doc_id, ids) == ids
            times[doc_id] += 1
            assert copy == 0 or name.startswith("train")
    train = {doc_id for name, sequences in found.items() if name.startswith("train") for doc_id, _, _ in sequences}
    assert len(times) == 400
    assert {times[doc_id] for doc_id in duplicates.keys() - train} == {1}
    assert all(times[doc_id] == 1 for doc_id in train if duplicates[doc_id] < 2)
    assert all(times[doc_id] == 2 for doc_id in train if 2 <= duplicates[doc_id] < 4)
    often = Counter(times[doc_id] for doc_id in train if duplicates[doc_id] == 4)
    assert often.keys() == {3, 4}
    assert 0.3 < often[4] / often.total() < 0.7
    order = [(doc_id, copy) for doc_id, copy, _ in found["train-00000-of-00002"]]
    assert order == sorted(order, key=lambda pair: key(f"{pair[0]} {pair[1]}" if pair[1] else pair[0]))


def test_files_without_documents_and_shards_without_sequences_are_no_harm(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    names = write_corpus(store, [[], documents(1), []])
    formats = ("megatron", "datatrove", "mds", "parquet_tokens", "jsonl")
    found = make(store, config_of(tmp_path, formats=formats), [(name,) for name in names], {"train": 2})
    assert [len(sequences) for sequences in found.values()] == [1]  # and no file of the other shard
    assert len(list((tmp_path / "shards/megatron").iterdir())) == 2


def test_nothing_left_for_train_is_an_error_with_both_numbers(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    names = write_corpus(store, [documents(20)])
    config = config_of(tmp_path, validation={"tokens": 10**9})
    with pytest.raises(
        InputError, match=r"nothing is left for train: the documents have [\d,]+ tokens, and shards.validation 1,000,000,000"
    ):
        make(store, config, [names], {})


def test_what_is_named_in_a_shard_is_a_setting_of_it(tmp_path: Path) -> None:
    before = config_of(tmp_path)
    path = str(loading.file_of(LLAMA3))  # the same file, which the metadata of datatrove's shards call otherwise
    after = before.model_copy(update={"tokenize": before.tokenize.model_copy(update={"tokenizer": path})})
    assert tokenize.settings(before) == tokenize.settings(after)
    assert shards.settings(before) != shards.settings(after)


def test_begin_of_text_stands_before_every_document_if_asked_for(tmp_path: Path) -> None:
    store, rows = Store(str(tmp_path)), documents(20)
    config = config_of(tmp_path)
    config = config.model_copy(update={"tokenize": config.tokenize.model_copy(update={"bos": True})})
    found = make(store, config, [write_corpus(store, [rows])], {"train": 1})
    text = {row["doc_id"]: row["text"] for row in rows}
    for doc_id, _, ids in found["train-00000-of-00001"]:
        assert ids == [128000, *LLAMA.encoding.encode_ordinary(text[doc_id]), 128001]


def test_a_text_that_cannot_be_a_sequence_costs_itself_and_is_in_the_ledger(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"清流": 0, "川": 1}, unk_token="none")
    )  # which raises for other words
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(["</s>"])
    made.save(str(tmp_path / "tokenizer.json"))
    store, rows = Store(str(tmp_path)), documents(5)
    for row, text in zip(rows, ["清流 川", "海", "川", " ", "川 清流"], strict=True):
        row["text"] = text
    names = write_corpus(store, [rows])
    config = config_of(tmp_path)
    config = config.model_copy(
        update={"tokenize": config.tokenize.model_copy(update={"tokenizer": str(tmp_path / "tokenizer.json")})}
    )
    result = tokenize.work(Unit("tokenize", names[0], {}, {}, reads=names), config, store)
    result.counts.check("tokenize")
    assert (result.counts.records, result.counts.kept) == (5, 3)
    assert dict(result.counts.failed) == {"not_encodable": 1, "no_tokens": 1}
    lost = pq.read_table(tmp_path / "ledger/tokenize/f000.parquet").to_pylist()
    assert [(row["url"], row["reason"]) for row in lost] == [("http://h1.jp/1", "not_encodable"), ("http://h3.jp/3", "no_tokens")]
    found = make(store, config, [names], {"train": 1})
    assert sorted(ids for *_, ids in found["train-00000-of-00001"]) == [[0, 1, 2], [1, 0, 2], [1, 2]]
