"""What archives are called and which of them are in sight, and which files of an index a changed config reads again."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commandline import seiryu, write_config
from pydantic import ValidationError

from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.run import OtherUnits, keep_lists
from seiryu.pipelines.source_config import CommonCrawl, Index
from seiryu.pipelines.sources import commoncrawl
from seiryu.pipelines.sources.commoncrawl import keep, listing
from seiryu.pipelines.sources.files import archives_in_sight
from seiryu.pipelines.sources.names import names, unit_names
from seiryu.pipelines.stages.crawling import index
from seiryu.pipelines.state import State

CRAWLS = ("CC-MAIN-2024-30", "CC-MAIN-2024-33")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The lists of two crawls."""
    for crawl in CRAWLS:
        folder = tmp_path / "base/crawl-data" / crawl
        folder.mkdir(parents=True)
        archives = [f"crawl-data/{crawl}/segments/1.0/warc/{n:05}.warc.gz" for n in range(20)]
        (folder / "warc.paths.gz").write_text("\n".join(archives))
        files = [f"cc-index/table/cc-main/warc/crawl={crawl}/subset=warc/part-{n:05}.parquet" for n in range(3)]
        (folder / "cc-index-table.paths.gz").write_text("\n".join(files))
    (tmp_path / "base/collinfo.json").write_text(json.dumps([{"id": crawl} for crawl in reversed(CRAWLS)]))
    return tmp_path / "base"


def state_of(base: Path, crawl: str, by: str, **source: object) -> State:
    wanted = {"kind": "commoncrawl", "crawls": [crawl], "base": str(base), "by": by} | source
    config = Config.model_validate_json(json.dumps({"run": str(base.parent / "run"), "source": wanted}))
    return State(Store(config.run), config)


@pytest.mark.parametrize("pair", [("http://h/x/a.warc.gz", "https://h/x/a.warc.gz"), ("/data/a.warc.gz", "s3://data/a.warc.gz")])
def test_archives_of_one_path_in_two_places_are_two(pair: tuple[str, str]) -> None:
    assert len(set(names(pair))) == 2
    assert len(set(unit_names(names(pair)))) == 2


def test_of_a_list_those_archives_are_in_sight_that_are_there(tmp_path: Path) -> None:
    there = [tmp_path / f"{number}.warc.gz" for number in range(3)]
    for path in there:
        path.write_bytes(b"")
    (tmp_path / "some.paths").write_text("\n".join([*map(str, there), str(tmp_path / "gone.warc.gz")]))
    (tmp_path / "all.paths").write_text("\n".join(map(str, there[:2])))
    paths = [str(tmp_path / name) for name in ("some.paths", "all.paths", "none.paths")]
    config = Config.model_validate_json(json.dumps({"run": "x", "source": {"kind": "files", "paths": paths}}))
    assert archives_in_sight(config.source, config) == ([str(path) for path in there], [paths[0], paths[2]])


def test_another_sample_reads_nothing_again_of_crawls_that_were_seen(base: Path) -> None:
    def inputs(count: int) -> dict[bool, list[object]]:
        units = index.units(state_of(base, CRAWLS[1], "index", index={"seen_in": [CRAWLS[0]]}, sample={"count": count}))
        return {seen: [unit.inputs for unit in units if unit.params["seen"] is seen] for seen in (False, True)}

    few, more = inputs(2), inputs(5)
    assert few[True] == more[True]
    assert len(few[True]) == len(few[False]) == 3
    assert all(before != after for before, after in zip(few[False], more[False], strict=True))


@pytest.mark.parametrize(("by", "reading"), [("archives", "extract"), ("index", "index")])
def test_the_lists_of_another_crawl_do_not_take_the_place_of_those_a_run_was_made_by(base: Path, by: str, reading: str) -> None:
    made, other = state_of(base, CRAWLS[0], by), state_of(base, CRAWLS[1], by)
    keep(made.config)
    kept = made.store.read("source/listed.json")
    made.store.write_json(f"units/{reading}/of-the-older.json", {})
    with pytest.raises(OtherUnits, match=r"holds 1 (archives|files of an index).*of-the-older"):
        keep_lists(other, other.config, "", prune=False)
    keep_lists(other, other.config, "annotate", prune=False)  # whose archives are taken as they lie
    assert made.store.read("source/listed.json") == kept
    keep_lists(other, other.config, "", prune=True)
    assert listing(other.config).crawls == (CRAWLS[1],)
    assert made.store.read("source/listed.json") != kept


@pytest.mark.parametrize("damage", ["gone", "cut", "no record of them"])
def test_lists_of_a_run_that_are_damaged_are_made_again_of_the_same_crawls(base: Path, damage: str) -> None:
    config = state_of(base, "latest", "archives").config
    keep(config)
    kept = listing(config)
    folder = base.parent / "run/source"
    commoncrawl._kept.cache_clear()  # as in another process
    commoncrawl._asked.cache_clear()
    table = folder / "listed.parquet"
    if damage == "gone":
        table.unlink()
    elif damage == "cut":
        table.write_bytes(table.read_bytes()[:-100])
    else:
        (folder / "listed.json").write_text("{")
    keep(config)
    commoncrawl._kept.cache_clear()
    assert replace(listing(config), when=kept.when) == kept
    assert json.loads((folder / "listed.json").read_text())["crawls"] == [CRAWLS[1]]
    assert pq.read_table(table).num_rows == 20


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"index": {"languages": ["ja"]}}, "'ja' is no code of ISO 639-3, which has three small letters: jpn"),
        ({"index": {"languages": ["JPN"]}}, "'JPN' is no code of ISO 639-3"),
        ({"index": {"tlds": ["a b"]}}, "'a b' is no top-level domain"),
        ({"base": "ftp://x.org"}, "'ftp://x.org' is neither a directory nor an http://, https:// or s3:// URL"),
        ({"cache": "http://x.org/cache"}, "lies on a web server, which takes no files"),
    ],
)
def test_what_could_only_fail_later_is_refused_at_once(source: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError) as error:
        CommonCrawl.model_validate_json(json.dumps({"kind": "commoncrawl", "crawls": ["latest"]} | source))
    assert says in str(error.value)


def test_a_domain_in_other_letters_is_asked_for_as_the_index_writes_it() -> None:
    assert Index.model_validate_json('{"tlds": [".JP", "みんな"]}').tlds == ("jp", "xn--q9jyb4c")


def test_a_run_below_a_file_is_told_in_one_line(small_archives: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = seiryu("run", write_config(tmp_path, small_archives, run=str(tmp_path / "file/run")))
    assert (ended.code, "defect" in ended.err) == (1, False)
    assert re.search(r"cannot write \S+/file/run/\S+: Not a directory; name a directory that takes files", ended.err)
