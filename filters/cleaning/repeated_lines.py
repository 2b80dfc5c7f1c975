"""Lines that say nothing of their page: those of many pages of a site, and paragraphs of many documents of the corpus.

A line ends at a line break and is compared without the white space around it, and else letter for letter: コメント（12） is not
コメント（3）. Folding digits would find more of those, but also take dates, sections and rows of tables that stand there once.

`count_lines` counts on how many pages of a file each line of a site stands: menus, notices, calls to subscribe. `count_paragraphs`
counts in how many of its documents each line stands, whatever their site: licences, notices about cookies, phrases of templates. One
counts once however often it repeats a line. `line_sums.py` adds up the files. A line is known by a hash of its site and its letters,
a paragraph by that of no site. A site's line without letters stands on every page, so its row counts the pages of the site. Two
lines that share their 64 bits would be counted as one: of 10^8 sites with 10^9 lines each, one has that happen to one of its 100
repeated lines; of 10^6 repeated paragraphs among 10^10, one has it in 2,000 corpora. What is cut goes by the text, never by the hash.

Not told apart: a menu, and the headings that all pages of a reference work share, （施行期日） in laws, Remarks in manuals; a notice,
and what many quote: in 3,479 texts of laws and manuals six paragraphs of 20 letters stand in more than 100, all from the supplementary
provisions of laws. So none is cut unless somebody asks for it, and the table of what is cut is for people to read.

A paragraph of too many documents goes from all of them. To let it stay in the first ones would need an order of all documents, and a
notice is not worth reading there either; of texts that are alike as a whole, deduplication has left one.
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
            pages.update([(site, ""), *((site, line) for line in _lines(text, min_letters))])
    site, text = (pa.array([key[part] for key in pages], pa.large_string()) for part in (0, 1))
    names = site.dictionary_encode()
    states = site_states(*codepoints(names.dictionary))[names.indices.to_numpy()]
    place, line = _places(states), line_hashes(*codepoints(text), states)
    number = np.fromiter(pages.values(), np.int32, len(pages))
    columns = {"place": place, "line": line, "site": site, "text": text, "pages": number}
    return schema.table(schema.LINE_COUNTS, columns).take(pa.array(np.lexsort((line, place))))


def count_paragraphs(texts: pa.Array | pa.ChunkedArray, min_letters: int) -> pa.Table:
    """Lines of at least `min_letters`, 1 or more, and the texts that they stand in: `schema.PARAGRAPHS`, by place.

    Memory: 200 bytes a line and 8 a letter.
    """
    documents: Counter[str] = Counter()
    for text in texts.to_pylist():
        documents.update(_lines(text, min_letters))
    text = pa.array(documents, pa.large_string())
    place, number = paragraph_places(text), np.fromiter(documents.values(), np.int64, len(documents))
    table = schema.table(schema.PARAGRAPHS, {"place": place, "text": text, "documents": number})
    return table.take(pa.array(np.argsort(place)))


def site_places(sites: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Where each site lies in the order of all sites: 64 bits, spread evenly, the same for all time."""
    return _places(site_states(*codepoints(sites)))


def paragraph_places(texts: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Where each paragraph lies in the order of all paragraphs, as `site_places`: its hash on the site that has no name."""
    nowhere = site_states(np.empty(0, np.uint32), np.zeros(2, np.int64))
    places: npt.NDArray[np.uint64] = line_hashes(*codepoints(texts), np.repeat(nowhere, len(texts)))
    return places


def _lines(text: str, min_letters: int) -> set[str]:
    return {line for line in map(str.strip, text.split("\n")) if len(line) >= min_letters}


def _places(states: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The hash of the line without letters."""
    places: npt.NDArray[np.uint64] = line_hashes(np.empty(0, np.uint32), np.zeros(len(states) + 1, np.int64), states)
    return places
