"""Deduplication against brute force: 3,000 real pages and an edited version of each, the similarity of all pairs known.

Pages are those of samples/ and of the folder of --input, tests/dedup/edited_pages.py edits them, tests/dedup/all_pairs.py compares
all with all by the strings of their shingles. Told apart are what the bands find and what the choice makes of it:

- pairs: the share that has a band in common, beside the share that theory gives for their similarities;
- falsely removed: documents whose named survivor is less alike than the threshold;
- missed: documents that stay, and would not if the same rule knew the similarity of all pairs.

The share of pairs lies off theory by more than so many independent pairs would: all share one set of permutations. Over 8 seeds
33 to 46 % of the pairs of 0.6 to 0.7 share a band of 14 x 8, 37.8 % in the mean, where theory has 37.9.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.inputs import SAMPLES, Inputs
from benchmarks.timing import Figure
from seiryu.dedup.bands import FINEWEB, SWALLOW, Banding, band_keys, match_probability
from seiryu.dedup.in_memory import Near, near_duplicates
from seiryu.dedup.minhash import signatures
from seiryu.dedup.normal import normal, normalised
from tests.dedup.all_pairs import Pairs, StringSets, similar_pairs, string_sets
from tests.dedup.edited_pages import real_pages, versions

PAGES = 3000
THRESHOLD = 0.8
EDGES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1)


@dataclass(frozen=True, slots=True)
class Known:
    """Texts in an order of priority, their sets of shingles, and all pairs that are at least EDGES[0] alike."""

    texts: list[str]
    order: NDArray[np.int64]
    sets: StringSets
    pairs: Pairs


@dataclass(frozen=True, slots=True)
class Outcome:
    """Numbers of documents; `least`: the lowest similarity of a removed one to its survivor."""

    removed: int
    false: int
    missed: int
    least: float


def figures(inputs: Inputs) -> Iterator[Figure]:
    pages = chosen_pages(inputs)
    known = compared(pages)
    ideal = len(removed_by_rule(known, THRESHOLD))
    own = len(set(real_pages(SAMPLES)) & set(pages))
    yield Figure("real pages, and as many edited versions", len(pages), "pages", against="of samples/", other=own)
    yield Figure(f"pairs of J {EDGES[0]} and more", len(known.pairs.low), "pairs")
    for banding in (SWALLOW, FINEWEB):
        name = f"{banding.bands} x {banding.rows}"
        shared = share_a_band(known, banding)
        for low, high in [*pairwise(EDGES), (0.9, 1)]:
            here = between(known.pairs.similarity, low, high)
            expected = match_probability(known.pairs.similarity[here], banding.bands, banding.rows).mean()
            what = f"{name}, J {low} - {high}, {here.sum()} pairs: share a band"
            yield Figure(what, 100 * shared[here].mean(), "%", against="theory", other=100 * expected)
        for verify in ("exact", "estimate", "none"):
            outcome = judged(known, Near(banding, THRESHOLD, verify))
            what = f"{name}, verified: {verify}"
            yield Figure(f"{what}: removed", outcome.removed, "documents", against="by all pairs", other=ideal)
            yield Figure(f"{what}: falsely", outcome.false, "documents")
            yield Figure(f"{what}: missed", outcome.missed, "documents")
            yield Figure(f"{what}: least alike to its survivor", outcome.least, "J")


def chosen_pages(inputs: Inputs, most: int = PAGES) -> list[str]:
    """Pages of samples/ and of the inputs, at random but always the same."""
    pages = list(dict.fromkeys(real_pages(SAMPLES) + real_pages(inputs.folder)))
    return random.Random(1).sample(pages, min(most, len(pages)))


def compared(pages: list[str]) -> Known:
    """The pages and their versions, every pair of them compared."""
    texts = pages + [version.text for version in versions(pages)]
    sets = string_sets([normal(text) for text in texts])
    return Known(texts, np.random.default_rng(1).permutation(len(texts)), sets, similar_pairs(sets, EDGES[0]))


def share_a_band(known: Known, banding: Banding) -> NDArray[np.bool_]:
    """For each pair."""
    values = signatures(normalised(pa.array(known.texts)), num_perm=banding.num_perm)
    keys = band_keys(values, banding.bands, banding.rows)
    return (keys[known.pairs.low] == keys[known.pairs.high]).any(axis=1)


def between(similarity: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    """At least `low` and below `high`; 1 belongs to the last."""
    return (similarity >= low) & ((similarity < high) | (high == 1))


def judged(known: Known, near: Near) -> Outcome:
    """What the choice did, by the similarity of all pairs."""
    survivor = near_duplicates(pa.array(known.texts), known.order, near).survivor.tolist()
    alike = {row: known.sets.similarity(row, stays) for row, stays in enumerate(survivor) if stays != row}
    false = sum(similarity < near.threshold for similarity in alike.values())
    missed = removed_by_rule(known, near.threshold).difference(alike)
    return Outcome(len(alike), false, len(missed), min(alike.values(), default=1))


def removed_by_rule(known: Known, threshold: float) -> set[int]:
    """What the rule removes where no pair is overlooked: by order, one is kept unless a kept one is as alike as `threshold`."""
    alike: dict[int, list[int]] = {}
    for low, high, similarity in zip(*(column.tolist() for column in (known.pairs.low, known.pairs.high, known.pairs.similarity)),
                                     strict=True):  # fmt: skip
        if similarity >= threshold:
            alike.setdefault(low, []).append(high)
            alike.setdefault(high, []).append(low)
    kept: set[int] = set()
    removed: set[int] = set()
    for row in known.order.tolist():
        (kept if kept.isdisjoint(alike.get(row, ())) else removed).add(row)
    return removed
