"""An index that is wrong about a record costs that record, which is in the ledger with its reason, and nothing else."""

from pathlib import Path

import pytest
import servers
from mini_crawl import MiniCrawl, Shape, make_mini_crawl
from servers import Server
from whole_runs import BY_INDEX, Run, few_archives, new_run, place
from wrong_rows import ADDED, KINDS

# Where each kind of wrong row ends up; a row that stands there twice is no loss.
REASONS = {
    "other_url": "not_as_indexed",
    "other_digest": "not_as_indexed",
    "beyond_the_end": "not_as_indexed",
    "over_the_end": "not_as_indexed",
    "inside_a_record": "damaged",
    "too_short": "damaged",
    "too_long": "damaged",
}


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> MiniCrawl:
    """The miniature of few pages, with a wrong row of each kind in the index of each crawl."""
    shape = Shape(index_files=2, row_group_rows=20, wrong=tuple(KINDS))
    return make_mini_crawl(tmp_path_factory.mktemp("spoilt"), few_archives(tmp_path_factory.mktemp("archives")), shape)


@pytest.fixture(scope="module")
def spoilt_server(spoilt: MiniCrawl):
    with servers.nginx(spoilt.root) as server:
        yield server


@pytest.fixture(scope="module")
def spoilt_run(spoilt_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which more failed than its config allows, as it says at its end."""
    folder = tmp_path_factory.mktemp("spoilt_run")
    run = new_run(folder, spoilt_server.url, source=BY_INDEX, engine={"allowed_failed_records": 0.05})
    ended = run.make()
    assert ended.code == 3, ended.err
    assert "records failed (damaged 6, not_as_indexed 8), 5.00% are allowed" in ended.err
    return run


def test_each_wrong_row_is_in_the_ledger_with_its_reason(spoilt: MiniCrawl, spoilt_run: Run) -> None:
    expected = {place(wrong.row): REASONS[wrong.kind] for wrong in spoilt.wrong if wrong.kind in REASONS}
    ledger = spoilt_run.rows("ledger")
    assert {place(row): row["reason"] for row in ledger} == expected
    assert len(ledger) == len(expected) == 2 * len(REASONS)
    urls = {place(wrong.row): wrong.row["url"] for wrong in spoilt.wrong}
    assert all(row["url"] == urls[place(row)] and row["detail"] for row in ledger)


def test_a_record_that_two_rows_name_is_fetched_once_and_counted(spoilt_run: Run) -> None:
    assert sum(counts["rejected"].get("listed_twice", 0) for counts in spoilt_run.counts("ranges").values()) == 2


def test_nothing_else_is_lost(spoilt: MiniCrawl, spoilt_run: Run, index_run: Run) -> None:
    lost = {place(wrong.true) for wrong in spoilt.wrong if wrong.kind not in ADDED}
    left = [row for row in index_run.documents() if place(row) not in lost]
    assert spoilt_run.documents() == left
    assert len(left) < len(index_run.documents())


def test_the_same_run_with_so_many_allowed_is_well_and_asks_nobody(
    spoilt_server: Server, spoilt_run: Run, tmp_path: Path
) -> None:
    run = spoilt_run.copied(tmp_path, engine={"allowed_failed_records": 0.5})
    spoilt_server.forget()
    ended = run.make()
    assert (ended.code, "nothing to make" in ended.err) == (0, True), ended.err
    assert not spoilt_server.log()
