"""What a snapshot of so many archives holds, beside what the archives of a profile held.

Archives of a crawl are taken to be as those that were measured. Other archives, such as those in samples/, are small and half
Japanese; then a snapshot's are taken to be as Common Crawl's in the mean, with the constants of crawl_plan.py and dedup_plan.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from seiryu.pipelines.config import Config
from seiryu.pipelines.crawl_plan import ARCHIVE_BYTES, JAPANESE, PAGES
from seiryu.pipelines.dedup_plan import DOCUMENTS_A_GB
from seiryu.pipelines.profiling.profile import Profile, Spent, StageProfile
from seiryu.pipelines.source_config import CommonCrawl, Fetch
from seiryu.pipelines.stages.crawling import index

# What a stage's time and output grow by. Those of deduplication are dedup_plan.py's.
GROWS_BY = {
    "index": "archives", "choose": "archives", "ranges": "archives", "extract": "archives",
    "annotate": "documents", "addresses": "documents", "hosts": "documents", "decide": "documents",
    "contamination": "surviving", "lines": "surviving", "boilerplate": "surviving", "clean": "surviving", "tokenize": "surviving",
    "splits": "surviving", "takedown": "surviving", "shards": "surviving", "indexes": "surviving",
}  # fmt: skip
# Stages with a unit for each archive, called by its name.
OF_ARCHIVES = frozenset({"extract", "annotate", "addresses", "decide", "contamination", "lines", "clean"})
# Stages that have as many units whatever the run holds.
FIXED = frozenset({"choose", "hosts", "boilerplate", "splits", "takedown", "indexes"})


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive in the mean. `bytes`: compressed; `extracted`: pages that the child is asked about; `passing`: documents."""

    bytes: float
    pages: float
    extracted: float
    documents: float
    passing: float
    requests: float

    @property
    def extracted_bytes(self) -> float:
        """Compressed bytes of the pages that are extracted, if all have as many."""
        return self.bytes * self.extracted / self.pages if self.pages else 0.0


COMMON_CRAWL = Archive(ARCHIVE_BYTES, PAGES, JAPANESE, JAPANESE, DOCUMENTS_A_GB * ARCHIVE_BYTES / 1e9, 1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`archive`: each of them in the mean; `surviving`: documents that deduplication leaves; `held`: what the profile held."""

    archives: int
    archive: Archive
    surviving: float
    held: Mapping[str, float]

    def amount(self, by: str) -> float:
        """Of archives, or of documents, or of those that survive."""
        a = self.archive
        return {"archives": self.archives, "documents": self.archives * a.documents, "surviving": self.surviving}[by]

    def growth(self, stage: str) -> float:
        """How many times as much as in the profile a stage has to do."""
        return self.growth_by(GROWS_BY[stage])

    def growth_by(self, by: str) -> float:
        return self.amount(by) / self.held[by] if self.held[by] else 0.0


def snapshot(profile: Profile, config: Config, archives: int, weights: Mapping[str, float] | None = None) -> Snapshot:
    """`weights`: how often each archive of the profile counts, by its unit's name; each once if not given."""
    held = {
        "archives": sums(profile.stage("extract"), "archives", weights),
        "documents": sums(profile.stage("extract"), "kept", weights),
    }
    passing = sums(profile.stage("decide"), "kept", weights)
    selected = profile.stage("select")
    survive = sum(unit.kept for unit in selected.units) / selected.records if selected and selected.records else 1.0
    archive = COMMON_CRAWL
    if isinstance(config.source, CommonCrawl) and held["archives"]:
        mean = {name: sums(profile.stage("extract"), name, weights) / held["archives"]
                for name in ("bytes_in", "pages", "extracted", "kept", "requests")}  # fmt: skip
        archive = Archive(
            mean["bytes_in"],
            mean["pages"],
            mean["extracted"],
            mean["kept"],
            passing / held["archives"],
            max(1.0, mean["requests"]),
        )
    return Snapshot(archives, archive, archives * archive.passing * survive, held | {"surviving": passing * survive})


def units_of(stage: StageProfile, profile: Profile, config: Config, wanted: Snapshot) -> int:
    """Units that a stage would have."""
    growth, letters = wanted.growth(stage.stage), sums(profile.stage("clean"), "letters")
    if stage.stage in FIXED:
        return len(stage.units)
    if stage.stage == "tokenize":
        return max(1, min(wanted.archives, ceil(letters * growth / config.tokenize.unit_letters)))
    if stage.stage == "shards":
        return max(1, ceil(sums(stage, "tokens") * growth / config.shards.tokens))
    return wanted.archives if stage.stage in OF_ARCHIVES else max(1, ceil(len(stage.units) * growth))


def extracting(wanted: Snapshot, config: Config, cores: int) -> int:
    """Archives that are extracted at once: a whole one is read through one connection from end to end."""
    return min(wanted.archives, cores, cores if index.wanted(config) else config.fetch.connections)


def download_seconds(wanted: Snapshot, fetch: Fetch) -> float:
    """What the budget of `fetch` leaves, if nothing else holds up."""
    by_bytes = wanted.archives * wanted.archive.bytes / fetch.bytes_a_second if fetch.bytes_a_second else 0.0
    return max(wanted.archives * wanted.archive.requests / fetch.requests_a_second, by_bytes)


def sums(stage: StageProfile | None, name: str, weights: Mapping[str, float] | None = None) -> float:
    """The sum of a figure over the units of a stage; `archives` is their number."""

    def each(unit: Spent) -> float:
        value = 1.0 if name == "archives" else float(getattr(unit, name) or 0)
        return value if weights is None else value * weights.get(unit.unit, 0.0)

    return sum(each(unit) for unit in stage.units) if stage else 0.0
