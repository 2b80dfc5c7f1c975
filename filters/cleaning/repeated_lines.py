"""Lines that stand on many pages of a site: menus, notices, calls to subscribe.

A line ends at a line break and is compared without the white space around it, and else letter for letter: コメント（12） is not
コメント（3）. Folding digits would find more of those, but also take dates, sections and rows of tables that stand there once.

`count_lines` counts on how many pages of a file each line of a site stands; a page counts once however often it repeats a line.
`line_sums.py` adds up the files. A line is known by a hash of its site and its letters. A site's line without letters stands on
every page, so its row counts the pages of the site. Two lines of a site that share their 64 bits would be counted as one: of 10^8
sites with 10^9 lines each, one has that happen to one of its 100 repeated lines. What is cut goes by the text, never by the hash.

Not told apart: a menu, and the headings that all pages of a reference work share, （施行期日） in laws, Remarks in manuals. So none
is cut unless somebody asks for it, and the table of what is cut is for people to read.
"""

from collections import Counter
from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.corpus import schema
from seiryu.filters.cleaning.line_kernels import line_hashes, site_states
from seiryu.filters.letters import codepoints


def without_lines(text: str, lines: Collection[str]) -> str:
    """The text without the lines that are, but for white space around them, among `lines`; their line breaks go with them."""
    return "\n".join(line for line in text.split("\n") if line.strip() not in lines)


def count_lines(texts: pa.Array | pa.ChunkedArray, sites: pa.Array | pa.ChunkedArray, min_letters: int) -> pa.Table:
    """Lines of at least `min_letters` and the pages of their site that they stand on: `schema.LINE_COUNTS`, by place and line.

    `min_letters` is 1 or more. `texts` and `sites` are columns of the same pages; a page without a site takes no part.
    Memory: 250 bytes a line and its letters.
    """
    pages: Counter[tuple[str, str]] = Counter()
    for text, site in zip(texts.to_pylist(), sites.to_pylist(), strict=True):
        if site:
            lines = {line.strip() for line in text.split("\n")}
            pages.update([(site, ""), *((site, line) for line in lines if len(line) >= min_letters)])
    site, text = (pa.array([key[part] for key in pages], pa.large_string()) for part in (0, 1))
    names = site.dictionary_encode()
    states = site_states(*codepoints(names.dictionary))[names.indices.to_numpy()]
    place, line = _places(states), line_hashes(*codepoints(text), states)
    number = np.fromiter(pages.values(), np.int32, len(pages))
    columns = {"place": place, "line": line, "site": site, "text": text, "pages": number}
    return schema.table(schema.LINE_COUNTS, columns).take(pa.array(np.lexsort((line, place))))


def site_places(sites: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Where each site lies in the order of all sites: 64 bits, spread evenly, the same for all time."""
    return _places(site_states(*codepoints(sites)))


def _places(states: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The hash of the line without letters."""
    places: npt.NDArray[np.uint64] = line_hashes(np.empty(0, np.uint32), np.zeros(len(states) + 1, np.int64), states)
    return places
