"""What a config says of tokens and shards, held against the tokenizer and the signals that there are."""

from __future__ import annotations

from seiryu.corpus.tokenizers import TokenizerError
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.measured import to_measure, tokenizer
from seiryu.pipelines.telling.screen import say

# Upper case, width, a line break, two blanks, a letter with a mark, a rare kanji: what tokenizers change.
_PROBE = "HTTPとＡ①ｶﾞ\nか\u3099  𠮷。"


def check_shards(config: Config) -> None:
    """ConfigError for a begin of text that the tokenizer does not have, or repetition by what is not measured."""
    loaded = tokenizer(config.tokenize)
    [ids] = loaded.encode_each([_PROBE])
    back = "" if isinstance(ids, TokenizerError) else loaded.decode(ids)
    if back != _PROBE:
        say(f"tokenize.tokenizer: {loaded.name} changes texts: of {_PROBE!r} it makes {back!r}")
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
