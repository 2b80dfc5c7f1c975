"""One takedown after another, in advance, broken off, refused: what is out stays out, and what is not hit stays as it is."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
from commandline import hashes, seiryu
from corpus_tables import sequences

from seiryu.corpus.storage import Store


def provenance(run: Path) -> dict[str, list[dict[str, object]]]:
    return {path.stem: pq.read_table(path).to_pylist() for path in sorted((run / "provenance").glob("*.parquet"))}


def takedown(run: Path, *arguments: str | Path) -> dict:
    ended = seiryu("takedown", run, *arguments, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def entries(run: Path) -> list[dict]:
    return json.loads((run / "takedown.json").read_text())["entries"]


def left_of(rows: dict[str, list[dict[str, object]]], store: Store, gone: set[str]) -> dict[str, list[object]]:
    """What each shard holds but for some documents: (doc_id, copy, ids) of each sequence."""
    return {name: [kept for kept in sequences(store, name) if kept[0] not in gone] for name in rows}


def test_a_second_takedown_adds_to_the_first_and_moves_nothing(run_copy: Path, small_run: Path) -> None:
    run, before = run_copy / "run", provenance(small_run / "run")
    [one, two, *_] = before["train-00001-of-00002"]
    first = takedown(run, "--url", str(one["url"]).replace("https:", "http:") + "#part", "--why", "手紙")
    assert (first["sequences"], list(first["shards"])) == (1, ["train-00001-of-00002"])
    middle = hashes(run, "shards", "provenance")
    (run_copy / "ids").write_text(str(two["doc_id"]))
    second = takedown(run, "--ids", run_copy / "ids", "--url", str(one["url"]))
    assert (second["sequences"], second["taken_down_before"]) == (1, [f"url {one['url']}"])
    gone = {str(one["doc_id"]), str(two["doc_id"])}
    assert left_of(before, Store(str(run)), set()) == left_of(before, Store(str(small_run / "run")), gone)
    old, new = hashes(small_run / "run", "shards", "provenance"), hashes(run, "shards", "provenance")
    changed = {name for name in old if old[name] != new[name]}
    assert all("train" in name and ("00001-of-00002" in name or name == "shards/mds/train/index.json") for name in changed)
    told = [done["shards"]["train-00001-of-00002"] for done in (first, second)]
    assert told[0]["after"] == told[1]["before"] == {name: middle[name] for name in changed}
    assert told[0]["before"] == {name: old[name] for name in changed}
    assert told[1]["after"] == {name: new[name] for name in changed}
    [letter, list_of_ids] = entries(run)
    assert (letter["why"], letter["sequences"], list_of_ids["ids"], list_of_ids["urls"]) == ("手紙", 1, [two["doc_id"]], [])
    assert letter["shards"]["train-00001-of-00002"]["after"] == list_of_ids["shards"]["train-00001-of-00002"]["before"]
    assert seiryu("verify", run).code == 0
    assert "all is done, nothing to make" in seiryu("run", run_copy / "config.yaml").err

    # A shard from before is not traced by numbers that it does not have.
    ended = seiryu("trace", small_run / "run/shards/megatron/train-00001-of-00002.bin", "0", "--run", run)
    assert (ended.code, "older than a takedown" in ended.err) == (1, True), ended.err


def test_what_hits_nothing_is_not_written_unless_it_is_meant_for_later(run_copy: Path) -> None:
    run = run_copy / "run"
    ended = seiryu("takedown", run, "--host", "hpptd.apache.org")
    assert (ended.code, "host hpptd.apache.org: hits nothing" in ended.err) == (1, True)
    assert not (run / "takedown.json").exists()
    before = hashes(run, "shards", "provenance", "units/shards")
    assert takedown(run, "--host", "later.example.jp", "--in-advance")["shards"] == {}
    assert hashes(run, "shards", "provenance", "units/shards") == before
    assert entries(run)[0]["hosts"] == ["later.example.jp"]
    assert seiryu("verify", run).code == 0


def test_pages_of_a_later_archive_are_left_out_too(run_copy: Path, tmp_path: Path) -> None:
    run, late = run_copy / "run", "CC-MAIN-2025-05-00000.warc.gz"
    hosts = Counter(str(row["url"]).split("/")[2] for rows in provenance(run).values() for row in rows if row["warc"] == late)
    host = hosts.most_common()[-1][0]
    archives = json.loads((run_copy / "config.yaml").read_text())["source"]["paths"][0]
    folder = shutil.copytree(Path(archives).parent, tmp_path / "archives")
    config = json.loads((run_copy / "config.yaml").read_text()) | {"run": str(tmp_path / "new")}
    config["source"]["paths"] = [str(folder / "*.warc*")]
    (tmp_path / "new.yaml").write_text(json.dumps(config))
    away = (folder / late).rename(tmp_path / late)
    assert seiryu("run", tmp_path / "new.yaml").code == 0
    takedown(tmp_path / "new", "--host", host, "--in-advance")
    away.rename(folder / late)

    # An archive that is not read yet lies in the way of another takedown, and nothing of it is written.
    ended = seiryu("takedown", tmp_path / "new", "--host", "www.nano-editor.org", "--in-advance")
    assert (ended.code, "have not been read" in ended.err) == (1, True), ended.err
    assert len(entries(tmp_path / "new")) == 1

    ended = seiryu("run", tmp_path / "new.yaml")
    assert ended.code == 0, ended.err
    found = [row for rows in provenance(tmp_path / "new").values() for row in rows]
    whole = [row for rows in provenance(run).values() for row in rows]
    assert sorted(row["doc_id"] for row in found) == sorted(
        row["doc_id"] for row in whole if not f".{str(row['url']).split('/')[2]}".endswith(f".{host}")
    )
    assert len(found) < len(whole)


def test_what_was_broken_off_is_carried_out_before_another_request(run_copy: Path, small_run: Path) -> None:
    run = run_copy / "run"
    one, two = provenance(run)["train-00000-of-00002"][:2]
    done = takedown(run, "--url", str(one["url"]))
    # As it is when the process dies once the request is written: the run before, and an open entry.
    [entry] = entries(run)
    for shard in (*entry["shards"].values(), *entry["files"].values()):
        shard["after"] = None
    shutil.rmtree(run)
    shutil.copytree(small_run / "run", run)
    (run / "takedown.json").write_text(json.dumps({"version": 1, "entries": [entry]}))
    ended = seiryu("takedown", run, "--url", str(two["url"]), "--dry-run")
    assert (ended.code, "not carried out yet" in ended.err) == (1, True), ended.err
    told = takedown(run, "--url", str(two["url"]))
    assert told["earlier"] == [done["shards"]]
    assert told["sequences"] == 1
    assert [shard["after"] for entry in entries(run) for shard in entry["shards"].values()].count(None) == 0
    urls = [row["url"] for rows in provenance(run).values() for row in rows]
    assert not {one["url"], two["url"]} & set(urls)
    assert takedown(run, "--url", str(two["url"]))["earlier"] == []


def test_a_run_would_not_be_emptied(run_copy: Path) -> None:
    run = run_copy / "run"
    (run_copy / "ids").write_text("\n".join(str(row["doc_id"]) for rows in provenance(run).values() for row in rows))
    ended = seiryu("takedown", run, "--ids", run_copy / "ids")
    assert (ended.code, "every sequence of the run" in ended.err) == (1, True), ended.err
    assert not (run / "takedown.json").exists()


def test_where_a_removed_copy_still_stands_is_told_and_left_to_a_person(small_run: Path) -> None:
    ended = seiryu("takedown", small_run / "run", "--url", "https://docs.gimp.org/2.10/ja/menus.html", "--dry-run", "--json")
    assert (ended.code, json.loads(ended.out)["sequences"]) == (1, 0)
    [twin] = json.loads(ended.out)["twins"]
    assert twin["verdict"] == "same_text"
    assert twin["kept_url"] == "https://docs.gimp.org/enc10/2.10/ja/menus.html"
    assert twin["kept"] in {row["doc_id"] for row in provenance(small_run / "run")[twin["shard"]]}
    told = seiryu("takedown", small_run / "run", "--host", "docs.gimp.org", "--dry-run", "--json")
    assert json.loads(told.out)["twins"] == []  # both are hit
