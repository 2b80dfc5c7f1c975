"""Index rows that are wrong on purpose: what a reader must notice, because an index and its archives can disagree."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from index_table import Row, url_columns

NO_DIGEST_OF_OURS = base64.b32encode(hashlib.sha1(b"another page").digest()).decode()


@dataclass(frozen=True, slots=True)
class WrongRow:
    """What a row says, and what is true of the place it was made from."""

    kind: str
    row: Row
    true: Row


def _other_url(row: Row, _size: int) -> Row:
    return row | url_columns(f"{row['url_protocol']}://{row['url_host_name']}/no-such-page.html")


def _other_digest(row: Row, _size: int) -> Row:
    return row | {"content_digest": NO_DIGEST_OF_OURS}


def _beyond_the_end(row: Row, size: int) -> Row:
    return row | {"warc_record_offset": size + 4096}


def _over_the_end(row: Row, size: int) -> Row:
    return row | {"warc_record_offset": size - 100, "warc_record_length": 5000}


def _inside_a_record(row: Row, _size: int) -> Row:
    return row | {"warc_record_offset": row["warc_record_offset"] + 9, "warc_record_length": row["warc_record_length"] - 9}


def _too_short(row: Row, _size: int) -> Row:
    return row | {"warc_record_length": row["warc_record_length"] - 20}


def _too_long(row: Row, _size: int) -> Row:
    return row | {"warc_record_length": row["warc_record_length"] + 20}


def _twice(row: Row, _size: int) -> Row:
    return row


# What each does to a row, given the size of its archive.
KINDS: dict[str, Callable[[Row, int], Row]] = {
    "other_url": _other_url,
    "other_digest": _other_digest,
    "beyond_the_end": _beyond_the_end,
    "over_the_end": _over_the_end,
    "inside_a_record": _inside_a_record,
    "too_short": _too_short,
    "too_long": _too_long,
    "twice": _twice,
}
# These stand beside the true row; the others in its stead, so that no two rows claim the same bytes unless that is what is wrong.
ADDED = frozenset({"beyond_the_end", "over_the_end", "twice"})


def spoil(rows: list[Row], kinds: tuple[str, ...], size_of: Callable[[str], int]) -> tuple[list[Row], list[WrongRow]]:
    """The rows with one wrong row for each of `kinds`, made from different Japanese pages that are chosen by their digests."""
    pages = [row for row in rows if _is_plain_japanese_page(row)]
    pages = sorted(pages, key=lambda row: (row["content_digest"], row["warc_filename"], row["warc_record_offset"]))[: len(kinds)]
    wrong = [
        WrongRow(kind, KINDS[kind](page, size_of(page["warc_filename"])), page) for kind, page in zip(kinds, pages, strict=True)
    ]
    gone = {_place(item.true) for item in wrong if item.kind not in ADDED}
    return [row for row in rows if _place(row) not in gone] + [item.row for item in wrong], wrong


def _is_plain_japanese_page(row: Row) -> bool:
    return row["fetch_status"] == 200 and not row["content_truncated"] and (row.get("content_languages") or "").startswith("jpn")


def _place(row: Row) -> tuple[str, int]:
    return row["warc_filename"], row["warc_record_offset"]
