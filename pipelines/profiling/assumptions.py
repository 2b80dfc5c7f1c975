"""What a cost rests on, in words: printed below its table, so that nobody takes a figure for more than it is."""

from __future__ import annotations

from collections.abc import Iterator

from seiryu.pipelines.config import Config
from seiryu.pipelines.crawl_plan import EXTRACTION, READING
from seiryu.pipelines.profiling.cost import Cost
from seiryu.pipelines.profiling.profile import Profile
from seiryu.pipelines.profiling.snapshot import COMMON_CRAWL, extracting, sums
from seiryu.pipelines.sizes import duration, human

# Of the CPU seconds of one archive, predicted from the others: `python -m benchmarks cost_model`, on ten archives, 2026-11-26.
MODEL_ERROR = (
    "the CPU time of one archive, told by nine others, was off by 9 % in the median and 51 % at worst, that of ten by 12 %; on a busy "
    "machine by up to twice that (docs/profile.md)"
)
FEW = 40  # archives; of fewer the figures are no measure of a snapshot
_FAR = 1000  # times as much as was measured


def assumptions(cost: Cost, profile: Profile, config: Config) -> Iterator[str]:
    """One sentence each."""
    archive, extracted = cost.snapshot.archive, profile.stage("extract")
    size = sums(extracted, "bytes_in") / max(1, cost.sample)
    of = "as those of this profile" if archive != COMMON_CRAWL else "as Common Crawl's in the mean"
    yield (
        f"archives are taken to be {of}: {human(archive.bytes)}, {archive.pages:,.0f} pages, of which {archive.extracted:,.0f} are "
        f"extracted; {archive.passing:,.0f} documents pass the rules"
    )
    yield f"measured on {cost.sample:,} archives of {human(size)} in the mean" + (
        f": fewer than {FEW}, so the interval is too narrow" if cost.sample < FEW else ""
    )
    pages = extracted.pages if extracted else 0
    if pages and archive.pages and not 0.5 < (ratio := archive.bytes / archive.pages * pages / max(1.0, size * cost.sample)) < 2:
        yield f"a page of the snapshot has {ratio:.1f} times the bytes of one that was measured; extraction is taken to go by bytes"
    if extracted and (kept := sums(extracted, "kept")):
        yield f"documents are taken to be as long as those measured: {sums(extracted, 'letters') / kept:,.0f} letters in the mean"
    if (stage := next((each for each in cost.stages if each.stage == "extract"), None)) and archive == COMMON_CRAWL:
        hours = cost.archives * (archive.pages * READING + archive.extracted * EXTRACTION) / 3600
        here = stage.cpu_hours.value
        yield f"extraction: {here:,.0f} CPU hours by this measure, {hours:,.0f} by `plan`'s, which goes by pages"
    far = [stage for stage in cost.stages if stage.measured and stage.growth >= _FAR]
    if far:
        most = max(far, key=lambda stage: stage.growth)
        names = ", ".join(stage.stage for stage in far)
        yield f"extrapolated by more than {_FAR:,} times: {names}; most of all {most.stage}, {most.growth:,.0f} times"
    single = [stage.stage for stage in far if stage.measured < 3]
    if single:
        names = ", ".join(single)
        yield f"of {names} there were fewer than three units, and what a unit costs whatever it holds is taken to grow too: too high"
    yield "deduplication is as `plan` reckons: every document gets a signature, half of them meet another"
    yield "the 95 % say how far another choice of archives would have told otherwise, all else as assumed"
    yield f"the model itself: {MODEL_ERROR}"
    yield "a core is as fast as here and always busy; stages follow each other; nothing is lost to nodes that fail or stragglers"
    budget = f"{config.fetch.requests_a_second:g} requests a second"
    budget += (
        f" and {human(config.fetch.bytes_a_second)} a second" if config.fetch.bytes_a_second else ", the network without a limit"
    )
    yield f"download at {budget}: {duration(3600 * cost.download_hours)}, while archives are extracted"
    cores = cost.nodes * cost.cores
    if (at_once := extracting(cost.snapshot, config, cores)) < min(cores, cost.archives):
        yield f"{at_once:,} archives are extracted at once, each over one of fetch.connections; {cores - at_once:,} cores idle"
    if cost.money is None:
        yield "no money: prices.core_hour is 0"
    else:
        yield "money is for all cores from beginning to end, and for what is fetched"
    yield f"memory: with the largest unit on each core {human(cost.node_memory)} a node; units of larger archives hold more"
