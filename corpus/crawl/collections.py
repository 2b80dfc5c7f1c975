"""Which crawls there are, and which of them a person means.

Common Crawl lists its crawls in `collinfo.json` (https://index.commoncrawl.org/collinfo.json): an array of objects, newest first,
each with an `id` such as `CC-MAIN-2024-33`, year and week. The ids sort by time as text. The three oldest crawls
(CC-MAIN-2008-2009, CC-MAIN-2009-2010, CC-MAIN-2012) are ARC files, which seiryu does not read; WARC begins with CC-MAIN-2013-20.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence

from seiryu.corpus.errors import InputError

FIRST_WARC = "CC-MAIN-2013-20"
_CRAWL = re.compile(r"CC-MAIN-(\d{4})(?:-(\d{2}|\d{4}))?", re.ASCII)


def known_crawls(data: bytes, where: str) -> tuple[str, ...]:
    """Ids of the crawls that `collinfo.json` lists, each once, oldest first. InputError, naming `where`, if it is no such list.

    A collection that is not called CC-MAIN and a year is none of the main crawls and is left out.
    """
    what_to_do = "expected is collinfo.json of index.commoncrawl.org: check the address, or try again later"
    try:
        listed = json.loads(data)
    except (ValueError, RecursionError) as error:  # bytes that are no text are a ValueError too
        raise InputError(f"{where} is not JSON, it begins with {data[:40]!r}; {what_to_do}") from error
    if not isinstance(listed, list) or not all(isinstance(item, dict) and isinstance(item.get("id"), str) for item in listed):
        raise InputError(f"{where} is not a list of crawls with an id each; {what_to_do}")
    if not (found := sorted({item["id"] for item in listed if _CRAWL.fullmatch(item["id"])})):
        raise InputError(f"{where} lists no crawl with a name like CC-MAIN-2024-33; {what_to_do}")
    return tuple(found)


def chosen_crawls(wanted: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The crawls that are meant, each once, oldest first.

    An entry is an id, `latest`, or a range `CC-MAIN-2023-06..CC-MAIN-2024-33`, both ends in it. An end that is left out is the
    oldest crawl of WARC files, or the latest. InputError for an id that nobody knows, with the nearest; for a range that is
    backward or holds nothing; for one that holds ARC files; and if nothing is wanted at all.
    """
    known = sorted(set(known))
    if not (warc := [crawl for crawl in known if crawl >= FIRST_WARC]):
        raise InputError(f"no crawl of WARC files is known; the first is {FIRST_WARC}")
    chosen: set[str] = set()
    for entry in wanted:
        first, is_range, last = (part.strip() for part in entry.partition(".."))
        if not is_range:
            chosen.add(_readable(_one(entry.strip(), known, warc), entry))
            continue
        begin, end = _one(first or warc[0], known, warc), _one(last or "latest", known, warc)
        if begin > end:
            raise InputError(f"the range {entry} holds no crawl: {begin} is later than {end}; name the older one first")
        chosen.update(_readable(crawl, entry) for crawl in known if begin <= crawl <= end)
    if not chosen:
        raise InputError(f"no crawl is named; name one, such as {warc[-1]}, or latest")
    return tuple(sorted(chosen))


def _one(name: str, known: Sequence[str], warc: Sequence[str]) -> str:
    if name == "latest":
        return warc[-1]
    if name not in known:
        raise InputError(f"there is no crawl {name!r}; the nearest is {_nearest(name, known)}, the latest {warc[-1]}")
    return name


def _readable(crawl: str, entry: str) -> str:
    if crawl < FIRST_WARC:
        raise InputError(f"{entry} names {crawl}, which holds ARC files, and seiryu reads WARC; begin at {FIRST_WARC}")
    return crawl


def _nearest(name: str, known: Iterable[str]) -> str:
    """The crawl nearest in time if the name tells a time, else the one that is spelt most like it."""
    upper = name.upper()
    if _CRAWL.fullmatch(upper):
        return min(known, key=lambda crawl: (abs(_weeks(crawl) - _weeks(upper)), crawl))
    return max(known, key=lambda crawl: (difflib.SequenceMatcher(None, upper, crawl).ratio(), crawl))


def _weeks(crawl: str) -> int:
    found = _CRAWL.fullmatch(crawl)
    assert found
    return int(found[1]) * 53 + (int(found[2]) if found[2] and len(found[2]) == 2 else 0)
