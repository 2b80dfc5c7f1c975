"""`status` tells how far a run is, from its directory alone, at any time."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from commandline import command, seiryu, write_config
from run_by_hand import NOW, Run, stamp

from seiryu.pipelines.engine.lease import lease
from seiryu.pipelines.reporting.funnel import as_json as funnel_json
from seiryu.pipelines.state import State
from seiryu.pipelines.telling.pace import course

KEYS = {"stage", "planned", "done", "set_aside", "units_a_second", "records_a_second", "remaining_seconds", "last_finished"}


def test_the_command_says_all_of_it(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    begun = {"extract": stamp(now - timedelta(seconds=1000))}
    run = Run(tmp_path, at="extract", planned={"extract": 50}, begun=begun)
    behind = (NOW - now).total_seconds()
    run.finished(*(behind + ago for ago in range(120, 520, 40)))
    with lease(run.store, print):
        said, known = seiryu("status", run.path), json.loads(seiryu("status", run.path, "--json").out)
    assert said.code == 0, said.err
    assert "10 of 50" in said.out
    assert "a run holds the directory; the last unit was finished 2." in said.out
    assert "not begun" in said.out
    assert set(known) == {"funnel", "stages", "set_aside", "damaged", "standing"}
    assert not known["damaged"]
    extract = known["standing"][0]
    assert set(extract) >= KEYS
    assert (extract["stage"], extract["planned"], extract["done"]) == ("extract", 50, 10)
    assert 0.01 < extract["units_a_second"] < 0.02
    assert 40 / 0.02 < extract["remaining_seconds"] < 40 / 0.01
    stopped = seiryu("status", run.path).out
    assert "no run is at work" in stopped
    assert "40 units" in stopped


def test_it_says_when_a_run_stands_still_or_was_stopped(tmp_path: Path) -> None:
    begun = {"extract": "2026-03-01T11:00:00Z"}
    run = Run(tmp_path, at="extract", planned={"extract": 50}, begun=begun)
    run.finished(100, 200, 300)
    with lease(run.store, print):
        assert (
            "extract: no unit was finished lately; 0.000857 units and 0.0343 records a second over all its 58 min"
            in seiryu("status", run.path).out
        )
    run.finished(-86_400 * 365 * 100)
    with lease(run.store, print):
        said = seiryu("status", run.path).out
    assert "extract: how fast it goes is unknown" in said
    assert "a run holds the directory; when the last unit was finished is unknown" in said


def test_a_finished_run_has_nothing_left(small_run: Path) -> None:
    said = seiryu("status", small_run / "run")
    assert "the run has ended; the last unit was finished " in said.out
    assert "unknown" not in said.out
    for stage in json.loads(seiryu("status", small_run / "run", "--json").out)["standing"]:
        assert stage["done"] == stage["planned"], stage["stage"]
        assert stage["remaining_seconds"] == 0


def test_names_and_reasons_of_units_reach_no_terminal_as_they_are(tmp_path: Path) -> None:
    run = Run(tmp_path, at="extract", planned={"extract": 2})
    why = "odd\x1b]0;title\x07\nall is well\u202e"
    run.store.write_json("units/extract/odd.failed", {"reason": why, "attempts": 2})
    said = seiryu("status", run.path).out
    assert "odd\ufffd]0;title\ufffd⏎all is well\ufffd" in said
    assert json.loads(seiryu("status", run.path, "--json").out)["set_aside"]["extract odd"]["reason"] == why


def test_damaged_records_are_named(small_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(small_run / "run", copy)
    for path in sorted((copy / "units/clean").glob("*.json"))[:2]:
        path.write_text("")
    (copy / "units/extract/odd.failed").write_text('{"attempts": 1, "reason": 5}')
    said = seiryu("status", copy).out
    assert "damaged: 2 of units/clean/*.json (CC-MAIN-2021-25-00000, ...), made again by the next run" in said
    assert "set aside: extract odd: its record units/extract/odd.failed is damaged" in said
    assert len(json.loads(seiryu("status", copy, "--json").out)["damaged"]["clean"]) == 2
    assert "2 units are not counted, their sidecars are damaged" in seiryu("report", copy).err
    verified = seiryu("verify", copy)
    assert verified.code == 1
    assert "odd.failed: is damaged, written anew by the next run" in verified.out


def test_a_run_can_be_asked_at_any_time(small_archives: Path, tmp_path: Path) -> None:
    """From its first second to its last, while units come to be there one by one."""
    config = write_config(tmp_path, small_archives)
    running = subprocess.Popen(command("run", config), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seen: list[int] = []
    try:
        while running.poll() is None:
            if not (tmp_path / "run/run.json").exists():
                continue
            state = State.of_run(str(tmp_path / "run"))
            now = course(state, {})
            funnel_json(state)
            seen.append(sum(pace.done for pace in now.stages))
            assert all((pace.left or 0) >= 0 for pace in now.stages)
            assert all((pace.remaining_seconds or 0) >= 0 for pace in now.stages)
    finally:
        running.kill()
        said = running.communicate()[1]
    assert running.returncode == 0, said
    assert len(set(seen)) > 5
    assert seen == sorted(seen)


def test_a_run_that_lacks_anything_can_be_asked(small_run: Path, tmp_path: Path) -> None:
    """As when it is made again, or a store lists late: of each stage in turn one sidecar is away."""
    run = tmp_path / "run"
    shutil.copytree(small_run / "run", run)
    for folder in sorted((run / "units").iterdir()):
        sidecar = min(folder.glob("*.json"))
        sidecar.rename(tmp_path / "away")
        state = State.of_run(str(run))
        stands = {pace.stage: pace for pace in course(state, {}).stages}
        funnel_json(state)
        (tmp_path / "away").rename(sidecar)
        assert stands[folder.name].done == len(list(folder.glob("*.json"))) - 1
