"""Records fetched by ranges from an archive that is, or is not, what the index says."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from seiryu.corpus.archive.page import target_uri
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.corpus.crawl.planned import Fetching, Missing, planned_records
from seiryu.corpus.remote.errors import EndsBefore

SAMPLES = Path(__file__).parents[3] / "samples"
ARCHIVE, OTHER = (SAMPLES / f"CC-MAIN-{name}-00000.warc.gz" for name in ("2021-25", "2025-05"))
HOW = Fetching(max_gap=0, max_waste=0.0, ahead=2, max_content=1 << 20)
WANTED = 8


class Bytes:
    """An archive that holds these bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read_range(self, url: str, first: int, size: int) -> bytes:
        if first + size > len(self.data):
            raise EndsBefore(f"{url} has {len(self.data)} bytes")
        return self.data[first : first + size]


@pytest.fixture(scope="module")
def planned() -> pa.Table:
    with ARCHIVE.open("rb") as file:
        items = [item for item in raw_records(file, "a", 1 << 20) if isinstance(item, RawRecord) and target_uri(item)]
    rows = [
        {"offset": item.offset, "length": item.length, "url": target_uri(item), "digest": ""} for item in items[5 : 5 + WANTED]
    ]
    assert len(rows) == WANTED
    return pa.Table.from_pylist(rows)


def told(planned: pa.Table, data: bytes) -> list[str]:
    """For each planned record in its order "record" or why it is missing."""
    items = list(planned_records(Bytes(data), "a.warc.gz", planned, HOW))
    assert [item.offset for item in items] == planned["offset"].to_pylist()
    return [item.reason if isinstance(item, Missing) else "record" for item in items]


def test_all_come_from_the_archive_that_was_indexed(planned: pa.Table) -> None:
    assert told(planned, ARCHIVE.read_bytes()) == ["record"] * WANTED


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>404 Not Found</html>", b"<html>" + b" " * 2_000_000, gzip.compress(b"<html>"), OTHER.read_bytes()],
    ids=["nothing", "a page", "a long page", "a zipped page", "another archive"],
)
def test_of_something_else_in_its_place_nothing_is_said_to_be_wrong_for_good(planned: pa.Table, data: bytes) -> None:
    assert told(planned, data) == ["not_fetched"] * WANTED


def test_what_lies_behind_the_end_of_an_archive_is_not_as_indexed(planned: pa.Table) -> None:
    end = planned["offset"][3].as_py()
    assert told(planned, ARCHIVE.read_bytes()[:end]) == ["record"] * 3 + ["not_as_indexed"] * (WANTED - 3)


def test_a_damaged_record_before_good_ones_is_damaged(planned: pa.Table) -> None:
    data, begin, size = bytearray(ARCHIVE.read_bytes()), planned["offset"][0].as_py(), planned["length"][0].as_py()
    data[begin : begin + size] = b"\0" * size
    assert told(planned, bytes(data)) == ["damaged"] + ["record"] * (WANTED - 1)
