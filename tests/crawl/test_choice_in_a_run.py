"""Which archives and records a run takes, held against plain Python over the lists and the rows of the index."""

import hashlib
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest
from mini_crawl import MiniCrawl, Shape, make_mini_crawl
from whole_runs import BY_INDEX, Run, few_archives, index_rows, is_chosen, new_run, place, together

from seiryu.corpus.crawl.lists import Sample, sampled

Row = dict[str, Any]
SAMPLE = Sample(count=2, share=0.9)  # and of one segment


@pytest.fixture(scope="module")
def recrawled(tmp_path_factory: pytest.TempPathFactory) -> MiniCrawl:
    """The miniature of few pages, of which the newer crawl fetched a dozen again, unchanged."""
    shape = Shape(index_files=2, row_group_rows=20, recrawled=12)
    return make_mini_crawl(tmp_path_factory.mktemp("recrawled"), few_archives(tmp_path_factory.mktemp("archives")), shape)


@pytest.fixture(scope="module")
def choices(recrawled: MiniCrawl, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """A run over the sampled archives of the newer crawl, for what the older does not have; one over both, for what is new."""
    root, (older, newer) = str(recrawled.root), recrawled.crawls

    def chosen(name: str, crawls: str, sample: dict[str, Any], **index: Any) -> Run:
        source = {"by": "index", "crawls": [crawls], "index": BY_INDEX["index"] | index, "sample": sample}
        return new_run(tmp_path_factory.mktemp(name), root, source=source, fetch={"contact": ""})

    sample = {"share": SAMPLE.share, "count": SAMPLE.count, "segments": [segment(recrawled)]}
    runs = chosen("seen_in", newer, sample, seen_in=[older]), chosen("new_only", "..latest", {}, new_only=True, max_per_host=5)
    assert [(ended.code, ended.err) for ended in together(*runs) if ended.code] == []
    return runs


def segment(recrawled: MiniCrawl) -> str:
    """That of the archive of pages that were fetched again, which is made last."""
    return list(recrawled.archives)[-1].split("/")[3]


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


def test_of_sampled_archives_what_an_earlier_crawl_has_is_left_out(recrawled: MiniCrawl, choices: tuple[Run, Run]) -> None:
    (older, newer), run = recrawled.crawls, choices[0]
    archives = recrawled.listed(newer)
    in_sample = sampled(archives, replace(SAMPLE, segments=(segment(recrawled),)))
    assert 1 < len(in_sample) < sum(f"/{segment(recrawled)}/" in path for path in archives) < len(archives)
    seen = {row["content_digest"] for row in index_rows(recrawled, older) if is_chosen(row)}
    wanted = [row for row in index_rows(recrawled, newer) if is_chosen(row)]
    of_sample = [row for row in wanted if row["warc_filename"] in in_sample]
    left = [row for row in of_sample if row["content_digest"] not in seen]
    assert planned(run) == {place(row) for row in left}
    assert 0 < len(left) < len(of_sample) < len(wanted)
    assert run.counts("choose")["all"]["rejected"] == {"seen_before": len(of_sample) - len(left)}
    others = sum(counts["rejected"].get("other_archive", 0) for counts in run.counts("index").values())
    assert others == len(wanted) - len(of_sample)


def test_of_all_crawls_only_what_is_new_and_so_many_of_a_host(recrawled: MiniCrawl, choices: tuple[Run, Run]) -> None:
    seen: set[str] = set()
    left: list[Row] = []
    for crawl in recrawled.crawls:
        wanted = [row for row in index_rows(recrawled, crawl) if is_chosen(row)]
        left += [row for row in wanted if row["content_digest"] not in seen]
        seen |= {row["content_digest"] for row in wanted}
    few = at_most(left, 5)
    assert planned(choices[1]) == {place(row) for row in few}
    wanted_of_all = sum(map(is_chosen, index_rows(recrawled)))
    assert 10 < len(few) < len(left) < wanted_of_all
    assert choices[1].counts("choose")["all"]["rejected"] == {
        "seen_before": wanted_of_all - len(left),
        "over_host_limit": len(left) - len(few),
    }


def test_all_that_was_chosen_is_read_from_a_mirror_on_a_disk(choices: tuple[Run, Run]) -> None:
    for run in choices:
        counts = run.counts("extract").values()
        assert sum(unit["records"] for unit in counts) == len(planned(run))
        assert not any(unit["failed"] for unit in counts)
        documents = {place(row) for row in run.documents()}
        assert documents
        assert documents <= planned(run)
