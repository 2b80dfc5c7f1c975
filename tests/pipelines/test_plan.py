"""What `plan` says of deduplication: the curve, and memory, disk and time that add up and are near to what a run takes."""

import json
from pathlib import Path

import numpy as np
import pytest
from commandline import seiryu
from duplicates import Doc, config_of, dealt, deduplicate, make_files, segments

from seiryu.corpus.storage import Store
from seiryu.pipelines.dedup_plan import MEETING, dedup_plan, steps
from seiryu.pipelines.state import State

TABLES = {"fingerprints", "signatures", "members", "groups", "choices"}


def planned(config: Path, *arguments: str) -> dict:
    ended = seiryu("plan", config, "--json", *arguments)
    assert ended.code == 0, ended.err
    found: dict = json.loads(ended.out)["deduplication"]
    return found


def test_the_curve_is_the_share_of_random_pairs_that_share_a_band(small_run: Path) -> None:
    found = dict(planned(small_run / "config.yaml", "--set", "dedup={preset: fineweb}")["found"])
    draw = np.random.default_rng(1)
    for similarity in (0.6, 0.75, 0.9):
        agree = draw.random((4000, 14, 8)) < similarity
        assert agree.all(axis=2).any(axis=1).mean() == pytest.approx(found[similarity], abs=0.03)


def test_a_run_that_has_judged_its_documents_is_planned_for_these(small_run: Path) -> None:
    run, found = small_run / "run", planned(small_run / "config.yaml")
    counts = [json.loads(file.read_text())["counts"] for file in (run / "units/fingerprints").glob("*.json")]
    assert found["documents"] == sum(each["records"] for each in counts) > 0
    assert found["where"] == "those that pass the rules"
    assert found["letters"] == round(sum(each["letters"]["kept"] for each in counts) / found["documents"])


def test_twice_the_documents_take_twice_the_disk_and_time_and_no_more_memory(small_run: Path) -> None:
    small, large = (planned(small_run / "config.yaml", "--documents", number) for number in ("20000000", "40000000"))
    assert (small["where"], small["meeting"]) == ("--documents", MEETING)
    for one, two in zip(small["steps"], large["steps"], strict=True):
        assert two["disk"] == pytest.approx(2 * one["disk"], rel=0.01)
        assert two["seconds"] >= 1.9 * one["seconds"]
        assert two["memory"] <= max(1_200_000_000, one["memory"]) or two["stage"] == "groups"
    assert sum(step["seconds"] for step in large["steps"]) < 2.6 * sum(step["seconds"] for step in small["steps"])


def test_the_page_for_people_says_the_cut_the_curve_and_the_sum(small_run: Path) -> None:
    ended = seiryu("plan", small_run / "config.yaml", "--documents", "27000000", "--set", "dedup={}")
    assert ended.code == 0, ended.err
    assert "deduplication of 27,000,000 documents (--documents)" in ended.out
    assert "40 bands of 20; duplicates from similarity 0.8 on, told by sets of shingles; newest first" in ended.out
    assert "0.371" in ended.out
    assert "  all " in ended.out


@pytest.mark.parametrize("verify", ["exact", "estimate"])
def test_the_disk_that_is_planned_is_about_what_the_tables_take(verify: str, tmp_path: Path) -> None:
    pieces = segments(3000, 300, 2)
    texts = ["".join(pieces[i : i + 6]) for i in range(0, 2400, 2)]  # none meets another
    texts += ["".join(pieces[2400 + i : 2406 + i]) + f"第{k}版" for i in range(0, 500, 10) for k in range(8)]
    docs = [Doc(f"{number:08x}-{number * 7919:024x}", text) for number, text in enumerate(texts)]
    config = config_of(tmp_path, verify=verify)
    state = make_files(tmp_path, dealt(docs, 2), config)
    deduplicate(state)
    plan = dedup_plan(state, 0)
    assert plan.documents == len(docs)
    assert plan.meeting == pytest.approx(0.25, abs=0.05)
    for step in plan.steps:
        size = sum(file.stat().st_size for file in (tmp_path / step.stage).glob("*.parquet") if step.stage != "select")
        if step.stage in TABLES:
            assert 0.4 * size - 5000 < step.disk, (step, size)
            # Eight versions of a text one after the other pack better than the plan takes documents to.
            assert step.disk < (8 if step.stage in ("members", "choices") else 2.5) * size, (step, size)


def test_units_of_the_plan_are_those_of_the_stages(tmp_path: Path) -> None:
    docs = [Doc(f"id{number:03d}", text * 3) for number, text in enumerate(segments(30, 40, 1))]
    docs += [Doc(f"x{doc.doc_id}", doc.text + "。") for doc in docs]
    config = config_of(tmp_path)
    state = make_files(tmp_path, dealt(docs, 3), config)
    made = deduplicate(state)
    assert {step.stage: step.units for step in steps(config, len(docs), 3, 120, 1.0)} == made


def test_the_sums_are_those_of_the_steps_and_workers_beyond_the_units_spare_nothing(small_run: Path) -> None:
    few, many = (
        planned(small_run / "config.yaml", "--documents", "9000000", "--set", f"engine.workers={workers}")
        for workers in (2, 1000)
    )
    for plan, workers in ((few, 2), (many, 1000)):
        steps = plan["steps"]
        assert plan["disk"] == sum(step["disk"] for step in steps)
        assert plan["seconds"] == pytest.approx(sum(step["seconds"] for step in steps))
        assert plan["memory"] == max(step["memory"] for step in steps)
        assert plan["wall_seconds"] == pytest.approx(sum(step["seconds"] / min(workers, step["units"]) for step in steps))
    groups = next(step for step in many["steps"] if step["stage"] == "groups")
    assert (groups["units"], groups["memory"]) == (1, 16 * (9_000_000 + 9_000_000 * MEETING))
    assert groups["seconds"] < many["wall_seconds"] < few["wall_seconds"] < few["seconds"]
    assert (few["bands"], few["rows"], few["threshold"], few["verify"]) == (30, 4, 0.3, "exact")
    silent = planned(small_run / "config.yaml", "--set", "engine={}")
    assert (silent["workers"], silent["wall_seconds"]) == (0, None)


def test_before_anything_is_judged_archives_of_a_gigabyte_are_taken_to_hold_300_documents_each(tmp_path: Path) -> None:
    state = State(Store(str(tmp_path)), config_of(tmp_path))
    plan = dedup_plan(state, 90_000 * 10**9)
    assert (plan.documents, plan.where) == (27_000_000, "300 a GB of archives, as of Common Crawl")
    assert plan.steps[0].units == plan.steps[3].units == 90_000
    assert plan.steps[0].memory < 10_000_000
