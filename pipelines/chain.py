"""The stages, in the order in which a run goes through them."""

from __future__ import annotations

from seiryu.pipelines.config import Config
from seiryu.pipelines.stages import (
    addresses,
    annotate,
    boilerplate,
    clean,
    contamination,
    decide,
    extract,
    hosts,
    indexes,
    lines,
    shards,
    splits,
    takedown,
    tokenize,
)
from seiryu.pipelines.stages.crawling import choose, index, ranges
from seiryu.pipelines.stages.deduplicating import (
    bands,
    choices,
    copies,
    fingerprints,
    groups,
    members,
    pages,
    select,
    signatures,
)
from seiryu.pipelines.unit import Stage

CHAIN: tuple[Stage, ...] = (
    index.STAGE,
    choose.STAGE,
    ranges.STAGE,
    extract.STAGE,
    annotate.STAGE,
    addresses.STAGE,
    hosts.STAGE,
    decide.STAGE,
    fingerprints.STAGE,
    pages.STAGE,
    copies.STAGE,
    signatures.STAGE,
    bands.STAGE,
    groups.STAGE,
    members.STAGE,
    choices.STAGE,
    select.STAGE,
    contamination.STAGE,
    lines.STAGE,
    boilerplate.STAGE,
    clean.STAGE,
    tokenize.STAGE,
    splits.STAGE,
    takedown.STAGE,
    shards.STAGE,
    indexes.STAGE,
)


def stage_named(name: str) -> Stage:
    """The stage of that name. KeyError if there is none."""
    for stage in CHAIN:
        if stage.name == name:
            return stage
    raise KeyError(name)


def counted_elsewhere(config: Config) -> frozenset[str]:
    """The names that documents are counted under outside `decide`; no rule may have one of them."""
    return frozenset(decide.BLOCKED).union(*(stage.reasons(config) for stage in CHAIN if stage is not decide.STAGE))
