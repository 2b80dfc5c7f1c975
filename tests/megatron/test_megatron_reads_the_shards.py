"""Megatron's own code opens the shards of a finished run, finds every document, and draws training samples.

Needs `pip install -e '.[test,llama3,megatron]'` and a run: `SEIRYU_RUN=directory`, or runs/sample. The wheel of
megatron-core carries its C++ helper ready compiled, so neither a compiler nor a GPU is needed. Without the
packages, or the run, it is skipped.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from seiryu.corpus.megatron import verify_shard, write_shard
from seiryu.corpus.storage import HashingFile
from seiryu.corpus.tokenizer import Tokenizer, load_tokenizer

WHY = "needs megatron-core: pip install -e '.[megatron]'"
torch = pytest.importorskip("torch", reason=WHY)
indexed = pytest.importorskip("megatron.core.datasets.indexed_dataset", reason=WHY)
gpt = pytest.importorskip("megatron.core.datasets.gpt_dataset", reason=WHY)
builder = pytest.importorskip("megatron.core.datasets.blended_megatron_dataset_builder", reason=WHY)

RUN = Path(os.environ.get("SEIRYU_RUN") or Path(__file__).parents[2] / "runs" / "sample")
SEQUENCE_LENGTH = 512
SPLITS = ("train", "validation")
needs_run = pytest.mark.skipif(
    not list(RUN.glob("shards/train-*.idx")), reason=f"no finished run in {RUN}; name one in SEIRYU_RUN"
)


@dataclass
class TokenizerFacts:
    """The little of a tokenizer that GPTDataset asks for."""

    vocab_size: int
    eod: int
    pad: int  # never in the data: Megatron turns it into 0 and takes it out of the loss
    unique_identifiers: dict[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """A run as it should be: for each prefix the sequences, encoded afresh from the final documents."""

    tokenizer: Tokenizer
    documents: dict[str, str]
    ids: dict[str, list[str]]
    sequences: dict[str, list[np.ndarray]]

    def prefixes(self, split: str) -> list[str]:
        return [prefix for prefix in self.ids if Path(prefix).name.startswith(f"{split}-")]


@pytest.fixture(scope="module")
def run() -> Run:
    tokenizer = load_tokenizer("llama3")
    documents: dict[str, str] = {}
    for path in sorted(RUN.glob("corpus/*.parquet")):
        table = pq.read_table(path, columns=["doc_id", "text"])
        new = dict(zip(table["doc_id"].to_pylist(), table["text"].to_pylist(), strict=True))
        assert len(new) == table.num_rows
        assert not documents.keys() & new.keys(), f"documents of {path} occur before"
        documents |= new
    ids = {}
    for path in sorted(RUN.glob("shards/*.bin")):
        table = pq.read_table(RUN / "provenance" / f"{path.stem}.parquet", columns=["sequence", "doc_id"])
        assert table["sequence"].to_pylist() == list(range(table.num_rows))
        ids[str(path.with_suffix(""))] = table["doc_id"].to_pylist()
    sequences = {
        prefix: [np.append(row, tokenizer.eod) for row in tokenizer.encode_batch([documents[i] for i in order])]
        for prefix, order in ids.items()
    }
    return Run(tokenizer, documents, ids, sequences)


@pytest.fixture(scope="module")
def datasets(run, tmp_path_factory) -> Iterator[dict[str, Any]]:
    """Split -> the dataset that Megatron's builder makes for one epoch of it; None without a shard."""
    # With a cache, 0.16 asks for its rank as soon as it blends several shards: so be a group of one.
    alone = max(len(run.prefixes(split)) for split in SPLITS) > 1
    if alone:
        torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    blends = [(prefixes, None) if (prefixes := run.prefixes(split)) else None for split in SPLITS]
    config = gpt.GPTDatasetConfig(
        random_seed=1234,
        sequence_length=SEQUENCE_LENGTH,
        blend_per_split=[*blends, None],
        path_to_cache=str(tmp_path_factory.mktemp("cache")),
        mmap_bin_files=True,
        tokenizer=TokenizerFacts(run.tokenizer.vocab_size, run.tokenizer.eod, run.tokenizer.eod + 3),
        reset_position_ids=False,
        reset_attention_mask=False,
        eod_mask_loss=True,
        create_attention_mask=False,
    )
    built = builder.BlendedMegatronDatasetBuilder(gpt.GPTDataset, [None] * 3, lambda: True, config).build()
    yield dict(zip(SPLITS, built, strict=False))
    if alone:
        torch.distributed.destroy_process_group()


def parts(dataset) -> list[Any]:
    """The dataset of each shard: Megatron blends them when there is more than one."""
    return getattr(dataset, "datasets", [dataset])


def origin(dataset, i: int) -> tuple[int, int]:
    """The shard that sample `i` comes from, and its number there."""
    if not hasattr(dataset, "datasets"):
        return 0, i
    return int(dataset.dataset_index[i]), int(dataset.dataset_sample_index[i])


@needs_run
def test_shards_stand_alone_and_are_sound(run):
    names = {path.name for path in (RUN / "shards").iterdir()}
    assert names == {f"{Path(prefix).name}{suffix}" for prefix in run.ids for suffix in (".bin", ".idx")}
    for prefix in run.ids:
        assert verify_shard(prefix, run.tokenizer.vocab_size, run.tokenizer.eod) == []


@needs_run
def test_every_document_is_in_exactly_one_shard(run):
    assert Counter(i for order in run.ids.values() for i in order) == Counter(run.documents.keys())


@needs_run
def test_megatron_reads_every_token_of_every_document(run):
    for prefix, expected in run.sequences.items():
        dataset = indexed.IndexedDataset(prefix)
        assert dataset.index.dtype == np.int32
        assert len(dataset) == len(expected) == len(dataset.document_indices) - 1
        for i, sequence in enumerate(expected):
            np.testing.assert_array_equal(dataset[i], sequence, err_msg=f"{prefix}, {run.ids[prefix][i]}")


@needs_run
@pytest.mark.parametrize("split", SPLITS)
def test_an_epoch_covers_every_shard_from_end_to_end(run, datasets, split):
    if not run.prefixes(split):
        pytest.skip(f"the run has no {split} shard")
    drawn = Counter(origin(datasets[split], i) for i in range(len(datasets[split])))
    for number, (part, prefix) in enumerate(zip(parts(datasets[split]), run.prefixes(split), strict=True)):
        assert sorted(part.document_index) == list(range(len(run.sequences[prefix])))
        samples = (sum(map(len, run.sequences[prefix])) - 1) // SEQUENCE_LENGTH
        assert sorted(part.shuffle_index) == list(range(samples))
        assert [drawn.pop((number, i)) for i in range(samples)] == [1] * samples
    assert not drawn


@needs_run
@pytest.mark.parametrize("split", SPLITS)
def test_batches_are_stretches_of_the_documents_in_megatrons_order(run, datasets, split):
    dataset = datasets[split]
    if dataset is None or not len(dataset):
        pytest.skip(f"the run has too few {split} tokens for a sample of {SEQUENCE_LENGTH}")
    streams = [
        np.concatenate([run.sequences[prefix][i] for i in part.document_index])
        for part, prefix in zip(parts(dataset), run.prefixes(split), strict=True)
    ]
    row = 0
    for batch in torch.utils.data.DataLoader(dataset, batch_size=8):
        assert {key for key in batch if key != "dataset_id"} == {
            "tokens",
            "labels",
            "loss_mask",
            "position_ids",
        }
        for tokens, labels, loss, positions in zip(
            *(batch[key].numpy() for key in ("tokens", "labels", "loss_mask", "position_ids")), strict=True
        ):
            shard, sample = origin(dataset, row)
            start = int(parts(dataset)[shard].shuffle_index[sample]) * SEQUENCE_LENGTH
            stretch = streams[shard][start : start + SEQUENCE_LENGTH + 1]
            np.testing.assert_array_equal(tokens, stretch[:-1])
            np.testing.assert_array_equal(labels, stretch[1:])
            np.testing.assert_array_equal(loss == 0, tokens == run.tokenizer.eod)
            np.testing.assert_array_equal(positions, np.arange(SEQUENCE_LENGTH))
            row += 1
    assert row == len(dataset)


@pytest.mark.parametrize(("vocab_size", "dtype"), [(1_000, np.uint16), (128_256, np.int32)])
def test_our_writer_makes_the_bytes_that_megatrons_makes(tmp_path, vocab_size, dtype):
    eod = vocab_size - 1
    random = np.random.default_rng(0)
    documents = [random.integers(0, eod, size) for size in random.integers(1, 400, 300)]
    assert indexed.DType.optimal_dtype(vocab_size) is dtype
    theirs = indexed.IndexedDatasetBuilder(str(tmp_path / "theirs.bin"), dtype=dtype)
    for ids in documents:
        theirs.add_document(np.append(ids, eod), [len(ids) + 1])
    theirs.finalize(str(tmp_path / "theirs.idx"))
    with (tmp_path / "ours.bin").open("wb") as tokens, (tmp_path / "ours.idx").open("wb") as index:
        write_shard(HashingFile(tokens), HashingFile(index), documents, vocab_size=vocab_size, eod=eod)
    for suffix in ("bin", "idx"):
        assert (tmp_path / f"ours.{suffix}").read_bytes() == (tmp_path / f"theirs.{suffix}").read_bytes()
    assert verify_shard(tmp_path / "theirs", vocab_size, eod) == []
