"""records = kept + rejected + failed, in every stage, against counts that the test makes itself."""

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commandline import SMALL, seiryu
from warcio.archiveiterator import ArchiveIterator

STAGES = ("extract", "annotate", "addresses", "hosts", "decide", "fingerprints", "pages", "copies", "signatures", "bands",
          "groups", "members", "choices", "select", "lines", "boilerplate", "clean",
          "tokenize", "shards")  # fmt: skip


def sidecars(run: Path, stage: str) -> dict[str, dict]:
    return {file.stem: json.loads(file.read_text()) for file in sorted((run / "units" / stage).glob("*.json"))}


def total(run: Path, stage: str) -> Counter:
    counts: Counter = Counter()
    for sidecar in sidecars(run, stage).values():
        found = sidecar["counts"]
        counts["records"] += found["records"]
        counts["kept"] += found["kept"]
        counts["rejected"] += sum(found["rejected"].values())
        counts["failed"] += sum(found["failed"].values())
    return counts


@pytest.mark.parametrize("stage", STAGES)
def test_the_law_holds_for_every_unit_of_every_stage(stage: str, small_run: Path) -> None:
    found = sidecars(small_run / "run", stage)
    assert found
    for name, sidecar in found.items():
        counts = sidecar["counts"]
        accounted = counts["kept"] + sum(counts["rejected"].values()) + sum(counts["failed"].values())
        assert counts["records"] == accounted, name


@pytest.mark.parametrize("archive", SMALL)
def test_records_and_their_kinds_are_those_that_warcio_counts(archive: str, small_run: Path, small_archives: Path) -> None:
    kinds: Counter = Counter()
    with (small_archives / archive).open("rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type != "response":
                kinds[record.rec_type] += 1
            elif record.http_headers.get_statuscode() != "200":
                kinds["http_status"] += 1
            kinds["all"] += 1
    counts = sidecars(small_run / "run", "extract")[archive.removesuffix(".warc.gz")]["counts"]
    assert counts["records"] == kinds.pop("all")
    assert {kind: counts["rejected"].get(kind, 0) for kind in kinds} == dict(kinds)


def test_what_a_stage_keeps_is_what_lies_in_its_table_and_what_the_next_one_begins_with(small_run: Path) -> None:
    run = small_run / "run"

    def rows(folder: str) -> int:
        return sum(pq.read_metadata(file).num_rows for file in (run / folder).glob("*.parquet"))

    decided = [row for file in (run / "verdicts").glob("*.parquet") for row in pq.read_table(file).to_pylist()]
    passing = sum(row["reject_mask"] == 0 and row["blocked"] == "" for row in decided)
    verdicts = [pq.read_table(file)["verdict"].to_pylist() for file in (run / "dedup").glob("*.parquet")]
    unique = sum(verdict == "kept" for unit in verdicts for verdict in unit)
    kept = {stage: total(run, stage)["kept"] for stage in STAGES}
    records = {stage: total(run, stage)["records"] for stage in STAGES}
    assert kept["extract"] == rows("documents") == rows("signals") == rows("addresses") == records["annotate"] > 0
    assert kept["annotate"] == rows("verdicts") == records["decide"] == records["addresses"]
    assert kept["decide"] == passing == rows("fingerprints") == records["select"] == records["fingerprints"] > 0
    assert 0 < rows("signatures") == kept["signatures"] <= kept["fingerprints"]
    assert kept["select"] == unique == records["clean"] > 0
    assert kept["clean"] == rows("corpus") == records["tokenize"] > 0
    assert kept["tokenize"] == records["shards"] == rows("provenance") == kept["shards"]


def test_the_funnel_that_is_printed_adds_up(small_run: Path) -> None:
    ended = seiryu("status", small_run / "run", "--json")
    steps = json.loads(ended.out)["funnel"]
    left = letters = None
    for step in steps:
        if step["kind"] == "total":
            assert left in (None, step["documents"]), step
            left = step["documents"]
            if letters is not None:
                assert letters == step["letters"], step
            letters = step["letters"]
        else:
            left -= step["documents"]
            letters = None if letters is None else letters - step["letters"]
    assert steps[-1]["name"] == "final documents"
    texts = [text for file in (small_run / "run/corpus").glob("*.parquet") for text in pq.read_table(file)["text"].to_pylist()]
    assert steps[-1]["letters"] == sum(len(text) - text.count("\n") for text in texts)
    assert steps[-1]["tokens"] == sum(
        sum(pq.read_table(file)["tokens"].to_pylist()) for file in (small_run / "run/provenance").glob("*.parquet")
    )
