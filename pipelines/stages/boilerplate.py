"""The lines that stand on many pages of their site, with their texts and how often: one unit is one partition of the sites.

The second of two passes: adds up what `lines` counted in all files. A partition is a stretch of the hashes of sites, so a site lies in
one. The tables are what `clean` cuts by, and for people to read.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.filters.cleaning.line_sums import boilerplate
from seiryu.filters.cleaning.repeated_lines import site_places
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import read_places, read_stretch, stretch, write_by_place
from seiryu.pipelines.stages.lines import REPEATING, repeated_lines, wanted
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

_ROW_GROUP = 256  # small: a file of documents has few of the sites, from everywhere


def units(state: State) -> list[Unit]:
    files, rows = state.completed("lines"), state.counts("lines").extra["rows"]
    partitions, inputs = repeated_lines(state.config).partitions, {"lines": identity(files)}
    shared = {"partitions": partitions, "rows": rows, "files": list(files)}
    numbers = range(partitions if files else 0)
    return [Unit("boilerplate", f"{number:04d}", {"partition": number, **shared}, inputs) for number in numbers]


def settings(config: Config) -> dict[str, Any]:
    return repeated_lines(config).model_dump(mode="json", include={"min_pages", "min_share"}) if wanted(config) else {}


def work(unit: Unit, config: Config, store: Store) -> Result:
    chosen, partition, partitions = repeated_lines(config), unit.params["partition"], unit.params["partitions"]
    first, last = stretch(partition, partitions)
    parts = [
        partial(read_stretch, store, f"line_counts/{name}.parquet", schema.LINE_COUNTS, first=first, last=last)
        for name in unit.params["files"]
    ]
    table, sites = boilerplate(parts, unit.params["rows"] // partitions, chosen.min_pages, chosen.min_share)
    counts = Counts(records=sites, kept=sites)
    counts.extra["lines"] = len(table)
    counts.extra["sites_with_lines"] = len(table["site"].unique())
    return Result(counts, [write_by_place(store, f"boilerplate/{unit.name}.parquet", table, _ROW_GROUP, REPEATING)])


def lines_of(store: Store, config: Config, sites: pa.ChunkedArray) -> dict[str, frozenset[str]]:
    """The lines to cut of each of these sites that has any."""
    names = sites.unique()
    places, partitions = np.sort(site_places(names)), repeated_lines(config).partitions
    found = defaultdict(set)
    for number in range(partitions):
        here = _within(places, *stretch(number, partitions))
        if not len(here):
            continue
        holds = partial(_holds, here)
        table = read_places(store, f"boilerplate/{number:04d}.parquet", schema.BOILERPLATE, ["site", "text"], holds)
        table = table.filter(pc.is_in(table["site"], names))
        for site, text in zip(table["site"].to_pylist(), table["text"].to_pylist(), strict=True):
            found[site].add(text)
    return {site: frozenset(texts) for site, texts in found.items()}


def _within(places: npt.NDArray[np.uint64], first: int, last: int) -> npt.NDArray[np.uint64]:
    """Those of sorted places from first to last."""
    return places[np.searchsorted(places, np.uint64(first)) : np.searchsorted(places, np.uint64(last), side="right")]


def _holds(places: npt.NDArray[np.uint64], first: int, last: int) -> bool:
    return len(_within(places, first, last)) > 0


STAGE = Stage("boilerplate", 1, "sites", settings, units, work, on_documents=False, wanted=wanted)
