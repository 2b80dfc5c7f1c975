"""What a config says of tokens and shards: the vocabulary, the splits, how often a document is repeated, the formats."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from seiryu.pipelines.section import Section, Share
from seiryu.pipelines.sizes import Size

_MOVED = {
    "shard_tokens": "shards.tokens", "validation_share": "shards.validation, as {share: 0.001}", "seed": "shards.seed",
}  # fmt: skip
FormatName = Literal["megatron", "datatrove", "mds", "parquet", "parquet_tokens", "jsonl"]


class Tokenize(Section):
    tokenizer: str = Field(
        "llama3",
        description="llama3 or llama4, or the path of a tiktoken file, a tokenizer.json of Hugging Face, or a sentencepiece model",
        min_length=1,
    )
    eod: str | int | None = Field(
        None,
        description="token that ends every document, such as <|end_of_text|>, or its id; empty: the one the tokenizer was trained with",
    )
    bos: bool = Field(False, description="begin every document with the tokenizer's begin of text; Megatron-LM expects none")
    unit_letters: Size = Field(
        50_000_000, description="letters of a unit of work, about; small files are gathered to so many", ge=1
    )

    @model_validator(mode="before")
    @classmethod
    def _not_the_names_of_before(cls, value: Any) -> Any:
        for name, now in _MOVED.items():
            if isinstance(value, dict) and name in value:
                raise ValueError(f"{name} is {now} now")
        return value


class SplitSize(Section):
    share: Share | None = Field(None, description="of all tokens, about")
    tokens: Size | None = Field(None, description="so many tokens instead, about", ge=0)

    @model_validator(mode="after")
    def _one_of_both(self) -> SplitSize:
        if self.share is None and self.tokens is None:
            raise ValueError("share or tokens is wanted, such as {share: 0.001}; {share: 0} for none")
        if self.share is not None and self.tokens is not None:
            raise ValueError("share and tokens are two ways to say one thing: keep one")
        return self

    def of(self, tokens: int) -> int:
        """How many of so many tokens."""
        return self.tokens if self.tokens is not None else round((self.share or 0) * tokens)


class Repeat(Section):
    by: str = Field(description="duplicates, or a signal such as a classifier: the larger its value the more often", min_length=1)
    times: dict[str, Annotated[float, Field(ge=1, le=64)]] = Field(
        description="value -> how often documents of at least that value stand in train; 1.5: half of them twice", min_length=1
    )

    @model_validator(mode="after")
    def _values_are_numbers(self) -> Repeat:
        seen: dict[float, str] = {}
        for value in self.times:
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                raise ValueError(f"times: {value!r} is no number that {self.by} could be compared with")
            if number in seen:
                raise ValueError(f"times: {seen[number]!r} and {value!r} are one number")
            seen[number] = value
        times = [times for _, times in self.steps]
        if times != sorted(times):
            raise ValueError("times: a larger value must not stand less often than a smaller one")
        return self

    @property
    def steps(self) -> tuple[tuple[float, float], ...]:
        """(least value, times), ascending."""
        return tuple(sorted((float(value), times) for value, times in self.times.items()))


class Shards(Section):
    formats: tuple[FormatName, ...] = Field(
        ("megatron",),
        description="what is written, each in shards/<format>/: megatron (.bin and .idx), datatrove (.ds, for nanotron), "
        "mds (MosaicML), parquet, jsonl (.jsonl.zst); parquet_tokens has the ids beside the texts",
        min_length=1,
    )
    tokens: Size = Field(2_500_000_000, description="tokens in a shard, about (2.5G: files of 10 GB)", ge=1)
    seed: str = Field("seiryu", description="key of the global shuffle and of the choice of splits")
    validation: SplitSize = Field(SplitSize(share=0.001), description="size of the split for validation, share or tokens")
    test: SplitSize = Field(SplitSize(share=0), description="size of the split for tests, share or tokens")
    keep_together: Literal["cluster", "site", "host", "document"] = Field(
        "cluster",
        description="what goes into one split as a whole: cluster (documents that deduplication found alike, and those between them), "
        "site, host, or each document for itself",
    )
    repeat: Repeat | None = Field(None, description="documents that stand in train more than once; empty: none")

    @model_validator(mode="after")
    def _each_format_once_and_something_to_train(self) -> Shards:
        if twice := [name for name in dict.fromkeys(self.formats) if self.formats.count(name) > 1]:
            raise ValueError(f"formats: {twice[0]} is named twice")
        if (self.validation.share or 0) + (self.test.share or 0) >= 1:
            raise ValueError("validation and test are all of the tokens, so nothing would be left for train")
        return self
