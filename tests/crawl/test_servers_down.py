"""A server that does not give an archive, or wants no more of us: nothing is lost, and the next run goes on from there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import always, never, only, refuse, reset, slow
from mini_crawl import MiniCrawl
from proxy import FaultProxy
from servers import Asked, Server
from whole_runs import BY_INDEX, Run, new_run

# Two workers with a connection each, and an answer that takes so long: what is under way when the server refuses is one request.
QUICKLY_GIVEN_UP = {"connections": 2, "timeout": 1, "attempts": 2}
FORBIDDEN = "/segments/"


@pytest.fixture(scope="module")
def down(few_pages: MiniCrawl) -> str:
    """The archive that is not to be had."""
    return few_pages.listed(few_pages.crawls[1])[1]


@pytest.fixture
def proxy(few_server: Server) -> Iterator[FaultProxy]:
    with FaultProxy(few_server.url) as made:
        yield made


def unit(archive: str) -> str:
    """What the unit of an archive is called, if no other archive of the run has that name."""
    return archive.rsplit("/", 1)[-1].removesuffix(".warc.gz")


def refuses_from(number: int):
    """403 to all requests for archives from this one on; each answer takes its time."""
    count = iter(range(1000))

    def plan(request):
        if FORBIDDEN not in request.path:
            return None
        return slow(0.3) if next(count) < number else refuse(403)

    return plan


def came_after_refusal(asked: list[Asked]) -> list[Asked]:
    ended = min(row.time + row.seconds for row in asked if row.status == 403)
    return [row for row in asked if row.time > ended]


def test_whole_archives_refused_then_one_down_then_all_well(proxy: FaultProxy, down: str, tmp_path: Path, whole_run: Run) -> None:
    run = new_run(tmp_path, proxy.url, fetch=QUICKLY_GIVEN_UP)

    proxy.misbehave(refuses_from(3))
    ended = run.make()
    assert ended.code == 1
    asked = proxy.log()
    check_refused(ended.err, asked)
    kept = run.hashes()
    assert kept.items() <= whole_run.hashes().items()

    proxy.forget()
    proxy.misbehave(only(down, always(reset())))
    ended = run.make()
    assert ended.code == 3, ended.err
    assert list(run.set_aside("extract")) == [unit(down)]
    assert "given up after 2 attempts" in run.set_aside("extract")[unit(down)]
    missing = {f"documents/{unit(down)}.parquet"}
    assert run.hashes() == {name: value for name, value in whole_run.hashes().items() if name not in missing}
    assert not {f"documents/{row.path.rsplit('/', 1)[-1].removesuffix('.warc.gz')}.parquet" for row in proxy.log()} & set(kept)

    proxy.forget()
    proxy.misbehave(never)
    ended = run.make()
    assert ended.code == 0, ended.err
    assert run.hashes("documents", "ledger") == whole_run.hashes("documents", "ledger")
    assert not run.set_aside("extract")
    assert [row.path for row in proxy.log()] == [f"/{down}"]


def test_records_refused_then_some_down_then_more_down_then_all_well(
    proxy: FaultProxy, down: str, tmp_path: Path, index_run: Run
) -> None:
    run = new_run(tmp_path, proxy.url, source=BY_INDEX, fetch=QUICKLY_GIVEN_UP)

    proxy.misbehave(refuses_from(3))
    ended = run.make()
    assert ended.code == 1
    check_refused(ended.err, proxy.log())

    one_range = [row.range for row in index_run.asked if row.path == f"/{down}"][-1]
    proxy.misbehave(lambda request: reset() if (request.path, request.range) == (f"/{down}", one_range) else None)
    ended = run.make()
    assert ended.code == 3, ended.err
    assert "not_fetched" in ended.err
    ledger = [row for row in run.rows("ledger") if row["reason"] == "not_fetched"]
    assert ledger
    assert {row["warc"] for row in ledger} == {down}
    assert not run.set_aside("extract")
    lost = {(row["warc"], row["warc_offset"]) for row in ledger}
    assert run.documents() == [row for row in index_run.documents() if (row["warc"], row["warc_offset"]) not in lost]
    assert any(row["warc"] == down for row in run.documents())

    proxy.forget()
    proxy.misbehave(only(down, always(reset())))
    before = run.hashes("documents", "ledger")
    ended = run.make()
    assert ended.code == 3, ended.err
    assert run.hashes("documents", "ledger") == before
    assert {row.path for row in proxy.log()} == {f"/{down}"}

    proxy.forget()
    proxy.misbehave(never)
    ended = run.make()
    assert ended.code == 0, ended.err
    assert run.hashes("documents", "ledger") == index_run.hashes("documents", "ledger")
    assert {row.path for row in proxy.log()} == {f"/{down}"}


def test_a_list_that_cannot_be_had_ends_a_run_before_it_begins(tmp_path: Path) -> None:
    run = new_run(tmp_path, "http://127.0.0.1:9", fetch=QUICKLY_GIVEN_UP)  # nobody listens
    ended = run.make()
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
    assert "collinfo.json" in ended.err
    assert "given up after 2 attempts" in ended.err
    assert not (run.path / "source").exists()


def check_refused(said: str, asked: list[Asked]) -> None:
    """One clear line, and nothing was asked after the refusal but what was under way."""
    lines = [line for line in said.splitlines() if line.startswith("seiryu: ")]
    assert len(lines) == 1
    assert "answered 403" in lines[0]
    assert "No further request is sent" in lines[0]
    assert len(came_after_refusal(asked)) <= 1
