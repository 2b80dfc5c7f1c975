"""What a shard may be called, where a record is fetched from, and that a page cannot write to the terminal."""

import datetime
import json
from pathlib import Path

import pytest
from corpus_tables import config_of
from page_tables import write

from seiryu.corpus import schema
from seiryu.corpus.formats.shard import Place
from seiryu.corpus.storage import Store
from seiryu.pipelines.commands import trace as command
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.state import State
from seiryu.pipelines.tracing import Shard, Traced, record_of, samples_of

CRAWLED = "crawl-data/CC-MAIN-2024-33/segments/1722640690787.34/warc/CC-MAIN-20240806063040-20240806093040-00012.warc.gz"


@pytest.mark.parametrize(
    ("path", "place", "part"),
    [
        ("train-00001-of-00020", Place("train", 1, 20), None),
        ("/r/shards/megatron/validation-00000-of-00001.idx", Place("validation", 0, 1), None),
        ("s3://b/r/shards/datatrove/test/00003-of-00004.ds.metadata", Place("test", 3, 4), None),
        ("r/shards/mds/train/00001-of-00002/", Place("train", 1, 2), None),
        ("r/shards/mds/train/00001-of-00002/index.json", Place("train", 1, 2), None),
        ("r/shards/mds/train/00001-of-00002/shard.00007.mds", Place("train", 1, 2), 7),
        ("old/train-00000-of-00001.jsonl.zst", Place("train", 0, 1), None),
        ("r/provenance/train-00000-of-00001.parquet", Place("train", 0, 1), None),
    ],
)
def test_every_file_of_a_shard_names_it(path: str, place: Place, part: int | None) -> None:
    found = Shard.of(path)
    assert (found.place, found.part) == (place, part)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "r/shards/mds/train/index.json",
        "train-00002-of-00002",
        "train-0-of-1",
        "xtrain-00000-of-00001",
        "train-00000-of-00001.txt",
    ],
)
def test_what_is_no_shard_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="no shard is called so"):
        Shard.of(path)


def test_the_run_is_found_above_the_shard_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run/shards/megatron"
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match="--run RUN"):
        Shard.of(str(folder / "train-00000-of-00001")).run()
    (tmp_path / "run/run.json").write_text("{}")
    assert Shard.of(str(folder / "train-00000-of-00001.bin")).run() == str(tmp_path / "run")
    monkeypatch.chdir(folder)
    assert Shard.of("train-00000-of-00001.bin").run() == str(tmp_path / "run")
    with pytest.raises(ConfigError, match="--run RUN"):
        Shard.of("memory://nothing/shards/megatron/train-00000-of-00001").run()


def test_samples_of_an_mds_file_are_counted_from_its_own_first(tmp_path: Path) -> None:
    folder = tmp_path / "shards/mds/train/00000-of-00001"
    folder.mkdir(parents=True)
    (folder / "index.json").write_text(json.dumps({"shards": [{"samples": 3}, {"samples": 4}, {"samples": 1}], "version": 2}))
    shards = [Shard.of(str(folder / f"shard.{number:05d}.mds")) for number in range(3)]
    assert [samples_of(Store(str(tmp_path)), shard, 8) for shard in shards] == [(0, 3), (3, 7), (7, 8)]
    assert samples_of(Store(str(tmp_path)), Shard.of(str(folder)), 8) == (0, 8)
    with pytest.raises(ConfigError, match="has 3 files"):
        samples_of(Store(str(tmp_path)), Shard.of(str(folder / "shard.00003.mds")), 8)


def test_a_record_of_common_crawl_has_an_address_and_a_range(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    row = {"doc_id": "b", "warc": CRAWLED, "warc_offset": 1000}
    state = State(store, config_of(tmp_path))
    found = record_of(state, "f", row)
    assert (found["url"], found["range"]) == (f"https://data.commoncrawl.org/{CRAWLED}", "bytes=1000-")
    write(store, "documents/f.parquet", schema.DOCUMENTS, {"doc_id": ["a", "b"], "warc_length": [7, 50]}, 2)
    assert record_of(state, "f", row)["range"] == "bytes=1000-1049"
    assert record_of(state, "f", row | {"warc": "mine.warc.gz"})["url"] == ""
    assert record_of(state, "f", row | {"warc": "crawl-data/../CC-MAIN-x"})["url"] == ""


EVIL = "\x1b]0;owned\x07 \x9b31m \u202e[bold]x[/bold] \x00\r"


def test_nothing_that_a_page_says_reaches_the_terminal_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    when = datetime.datetime(2024, 8, 6, tzinfo=datetime.UTC)
    row = {"doc_id": "1", "copy": 0, "url": EVIL, "host": EVIL, "title": EVIL, "crawl_date": when, "warc": EVIL, "warc_offset": 0,
           "payload_digest": EVIL, "tokens": 5, "letters": 4, "japanese_share": 0.5, "language_score": 1.0, "duplicates": 0,
           "contaminated": EVIL}  # fmt: skip
    record = {"warc": EVIL, "offset": 0, "length": 0, "url": "", "range": "bytes=0-"}
    found = Traced("train-00000-of-00001", 0, 0, row, EVIL, record, EVIL, EVIL, True, True)
    command._show(found, "run")
    shown = capsys.readouterr().out
    assert "[bold]x[/bold]" in shown
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\x00", "\r"} & set(shown)
    told = command.plain_json(found.to_json())
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\x00", "\r"} & set(told)
    assert json.loads(told)["decoded"] == json.loads(told)["title"] == EVIL
