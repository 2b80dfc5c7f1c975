"""Archives named by URLs and lists, from a disk, and from a cache: the same documents wherever they lie."""

import shutil
from dataclasses import dataclass
from typing import Any

import pytest
import servers
from mini_crawl import MiniCrawl
from servers import Asked, Server
from whole_runs import NAMED, Run, new_run, together

from seiryu.corpus.crawl.lists import Sample, sampled

SAMPLE = Sample(count=2, share=0.9)


@dataclass
class Runs:
    """Over archives that are named in every way, over the same by their local paths, and over a sample of them from a cache."""

    named: Run
    local: Run
    cached: Run
    lines: list[str]  # of the list that names some
    prefix: str  # of the object store
    damaged: str  # in the cache
    asked: list[Asked]
    asked_of_objects: list[Asked]
    asked_beside_cache: list[Asked]


@pytest.fixture(scope="module")
def runs(
    few_pages: MiniCrawl, few_server: Server, few_objects: Server, tmp_path_factory: pytest.TempPathFactory, whole_run: Run
) -> Runs:
    folder = tmp_path_factory.mktemp("runs")
    older, newer = (sorted({name.rsplit("/", 1)[0] for name in few_pages.listed(crawl)}) for crawl in few_pages.crawls)
    lines = [name for name in few_pages.listed(few_pages.crawls[1]) if name.startswith(f"{newer[1]}/")]
    (folder / "some.paths").write_text("".join(f"{line}\n" for line in lines))
    paths = [
        f"{few_server.url}{older[0]}/",  # what its page links to
        f"{few_server.url}{older[1]}/*-0000*.warc.gz",
        f"s3://commoncrawl/{newer[0]}/",
        str(folder / "some.paths"),
    ]
    source = {"kind": "files", "paths": paths, "base": few_server.url}
    named = new_run(folder / "named", "", source=source, fetch={"endpoint": few_objects.url})
    on_disk = {"kind": "files", "paths": [str(few_pages.root / "crawl-data/*/segments/*/warc/*")]}
    local = new_run(folder / "local", "", source=on_disk, fetch={"contact": ""})
    cache = folder / "cache"
    shutil.copytree(whole_run.folder.parent / "cache", cache)
    damaged = sampled(few_pages.listed(few_pages.crawls[0]), SAMPLE)[1]
    content = bytearray((cache / damaged).read_bytes())
    content[len(content) // 2] ^= 0x10
    (cache / damaged).write_bytes(content)
    with servers.nginx(few_pages.root) as other:
        sample = {"count": SAMPLE.count, "share": SAMPLE.share}
        cached = new_run(folder / "cached", other.url, source={"cache": str(cache), "sample": sample})
        few_server.forget()
        few_objects.forget()
        assert [(ended.code, ended.err) for ended in together(named, local, cached) if ended.code] == []
        logs = few_server.log(), few_objects.log(), other.log()
    return Runs(named, local, cached, lines, newer[0], damaged, *logs)


def called_by_name(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Documents with the names of their archives alone, which are called by their paths in a crawl."""
    return [row | {"warc": row["warc"].rsplit("/", 1)[-1]} for row in rows]


def test_a_directory_a_glob_a_prefix_and_a_list_name_archives_like_their_local_paths(runs: Runs, whole_run: Run) -> None:
    assert runs.named.hashes("documents", "ledger") == runs.local.hashes("documents", "ledger")
    assert called_by_name(runs.named.documents()) == called_by_name(whole_run.documents())
    assert {row.user_agent for row in runs.asked + runs.asked_of_objects} == {NAMED}
    assert set(runs.lines) <= {row.path.lstrip("/") for row in runs.asked}
    assert any(runs.prefix in row.path and row.range for row in runs.asked_of_objects)


def test_a_cache_holds_the_archives_as_they_are(few_pages: MiniCrawl, whole_run: Run) -> None:
    cache = whole_run.folder.parent / "cache"
    kept = {str(file.relative_to(cache)): file.read_bytes() for file in cache.rglob("*") if file.is_file()}
    archives = [name for crawl in few_pages.crawls for name in few_pages.listed(crawl)]
    assert kept == {name: (few_pages.root / name).read_bytes() for name in archives}


def test_an_archive_that_was_kept_is_not_fetched_again_unless_it_was_damaged(
    few_pages: MiniCrawl, runs: Runs, whole_run: Run
) -> None:
    chosen = {name for crawl in few_pages.crawls for name in sampled(few_pages.listed(crawl), SAMPLE)}
    assert runs.cached.documents() == [row for row in whole_run.documents() if row["warc"] in chosen]
    assert {row["warc"] for row in runs.cached.documents()} == chosen
    assert [row.path.lstrip("/") for row in runs.asked_beside_cache if "/segments/" in row.path] == [runs.damaged]
