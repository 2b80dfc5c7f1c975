"""Who meets whom in the bands: one unit is some bands, over a stretch of their keys, of the signatures of all files.

A key goes on if at least two documents have it, one of them of this run. The more documents there are, the fewer bands are in
a unit and the more stretches their keys are cut into, so that a unit's memory stays the same: 48 bytes a document of a stretch, and 16
more for each band.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.corpus.storage import Store
from seiryu.dedup.meetings import Meetings, repeated, with_one_of
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import stretch
from seiryu.pipelines.stages.deduplicating.numbering import (
    File,
    files,
    held,
    numbering,
    read_of,
    stores,
    stretches,
    write_meetings,
)
from seiryu.pipelines.stages.deduplicating.signatures import band_column, signature_schema
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Stage, Unit

BYTES, BYTES_A_BAND = 48, 16  # a document
_MOST_BANDS = 5  # in a unit: of few documents too there is work for several


def units(state: State) -> list[Unit]:
    signed, everything = state.completed("signatures"), files(state)
    if not signed or not state.whole("signatures"):
        return []
    number = sum(done.counts.records for done in signed.values()) + sum(file.rows for file in everything if file.run)
    together, parts = shared_out(state.config, number)
    inputs, bands = numbering(state) | {"signatures": identity(signed)}, state.config.dedup.banding.bands
    made = []
    for first, part in product(range(0, bands, together), range(parts)):
        params = {"bands": list(range(first, min(bands, first + together))), "part": part, "parts": parts}
        made.append(Unit("bands", f"{first:03d}-{part:04d}", params, inputs, reads=everything))
    return made


def shared_out(config: Config, number: int) -> tuple[int, int]:
    """(bands in a unit, stretches that their keys are cut into) for a number of documents."""
    parts = stretches(config, number, BYTES + BYTES_A_BAND)
    room = config.dedup.memory // max(1, number // parts) - BYTES
    return min(_MOST_BANDS, max(1, room // BYTES_A_BAND)), parts


def settings(_: Config) -> dict[str, Any]:
    return {}


def work(unit: Unit, config: Config, store: Store) -> Result:
    first, last = (np.uint64(place) for place in stretch(unit.params["part"], unit.params["parts"]))
    bands: list[int] = unit.params["bands"]
    keys: list[list[npt.NDArray[np.uint64]]] = [[np.empty(0, np.uint64)] for _ in bands]
    numbers: list[list[npt.NDArray[np.int64]]] = [[np.empty(0, np.int64)] for _ in bands]
    places, mine = stores(store, config), sum(file.rows for file in unit.reads if not file.run)
    seen = 0
    for file in unit.reads:
        number, columns = _columns(places, file, config, bands)
        seen += len(number)
        for place, column in enumerate(columns):
            if unit.params["parts"] == 1:  # all keys of all bands, so their documents are the same
                keys[place].append(column)
                numbers[place] = numbers[0]
                continue
            here = (column >= first) & (column <= last)
            keys[place].append(column[here])
            numbers[place].append(number[here])
        if unit.params["parts"] == 1:
            numbers[0].append(number)
    found: list[Meetings] = []
    buckets = 0
    for of_band_keys, of_band_numbers in zip(keys, numbers, strict=True):
        if len(of_band_numbers) > 1:  # else it is that of the band before
            of_band_numbers[:] = [np.concatenate(of_band_numbers)]
        of_band = of_band_numbers[0]
        rows, bucket = repeated(np.concatenate(of_band_keys))
        of_band_keys.clear()
        if unit.params["parts"] > 1:
            of_band_numbers.clear()
        of_band, bucket = with_one_of((of_band[rows], bucket), of_band[rows] < mine)
        found.append((of_band, bucket + buckets))
        buckets += int(bucket[-1]) + 1 if len(bucket) else 0
    together = np.concatenate([number for number, _ in found]), np.concatenate([bucket for _, bucket in found])
    counts = Counts(records=seen, kept=seen)
    counts.extra["meeting"] = len(together[0])
    return Result(counts, [write_meetings(store, f"bands/{unit.name}.parquet", together)])


def _columns(
    places: Sequence[Store], file: File, config: Config, bands: list[int]
) -> tuple[npt.NDArray[np.int64], list[npt.NDArray[np.uint64]]]:
    """Numbers of a file's documents, and their keys in these bands; of an earlier run those that it holds."""
    names = [band_column(band) for band in bands]
    asked = ["row", *names, *(["doc_id"] if file.run else [])]
    table = read_of(places, file, "signatures", signature_schema(config), asked)
    if file.run:
        table = table.filter(held(places, file, table["doc_id"]))
    return file.first + table["row"].to_numpy().astype(np.int64), [table[name].to_numpy() for name in names]


STAGE = Stage("bands", 2, "documents", settings, units, work, on_documents=False)
