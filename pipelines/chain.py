"""The stages, in the order in which a run goes through them."""

from __future__ import annotations

from seiryu.pipelines.stages import annotate, bands, clean, extract, hosts, select, shards, signatures, tokenize
from seiryu.pipelines.unit import Stage

CHAIN: tuple[Stage, ...] = (
    extract.STAGE,
    annotate.STAGE,
    signatures.STAGE,
    bands.STAGE,
    hosts.STAGE,
    select.STAGE,
    clean.STAGE,
    tokenize.STAGE,
    shards.STAGE,
)


def stage_named(name: str) -> Stage:
    """The stage of that name. KeyError if there is none."""
    for stage in CHAIN:
        if stage.name == name:
            return stage
    raise KeyError(name)
