"""Weights, prefixes and files of a mixture, worked out by hand."""

import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.pipelines import blending
from seiryu.pipelines.blending import Ids, Run, Shard, blended
from seiryu.pipelines.config_file import ConfigError

LLAMA = Ids("82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55", 128001, None, "int32")


def run(name: str, train: list[int], validation: list[int] = (), test: list[int] = (), ids: Ids = LLAMA) -> Run:
    """A run below /data whose shards have so many tokens, and a tenth as many sequences."""
    shards = tuple(
        Shard(split, f"/data/{name}/shards/megatron/{split}-{i:05d}-of-{len(sizes):05d}", tokens // 10, tokens)
        for split, sizes in (("train", train), ("validation", validation), ("test", test))
        for i, tokens in enumerate(sizes)
    )
    return Run(f"runs/{name}", f"/data/{name}", ids, shards)


A, B = run("a", [100, 300], [40]), run("b", [1200], [30, 10], [20])


def test_by_tokens_every_run_is_gone_through_equally_often() -> None:
    blend = blended([A, B], "tokens")
    assert blend.shares == (0.25, 0.75)
    assert blend.epochs(3200) == [2.0, 2.0]
    assert blending.data_args(blend) == (
        "0.0625 /data/a/shards/megatron/train-00000-of-00002\n"
        "0.1875 /data/a/shards/megatron/train-00001-of-00002\n"
        "0.75 /data/b/shards/megatron/train-00000-of-00001\n"
    )


def test_by_the_square_root_a_small_run_gets_more() -> None:
    blend = blended([run("a", [100, 300]), run("b", [3600])], "sqrt")
    assert blend.shares == (0.25, 0.75)  # 20 and 60
    assert [weight for weight, _ in blend.weighted("train")] == [0.0625, 0.1875, 0.75]
    assert blend.epochs(4000) == [2.5, pytest.approx(0.8333333333333334)]


@pytest.mark.parametrize("keys", [("runs/a", "b"), ("a", "/data/b"), ("/data/a/", "runs/b")])
def test_weights_may_be_told_by_name_or_path_of_the_run(keys: tuple[str, str]) -> None:
    assert blended([A, B], {keys[1]: 1, keys[0]: 3}).shares == (0.75, 0.25)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"a": 1}, "runs/b: no weight is given"),
        ({"a": 1, "b": 1, "c": 1}, "c is none of the runs (runs/a, runs/b)"),
        ({"a": 1, "b": 0}, "b: 0 is no number above 0"),
        ({"a": 1, "b": -2}, "b: -2 is no number above 0"),
        ({"a": 1, "b": True}, "b: True is no number"),
        ({"a": 1, "b": "much"}, "b: 'much' is no number"),
        ({"a": 1, "b": math.inf}, "b: inf is no number"),
        ({"a": 1, "b": math.nan}, "b: nan is no number"),
        ({"a": 1, "runs/a": 1, "b": 1}, "runs/a: this run has a weight already"),
    ],
)
def test_weights_that_do_not_fit_the_runs_are_refused(weights: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        blended([A, B], weights)
    assert said in str(refused.value)


def test_a_name_that_two_runs_have_is_refused_and_their_paths_are_taken() -> None:
    other = replace(B, named="old/a", path="/old/a")
    with pytest.raises(ConfigError, match="a is the name of several runs, use their paths"):
        blended([A, other], {"a": 1, "/old/a": 1})
    assert blended([A, other], {"/data/a": 1, "/old/a": 3}).shares == (0.25, 0.75)


def test_validation_is_mixed_like_train_from_the_runs_that_have_one() -> None:
    blend = blended([A, B, run("c", [400])], {"a": 1, "b": 3, "c": 4})
    assert blending.per_split(blend, validation_apart=False)["valid"] == [
        "0.25", "/data/a/shards/megatron/validation-00000-of-00001",
        "0.5625", "/data/b/shards/megatron/validation-00000-of-00002",
        "0.1875", "/data/b/shards/megatron/validation-00001-of-00002",
    ]  # fmt: skip
    assert blending.per_split(blend, validation_apart=False)["test"] == ["1.0", "/data/b/shards/megatron/test-00000-of-00001"]


def test_validation_sets_apart_have_no_weights_and_a_name_each() -> None:
    blend = blended([A, B], "tokens")
    assert blending.per_split(blend, validation_apart=True)["valid"] == [
        "/data/a/shards/megatron/validation-00000-of-00001",
        "/data/b/shards/megatron/validation-00000-of-00002",
        "/data/b/shards/megatron/validation-00001-of-00002",
    ]
    assert blending.validation_names(blend) == ["a", "b-0", "b-1"]


def test_all_three_splits_are_there_and_one_that_no_run_has_is_null() -> None:
    value = blending.per_split(blended([run("a", [100])], "tokens"), validation_apart=False)
    assert list(value) == ["train", "valid", "test"]
    assert json.loads(json.dumps(value))["valid"] is None
    assert value["test"] is None


def test_document_indices_are_one_more_than_documents() -> None:
    assert blending.sequences(blended([run("a", [100], [40])], "tokens")) == {
        "/data/a/shards/megatron/train-00000-of-00001": [10, 11],
        "/data/a/shards/megatron/validation-00000-of-00001": [4, 5],
    }


@pytest.mark.parametrize(
    ("weight", "text"), [(1.0, "1.0"), (1e-9, "0.000000001"), (1 / 3, "0.3333333333333333"), (2e-17, "0.00000000000000002")]
)
def test_weights_are_written_in_full_without_an_exponent(weight: float, text: str) -> None:
    assert blending.number(weight) == text


sizes = st.lists(st.integers(1, 10**13), min_size=1, max_size=5)


@given(st.lists(sizes, min_size=1, max_size=6), st.sampled_from(["tokens", "sqrt"]))
def test_what_is_printed_sums_to_one_and_divides_a_run_by_tokens(runs: list[list[int]], how: str) -> None:
    mixed = [run(f"r{i}", train) for i, train in enumerate(runs)]
    lines = [line.split(" ") for line in blending.data_args(blended(mixed, how)).splitlines()]
    assert math.fsum(float(weight) for weight, _ in lines) == pytest.approx(1, abs=1e-14)
    assert [prefix for _, prefix in lines] == [shard.prefix for each in mixed for shard in each.shards]
    wanted = [math.sqrt(sum(train)) if how == "sqrt" else sum(train) for train in runs]
    expected = [part * tokens / sum(train) / sum(wanted) for part, train in zip(wanted, runs, strict=True) for tokens in train]
    assert [float(weight) for weight, _ in lines] == pytest.approx(expected, rel=1e-12)


@given(st.permutations([0, 1, 2, 3]))
def test_the_order_of_the_runs_changes_no_weight(order: list[int]) -> None:
    runs = [run(f"r{i}", [7**i, 11 * i + 1]) for i in range(4)]
    one = blending.data_args(blended(runs, "sqrt")).splitlines()
    other = blending.data_args(blended([runs[i] for i in order], "sqrt")).splitlines()
    assert sorted(one) == sorted(other)


def test_tokens_beyond_the_digits_of_a_float_are_weighed_right() -> None:
    blend = blended([run("a", [2**60 + 3]), run("b", [1])], "tokens")
    assert blend.shares[1] == float(Fraction(1, 2**60 + 4))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"tokenizer": "f" * 64}, "tokenizer 82e9d31979e9... and ffffffffffff..."),
        ({"eod": 128009}, "eod 128001 and 128009"),
        ({"bos": 128000}, "bos none and 128000"),
        ({"dtype": "uint16"}, "dtype int32 and uint16"),
    ],
)
def test_runs_whose_ids_differ_are_refused_and_both_are_named(other: dict[str, object], said: str) -> None:
    unlike = run("c", [5], ids=replace(LLAMA, **other))
    with pytest.raises(ConfigError) as refused:
        blending.check_alike([A, B, unlike])
    assert said in str(refused.value)
    assert "runs/a and runs/c" in str(refused.value)
    blending.check_alike([A, B])


def test_of_the_mounts_that_fit_the_longest_wins() -> None:
    paths = ["/data/runs/a/x", "/data/runs/a/sub/x", "/data/runsb/x", "s3://bucket/c/x"]
    mounts = blending.read_mounts(["/data/runs=/mnt/", "/data/runs/a/sub=s3://cold/sub", "s3://bucket=/fuse"])
    assert blending.mounted(paths, mounts) == ["/mnt/a/x", "s3://cold/sub/x", "/data/runsb/x", "/fuse/c/x"]
    assert blending.mounted(["/a/b"], {"/": "/far"}) == ["/far/a/b"]
    assert blending.mounted(["/a/b"], {"/a": "/"}) == ["/b"]


def test_a_relative_mount_is_below_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert blending.mounted([f"{tmp_path}/runs/a/x"], blending.read_mounts(["runs=data"])) == ["data/a/x"]
    assert blending.located("runs/../runs/a/") == f"{tmp_path}/runs/a"
    assert blending.located("s3://bucket/a/") == "s3://bucket/a"
    assert blending.located("file:///data/a") == "/data/a"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["/data"], "FROM=TO is wanted"),
        (["=/mnt"], "FROM=TO is wanted"),
        (["/data="], "FROM=TO is wanted"),
        (["/data=/a", "/data/=/b"], "is mounted twice"),
        (["/dat=/mnt"], "no shard lies below /dat; the first is /data/a/0"),
        (["/data/a=/m", "/data/b=/m"], "two shards would be /m/0"),
        (["/data/a=/my disk"], "white space"),
    ],
)
def test_mounts_that_cannot_be_meant_are_refused(options: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        blending.mounted(["/data/a/0", "/data/b/0"], blending.read_mounts(options))
    assert said in str(refused.value)
