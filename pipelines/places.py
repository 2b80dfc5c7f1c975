"""Tables sorted by place, a 64-bit hash in the column `place`: whoever wants a stretch of all places reads few of a file's row groups.

So the work over many files is cut into as many stretches as a config likes, and the files know nothing of it. One site has one place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seiryu.corpus.damage import reading
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store, Written


def stretch(number: int, stretches: int) -> tuple[int, int]:
    """First and last place of a stretch; all together are all places, each once."""
    return -(-number * 2**64 // stretches), -(-(number + 1) * 2**64 // stretches) - 1


def write_by_place(
    store: Store, name: str, table: pa.Table, row_group: int, dictionaries: Sequence[str] | None = None
) -> Written:
    """Write a table that lies sorted by `place`, its first column. `dictionaries`: columns that repeat, all by default."""
    with store.writing(name) as out:
        pq.write_table(
            table, out, compression="zstd", compression_level=3, row_group_size=row_group, write_page_checksum=True,
            use_dictionary=True if dictionaries is None else list(dictionaries),
        )  # fmt: skip
    return out.written(name)


def read_stretch(store: Store, name: str, wanted: pa.Schema, columns: Sequence[str], first: int, last: int) -> pa.Table:
    """Columns of the rows from the first place to the last. InputError as `read_places`."""
    return read_stretch_of(store, name, wanted, "place", columns, first, last)


def read_stretch_of(
    store: Store, name: str, wanted: pa.Schema, key: str, columns: Sequence[str], first: int, last: int
) -> pa.Table:
    """The same for a table that lies sorted by its first column of whatever name."""
    asked = list(dict.fromkeys([key, *columns]))
    table = read_places(store, name, wanted, asked, lambda low, high: low <= last and high >= first)
    place = table[key].to_numpy()
    begin, end = np.searchsorted(place, np.uint64(first)), np.searchsorted(place, np.uint64(last), side="right")
    return table.slice(begin, end - begin).select(list(columns))


def read_places(
    store: Store, name: str, wanted: pa.Schema, columns: Sequence[str], holds: Callable[[int, int], bool]
) -> pa.Table:
    """Columns of the row groups between whose first and last place, both included, `holds` says there is something.

    InputError, naming the file, if it is damaged or not of the schema `wanted`.
    """
    try:
        opened = store.open(name)
    except FileNotFoundError as error:
        raise InputError(f"{store.path(name)} is not there; run again") from error
    with reading(store.path(name)), opened as file:
        parquet = pq.ParquetFile(file, page_checksum_verification=True)
        if not parquet.schema_arrow.equals(wanted):
            raise InputError(f"{store.path(name)} is not a table of this version; delete it and run again")
        groups = [group for group in range(parquet.num_row_groups) if holds(*_places(parquet, group))]
        return parquet.read_row_groups(groups, columns=list(columns), use_threads=False)


def _places(parquet: pq.ParquetFile, group: int) -> tuple[int, int]:
    statistics = parquet.metadata.row_group(group).column(0).statistics
    return (statistics.min, statistics.max) if statistics else (0, 2**64 - 1)
