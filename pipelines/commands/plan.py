"""The command that says what a run would do and take."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.padding import Padding
from rich.table import Table

from seiryu.corpus.storage import Store
from seiryu.pipelines.commands.checks import checked
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.crawl_plan import CrawlPlan, crawl_plan
from seiryu.pipelines.dedup_plan import DedupPlan, dedup_plan
from seiryu.pipelines.plan import archive_bytes
from seiryu.pipelines.plan import plan as make_plan
from seiryu.pipelines.sizes import duration, human
from seiryu.pipelines.source_config import CommonCrawl
from seiryu.pipelines.sources.telling import telling
from seiryu.pipelines.state import State
from seiryu.pipelines.telling.screen import out


def plan_command(path: str, changes: Sequence[str], documents: int | None, sample: int, *, as_json: bool) -> int:
    config = checked(path, changes)
    if sample and not isinstance(config.source, CommonCrawl):
        raise ConfigError("--sample is for archives of a crawl: source.kind is files, whose archives are all read")
    state = State(Store(config.run), config)
    with telling(config):
        steps, crawl = make_plan(state), None
        if isinstance(config.source, CommonCrawl):
            crawl = crawl_plan(state, sample)
            size = crawl.ways[0].bytes
        else:
            size = archive_bytes(config.source, config)
    duplicates = dedup_plan(state, size, documents)
    if as_json:
        fetching = {"fetching": crawl.as_json()} if crawl else {}
        print(json.dumps({"stages": steps, **fetching, "deduplication": duplicates.as_json()}, ensure_ascii=False, indent=1))
        return 0
    for step in steps:
        out.print(f"{step['stage']:<13} {step['what']}", markup=False)
        for reason, units in step["why"].items():
            out.print(f"              {units:,} again: {reason}", markup=False)
    if crawl:
        _show_crawl(crawl, config)
    _show_duplicates(duplicates, config)
    return 0


def _show_crawl(plan: CrawlPlan, config: Config) -> None:
    span = f"{plan.crawls[0]} to {plan.crawls[-1]}" if len(plan.crawls) > 1 else plan.crawls[0]
    out.print(f"\nfetching {span}: {plan.archives:,} archives, {plan.index_files:,} files of the index", markup=False)
    out.print(f"  {plan.where}", markup=False)
    heads = {"archives": "whole archives", "index": "by the index"}
    table = Table("", *(heads[way.name] for way in plan.ways), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    budget = f"{config.fetch.requests_a_second:g} requests a second"
    if config.fetch.bytes_a_second:
        budget += f" and {human(config.fetch.bytes_a_second)}"
    if any(way.documents is not None for way in plan.ways):
        table.add_row("documents", *(f"{way.documents or 0:,}" for way in plan.ways))
    table.add_row("bytes", *(human(way.bytes) for way in plan.ways))
    table.add_row("requests", *(f"{way.requests:,}" for way in plan.ways))
    budget += f" over {config.fetch.connections:,} connections"
    table.add_row(f"time at {budget}", *(duration(way.seconds) for way in plan.ways))
    table.add_row("core time", *(duration(way.core_seconds) for way in plan.ways))
    if any(way.money for way in plan.ways):
        table.add_row(config.prices.currency, *(f"{way.money:,.2f}" for way in plan.ways))
    out.print(Padding(table, (0, 2)))
    if not config.fetch.bytes_a_second:
        out.print("  as if the network had no limit: fetch.bytes_a_second gives one", markup=False)
    if plan.missed:
        share, low, high = plan.missed
        why = ", ".join(f"{reason} {number:,}" for reason, number in plan.reasons.items())
        missed = f"the index would miss {share:.1%} of the documents ({low:.1%} to {high:.1%} with 95 % confidence)"
        out.print(f"  {missed}{f': {why}' if why else ''}", markup=False)
    chosen = "whole archives" if isinstance(config.source, CommonCrawl) and config.source.by == "archives" else "by the index"
    out.print(f"  the config asks for: {chosen}", markup=False)


def _show_duplicates(plan: DedupPlan, config: Config) -> None:
    dedup, cut = config.dedup, config.dedup.banding
    out.print(f"\ndeduplication of {plan.documents:,} documents ({plan.where})", markup=False)
    told = {"exact": "told by sets of shingles", "estimate": "estimated by signatures", "none": "not asked"}[dedup.verify]
    out.print(
        f"  {cut.bands} bands of {cut.rows}; duplicates from similarity {dedup.threshold:g} on, {told}; {dedup.priority} first"
    )
    curve = Table("pairs of similarity", *(f"{similarity:g}" for similarity, _ in plan.found), box=None, pad_edge=False)
    curve.add_row("share a band", *(f"{share:.3f}" for _, share in plan.found))
    out.print(Padding(curve, (0, 2)))
    table = Table("stage", box=None, pad_edge=False)
    for head in ("units", "memory of a unit", "disk", "core time"):
        table.add_column(head, justify="right")
    for step in plan.steps:
        table.add_row(step.stage, f"{step.units:,}", human(step.memory), human(step.disk), duration(step.seconds))
    table.add_row("all", "", human(max(step.memory for step in plan.steps)), human(plan.disk), duration(plan.seconds))
    out.print(Padding(table, (0, 2)))
    if plan.wall_seconds is not None:
        out.print(f"  {duration(plan.wall_seconds)} on {plan.workers:,} workers", markup=False)
    out.print("  groups is one process whatever their number, of 16 bytes a document and as many for one that meets another")
    out.print(
        f"  taken: {plan.letters:,} letters a document, {plan.meeting:.0%} of them meet another, none is a copy", markup=False
    )
