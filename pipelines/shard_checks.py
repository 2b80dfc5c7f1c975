"""What a config says of tokens and shards, held against the tokenizer and the signals that there are."""

from __future__ import annotations

from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.measured import to_measure, tokenizer


def check_shards(config: Config) -> None:
    """ConfigError for a begin of text that the tokenizer does not have, or repetition by what is not measured."""
    loaded = tokenizer(config.tokenize)
    if config.tokenize.bos and loaded.bos is None:
        raise ConfigError(f"tokenize.bos: {loaded.name} has no begin of text; leave it out", ("tokenize", "bos"))
    if config.tokenize.bos and loaded.bos == loaded.eod:
        raise ConfigError(
            f"tokenize.bos: {loaded.name} begins texts with the token that ends them, {loaded.eod_token}; leave it out",
            ("tokenize", "bos"),
        )
    repeat = config.shards.repeat
    known = ["duplicates", *(signal.name for signal in to_measure(config))]
    if repeat and repeat.by not in known:
        raise ConfigError(
            f"shards.repeat.by: no signal is called {repeat.by!r}; known: {', '.join(known)}", ("shards", "repeat", "by")
        )
