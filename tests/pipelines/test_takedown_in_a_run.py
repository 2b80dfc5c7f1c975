"""A takedown leaves every other sequence as it was, and every shard that it does not touch byte for byte."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commandline import hashes, seiryu, write_config
from corpus_tables import sequences

from seiryu.corpus.storage import Store


@pytest.fixture(scope="module")
def taken(small_run: Path, small_archives: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, object]]:
    """A copy of the small run with the host taken down that stands in fewest shards; the host, and what the command said."""
    folder = tmp_path_factory.mktemp("taken")
    shutil.copytree(small_run / "run", folder / "run")
    write_config(folder, small_archives)
    where: dict[str, set[str]] = {}
    for file in (small_run / "run/provenance").glob("*.parquet"):
        for url in pq.read_table(file)["url"].to_pylist():
            where.setdefault(url.split("/")[2], set()).add(file.stem)
    host = min(where, key=lambda name: (len(where[name]), name))
    assert len(where[host]) < len(list((small_run / "run/provenance").glob("*.parquet")))
    ended = seiryu("takedown", folder / "run", "--host", host, "--why", "secret", "--json")
    assert ended.code == 0, ended.err
    return folder, host, json.loads(ended.out)


def of_host(url: str, host: str) -> bool:
    name = url.split("/")[2]
    return name == host or name.endswith(f".{host}")


def test_every_other_sequence_is_identical_and_other_shards_are_untouched(
    taken: tuple[Path, str, dict[str, object]], small_run: Path
) -> None:
    folder, host, said = taken
    before, after = Store(str(small_run / "run")), Store(str(folder / "run"))
    gone, touched = 0, set()
    for name in sorted(path.stem for path in (small_run / "run/provenance").glob("*.parquet")):
        urls = pq.read_table(small_run / f"run/provenance/{name}.parquet")["url"].to_pylist()
        stay = [sequence for sequence, url in zip(sequences(before, name), urls, strict=True) if not of_host(url, host)]
        if len(stay) < len(urls):
            touched.add(name)
            gone += len(urls) - len(stay)
        assert (sequences(after, name) if after.exists(f"provenance/{name}.parquet") else []) == stay
    assert said["sequences"] == said["documents"] == gone > 0
    assert set(said["shards"]) == touched
    old, new = hashes(small_run / "run", "shards", "provenance"), hashes(folder / "run", "shards", "provenance")
    numbers = {name.partition("-")[2] for name in touched}
    changed = {name for name in old if old[name] != new.get(name)}
    assert changed
    splits = {name.partition("-")[0] for name in touched}
    assert all(
        any(number in name for number in numbers) or name in {f"shards/mds/{split}/index.json" for split in splits}
        for name in changed
    )
    told = {name: sums["after"] for name, sums in said["shards"].items()}
    assert {name: sha for files in told.values() for name, sha in files.items()}.items() <= new.items()
    assert changed <= {name for sums in said["shards"].values() for name in sums["before"]}


def test_what_was_done_is_recorded_and_sound_and_nothing_is_left_to_make(taken: tuple[Path, str, dict[str, object]]) -> None:
    folder, host, _ = taken
    [entry] = json.loads((folder / "run/takedown.json").read_text())["entries"]
    assert (entry["hosts"], entry["why"]) == ([host], "secret")
    ended = seiryu("verify", folder / "run")
    assert ended.code == 0, ended.out
    again = seiryu("run", folder / "config.yaml")
    assert again.code == 0, again.err
    assert "all is done, nothing to make" in again.err
    assert "documents in shards" in again.out
    twice = seiryu("takedown", folder / "run", "--host", host)
    assert "0 documents, 0 sequences, 0 tokens in 0 shards" in twice.err


def test_a_takedown_that_was_broken_off_is_found_and_carried_out_by_the_next_run(run_copy: Path) -> None:
    run = run_copy / "run"
    urls = [url for file in sorted((run / "provenance").glob("train*.parquet")) for url in pq.read_table(file)["url"].to_pylist()]
    entry = {
        "when": "",
        "why": "",
        "hosts": [],
        "urls": [urls[0]],
        "ids": [],
        "documents": 1,
        "sequences": 1,
        "tokens": 1,
        "shards": {},
    }
    (run / "takedown.json").write_text(json.dumps({"version": 1, "entries": [entry]}))
    ended = seiryu("verify", run)
    assert ended.code == 1
    assert "not all that it names is out of the shards" in ended.out
    ended = seiryu("run", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    assert seiryu("verify", run).code == 0
    left = Counter(url for file in (run / "provenance").glob("*.parquet") for url in pq.read_table(file)["url"].to_pylist())
    assert left[urls[0]] == 0
    assert left.total() == sum(json.loads(path.read_text())["counts"]["kept"] for path in (run / "units/shards").glob("*.json"))


def test_a_shard_of_which_nothing_is_left_goes(run_copy: Path) -> None:
    run = run_copy / "run"
    victim = sorted((run / "provenance").glob("validation*.parquet"))[0]
    ids = run_copy / "ids"
    ids.write_text("\n".join(f"<urn:uuid:{doc_id.upper()}>" for doc_id in pq.read_table(victim)["doc_id"].to_pylist()))
    dry = seiryu("takedown", run, "--ids", ids, "--dry-run")
    assert victim.stem in dry.out
    assert victim.exists()
    assert not (run / "takedown.json").exists()
    ended = seiryu("takedown", run, "--ids", ids)
    assert ended.code == 0, ended.err
    assert "gone: nothing is left in it" in ended.out
    assert not victim.exists()
    assert not [path for path in (run / "shards").rglob("*") if path.is_file() and "validation" in str(path)]
    assert seiryu("verify", run).code == 0
