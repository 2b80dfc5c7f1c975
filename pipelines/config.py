"""The configuration of a run: one YAML file, every field with its meaning, its limits and a default that runs."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from seiryu.pipelines.sizes import Size

Share = Annotated[float, Field(ge=0, le=1)]
SignalName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]  # it becomes the name of a column


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ser_json_inf_nan="constants")


class Source(Section):
    kind: Literal["files"] = Field("files", description="files: archives by path, glob, directory or URL")
    paths: tuple[str, ...] = Field(description="paths, globs or directories of .warc, .warc.gz or .warc.zst", min_length=1)


class RuleChange(Section):
    signal: str | None = Field(None, description="for a new rule: what it judges")
    low: float | None = Field(None, description="reject below this")
    high: float | None = Field(None, description="reject above this")
    below: float | None = Field(None, description="reject at this or above")
    why: str | None = Field(None, description="what the rule is for, in words")


class CountsOn(Section):
    preset: str = Field("swallow", description="a preset, as in rules")
    change: dict[str, RuleChange | None] = Field({}, description="changes to it, as in rules")


class Extract(Section):
    extractor: Literal["trafilatura", "resiliparse"] = Field(
        "trafilatura",
        description="what takes the text from the page: trafilatura as the Swallow corpus, or resiliparse, which is faster",
    )
    max_page: Size = Field(20_000_000, description="a longer page fails as too_large, bytes", ge=1)
    min_kana: int = Field(20, description="kana a page's bytes must hold to be worth extracting", ge=0)
    min_kana_share: Share = Field(
        0.05, description="kana among the letters outside markup and links that make a page worth extracting"
    )
    counts_on: CountsOn = Field(
        CountsOn(), description="rules that a page must be able to meet to be extracted; looser ones under `rules` are refused"
    )
    quick_screen: bool = Field(
        False,
        description="put a quick extraction to counts_on first, with slack; spares trafilatura's time, loses a few documents",
    )

    @model_validator(mode="after")
    def _screen_before_what_is_slow(self) -> Extract:
        if self.quick_screen and self.extractor != "trafilatura":
            raise ValueError("quick_screen spares the time of trafilatura and is of no use with another extractor")
        return self


class Language(Section):
    accept: tuple[str, ...] = Field(("ja",), description="languages to keep, as lid.176 names them", min_length=1)
    min_score: Share = Field(0.5, description="probability the language must have")


class Classifier(Section):
    model: str = Field(description="path of a fastText model (.bin or .ftz)")
    value: Literal["probability", "expectation"] = Field(
        "probability", description="probability: of `label`; expectation: mean of the numbers in graded labels (__label__0 ...)"
    )
    label: str = Field("", description="for probability: the label whose probability is the score, with or without __label__")
    segmented: bool = Field(False, description="put spaces between Sudachi's words first, as the model was trained")


class Signals(Section):
    lists: dict[SignalName, tuple[str, ...] | None] = Field(
        {"ng": ("hojichar:adult_keywords_ja",), "dating": ("seiryu:dating_sites",)},
        description="word lists by name: paths, hojichar:NAME or seiryu:NAME; each gives NAME_letters, NAME_share and NAME_distinct. "
        "Added to the defaults; null drops one",
    )
    morphology: bool = Field(
        False, description="measure words and parts of speech by Sudachi even if no rule asks for them; 0.8 M letters a second"
    )
    classifiers: dict[SignalName, Classifier] = Field({}, description="fastText models by name; each gives a signal of that name")

    @field_validator("lists", mode="before")
    @classmethod
    def _with_defaults(cls, lists: Any) -> Any:
        if not isinstance(lists, dict):
            return lists
        given = {name: tuple(sources) if isinstance(sources, list) else sources for name, sources in lists.items()}
        return {**cls.model_fields["lists"].default, **given}

    @property
    def word_lists(self) -> dict[str, tuple[str, ...]]:
        """The lists that are asked for, by name."""
        return {name: sources for name, sources in self.lists.items() if sources is not None}


class Rules(Section):
    preset: str = Field("swallow", description="a preset's name, or the path of a YAML file like configs/presets/swallow.yaml")
    change: dict[str, RuleChange | None] = Field(
        {}, description="rule: {low, high, below}, null to drop it; a new one needs a signal"
    )


class Dedup(Section):
    bands: int = Field(40, description="bands of the signature; two documents meet when they share one", ge=1, le=256)
    rows: int = Field(20, description="values in a band", ge=1, le=256)
    shingle: int = Field(5, description="letters in a shingle", ge=1, le=64)
    seed: int = Field(1, description="seed of the permutations, as datasketch draws them", ge=0, le=2**32 - 1)


class Hosts(Section):
    block: tuple[str, ...] = Field(("5ch.net", "2ch.net", "2ch.sc", "wikipedia.org"), description="hosts left out with all below")
    ut1: str | None = Field(
        None, description="directory of block lists in UT1's format: a folder with domains and urls a category"
    )
    categories: tuple[str, ...] = Field((), description="the categories of ut1 to leave out, such as adult")
    by: Literal["site", "host"] = Field(
        "site", description="what statistics judge: a registrable domain, or each host for itself"
    )
    min_pages: int = Field(20, description="Japanese pages below which statistics judge nothing", ge=1)
    max_share: dict[str, Share] = Field(
        {"ng": 1.0, "dating": 0.1},
        description="word list of signals.lists -> share of pages with one of its words above which all are left out; 1 only counts",
    )
    partitions: int = Field(16, description="units of work for the sums over hosts", ge=1, le=4096)


class RepeatedLines(Section):
    min_pages: int = Field(20, description="pages of a site on which a line must stand to be cut", ge=2)
    min_share: Share = Field(0.2, description="share of the site's pages on which it must stand")
    min_letters: int = Field(5, description="shorter lines stay", ge=1)
    partitions: int = Field(16, description="units of work for the counts over sites", ge=1, le=4096)


class Clean(Section):
    punctuation: bool = Field(True, description="make ，． into 、。 where the document mostly uses them")
    footers: bool = Field(True, description="cut the footer of a page")
    footer_lines: int = Field(10, description="last lines in which a footer may begin", ge=0)
    footer_share: Share = Field(0.3, description="letters in footer words that make a line a footer")
    repeated_lines: RepeatedLines | None = Field(None, description="cut lines that stand on many pages of a site; empty: none")
    personal_data: tuple[Literal["email", "phone", "my_number", "credit_card", "address"], ...] = Field(
        ("email", "phone", "my_number", "credit_card", "address"), description="kinds of personal data that are masked"
    )
    max_cut_share: Share = Field(0.3, description="a cut of more of the letters is not made")
    min_letters: int = Field(400, description="letters a text must still have", ge=1)
    min_japanese_letters: int = Field(400, description="Japanese letters a text must still have", ge=0)


class Tokenize(Section):
    tokenizer: str = Field("llama3", description="llama3, or the path of a tiktoken file")
    shard_tokens: Size = Field(2_500_000_000, description="tokens in a shard, about (2.5G: files of 10 GB)", ge=1)
    validation_share: Share = Field(0.001, description="documents set apart for validation, by hash")
    seed: str = Field("seiryu", description="key of the global shuffle and of the choice for validation")


class Engine(Section):
    address: str = Field("local", description="local: start Ray here; auto or an address: use that cluster")
    workers: int | None = Field(None, description="processes on this machine; empty: one a core", ge=1)
    memory: Size = Field(2_000_000_000, description="memory declared for one unit, bytes", ge=0)
    attempts: int = Field(3, description="tries before a unit is set aside", ge=1)
    page_seconds: float = Field(
        30, description="CPU seconds for one page, then it fails as timeout; a change reads no archive again", gt=0, le=86_400
    )
    page_memory: Size = Field(
        1_500_000_000, description="bytes for one page, then it fails as memory; a change reads no archive again", ge=400_000_000
    )
    allowed_failed_units: int = Field(0, description="more units set aside end the run with exit 3", ge=0)
    allowed_failed_records: Share = Field(0.001, description="a larger share of failed records ends the run with exit 3")


class Config(Section):
    """A whole run. The documentation of each field is what `seiryu config schema` prints."""

    run: str = Field(description="directory or URL of the run", min_length=1)
    source: Source
    extract: Extract = Extract()
    language: Language = Language()
    signals: Signals = Signals()
    rules: Rules = Rules()
    dedup: Dedup = Dedup()
    hosts: Hosts = Hosts()
    clean: Clean = Clean()
    tokenize: Tokenize = Tokenize()
    engine: Engine = Engine()

    def sha256(self) -> str:
        """Hash of everything that decides the result: all but where it runs and how."""
        decides = self.model_dump(mode="json", exclude={"run", "engine"})
        return hashlib.sha256(json.dumps(decides, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
