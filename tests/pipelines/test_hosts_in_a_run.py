"""Hosts in a whole run on real archives: the sums, whatever the workers, and what becomes of the pages of a host that is left out."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
from commandline import hashes, seiryu


def read(run: Path, folder: str) -> list[dict]:
    return [row for file in sorted((run / folder).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def test_one_worker_makes_the_same_tables_as_two_and_both_are_the_brute_force_count(small_run: Path, run_copy: Path) -> None:
    run, folders = run_copy / "run", ("addresses", "host_counts", "hosts")
    for folder in folders:
        shutil.rmtree(run / folder)
    for stage in ("addresses", "hosts"):
        shutil.rmtree(run / "units" / stage)
    ended = seiryu("run", run_copy / "config.yaml", "--until", "hosts", "--set", "engine.workers=1")
    assert ended.code == 0, ended.err
    assert hashes(run, *folders) == hashes(small_run / "run", *folders)
    count: Counter[tuple[str, str]] = Counter()
    for page, signals in zip(read(run, "documents"), read(run, "signals"), strict=True):
        found = {"documents": 1, "letters": signals["letters"]} | {
            f"pages_{words}": signals[f"{words}_distinct"] > 0 for words in ("dating", "ng")
        }
        count.update({(page["host"], name): number for name, number in found.items()})
    rows = read(run, "hosts")
    assert {row["host"] for row in rows} == {host for host, _ in count}
    for row in rows:
        assert all(row[name] == count[row["host"], name] for name in ("documents", "letters", "pages_ng", "pages_dating"))


def test_a_blocked_host_loses_its_pages_and_nobody_is_lost_as_their_duplicate(run_copy: Path) -> None:
    run = run_copy / "run"
    before = {row["doc_id"]: row for row in read(run, "dedup")}
    host_of = {row["doc_id"]: row["host"] for row in read(run, "documents")}
    pairs = {(host_of[row["duplicate_of"]], host_of[doc_id]) for doc_id, row in before.items() if row["duplicate_of"]}
    blocked = next(kept for kept, lost in sorted(pairs))
    ended = seiryu("run", run_copy / "config.yaml", "--set", f"hosts.block=[{blocked}]")
    assert ended.code == 0, ended.err
    verdicts = {row["doc_id"]: row for row in read(run, "verdicts")}
    for doc_id, row in verdicts.items():
        assert (row["blocked"] == f"blocked: {blocked}") == (host_of[doc_id] == blocked)
    after = {row["doc_id"]: row for row in read(run, "dedup")}
    assert not {doc_id for doc_id in after if host_of[doc_id] == blocked}
    assert all(after[row["duplicate_of"]]["verdict"] == "kept" for row in after.values() if row["duplicate_of"])
    assert not {row["doc_id"] for row in read(run, "corpus")} & {doc_id for doc_id, host in host_of.items() if host == blocked}
    table_of = {row["host"]: row for row in read(run, "hosts")}
    assert table_of[blocked]["verdict"] == f"blocked: {blocked}"
    assert table_of[blocked]["documents"] == sum(host == blocked for host in host_of.values())
    steps = {step["name"]: step for step in json.loads(seiryu("status", run, "--json").out)["funnel"]}
    lost = sum(row["blocked"] != "" and row["reject_mask"] == 0 for row in verdicts.values())
    assert steps["blocked_host"]["documents"] == lost > 0


def test_what_is_too_short_after_cleaning_is_counted_in_the_funnel(run_copy: Path) -> None:
    ended = seiryu("run", run_copy / "config.yaml", "--set", "clean.min_letters=600")
    assert ended.code == 0, ended.err
    steps = json.loads(seiryu("status", run_copy / "run", "--json").out)["funnel"]
    by_name = {step["name"]: step for step in steps}
    cut = by_name["cut from texts"]["letters"] if "cut from texts" in by_name else 0
    short = by_name["short_after_cleaning"]
    left = by_name["without duplicates"]
    assert short["documents"] > 0
    assert by_name["final documents"]["letters"] == left["letters"] - cut - short["letters"]
    assert by_name["final documents"]["documents"] == left["documents"] - short["documents"]
