"""A server that does not give an archive, or wants no more of us: nothing is lost, and the next run goes on from there."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from faults import Fault, Plan, Request, always, never, only, refuse, reset, slow
from mini_crawl import MiniCrawl
from proxy import FaultProxy
from servers import Asked, Server
from whole_runs import BY_INDEX, Ended, Run, new_run, place

# Of two connections one may be under way when the server refuses.
GIVEN_UP_SOON = {"fetch": {"connections": 2, "timeout": 1, "attempts": 2}, "engine": {"workers": 2, "attempts": 2}}
Story = dict[str, "Step"]


@dataclass(frozen=True)
class Step:
    """How one of several runs in the same directory ended, and what it left."""

    ended: Ended
    asked: list[Asked]
    hashes: dict[str, str]
    documents: list[dict[str, Any]]
    ledger: list[dict[str, Any]]
    set_aside: dict[str, str]

    @property
    def archives(self) -> set[str]:
        """Those that were asked for."""
        return {row.path.lstrip("/") for row in self.asked if "/segments/" in row.path}


def told(run: Run, proxy: FaultProxy, steps: dict[str, Plan]) -> Story:
    """Make a run again and again, each time over a server that behaves otherwise."""
    story = {}
    for name, plan in steps.items():
        proxy.forget()
        proxy.misbehave(plan)
        ended = run.make()
        hashes = run.hashes("documents", "ledger")
        story[name] = Step(ended, proxy.log(), hashes, run.documents(), run.rows("ledger"), run.set_aside("extract"))
    return story


@pytest.fixture(scope="module")
def down(few_pages: MiniCrawl) -> str:
    """The archive that is not to be had."""
    return few_pages.listed(few_pages.crawls[1])[1]


@pytest.fixture(scope="module")
def stories(
    down: str, few_server: Server, index_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Story]]:
    """Of whole archives and of records by the index, at the same time."""
    last = [row.range for row in index_run.asked if row.path == f"/{down}"][-1]
    all_of_it = only(down, always(reset()))
    of_whole = {"refused": refuses_from(3), "down": all_of_it, "well": never}
    of_index = {"refused": refuses_from(3), "partly down": when(down, last, reset()), "refused again": refuses_from(0),
                "down": all_of_it, "well": never}  # fmt: skip
    with FaultProxy(few_server.url) as one, FaultProxy(few_server.url) as other, ThreadPoolExecutor(2) as pool:
        whole = new_run(tmp_path_factory.mktemp("whole"), one.url, **GIVEN_UP_SOON)
        index = new_run(tmp_path_factory.mktemp("index"), other.url, source=BY_INDEX, **GIVEN_UP_SOON)
        coming = pool.submit(told, whole, one, of_whole), pool.submit(told, index, other, of_index)
        yield {"whole": coming[0].result(), "index": coming[1].result()}


def refuses_from(number: int) -> Plan:
    """403 to all requests for archives from this one on; before, each answer takes its time, so that others are under way."""
    count = iter(range(1000))

    def plan(request: Request) -> Fault | None:
        if "/segments/" not in request.path:
            return None
        return slow(0.3) if next(count) < number else refuse(403)

    return plan


def when(archive: str, part: str, fault: Fault) -> Callable[[Request], Fault | None]:
    return lambda request: fault if (request.path, request.range) == (f"/{archive}", part) else None


def unit(archive: str) -> str:
    """What the unit of an archive is called, if no other archive of the run has that name."""
    return archive.rsplit("/", 1)[-1].removesuffix(".warc.gz")


@pytest.mark.parametrize("way", ["whole", "index"])
def test_a_server_that_refuses_us_ends_the_run_and_is_not_asked_again(way: str, stories: dict[str, Story]) -> None:
    step = stories[way]["refused"]
    assert step.ended.code == 1
    lines = [line for line in step.ended.err.splitlines() if line.startswith("seiryu: ")]
    assert len(lines) == 1
    assert "answered 403" in lines[0]
    assert "No further request is sent" in lines[0]
    refused = min(row.time + row.seconds for row in step.asked if row.status == 403)
    assert len([row for row in step.asked if row.time > refused]) <= 1


def test_what_was_done_before_a_refusal_is_kept(stories: dict[str, Story], whole_run: Run) -> None:
    story = stories["whole"]
    done = {name for name in story["refused"].hashes if name.startswith("documents/")}
    assert done
    assert story["refused"].hashes.items() <= whole_run.hashes("documents", "ledger").items()
    assert not done & {f"documents/{unit(archive)}.parquet" for archive in story["down"].archives}


def test_an_archive_that_is_not_to_be_had_is_set_aside(stories: dict[str, Story], down: str, whole_run: Run) -> None:
    step = stories["whole"]["down"]
    assert step.ended.code == 3, step.ended.err
    assert list(step.set_aside) == [unit(down)]
    assert "given up after 2 attempts" in step.set_aside[unit(down)]
    others = {name: value for name, value in whole_run.hashes("documents", "ledger").items() if unit(down) not in name}
    assert step.hashes == others


def test_records_that_are_not_to_be_had_are_in_the_ledger(stories: dict[str, Story], down: str, index_run: Run) -> None:
    step = stories["index"]["partly down"]
    assert step.ended.code == 3, step.ended.err
    assert "not_fetched" in step.ended.err
    assert not step.set_aside
    lost = {place(row) for row in step.ledger if row["reason"] == "not_fetched"}
    assert lost
    assert {archive for archive, _ in lost} == {down}
    assert step.documents == [row for row in index_run.documents() if place(row) not in lost]
    assert any(row["warc"] == down for row in step.documents)


def test_a_refusal_takes_nothing_from_a_unit_that_lacks_records(stories: dict[str, Story], down: str) -> None:
    before, step = stories["index"]["partly down"], stories["index"]["refused again"]
    assert step.ended.code == 1
    assert step.archives == {down}
    assert step.hashes == before.hashes


def test_a_run_that_fares_worse_than_the_one_before_keeps_what_that_had(stories: dict[str, Story], down: str) -> None:
    before, step = stories["index"]["partly down"], stories["index"]["down"]
    assert step.ended.code == 3, step.ended.err
    assert step.hashes == before.hashes
    assert step.archives == {down}
    assert "not_fetched" in step.ended.err


@pytest.mark.parametrize("way", ["whole", "index"])
def test_when_all_is_well_again_only_what_is_missing_is_asked_for(
    way: str, stories: dict[str, Story], down: str, whole_run: Run, index_run: Run
) -> None:
    step, fresh = stories[way]["well"], {"whole": whole_run, "index": index_run}[way]
    assert step.ended.code == 0, step.ended.err
    assert step.hashes == fresh.hashes("documents", "ledger")
    assert not step.set_aside
    assert {row.path.lstrip("/") for row in step.asked} == {down}


def test_a_list_that_cannot_be_had_ends_a_run_before_it_begins(tmp_path: Path) -> None:
    run = new_run(tmp_path, "http://127.0.0.1:9", **GIVEN_UP_SOON)  # nobody listens
    ended = run.make()
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
    assert "collinfo.json" in ended.err
    assert "given up after 2 attempts" in ended.err
    assert not (run.path / "source").exists()
