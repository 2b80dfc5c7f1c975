"""What a config says of tokens and shards is refused, with what to write, before anything runs."""

import pytest
from commandline import ROOT

from seiryu.pipelines.commands.checks import checked
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError, load_config
from seiryu.pipelines.shard_config import Repeat, SplitSize

SAMPLE = str(ROOT / "configs/sample.yaml")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("shards.formats=[megatron,megatron]", "megatron is named twice"),
        ("shards.formats=[]", "at least 1 item"),
        ("shards.formats=[tfrecord]", "'megatron', 'datatrove'"),
        ("shards.validation={share: 0.5, tokens: 5}", "two ways to say one thing"),
        ("shards.validation={share: 1}", "nothing would be left for train"),
        ("shards.test={share: 0.99}", "nothing would be left for train"),
        ("shards.repeat={by: duplicates, times: {many: 2}}", "'many' is no number"),
        ("shards.validation={share: null}", "share or tokens is wanted"),
        ("tokenize.shard_tokens=5", "shard_tokens is shards.tokens now"),
        ("tokenize.seed=x", "seed is shards.seed now"),
        ("shards.repeat={by: duplicates, times: {2: 3, 5: 2}}", "must not stand less often"),
        ("shards.repeat={by: duplicates, times: {nan: 2}}", "'nan' is no number"),
        ("shards.repeat={by: duplicates, times: {'1': 2, '1.0': 3}}", "are one number"),
        ("shards.repeat={by: duplicates, times: {2: 0.5}}", "greater than or equal to 1"),
        ("shards.repeat={by: good, times: {2: 2}}", "no signal is called 'good'; known: duplicates, letters"),
        ("tokenize.eod=<|eot_id|>", "ends a turn of a chat"),
        ("tokenize.eod=128009", "ends a turn of a chat"),
        ("tokenize.tokenizer=nowhere.json", "no tokenizer file nowhere.json"),
        ("shards.keep_together=page", "'cluster', 'site', 'host' or 'document'"),
    ],
)
def test_it_is_refused_with_a_reason(change: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(SAMPLE, ["source.paths=[samples/CC-MAIN-2021-25-00000.warc.gz]", change], need_archives=False)
    assert problem in str(caught.value)
    assert change.partition("=")[0].partition(".")[0] in str(caught.value)


def test_a_begin_of_text_must_be_there_and_be_no_end(tmp_path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    for specials, problem in (
        (["<eos>"], "has no begin of text"),
        (["<|endoftext|>"], "begins texts with the token that ends them"),
    ):
        made = tokenizers.Tokenizer(tokenizers.models.BPE())
        made.add_special_tokens(specials)
        folder = tmp_path / specials[0].strip("<|>")
        folder.mkdir()
        made.save(str(folder / "tokenizer.json"))
        if problem.startswith("begins"):
            (folder / "tokenizer_config.json").write_text('{"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"}')
        with pytest.raises(ConfigError, match=problem):
            checked(SAMPLE, [f"tokenize.tokenizer={folder}", "tokenize.bos=true"], need_archives=False)


def test_a_split_is_a_share_or_a_number_of_tokens() -> None:
    assert SplitSize(share=0.1).of(1000) == 100
    assert SplitSize(tokens=7).of(1000) == 7
    assert SplitSize(share=0).of(1000) == 0


def test_steps_of_repetition_are_in_their_order() -> None:
    assert Repeat(by="duplicates", times={"10": 3, "2": 1.5}).steps == ((2, 1.5), (10, 3))


def test_numbers_of_times_may_be_keys_without_quotes() -> None:
    config: Config = load_config(SAMPLE, ["shards.repeat={by: duplicates, times: {2: 2, 0.5: 1}}"])
    assert config.shards.repeat.steps == ((0.5, 1), (2, 2))
