"""Which lines stand on many pages of their site: the counts of all files, added up.

Nearly all lines of the web stand on one page, and their sums need not lie in memory. The counts are read three times. First all go into
slots, by some bits of a line's hash. Then only lines whose slot has come to enough pages are added up one by one: a slot holds all
pages of a line, and those of others, so none is missed. Last come the texts of those that stay, from the first part that has them.

Memory: 4 bytes a slot, of which there are two to four a row, at most 2^27 (512 MB); 16 bytes for a site or for a line that is added up,
of which there are few, and twice that while they are sorted. More rows than slots only let more lines into the second reading.
"""

from collections.abc import Callable, Sequence

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


def boilerplate(parts: Sequence[Part], rows: int, min_pages: int, min_share: float) -> tuple[pa.Table, int]:
    """Lines on at least `min_pages` pages and `min_share` of the pages of their site, and the number of all sites.

    The lines are a table of `schema.BOILERPLATE`, by place and pages. A part is asked for columns of `schema.LINE_COUNTS` and gives
    them for its rows, the same at each time; a site may stand in many. The order of the parts changes nothing, and `rows`, about
    how many there are, nothing but the speed.
    """
    slots = np.zeros(min(MOST_SLOTS, 2 << max(10, rows.bit_length())), np.uint32)
    inside = np.uint64(len(slots) - 1)
    of_sites, of_lines = _Sums(), _Sums()
    for part in parts:
        place, line, pages = _columns(part)
        add_to_slots(slots, line, pages)
        of_sites.add(place[line == place], pages[line == place])
    site, site_pages = of_sites.total()

    def enough(pages: npt.NDArray[np.integer], place: Hashes) -> npt.NDArray[np.bool_]:
        return (pages >= min_pages) & (pages / site_pages[np.searchsorted(site, place)] >= min_share)

    for part in parts:
        place, line, pages = _columns(part)
        likely = (line != place) & enough(slots[line & inside], place)
        of_lines.add(line[likely], pages[likely])
    lines, sums = of_lines.total()
    texts = _texts(parts, lines)
    place, here = texts["place"].to_numpy(), sums[np.searchsorted(lines, texts["line"].to_numpy())]
    columns = {name: texts[name].combine_chunks() for name in ("place", "site", "text")}
    columns |= {"pages": here, "site_pages": site_pages[np.searchsorted(site, place)]}
    order = [("place", "ascending"), ("pages", "descending"), ("text", "ascending")]
    return schema.table(schema.BOILERPLATE, columns).filter(pa.array(enough(here, place))).sort_by(order), len(site)


def _columns(part: Part) -> tuple[Hashes, Hashes, npt.NDArray[np.int32]]:
    table = part(("place", "line", "pages"))
    return table["place"].to_numpy(), table["line"].to_numpy(), table["pages"].to_numpy()


def _texts(parts: Sequence[Part], lines: Hashes) -> pa.Table:
    """place, line, site and text of each of the lines, once; `lines` are sorted."""
    names, missing = ["place", "line", "site", "text"], lines
    found = [schema.LINE_COUNTS.empty_table().select(names)]
    for part in parts:
        if not len(missing):
            break
        here = np.isin(part(("line",))["line"].to_numpy(), missing)
        if here.any():
            found.append(part(names).filter(pa.array(here)))
            missing = np.setdiff1d(missing, found[-1]["line"].to_numpy(), assume_unique=True)
    return pa.concat_tables(found)


class _Sums:
    """Pages by hash, added up whenever many have come together."""

    def __init__(self) -> None:
        self._hashes, self._pages = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        self._waiting = 0

    def add(self, hashes: Hashes, pages: npt.NDArray[np.integer]) -> None:
        self._hashes.append(hashes)
        self._pages.append(pages.astype(np.int64))
        self._waiting += len(hashes)
        if self._waiting > max(_TOGETHER, len(self._hashes[0])):
            self.total()

    def total(self) -> tuple[Hashes, Pages]:
        """Distinct hashes, sorted, and the pages of each."""
        hashes, pages = np.concatenate(self._hashes), np.concatenate(self._pages)
        order = np.argsort(hashes, kind="stable")
        hashes, pages = hashes[order], pages[order]
        first = np.flatnonzero(np.concatenate([np.ones(len(hashes[:1]), np.bool_), hashes[1:] != hashes[:-1]]))
        self._hashes, self._pages = [hashes[first]], [np.add.reduceat(pages, first) if len(first) else pages]
        self._waiting = 0
        return self._hashes[0], self._pages[0]
