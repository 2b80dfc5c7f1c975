"""Which archives and records a run takes, held against plain Python over the lists and the rows of the index."""

import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import servers
from mini_crawl import MiniCrawl, Shape, make_mini_crawl
from servers import Server
from whole_runs import BY_INDEX, Run, few_archives, index_rows, is_chosen, new_run, place, together

from seiryu.corpus.crawl.lists import Sample, sampled

Row = dict[str, Any]
SHARE, COUNT = 0.8, 2  # of the archives of each crawl, in the sample by the index


@pytest.fixture(scope="module")
def recrawled(tmp_path_factory: pytest.TempPathFactory) -> MiniCrawl:
    """The miniature of few pages, of which the newer crawl fetched a dozen again, unchanged."""
    shape = Shape(index_files=2, row_group_rows=20, recrawled=12)
    return make_mini_crawl(tmp_path_factory.mktemp("recrawled"), few_archives(tmp_path_factory.mktemp("archives")), shape)


@pytest.fixture(scope="module")
def server(recrawled: MiniCrawl):
    with servers.nginx(recrawled.root) as made:
        yield made


@pytest.fixture(scope="module")
def plans(recrawled: MiniCrawl, server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Runs up to their plans of what to fetch, each with another choice."""

    def chosen(name: str, sample: dict[str, Any] | None = None, crawls: str = "..latest", **index: Any) -> Run:
        source = {"by": "index", "crawls": [crawls], "index": BY_INDEX["index"] | index, "sample": sample or {}}
        return new_run(tmp_path_factory.mktemp(name), server.url, source=source)

    runs = {
        "seen_in": chosen("seen_in", crawls=recrawled.crawls[1], seen_in=[recrawled.crawls[0]]),
        "new_only": chosen("new_only", new_only=True, max_per_host=5),
        "sample": chosen("sample", sample={"share": SHARE, "count": COUNT}),
    }
    assert [(ended.code, ended.err) for ended in together(*runs.values(), until="ranges") if ended.code] == []
    return runs


def planned(run: Run) -> set[tuple[str, int]]:
    tables = [pq.read_table(file, columns=["warc", "offset"]).to_pylist() for file in (run.path / "planned").glob("*.parquet")]
    places = [(row["warc"], row["offset"]) for rows in tables for row in rows]
    assert len(places) == len(set(places))
    return set(places)


def pick(row: Row) -> int:
    return int.from_bytes(hashlib.blake2b(row["url"].encode(), digest_size=8).digest(), "big")


def at_most(rows: list[Row], most: int) -> list[Row]:
    """Of each host and crawl those with the lowest hash of their address."""
    hosts: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        hosts[row["warc_filename"].split("/")[1], row["url_host_name"]].append(row)
    return [row for same in hosts.values() for row in sorted(same, key=pick)[:most]]


def test_payloads_of_earlier_crawls_are_left_out(recrawled: MiniCrawl, plans: dict[str, Run]) -> None:
    older, newer = recrawled.crawls
    run = plans["seen_in"]
    seen = {row["content_digest"] for row in index_rows(recrawled, older) if is_chosen(row)}
    wanted = [row for row in index_rows(recrawled, newer) if is_chosen(row)]
    left = [row for row in wanted if row["content_digest"] not in seen]
    assert planned(run) == {place(row) for row in left}
    assert len(wanted) - len(left) >= 10
    assert run.counts("choose")["all"]["rejected"] == {"seen_before": len(wanted) - len(left)}


def test_of_all_crawls_only_what_is_new_and_so_many_of_a_host(recrawled: MiniCrawl, plans: dict[str, Run]) -> None:
    run = plans["new_only"]
    seen: set[str] = set()
    left: list[Row] = []
    for crawl in recrawled.crawls:
        wanted = [row for row in index_rows(recrawled, crawl) if is_chosen(row)]
        left += [row for row in wanted if row["content_digest"] not in seen]
        seen |= {row["content_digest"] for row in wanted}
    few = at_most(left, 5)
    assert planned(run) == {place(row) for row in few}
    wanted_of_all = sum(map(is_chosen, index_rows(recrawled)))
    assert 10 < len(few) < len(left) < wanted_of_all
    assert run.counts("choose")["all"]["rejected"] == {
        "seen_before": wanted_of_all - len(left),
        "over_host_limit": len(left) - len(few),
    }


def test_a_sample_of_whole_archives_is_all_that_is_read(recrawled: MiniCrawl, server: Server, tmp_path: Path) -> None:
    older = recrawled.crawls[0]
    archives = recrawled.listed(older)
    segment = archives[0].split("/")[3]
    chosen = sampled(archives, Sample(count=1, segments=(segment,)))
    assert len(chosen) < sum(f"/{segment}/" in path for path in archives) < len(archives)
    server.forget()
    run = new_run(tmp_path, server.url, source={"crawls": [older], "sample": {"count": 1, "segments": [segment]}})
    ended = run.make()
    assert ended.code == 0, ended.err
    assert {row["warc"] for row in run.documents()} == set(chosen)
    assert [row.path.lstrip("/") for row in server.log() if "/segments/" in row.path] == chosen


def test_a_sample_by_the_index_is_of_the_same_archives(recrawled: MiniCrawl, plans: dict[str, Run]) -> None:
    chosen = {path for crawl in recrawled.crawls for path in sampled(recrawled.listed(crawl), Sample(COUNT, SHARE))}
    run = plans["sample"]
    rows = index_rows(recrawled)
    wanted = [row for row in rows if is_chosen(row)]
    assert planned(run) == {place(row) for row in wanted if row["warc_filename"] in chosen}
    assert 0 < len(planned(run)) < len(wanted)
    others = sum(counts["rejected"].get("other_archive", 0) for counts in run.counts("index").values())
    assert others == len(wanted) - len(planned(run))
