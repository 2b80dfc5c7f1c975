"""A page that somebody asked to take down is out of the next publication, and the card says how many, never why or whose."""

import json
from pathlib import Path

import pyarrow.parquet as pq
from commandline import seiryu


def test_what_is_taken_down_leaves_the_publication_and_nobody_is_named(run_copy: Path, tmp_path: Path) -> None:
    target, run = tmp_path / "dataset", run_copy / "run"
    assert seiryu("publish", run, "--out", target).code == 0
    url = pq.read_table(run / "provenance/train-00000-of-00002.parquet")["url"][0].as_py()
    before = {path: pq.read_table(path)["url"].to_pylist() for path in (target / "provenance").iterdir()}
    hit = sum(found.count(url) for found in before.values())
    entry = {
        "when": "2026-11-26T12:00:00Z", "why": "Taro asked in a letter", "hosts": [], "urls": [url], "ids": [], "sequences": hit,
        "documents": hit, "shards": {},
    }  # fmt: skip
    (run / "takedown.json").write_text(json.dumps({"version": 1, "entries": [entry]}))
    ended = seiryu("publish", run, "--out", target)
    assert (ended.code, "takedown.json" in ended.err) == (1, True)

    ended = seiryu("run", run_copy / "config.yaml", "--from", "takedown")
    assert ended.code == 0, ended.err
    ended = seiryu("publish", run, "--out", target, "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert "provenance/train-00000-of-00002.parquet" in found["written"]
    assert "megatron/validation-00000-of-00001.bin" in found["same"]
    after = [url for path in (target / "provenance").iterdir() for url in pq.read_table(path)["url"].to_pylist()]
    assert url not in after
    assert len(after) == sum(len(urls) for urls in before.values()) - hit
    rows = {row["split"]: row for row in found["facts"]["splits"]}
    assert sum(row["sequences"] for row in rows.values()) == sum(row["documents"] for row in rows.values()) == len(after)
    card = (target / "README.md").read_text()
    assert f"`2026-11-26` ({hit} documents, {hit} sequences)" in card
    made_here = card + (target / "lineage/events.jsonl").read_text() + ended.out
    assert "Taro" not in made_here
    assert url not in made_here
