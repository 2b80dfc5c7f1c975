"""Whole archives or by the index, over which server, by how many workers: the same documents, and nobody is asked twice."""

import json
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import servers
from mini_crawl import MiniCrawl
from servers import Server
from whole_runs import BY_INDEX, NAMED, Run, index_rows, is_chosen, new_run, place, seiryu

GONE = "http://127.0.0.1:9"  # nobody listens


def test_both_ways_end_with_the_same_documents_for_the_records_that_the_index_chose(
    few_pages: MiniCrawl, whole_run: Run, index_run: Run
) -> None:
    rows = index_rows(few_pages)
    chosen = {place(row) for row in rows if is_chosen(row)}
    whole, index = whole_run.documents(), index_run.documents()
    assert index == [row for row in whole if place(row) in chosen]  # every column, in the same order
    assert len(index) > 30
    missed = {place(row) for row in whole} - {place(row) for row in index}
    assert missed
    assert missed <= {place(row) for row in rows} - chosen


def test_what_cannot_be_read_is_told_alike_both_ways(few_pages: MiniCrawl, whole_run: Run, index_run: Run) -> None:
    chosen = {place(row) for row in index_rows(few_pages) if is_chosen(row)}
    assert index_run.rows("ledger") == [row for row in whole_run.rows("ledger") if place(row) in chosen]


def test_every_row_of_the_index_is_counted(few_pages: MiniCrawl, index_run: Run) -> None:
    rows = index_rows(few_pages)
    counted = index_run.counts("index").values()
    assert sum(counts["records"] for counts in counted) == len(rows)
    assert sum(counts["kept"] for counts in counted) == sum(map(is_chosen, rows))
    assert sum(counts["records"] for counts in index_run.counts("extract").values()) == sum(map(is_chosen, rows))


@pytest.fixture(scope="module")
def elsewhere(few_objects: Server, tmp_path_factory: pytest.TempPathFactory, index_run: Run) -> tuple[Run, Run]:
    """A run by the index from an object store by one worker, and one that went on when the servers had gone."""
    source = BY_INDEX | {"collinfo": "s3://commoncrawl/collinfo.json"}
    run = new_run(tmp_path_factory.mktemp("s3"), "s3://commoncrawl", source=source, fetch={"endpoint": few_objects.url})
    later = index_run.copied(tmp_path_factory.mktemp("later"), source={"base": GONE})
    few_objects.forget()
    with ThreadPoolExecutor(2) as pool:
        coming = pool.submit(run.make), pool.submit(later.make, "annotate", "--from", "annotate")
        assert [(future.result().code, future.result().err) for future in coming if future.result().code] == []
    run.asked.extend(few_objects.log())
    return run, later


def test_another_server_and_one_worker_make_the_same_bytes(elsewhere: tuple[Run, Run], index_run: Run) -> None:
    run = elsewhere[0]
    assert run.hashes("documents", "ledger") == index_run.hashes("documents", "ledger")
    assert len(run.asked) > 20
    assert {row.user_agent for row in run.asked} == {NAMED}
    assert not any(row.signed for row in run.asked)


def test_a_run_goes_on_from_its_documents_when_the_servers_are_gone(elsewhere: tuple[Run, Run], index_run: Run) -> None:
    later = elsewhere[1]
    assert sum(counts["records"] for counts in later.counts("annotate").values()) == len(index_run.documents())
    assert later.hashes("documents") == index_run.hashes("documents")


def test_the_server_is_told_who_asks_and_never_asked_more_often_than_allowed(whole_run: Run, index_run: Run) -> None:
    assert {row.user_agent for row in whole_run.asked + index_run.asked} == {NAMED}
    assert servers.busiest(whole_run.asked, 0.8) <= 2  # of 2.5 a second
    assert servers.busiest(index_run.asked, 1.0) <= 10
    assert len(index_run.asked) > 20  # so that there was something to hold back


def test_only_what_is_wanted_is_asked_for_and_only_once(few_pages: MiniCrawl, whole_run: Run, index_run: Run) -> None:
    archives = [name for crawl in few_pages.crawls for name in few_pages.listed(crawl)]
    lists = ["collinfo.json", *(f"crawl-data/{crawl}/warc.paths.gz" for crawl in few_pages.crawls)]
    assert Counter(row.path.lstrip("/") for row in whole_run.asked) == Counter([*archives, *lists])
    ranges = [row for row in index_run.asked if "/segments/" in row.path]
    assert max(Counter((row.path, row.range) for row in ranges).values()) == 1
    planned = index_run.counts("ranges").values()
    assert len(ranges) == sum(counts["extra"]["requests"] for counts in planned)
    assert sum(row.bytes for row in ranges) == sum(counts["extra"]["fetched"] for counts in planned)


@pytest.mark.parametrize("way", ["whole", "index"])
def test_a_second_run_asks_nobody(way: str, few_server: Server, whole_run: Run, index_run: Run) -> None:
    run = {"whole": whole_run, "index": index_run}[way]
    before, asked = run.hashes("documents", "ledger", "units", "source"), len(few_server.log())
    ended = run.make()
    assert (ended.code, "nothing to make" in ended.err) == (0, True)
    assert len(few_server.log()) == asked
    assert run.hashes("documents", "ledger", "units", "source") == before


def test_the_latest_crawl_stays_what_it_was_when_the_run_began(
    few_pages: MiniCrawl, whole_run: Run, index_run: Run, tmp_path: Path
) -> None:
    root, newer = tmp_path / "root", "CC-MAIN-2025-08"
    shutil.copytree(few_pages.root, root)
    shutil.copytree(root / "crawl-data/CC-MAIN-2025-05", root / f"crawl-data/{newer}")
    known = json.loads((root / "collinfo.json").read_text())
    (root / "collinfo.json").write_text(json.dumps([known[0] | {"id": newer}, *known]))
    with servers.nginx(root) as server:
        for name, run in (("whole", whole_run), ("index", index_run)):
            moved = run.copied(tmp_path / name, source={"base": server.url})
            ended = moved.make()
            assert (ended.code, "nothing to make" in ended.err) == (0, True), ended.err
            assert moved.hashes() == run.hashes()
        assert not server.log()
        fresh = seiryu("config", "validate", new_run(tmp_path / "fresh", server.url, source={"crawls": ["latest"]}).config)
        assert fresh.code != 0  # the lists of the newer crawl name files of another one: it was looked at
        assert newer in fresh.err


@pytest.mark.parametrize("way", ["whole", "index"])
def test_who_does_not_say_who_asks_asks_nothing(way: str, few_server: Server, tmp_path: Path) -> None:
    before = len(few_server.log())
    run = new_run(tmp_path, few_server.url, source=BY_INDEX if way == "index" else {}, fetch={"contact": ""})
    ended = run.make()
    assert ended.code == 2
    assert "fetch.contact" in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert len(few_server.log()) == before
