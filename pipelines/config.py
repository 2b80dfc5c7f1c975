"""The configuration of a run: one YAML file, every field with its meaning, its limits and a default that runs.

`source`, `fetch` and `prices` are described in source_config.py.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from seiryu.pipelines.section import Section, Share, takes_files
from seiryu.pipelines.shard_config import Shards, Tokenize
from seiryu.pipelines.sizes import Size
from seiryu.pipelines.source_config import Fetch, Prices, Source

if TYPE_CHECKING:
    from seiryu.dedup.bands import Banding

SignalName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]  # it becomes the name of a column


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
    preset: Literal["swallow", "fineweb", "threshold"] = Field(
        "swallow",
        description="how a signature is cut: swallow 40 bands of 20 values, fineweb 14 of 8, "
        "threshold the cut of at most `permutations` values that errs least about `threshold`",
    )
    bands: int | None = Field(None, description="bands instead of the preset's; documents meet when they share one", ge=1, le=256)
    rows: int | None = Field(None, description="values in a band instead of the preset's", ge=1, le=256)
    permutations: int = Field(800, description="for the preset threshold: values of a signature at most", ge=2, le=4096)
    shingle: int = Field(5, description="letters in a shingle", ge=1, le=64)
    seed: int = Field(1, description="seed of the permutations, as datasketch draws them", ge=0, le=2**32 - 1)
    threshold: Share = Field(0.8, description="Jaccard similarity that makes two documents that meet duplicates")
    verify: Literal["exact", "estimate", "none"] = Field(
        "exact",
        description="how the similarity is told: exact by the sets of shingles, estimate by the signatures, none: to meet is enough",
    )
    priority: Literal["newest", "oldest", "longest", "best_score"] = Field(
        "newest", description="which of two duplicates stays; ties by doc_id. best_score: the higher `score`"
    )
    score: str = Field("", description="for best_score: a signal, such as a classifier's name")
    copies: int = Field(1, description="a document is removed if so many kept ones are its duplicates", ge=1, le=1000)
    same_address: bool = Field(True, description="of a page crawled again one version stays, however much it has changed")
    against: tuple[str, ...] = Field((), description="earlier runs: what their corpus holds is left out here", max_length=100)
    memory: Size = Field(
        1_200_000_000,
        description="bytes that a unit of selection plans with, less than engine.memory; less makes more units",
        ge=10_000_000,
    )
    partitions: int | None = Field(
        None, description="units of work for each step of selection, instead of what `memory` asks for", ge=1, le=4096
    )

    @model_validator(mode="after")
    def _whole(self) -> Dedup:
        if (self.bands is None) != (self.rows is None):
            raise ValueError("bands and rows go together: give both or none")
        if (self.priority == "best_score") != bool(self.score):
            raise ValueError("priority best_score needs a signal in `score`, and no other priority uses it")
        if self.preset == "threshold" and self.bands is None:
            self._cut_for_threshold()
        return self

    def _cut_for_threshold(self) -> None:
        """ValueError where no cut can be chosen."""
        if not 0 < self.threshold < 1:
            raise ValueError(
                f"preset threshold needs a threshold between 0 and 1, not {self.threshold:g}; or give bands and rows"
            )
        try:
            _ = self.banding
        except ValueError as error:  # datasketch would take a single band
            raise ValueError(
                f"no cut of at most {self.permutations} values fits threshold {self.threshold:g}: lower it, raise permutations, or "
                "give bands and rows"
            ) from error

    @property
    def banding(self) -> Banding:
        """How a signature is cut."""
        from seiryu.dedup import bands

        if self.bands is not None and self.rows is not None:
            return bands.Banding(self.bands, self.rows)
        presets = {"swallow": bands.SWALLOW, "fineweb": bands.FINEWEB}
        return presets.get(self.preset) or bands.banding_for(self.threshold, self.permutations)


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


class RepeatedParagraphs(Section):
    max_documents: int = Field(
        100, description="documents of the whole corpus that a paragraph may stand in; one of more is cut from all of them", ge=1
    )
    min_letters: int = Field(20, description="shorter paragraphs stay", ge=1)
    partitions: int = Field(16, description="units of work for the counts over paragraphs", ge=1, le=4096)


class Benchmark(Section):
    path: str = Field(description="file of its items, a JSON object a line: .jsonl, .jsonl.gz or .jsonl.zst", min_length=1)
    fields: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="fields whose texts are looked for, such as question or answers.text; empty: all texts in the object"
    )


class Decontaminate(Section):
    benchmarks: dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,40}$")], Benchmark] = Field(
        {}, description="benchmarks by name, whose items are looked for in what is kept; empty: none"
    )
    ngram: int = Field(10, description="letters in a run that counts as common, marks and white space apart", ge=4, le=256)
    min_share: float = Field(0.8, description="share of an item's letters in such runs that makes it found", gt=0, le=1)
    min_letters: int = Field(
        8, description="letters of an only text shorter than ngram that is still looked for, whole and alone", ge=1, le=256
    )
    action: Literal["remove", "cut", "mark"] = Field(
        "remove", description="remove: the document; cut: the sentences that hold something of an item; mark: nothing is changed"
    )

    @model_validator(mode="after")
    def _shorter_than_a_run(self) -> Decontaminate:
        if self.min_letters > self.ngram:
            raise ValueError("min_letters is for texts shorter than ngram and cannot be more")
        return self


class Clean(Section):
    punctuation: bool = Field(True, description="make ，． into 、。 where the document mostly uses them")
    footers: bool = Field(True, description="cut the footer of a page")
    footer_lines: int = Field(10, description="last lines in which a footer may begin", ge=0)
    footer_share: Share = Field(0.3, description="letters in footer words that make a line a footer")
    repeated_lines: RepeatedLines | None = Field(None, description="cut lines that stand on many pages of a site; empty: none")
    repeated_paragraphs: RepeatedParagraphs | None = Field(
        None, description="cut paragraphs that stand in many documents of whatever sites; empty: none"
    )
    personal_data: tuple[Literal["email", "phone", "my_number", "credit_card", "address"], ...] = Field(
        ("email", "phone", "my_number", "credit_card", "address"), description="kinds of personal data that are masked"
    )
    max_cut_share: Share = Field(0.3, description="a cut of more of the letters is not made")
    min_letters: int = Field(400, description="letters a text must still have", ge=1)
    min_japanese_letters: int = Field(400, description="Japanese letters a text must still have", ge=0)


class Engine(Section):
    address: str = Field(
        "local",
        description="local: start Ray here; auto, or host:port: the cluster that this machine is in",
    )
    workers: int | None = Field(None, description="processes on this machine; empty: one a core", ge=1)
    memory: Size = Field(2_000_000_000, description="memory declared for one unit, bytes", ge=0)
    attempts: int = Field(3, description="tries before a unit is set aside", ge=1)
    patience: float = Field(600, description="seconds to wait for a node that can take a unit, where nodes come and go", ge=0)
    straggler_factor: float = Field(
        3,
        description="a unit that takes so many times as long as 95 % of its stage is also started on another node; 0: none",
        ge=0,
    )
    straggler_seconds: float = Field(120, description="seconds that a unit may take before that", ge=0)
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

    run: Annotated[str, AfterValidator(takes_files)] = Field(description="directory or URL of the run", min_length=1)
    source: Source
    extract: Extract = Extract()
    language: Language = Language()
    signals: Signals = Signals()
    rules: Rules = Rules()
    dedup: Dedup = Dedup()
    hosts: Hosts = Hosts()
    decontaminate: Decontaminate = Decontaminate()
    clean: Clean = Clean()
    tokenize: Tokenize = Tokenize()
    shards: Shards = Shards()
    engine: Engine = Engine()
    fetch: Fetch = Fetch()
    prices: Prices = Prices()

    def sha256(self) -> str:
        """Hash of everything that decides the result: all but where it runs and how."""
        decides = self.model_dump(mode="json", exclude={"run", "engine", "fetch", "prices"})
        return hashlib.sha256(json.dumps(decides, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
