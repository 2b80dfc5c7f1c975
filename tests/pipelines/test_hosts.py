"""Hosts that are left out: their pages count, but take nothing with them."""

import json
from pathlib import Path

import pyarrow.parquet as pq
from commandline import seiryu


def rows(run: Path, folder: str) -> list[dict]:
    return [row for file in sorted((run / folder).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def test_a_blocked_host_loses_its_pages_and_nobody_is_lost_as_their_duplicate(run_copy: Path) -> None:
    run = run_copy / "run"
    before = {row["doc_id"]: row for row in rows(run, "dedup")}
    host_of = {row["doc_id"]: row["host"] for row in rows(run, "documents")}
    pairs = {(host_of[row["duplicate_of"]], host_of[doc_id]) for doc_id, row in before.items() if row["duplicate_of"]}
    blocked = next(kept for kept, lost in sorted(pairs))
    ended = seiryu("run", run_copy / "config.yaml", "--set", f"hosts.block=[{blocked}]")
    assert ended.code == 0, ended.err
    after = {row["doc_id"]: row for row in rows(run, "dedup")}
    for doc_id, row in after.items():
        assert (row["verdict"] == "blocked_host") == (host_of[doc_id] == blocked)
        if row["duplicate_of"]:
            assert after[row["duplicate_of"]]["verdict"] == "kept"
    assert not {row["doc_id"] for row in rows(run, "corpus")} & {id for id, host in host_of.items() if host == blocked}
    hosts = {row["host"]: row for row in pq.read_table(run / "hosts.parquet").to_pylist()}
    assert hosts[blocked]["verdict"] == f"blocked: {blocked}"
    assert hosts[blocked]["documents"] == sum(host == blocked for host in host_of.values())
    steps = {step["name"]: step for step in json.loads(seiryu("status", run, "--json").out)["funnel"]}
    assert steps["blocked_host"]["documents"] == sum(row["verdict"] == "blocked_host" for row in after.values()) > 0


def test_what_is_too_short_after_cleaning_is_counted_in_the_funnel(run_copy: Path) -> None:
    ended = seiryu("run", run_copy / "config.yaml", "--set", "clean.min_letters=600")
    assert ended.code == 0, ended.err
    steps = json.loads(seiryu("status", run_copy / "run", "--json").out)["funnel"]
    by_name = {step["name"]: step for step in steps}
    cut = by_name["cut from texts"]["letters"] if "cut from texts" in by_name else 0
    short = by_name["short_after_cleaning"]
    left = by_name["without near-duplicates"]
    assert short["documents"] > 0
    assert by_name["final documents"]["letters"] == left["letters"] - cut - short["letters"]
    assert by_name["final documents"]["documents"] == left["documents"] - short["documents"]
