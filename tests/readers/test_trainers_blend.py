"""Megatron's own functions read the files of `seiryu blend`, and its builder draws from the shards as they say.

`MEGATRON_LM=directory`, a clone of Megatron-LM, also holds the flags in docs/trainers.md against its sources: the wheel of megatron-core has
no megatron.training, where the arguments are.
"""

import json
import os
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished_run import RUN, needs_run

from seiryu.pipelines import blending
from seiryu.pipelines.commands.blend import read_runs

WHY = "needs megatron-core: make readers"
torch = pytest.importorskip("torch", reason=WHY)
utils = pytest.importorskip("megatron.core.datasets.utils", reason=WHY)
gpt = pytest.importorskip("megatron.core.datasets.gpt_dataset", reason=WHY)
builder = pytest.importorskip("megatron.core.datasets.blended_megatron_dataset_builder", reason=WHY)

DOC = Path(__file__).parents[2] / "docs" / "trainers.md"
LENGTH, SAMPLES = 64, 600
OF_OTHERS = {"--nproc-per-node", "--hf-model", "--megatron-path", "--validation-apart"}  # torchrun's, Megatron Bridge's, ours


@dataclass
class TokenizerFacts:
    """The little of a tokenizer that GPTDataset asks for."""

    vocab_size: int = 128256
    eod: int = 128001
    pad: int = 128004
    unique_identifiers: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def blend(tmp_path_factory: pytest.TempPathFactory) -> blending.Blend:
    """The finished run, three parts, and another one, one part: its shards copied to another place."""
    [run], _ = read_runs([str(RUN)])
    folder = tmp_path_factory.mktemp("other")
    shutil.copytree(RUN / "shards/megatron", folder / "b/shards/megatron")
    moved = blending.mounted([shard.prefix for shard in run.shards], {run.path: str(folder / "b")})
    shards = tuple(
        blending.Shard(shard.split, prefix, shard.sequences, shard.tokens)
        for shard, prefix in zip(run.shards, moved, strict=True)
    )
    other = blending.Run("b", str(folder / "b"), run.ids, shards)
    return blending.blended([run, other], {str(run.path): 3, "b": 1})


def build(blends: list[Any], sizes: list[int | None], cache: Path, **more: Any) -> list[Any]:
    """What Megatron's builder makes of these; with a cache, 0.16 asks for its rank when it mixes, so this is a group of one."""
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        config = gpt.GPTDatasetConfig(
            random_seed=1234, sequence_length=LENGTH, blend_per_split=blends, path_to_cache=str(cache), mmap_bin_files=True,
            tokenizer=TokenizerFacts(), reset_position_ids=False, reset_attention_mask=False, eod_mask_loss=False,
            create_attention_mask=False, **more,
        )  # fmt: skip
        return list(builder.BlendedMegatronDatasetBuilder(gpt.GPTDataset, sizes, lambda: True, config).build())
    finally:
        torch.distributed.destroy_process_group()


def read(value: dict[str, Any]) -> list[Any]:
    """As pretrain_gpt.py reads --per-split-data-args-path: all three keys, each by Megatron's own function."""
    return [utils.get_blend_from_list(value[split]) for split in ("train", "valid", "test")]


@needs_run
def test_megatron_reads_both_files_as_the_same_blend(blend: blending.Blend) -> None:
    train, valid, test = read(json.loads(json.dumps(blending.per_split(blend, validation_apart=False))))
    assert utils.get_blend_from_list(blending.data_args(blend).split()) == train
    weighted = blend.weighted("train")
    assert train == ([shard.prefix for _, shard in weighted], [weight for weight, _ in weighted])
    assert valid[1] == pytest.approx([0.75, 0.25])
    assert test is None
    assert read(blending.per_split(blend, validation_apart=True))[1] == (valid[0], None)


@needs_run
@pytest.mark.parametrize("with_sequences", [False, True])
def test_megatron_draws_from_each_run_by_its_weight(blend: blending.Blend, tmp_path: Path, with_sequences: bool) -> None:
    more = {"sequences_per_dataset": json.loads(json.dumps(blending.sequences(blend)))} if with_sequences else {}
    blends = read(blending.per_split(blend, validation_apart=False))
    train, valid, test = build(blends, [SAMPLES, 40, 40], tmp_path, **more)
    assert test is None
    drawn = Counter(int(i) for i in train.dataset_index)
    prefixes = [part.dataset_path for part in train.datasets]
    assert prefixes == blends[0][0]
    assert len(train) >= SAMPLES
    for number, (weight, shard) in enumerate(blend.weighted("train")):
        assert drawn[number] / len(train) == pytest.approx(weight, abs=2 / SAMPLES), shard.prefix
    for part in [*train.datasets, *valid.datasets]:
        counted = blending.sequences(blend)[part.dataset_path]
        assert [len(part.dataset), len(part.dataset.document_indices)] == counted


@needs_run
def test_a_sample_is_the_same_with_and_without_the_file_of_sequences(blend: blending.Blend, tmp_path: Path) -> None:
    blends = read(blending.per_split(blend, validation_apart=False))
    plain = build(blends, [SAMPLES, 40, 40], tmp_path / "plain")[0]
    told = build(blends, [SAMPLES, 40, 40], tmp_path / "told", sequences_per_dataset=blending.sequences(blend))[0]
    for i in (0, 1, SAMPLES - 1):
        np.testing.assert_array_equal(plain[i]["tokens"], told[i]["tokens"])


@needs_run
def test_validation_sets_apart_are_a_dataset_each_and_one_epoch(blend: blending.Blend, tmp_path: Path) -> None:
    blends = read(blending.per_split(blend, validation_apart=True))
    valid = build(blends, [SAMPLES, None, None], tmp_path, multiple_validation_sets=True, full_validation=True)[1]
    assert isinstance(valid, list)
    assert [part.dataset_path for part in valid] == blends[1][0]
    tokens = [shard.tokens for _, shard in blend.weighted("validation")]
    assert [len(part) for part in valid] == [(size - 1) // LENGTH for size in tokens]


@needs_run
def test_a_cache_made_before_a_takedown_is_used_after_it(blend: blending.Blend, tmp_path: Path) -> None:
    """Why docs/trainers.md says to empty --data-cache-path: Megatron does not see that a shard has changed."""
    large, small = blend.weighted("train")[0][1], blend.weighted("validation")[0][1]
    for suffix in (".bin", ".idx"):
        shutil.copy(f"{large.prefix}{suffix}", tmp_path / f"shard{suffix}")
    given = [([str(tmp_path / "shard")], None), None, None]
    before = build(given, [None, None, None], tmp_path / "cache")[0]
    for suffix in (".bin", ".idx"):
        shutil.copy(f"{small.prefix}{suffix}", tmp_path / f"shard{suffix}")
    after = build(given, [None, None, None], tmp_path / "cache")[0]
    anew = build(given, [None, None, None], tmp_path / "new")[0]
    assert len(after) == len(before) > len(anew)


def test_every_flag_of_the_launch_is_one_of_megatrons() -> None:
    clone = os.environ.get("MEGATRON_LM", "")
    if not clone:
        pytest.skip("MEGATRON_LM names no clone of Megatron-LM, and the wheel of megatron-core has no megatron.training")
    known: set[str] = set()
    for path in Path(clone, "megatron").rglob("*.py"):
        if "training" in path.parts or path.name.endswith("_config.py"):
            text = path.read_text()
            known |= set(re.findall(r"['\"](--[a-z0-9][\w-]*)['\"]", text))
            for name in re.findall(r"^    (\w+) ?: ", text, re.M):  # a field of a config is a flag, a True one with no- before it
                known |= {f"--{name.replace('_', '-')}", f"--no-{name.replace('_', '-')}"}
    section = DOC.read_text().partition("## Megatron-LM")[2].partition("\n## ")[0]
    used = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", section))
    assert len(used) > 60
    assert used - known - OF_OTHERS == set()
