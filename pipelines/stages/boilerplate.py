"""Lines that stand on many pages of their site, and paragraphs that stand in many documents, with how often: one unit is one partition.

The second of two passes: adds up what `lines` counted in all files. A partition is a stretch of the hashes of sites, so that a site
lies in one, or of those of paragraphs. The tables, `boilerplate/lines-*` and `boilerplate/paragraphs-*`, are what `clean` cuts by, and
for people to read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.filters.cleaning.line_sums import in_many_documents, on_many_pages
from seiryu.filters.cleaning.repeated_lines import count_paragraphs, site_places
from seiryu.pipelines.config import Config, RepeatedLines
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import read_places, read_stretch, stretch, write_by_place
from seiryu.pipelines.stages.lines import COUNTS, REPEATING, asked, wanted
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

# Small for lines: a file of documents has few of the sites, from everywhere. Of paragraphs it wants all that lies there.
_ROW_GROUPS = {"line": 256, "paragraph": 4096}


def units(state: State) -> list[Unit]:
    files, counted = state.completed("lines"), state.counts("lines").extra
    if not files:
        return []
    inputs = {"lines": identity(files)}
    return [
        Unit("boilerplate", unit_name(kind, number), {
            "kind": kind, "partition": number, "partitions": chosen.partitions, "rows": counted[f"{kind}_counts"],
        }, inputs, reads=tuple(files))
        for kind, chosen in asked(state.config).items()
        for number in range(chosen.partitions)
    ]  # fmt: skip


def unit_name(kind: str, number: int) -> str:
    return f"{kind}s-{number:04d}"


def whole(state: State) -> bool:
    """Whether all that the config asks for has been added up."""
    return len(state.completed("boilerplate")) == sum(chosen.partitions for chosen in asked(state.config).values())


def settings(config: Config) -> dict[str, Any]:
    decides = {"min_pages", "min_share", "max_documents"}
    return {kind: chosen.model_dump(mode="json", include=decides) for kind, chosen in asked(config).items()}


def work(unit: Unit, config: Config, store: Store) -> Result:
    kind, partition, partitions = (unit.params[name] for name in ("kind", "partition", "partitions"))
    first, last = stretch(partition, partitions)
    parts = [
        partial(read_stretch, store, f"{kind}_counts/{name}.parquet", COUNTS[kind], first=first, last=last) for name in unit.reads
    ]
    rows, chosen = unit.params["rows"] // partitions, asked(config)[kind]
    if isinstance(chosen, RepeatedLines):
        found = on_many_pages(parts, rows, chosen.min_pages, chosen.min_share)
    else:
        found = in_many_documents(parts, rows, chosen.max_documents)
    counts = Counts(records=found.rows, kept=found.rows)
    counts.extra[f"{kind}s"] = len(found.table)
    if kind == "line":
        counts.extra["sites"], counts.extra["sites_with_lines"] = found.sites, len(found.table["site"].unique())
    target = f"boilerplate/{unit.name}.parquet"
    return Result(counts, [write_by_place(store, target, found.table, _ROW_GROUPS[kind], REPEATING[kind])])


def lines_of(store: Store, config: Config, sites: pa.ChunkedArray) -> dict[str, frozenset[str]]:
    """The lines to cut of each of these sites that has any."""
    names, found = sites.unique(), defaultdict(set)
    for table in _at(store, config, "line", np.sort(site_places(names)), schema.BOILERPLATE, ["site", "text"]):
        table = table.filter(pc.is_in(table["site"], names))
        for site, text in zip(table["site"].to_pylist(), table["text"].to_pylist(), strict=True):
            found[site].add(text)
    return {site: frozenset(texts) for site, texts in found.items()}


def paragraphs_of(store: Store, config: Config, texts: pa.ChunkedArray) -> frozenset[str]:
    """The paragraphs to cut that stand in any of these texts."""
    found: set[str] = set()
    if "paragraph" not in asked(config):
        return frozenset()
    here = count_paragraphs(texts, 1)
    for table in _at(store, config, "paragraph", here["place"].to_numpy(), schema.PARAGRAPHS, ["text"]):
        found.update(table["text"].filter(pc.is_in(table["text"], here["text"])).to_pylist())
    return frozenset(found)


def _at(
    store: Store, config: Config, kind: str, places: npt.NDArray[np.uint64], wanted: pa.Schema, columns: list[str]
) -> Iterator[pa.Table]:
    """Columns of what is cut about these places, which are sorted, a partition at a time; nothing if it is not asked for."""
    partitions = asked(config)[kind].partitions if kind in asked(config) else 0
    for number in range(partitions):
        here = _within(places, *stretch(number, partitions))
        if len(here):
            name = f"boilerplate/{unit_name(kind, number)}.parquet"
            yield read_places(store, name, wanted, columns, partial(_holds, here))


def _within(places: npt.NDArray[np.uint64], first: int, last: int) -> npt.NDArray[np.uint64]:
    """Those of sorted places from first to last."""
    return places[np.searchsorted(places, np.uint64(first)) : np.searchsorted(places, np.uint64(last), side="right")]


def _holds(places: npt.NDArray[np.uint64], first: int, last: int) -> bool:
    return len(_within(places, first, last)) > 0


STAGE = Stage("boilerplate", 2, "counts", settings, units, work, on_documents=False, may_be_empty=True, wanted=wanted)
