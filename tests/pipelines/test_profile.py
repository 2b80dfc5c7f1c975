"""`profile`: where the time went adds up, two runs stand side by side, and what was never recorded is said and not guessed."""

import json
import re
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest
from commandline import SAMPLES, SMALL, hashes, seiryu, write_config
from duplicates import config_of

from seiryu.corpus.storage import Store, Written
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.isolation.isolated import Limits, close_kept, kept, kept_cpu_seconds, kept_peak_memory
from seiryu.pipelines.profiling.clock import Clock
from seiryu.pipelines.profiling.profile import CHILD, Profile, compared, profile
from seiryu.pipelines.stages import extract
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar

KEYS = {"machine", "made", "run", "seiryu", "python", "libraries", "config_sha256", "written", "worker_seconds", "cpu_seconds", "stages",
        "against", "cost", "no_cost"}  # fmt: skip
STAGE_KEYS = {"stage", "what", "units", "unmeasured", "worker_seconds", "cpu_seconds", "share", "wall_seconds", "records",
              "records_a_second", "pages", "pages_a_second", "bytes_in", "bytes_in_a_second", "bytes_out", "peak_memory", "parts"}  # fmt: skip
COST_KEYS = {"archives", "nodes", "cores", "snapshot", "stages", "cpu_hours", "wall_hours", "download_hours", "money", "currency", "disk",
             "memory", "node_memory", "sample", "assumptions"}  # fmt: skip


def sidecar(
    stage: str, unit: str, inputs: dict, output: tuple[str, int], counts: Counts, seconds: float, **spent: object
) -> Sidecar:
    made = {"version": 1, "settings": {}, "params": {}, "inputs": inputs}
    written = (Written(f"{stage}/{unit}", output[1], output[0]),)
    return Sidecar(
        stage, unit, made, written, counts, seconds, finished=str(spent.pop("finished", "2026-01-01T00:00:10Z")), **spent
    )


def by_hand(folder: Path) -> State:
    """Two archives, extracted and annotated."""
    state = State(Store(str(folder)), config_of(folder))
    state.store.write_json("run.json", {"seiryu": "1", "python": "3", "libraries": {}, "config_sha256": "c", "written": "now"})
    counts = [
        Counts(30, 4, Counter(few_kana=26), extra=Counter(pages=10)),
        Counts(60, 6, Counter(no_text=54), extra=Counter(pages=20)),
    ]
    state._completed["extract"] = {
        "a": sidecar("extract", "a", {"size": 1000}, ("aa", 100), counts[0], 4.0, cpu_seconds=3.0, peak_memory=7,
                     times={"read": 1.0, "wait": 2.5, "child.text": 2.0}),
        "b": sidecar("extract", "b", {"size": 3000}, ("bb", 300), counts[1], 6.0, cpu_seconds=5.0, peak_memory=9,
                     times={"read": 2.0, "wait": 3.0, "child.text": 2.5}, finished="2026-01-01T00:00:12Z"),
    }  # fmt: skip
    state._completed["annotate"] = {
        "a": sidecar("annotate", "a", {"documents": "aa"}, ("cc", 10), Counts(4, 4), 10.0, cpu_seconds=2.0, peak_memory=3),
        "b": sidecar("annotate", "b", {"documents": "bb"}, ("dd", 20), Counts(6, 6), 20.0, cpu_seconds=3.0, peak_memory=5,
                     finished="2026-01-01T00:01:00Z"),
    }  # fmt: skip
    return state


def test_figures_of_hand_made_sidecars_are_those_computed_by_hand(tmp_path: Path) -> None:
    found = profile(by_hand(tmp_path)).as_json()
    assert (found["worker_seconds"], found["cpu_seconds"], found["config_sha256"]) == (40.0, 13.0, "c")
    extracted, annotated = found["stages"]
    assert set(extracted) == set(annotated) == STAGE_KEYS
    assert (extracted["worker_seconds"], extracted["cpu_seconds"], extracted["share"]) == (10.0, 8.0, 0.25)
    assert (extracted["records"], extracted["pages"], extracted["records_a_second"], extracted["pages_a_second"]) == (
        90,
        30,
        11.25,
        3.75,
    )
    assert (extracted["bytes_in"], extracted["bytes_in_a_second"], extracted["bytes_out"]) == (4000, 500.0, 400)
    assert extracted["peak_memory"] == 9
    assert extracted["wall_seconds"] == 6.0  # from 6 to 10 and from 6 to 12
    assert annotated["wall_seconds"] == 30.0  # from 0 to 10 and from 40 to 60
    assert (annotated["bytes_in"], annotated["pages_a_second"], annotated["parts"]) == (400, None, {})
    parts = {name: part["seconds"] for name, part in extracted["parts"].items()}
    assert parts == {"wait": 5.5, "child.text": 4.5, "read": 3.0, "other": 1.5}
    assert extracted["parts"]["wait"]["share"] == 0.55


def test_a_unit_without_cpu_seconds_leaves_its_stage_without_a_sum(tmp_path: Path) -> None:
    state = by_hand(tmp_path)
    old = state._completed["annotate"]["a"]
    state._completed["annotate"]["a"] = Sidecar(old.stage, old.unit, old.made_of, old.outputs, old.counts, old.seconds)
    found = profile(state)
    extracted, annotated = (stage.as_json(1) for stage in found.stages)
    assert (annotated["unmeasured"], annotated["cpu_seconds"], annotated["records_a_second"]) == (1, None, None)
    assert annotated["worker_seconds"] == 30.0
    assert extracted["cpu_seconds"] == 8.0
    assert found.cpu_seconds is None


def test_a_record_is_compared_with_a_record(tmp_path: Path) -> None:
    mine = profile(by_hand(tmp_path))
    twice = by_hand(tmp_path)
    for name, done in twice._completed["annotate"].items():  # as many records, in twice the CPU time
        more = {"cpu_seconds": 2 * done.cpu_seconds, "peak_memory": 1}
        twice._completed["annotate"][name] = Sidecar(
            done.stage, done.unit, done.made_of, done.outputs, done.counts, done.seconds, **more
        )
    assert compared(profile(twice), mine)["annotate"] == {"cpu_a_record": 2.0, "seconds_a_record": 1.0}
    assert compared(mine, Profile("elsewhere", ())) == {}


def test_the_laps_of_a_clock_add_up_to_the_time_that_has_passed() -> None:
    begin, clock = time.perf_counter(), Clock()
    for _ in range(3):
        time.sleep(0.01)
        clock.lap("sleep")
        time.sleep(0.01)
        clock.apart("inner", 0.005)
        clock.lap("rest")
    passed = time.perf_counter() - begin
    assert sum(clock.times.values()) == pytest.approx(passed, abs=0.002)
    assert clock.times["inner"] == pytest.approx(0.015)
    assert clock.times["sleep"] >= 0.03


def test_a_lap_costs_less_than_a_microsecond() -> None:
    """A page that is extracted has nine: with 0.3 ms for the cheapest page that is less than a hundredth, at a hundred times the price."""
    clock, rounds = Clock(), []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(10_000):
            clock.lap("x")
        rounds.append((time.perf_counter() - begin) / 10_000)
    assert min(rounds) < 1e-6


def test_the_parts_of_extraction_add_up_and_the_child_has_spent_what_it_says(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    (unit,) = extract.units_of_files([str(SAMPLES / SMALL[0])], config)
    before, begin = kept_cpu_seconds(), time.perf_counter()
    result = extract.work(unit, config, Store(str(tmp_path)))
    passed, spent = time.perf_counter() - begin, kept_cpu_seconds() - before
    ours = sum(seconds for name, seconds in result.times.items() if not name.startswith(CHILD))
    child = {name: seconds for name, seconds in result.times.items() if name.startswith(CHILD)}
    assert 0.95 * passed <= ours <= passed
    assert sum(child.values()) <= passed + 0.05  # a start is told in the kernel's ticks
    assert {"child.start", "child.text", "child.language", "child.readable", "child.page"} <= child.keys()
    assert result.times["child.text"] > result.times["child.language"] > 0
    assert child["child.start"] < spent < sum(child.values()) + 1.0  # by the clock a part is longer, if others are at work
    assert kept_peak_memory() > 100 << 20  # its language model alone
    again = extract.work(unit, config, Store(str(tmp_path)))
    assert again.times["child.start"] == 0.0  # the same child
    assert [output.sha256 for output in again.outputs] == [output.sha256 for output in result.outputs]
    close_kept()


def test_cpu_seconds_of_children_never_go_back_when_one_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    close_kept()
    before = kept_cpu_seconds()
    isolated = kept("bad_pages:factory", b"!", Limits(seconds=0.5, memory=150 << 20))
    assert [answer for _, answer in isolated.answers([(0, b"early")])] == [b"early!"]
    alive = kept_cpu_seconds()
    list(isolated.answers([(0, b"burn_in_c")]))  # until its half second of CPU time is up
    killed = kept_cpu_seconds()
    close_kept()
    closed = kept_cpu_seconds()
    assert before <= alive <= killed <= closed
    assert killed - alive > 0.4
    assert closed - killed < 0.2  # what was counted of a living child is not counted once more
    assert kept_peak_memory() == 0


def test_the_memory_of_a_page_is_seen_though_its_child_did_not_outlive_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    isolated = kept("bad_pages:factory", b"!", Limits(seconds=5, memory=300 << 20))
    list(isolated.answers([(0, b"early")]))
    little = kept_peak_memory()
    list(isolated.answers([(0, b"eat_in_python")]))
    assert little < 100 << 20 < kept_peak_memory()
    list(isolated.answers([(0, b"late")]))
    assert kept_peak_memory() < 100 << 20  # of the last answers, not of all
    close_kept()


def test_a_profile_of_a_run_that_is_done_makes_nothing_and_its_parts_add_up(small_run: Path) -> None:
    before = hashes(small_run / "run", "documents", "units", "shards")
    ended = seiryu("profile", small_run / "config.yaml", "--json", "--nodes", "4", "--cores", "8")
    assert ended.code == 0, ended.err
    assert hashes(small_run / "run", "documents", "units", "shards") == before
    found = json.loads(ended.out)
    assert set(found) == KEYS
    assert found["made"] == {}
    assert found["machine"].keys() == {"cpu", "cores", "memory"}
    assert all(set(stage) == STAGE_KEYS for stage in found["stages"])
    record = json.loads((small_run / "run" / "run.json").read_text())
    assert (found["config_sha256"], found["libraries"]) == (record["config_sha256"], record["libraries"])
    assert found["worker_seconds"] == pytest.approx(sum(stage["worker_seconds"] for stage in found["stages"]), abs=0.01)
    assert sum(stage["share"] for stage in found["stages"]) == pytest.approx(1, abs=0.01)
    extracted = next(stage for stage in found["stages"] if stage["stage"] == "extract")
    ours = sum(part["seconds"] for name, part in extracted["parts"].items() if not name.startswith(CHILD))
    assert ours == pytest.approx(extracted["worker_seconds"], rel=0.02)
    assert extracted["bytes_in"] == sum((SAMPLES / name).stat().st_size for name in SMALL)
    started = extracted["parts"]["child.start"]["seconds"]  # CPU time, as no other part is
    assert extracted["cpu_seconds"] > 1.5 * started > 0, "the child's CPU time is missing from the sidecars"
    assert set(found["cost"]) == COST_KEYS
    assert (found["cost"]["nodes"], found["cost"]["cores"], found["cost"]["archives"]) == (4, 8, 90_000)
    assert found["cost"]["money"] is None
    assert [stage["stage"] for stage in found["cost"]["stages"]] == [stage["stage"] for stage in found["stages"]]


def test_the_page_for_people_has_the_parts_of_extraction_another_run_beside_it_and_what_is_assumed(small_run: Path) -> None:
    ended = seiryu("profile", small_run / "config.yaml", "--against", small_run / "run", "--set", "prices.core_hour=0.04")
    assert ended.code == 0, ended.err
    assert "all is done, nothing to make" in ended.err
    assert re.search(r"^ *extract +3 .* 1\.00\s*$", ended.out, re.MULTILINE), ended.out
    assert re.search(r"in the child +main text", ended.out)
    assert "a snapshot of 90,000 archives on 10 nodes of" in ended.out
    assert "3 archives were measured: take this for an order of magnitude" in ended.out
    assert re.search(r"USD [\d,.]+ \([\d,.]+ - [\d,.]+\)", ended.out)
    assert "fewer than 40, so the interval is too narrow" in ended.out
    assert "extrapolated by more than 1,000 times: extract, annotate" in ended.out


def test_a_run_of_before_cpu_seconds_were_recorded_has_its_table_and_no_cost(run_copy: Path) -> None:
    for file in (run_copy / "run" / "units").glob("*/*.json"):
        old = json.loads(file.read_text())
        for key in ("cpu_seconds", "peak_memory", "times"):
            del old[key]
        file.write_text(json.dumps(old))
    ended = seiryu("profile", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    assert "CPU time not recorded when" in ended.out
    assert "its parts were not recorded when it was made" in ended.out
    assert "no cost of a snapshot: CPU seconds of extract, annotate" in ended.out
    found = json.loads(seiryu("profile", run_copy / "config.yaml", "--json").out)
    assert set(found) == KEYS
    assert (found["cost"], found["cpu_seconds"]) == (None, None)


def test_a_small_config_is_run_by_its_profile(tmp_path: Path) -> None:
    archives = tmp_path / "archives"
    archives.mkdir()
    shutil.copy(SAMPLES / SMALL[0], archives)
    ended = seiryu("profile", write_config(tmp_path, archives), "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["made"]["extract"] == 1
    assert Config.model_validate_json((tmp_path / "config.yaml").read_text()).sha256() == found["config_sha256"]
