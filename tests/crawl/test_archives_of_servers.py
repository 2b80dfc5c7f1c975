"""Archives named by URLs and lists, from a disk, and from a cache: the same documents wherever they lie."""

import shutil
from pathlib import Path
from typing import Any

from mini_crawl import MiniCrawl
from servers import Server
from whole_runs import BY_INDEX, NAMED, Run, new_run, together


def called_by_name(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Documents with the names of their archives alone, which are called by their paths in a crawl."""
    return [row | {"warc": row["warc"].rsplit("/", 1)[-1]} for row in rows]


def test_a_directory_a_glob_a_prefix_and_a_list_name_archives_like_their_local_paths(
    few_pages: MiniCrawl, few_server: Server, few_objects: Server, tmp_path: Path, whole_run: Run
) -> None:
    older, newer = (sorted({name.rsplit("/", 1)[0] for name in few_pages.listed(crawl)}) for crawl in few_pages.crawls)
    lines = [name for name in few_pages.listed(few_pages.crawls[1]) if name.startswith(f"{newer[1]}/")]
    (tmp_path / "some.paths").write_text("".join(f"{line}\n" for line in lines))
    paths = [
        f"{few_server.url}{older[0].rsplit('/', 1)[0]}/warc/",  # what its page links to
        f"{few_server.url}{older[1]}/*-0000*.warc.gz",
        f"s3://commoncrawl/{newer[0]}/",
        str(tmp_path / "some.paths"),
    ]
    source = {"kind": "files", "paths": paths, "base": few_server.url}
    run = new_run(tmp_path / "remote", "", source=source, fetch={"endpoint": few_objects.url})
    of_disk = {"kind": "files", "paths": [str(few_pages.root / "crawl-data/*/segments/*/warc/*")]}
    on_disk = new_run(tmp_path / "local", "", source=of_disk, fetch={"contact": ""})
    few_server.forget()
    few_objects.forget()
    assert [(ended.code, ended.err) for ended in together(run, on_disk) if ended.code] == []
    assert on_disk.hashes("documents", "ledger") == run.hashes("documents", "ledger")
    assert called_by_name(run.documents()) == called_by_name(whole_run.documents())
    asked, of_objects = few_server.log(), few_objects.log()
    assert {row.user_agent for row in asked + of_objects} == {NAMED}
    assert any(row.path.lstrip("/") in lines for row in asked)
    assert any(newer[0] in row.path and row.range for row in of_objects)


def test_a_mirror_on_a_disk_gives_the_same_records_without_a_contact(
    few_pages: MiniCrawl, tmp_path: Path, index_run: Run
) -> None:
    run = new_run(tmp_path, str(few_pages.root), source=BY_INDEX, fetch={"contact": ""})
    ended = run.make()
    assert ended.code == 0, ended.err
    assert run.hashes("documents", "ledger") == index_run.hashes("documents", "ledger")


def test_an_archive_that_was_kept_is_not_fetched_again_unless_it_was_damaged(
    few_pages: MiniCrawl, few_server: Server, tmp_path: Path, whole_run: Run
) -> None:
    archives = [name for crawl in few_pages.crawls for name in few_pages.listed(crawl)]
    cache = tmp_path / "cache"
    shutil.copytree(whole_run.folder / "cache", cache)
    kept = {str(file.relative_to(cache)): file.read_bytes() for file in cache.rglob("*") if file.is_file()}
    assert kept == {name: (few_pages.root / name).read_bytes() for name in archives}
    flipped = archives[2]
    content = bytearray(kept[flipped])
    content[len(content) // 2] ^= 0x10
    (cache / flipped).write_bytes(content)
    run = new_run(tmp_path, few_server.url, source={"cache": str(cache)})
    few_server.forget()
    ended = run.make()
    assert ended.code == 0, ended.err
    assert run.hashes("documents", "ledger") == whole_run.hashes("documents", "ledger")
    assert [row.path.lstrip("/") for row in few_server.log() if "/segments/" in row.path] == [flipped]
