"""Megatron's own code opens the shards of a finished run, finds every document, and draws training samples.

The wheel of megatron-core carries its C++ helper ready compiled, so neither a compiler nor a GPU is needed. Without the
packages, or the run, it is skipped.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from finished_run import RUN, SPLITS, Run, finished_run, needs_run
from writing import write

from seiryu.corpus.formats.megatron import verify_shard
from seiryu.corpus.formats.shard import Vocabulary

WHY = "needs megatron-core: make readers"
torch = pytest.importorskip("torch", reason=WHY)
indexed = pytest.importorskip("megatron.core.datasets.indexed_dataset", reason=WHY)
gpt = pytest.importorskip("megatron.core.datasets.gpt_dataset", reason=WHY)
builder = pytest.importorskip("megatron.core.datasets.blended_megatron_dataset_builder", reason=WHY)

SEQUENCE_LENGTH = 512


@dataclass
class TokenizerFacts:
    """The little of a tokenizer that GPTDataset asks for."""

    vocab_size: int
    eod: int
    pad: int  # never in the data: Megatron turns it into 0 and takes it out of the loss
    unique_identifiers: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def run() -> Run:
    return finished_run()


def prefixes_of(run: Run, split: str) -> list[str]:
    return [str(RUN / "shards/megatron" / name) for name in run.shards(split)]


@pytest.fixture(scope="module")
def datasets(run, tmp_path_factory) -> Iterator[dict[str, Any]]:
    """Split -> the dataset that Megatron's builder makes for one epoch of it; None without a shard."""
    # With a cache, 0.16 asks for its rank as soon as it blends several shards: so be a group of one.
    alone = max(len(run.shards(split)) for split in SPLITS) > 1
    if alone:
        torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    blends = [(prefixes, None) if (prefixes := prefixes_of(run, split)) else None for split in SPLITS]
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
    names = {path.name for path in (RUN / "shards/megatron").iterdir()}
    assert names == {f"{name}{suffix}" for name in run.ids for suffix in (".bin", ".idx")}
    vocabulary = Vocabulary(run.tokenizer.vocab_size, run.tokenizer.eod)
    for name in run.ids:
        assert verify_shard(RUN / "shards/megatron" / name, vocabulary) == []


@needs_run
def test_every_document_is_in_exactly_one_shard(run):
    assert Counter(i for order in run.ids.values() for i in order) == Counter(run.documents.keys())


@needs_run
def test_megatron_reads_every_token_of_every_document(run):
    for name, expected in run.sequences.items():
        dataset = indexed.IndexedDataset(str(RUN / "shards/megatron" / name))
        assert dataset.index.dtype == np.int32
        assert len(dataset) == len(expected) == len(dataset.document_indices) - 1
        for i, sequence in enumerate(expected):
            np.testing.assert_array_equal(dataset[i], sequence, err_msg=f"{name}, {run.ids[name][i]}")


@needs_run
@pytest.mark.parametrize("split", SPLITS)
def test_an_epoch_covers_every_shard_from_end_to_end(run, datasets, split):
    if not run.shards(split):
        pytest.skip(f"the run has no {split} shard")
    drawn = Counter(origin(datasets[split], i) for i in range(len(datasets[split])))
    for number, (part, name) in enumerate(zip(parts(datasets[split]), run.shards(split), strict=True)):
        assert sorted(part.document_index) == list(range(len(run.sequences[name])))
        samples = (sum(map(len, run.sequences[name])) - 1) // SEQUENCE_LENGTH
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
        np.concatenate([run.sequences[name][i] for i in part.document_index])
        for part, name in zip(parts(dataset), run.shards(split), strict=True)
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
    vocabulary = Vocabulary(vocab_size, eod)
    write(tmp_path, "megatron", documents, vocabulary)
    for suffix in ("bin", "idx"):
        ours = tmp_path / f"shards/megatron/train-00000-of-00001.{suffix}"
        assert ours.read_bytes() == (tmp_path / f"theirs.{suffix}").read_bytes()
    assert verify_shard(tmp_path / "theirs", vocabulary) == []
