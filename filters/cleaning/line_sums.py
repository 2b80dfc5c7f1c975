"""Which lines stand on many pages of their site, and which paragraphs in many documents: the counts of all files, added up.

Nearly all lines of the web stand on one page, and their sums need not lie in memory. The counts are read three times. First all go into
slots, by some bits of a line's hash. Then only lines whose slot has come to enough pages are added up one by one: a slot holds all
pages of a line, and those of others, so none is missed. Last come the texts of those that stay, from the first part that has them.

Memory: 4 bytes a slot, of which there are two to four a row, at most 2^27 (512 MB); 16 bytes for a site or for a line that is added up,
of which there are few, and twice that while they are sorted. More rows than slots only let more lines into the second reading; so
does a limit of one or two documents, of every third line with slots enough, which takes 6 bytes a row.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.corpus import schema
from seiryu.filters.cleaning.line_kernels import add_to_slots

Part = Callable[[Sequence[str]], pa.Table]
Hashes = npt.NDArray[np.uint64]
Pages = npt.NDArray[np.int64]
MOST_SLOTS = 1 << 27
_TOGETHER = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """What stands often enough, the number of all counts that were added up, and of the sites among them, if they have any."""

    table: pa.Table
    rows: int
    sites: int = 0


def on_many_pages(parts: Sequence[Part], rows: int, min_pages: int, min_share: float) -> Found:
    """Lines on at least `min_pages` pages and `min_share` of the pages of their site: `schema.BOILERPLATE`, by place and pages.

    A part is asked for columns of `schema.LINE_COUNTS` and gives them for its rows, the same at each time; a site may stand in many.
    The order of the parts changes nothing, and `rows`, about how many there are, nothing but the speed.
    """
    slots, of_sites, names = _Slots(rows), _Sums(), ("line", "pages", "place")
    for line, pages, place in _columns(parts, names):
        slots.add(line, pages)
        of_sites.add(place[line == place], pages[line == place])
    site, site_pages = of_sites.total()

    def enough(pages: npt.NDArray[np.integer], line: Hashes, place: Hashes) -> npt.NDArray[np.bool_]:
        of_site = pages / site_pages[np.searchsorted(site, place)] >= min_share
        often: npt.NDArray[np.bool_] = of_site & (pages >= min_pages) & (line != place)
        return often

    lines, sums = _sums(parts, names, slots, enough)
    texts = _texts(parts, schema.LINE_COUNTS, "line", lines)
    line, place = texts["line"].to_numpy(), texts["place"].to_numpy()
    here = sums[np.searchsorted(lines, line)]
    columns = {name: texts[name].combine_chunks() for name in ("place", "site", "text")}
    columns |= {"pages": here, "site_pages": site_pages[np.searchsorted(site, place)]}
    order = [("place", "ascending"), ("pages", "descending"), ("text", "ascending")]
    table = schema.table(schema.BOILERPLATE, columns).filter(pa.array(enough(here, line, place))).sort_by(order)
    return Found(table, slots.rows, len(site))


def in_many_documents(parts: Sequence[Part], rows: int, max_documents: int) -> Found:
    """Paragraphs that stand in more than `max_documents` documents: `schema.PARAGRAPHS`, by place.

    A part gives columns of `schema.PARAGRAPHS`, and all else is as in `on_many_pages`.
    """
    slots, names = _Slots(rows), ("place", "documents")
    for place, documents in _columns(parts, names):
        slots.add(place, documents)
    places, sums = _sums(parts, names, slots, lambda documents, _: documents > max_documents)
    places, sums = places[sums > max_documents], sums[sums > max_documents]
    texts = _texts(parts, schema.PARAGRAPHS, "place", places)
    columns = {name: texts[name].combine_chunks() for name in ("place", "text")}
    columns["documents"] = sums[np.searchsorted(places, texts["place"].to_numpy())]
    table = schema.table(schema.PARAGRAPHS, columns).sort_by([("place", "ascending"), ("text", "ascending")])
    return Found(table, slots.rows)


def _columns(parts: Sequence[Part], names: Sequence[str]) -> Iterator[list[npt.NDArray[Any]]]:
    for part in parts:
        table = part(names)
        yield [table[name].to_numpy() for name in names]


def _sums(
    parts: Sequence[Part], names: Sequence[str], slots: "_Slots", enough: Callable[..., npt.NDArray[np.bool_]]
) -> tuple[Hashes, Pages]:
    """The second reading: hashes, sorted, and sums of the rows whose slot holds enough.

    `names`: the columns of hash and number, then those that `enough` asks for.
    """
    sums = _Sums()
    for hashes, numbers, *others in _columns(parts, names):
        likely = enough(slots.of(hashes), hashes, *others)
        sums.add(hashes[likely], numbers[likely])
    return sums.total()


def _texts(parts: Sequence[Part], counts: pa.Schema, name: str, hashes: Hashes) -> pa.Table:
    """The third reading: of the rows with each of these hashes, which are sorted, those of the first part that has any."""
    missing, found = hashes, [counts.empty_table()]
    for part in parts:
        if not len(missing):
            break
        here = np.isin(part((name,))[name].to_numpy(), missing)
        if here.any():
            found.append(part(counts.names).filter(pa.array(here)))
            missing = np.setdiff1d(missing, found[-1][name].to_numpy(), assume_unique=True)
    return pa.concat_tables(found)


class _Slots:
    """Sums by the lower bits of a hash: of each hash at least its own."""

    def __init__(self, rows: int) -> None:
        self._slots = np.zeros(min(MOST_SLOTS, 2 << max(10, rows.bit_length())), np.uint32)
        self.rows = 0

    def add(self, hashes: Hashes, numbers: npt.NDArray[np.integer]) -> None:
        add_to_slots(self._slots, hashes, numbers)
        self.rows += len(hashes)

    def of(self, hashes: Hashes) -> npt.NDArray[np.uint32]:
        numbers: npt.NDArray[np.uint32] = self._slots[hashes & np.uint64(len(self._slots) - 1)]
        return numbers


class _Sums:
    """Numbers by hash, added up whenever many have come together."""

    def __init__(self) -> None:
        self._hashes, self._numbers = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        self._waiting = 0

    def add(self, hashes: Hashes, numbers: npt.NDArray[np.integer]) -> None:
        self._hashes.append(hashes)
        self._numbers.append(numbers.astype(np.int64))
        self._waiting += len(hashes)
        if self._waiting > max(_TOGETHER, len(self._hashes[0])):
            self.total()

    def total(self) -> tuple[Hashes, Pages]:
        """Distinct hashes, sorted, and the sum of each."""
        hashes, numbers = np.concatenate(self._hashes), np.concatenate(self._numbers)
        order = np.argsort(hashes, kind="stable")
        hashes, numbers = hashes[order], numbers[order]
        first = np.flatnonzero(np.concatenate([np.ones(len(hashes[:1]), np.bool_), hashes[1:] != hashes[:-1]]))
        self._hashes, self._numbers = [hashes[first]], [np.add.reduceat(numbers, first) if len(first) else numbers]
        self._waiting = 0
        return self._hashes[0], self._numbers[0]
