"""What is done is not made again; what another config, input or code would make differently is, and `plan` says why."""

import json
import shutil
from pathlib import Path

import pytest
from commandline import hashes, seiryu, write_config


def plan(folder: Path, *changes: str) -> dict[str, dict]:
    arguments = [part for change in changes for part in ("--set", change)]
    ended = seiryu("plan", folder / "config.yaml", "--json", *arguments)
    assert ended.code == 0, ended.err
    return {step["stage"]: step for step in json.loads(ended.out)["stages"]}


def to_make(folder: Path, *changes: str) -> dict[str, int]:
    """Units to make, of the first stage that has any."""
    return {stage: step["to_make"] for stage, step in plan(folder, *changes).items() if step["to_make"]}


def test_a_second_run_says_that_all_is_done_and_starts_nothing(small_run: Path) -> None:
    before = hashes(small_run / "run", "shards", "units")
    ended = seiryu("run", small_run / "config.yaml")
    assert ended.code == 0
    assert ended.err == "all is done, nothing to make\n"
    assert hashes(small_run / "run", "shards", "units") == before
    assert to_make(small_run) == {}


@pytest.mark.parametrize(
    ("change", "stage", "why"),
    [
        ("extract.min_kana=21", "extract", "extract.min_kana: 20 -> 21"),
        ("rules.change.few_hiragana.low=0.3", "decide", "rules"),
        ("signals.morphology=true", "annotate", "morphology: false -> true"),
        ("dedup.seed=2", "signatures", "seed: 1 -> 2"),
        ("hosts.block=[]", "hosts", "block"),
        ("clean.min_letters=500", "clean", "min_letters: 400 -> 500"),
        ("shards.seed=other", "tokenize", 'seed: "seiryu" -> "other"'),
    ],
)
def test_a_changed_setting_makes_again_what_it_decides_and_not_what_came_before(
    change: str, stage: str, why: str, small_run: Path
) -> None:
    steps = plan(small_run, change)
    first = next(name for name, step in steps.items() if step["to_make"])
    assert first == stage
    assert why in " ".join(steps[stage]["why"])


@pytest.mark.parametrize("change", ["engine.workers=1", "engine.memory=1GB", "shards.tokens=40K"])
def test_where_and_how_a_run_is_made_changes_nothing(change: str, small_run: Path) -> None:
    assert to_make(small_run, change) == {}


def test_an_archive_that_changed_is_read_again_and_one_that_was_moved_is_not(
    run_copy: Path, small_archives: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(small_archives, moved)
    write_config(run_copy, moved)
    assert to_make(run_copy) == {}
    (moved / "CC-MAIN-2021-25-00000.warc.gz").touch()
    steps = plan(run_copy)
    assert steps["extract"]["to_make"] == 1
    assert "input mtime changed" in steps["extract"]["why"]


def test_a_moved_threshold_ends_as_a_run_from_the_beginning_does(run_copy: Path, small_archives: Path, tmp_path: Path) -> None:
    change = ("--set", "rules.change.too_short.low=800", "--set", "shards.tokens=15000")
    measured = hashes(run_copy / "run", "units/extract", "units/annotate", "units/hosts")
    ended = seiryu("run", run_copy / "config.yaml", *change)
    assert ended.code == 0, ended.err
    assert hashes(run_copy / "run", "units/extract", "units/annotate", "units/hosts") == measured
    fresh = tmp_path / "fresh"
    assert seiryu("run", write_config(fresh, small_archives), *change).code == 0
    result = ("shards", "provenance", "corpus", "signals", "verdicts", "dedup", "tokens")
    assert hashes(run_copy / "run", *result) == hashes(fresh / "run", *result)


def test_results_of_archives_that_are_not_named_any_more_are_dropped_only_when_asked_to(
    run_copy: Path, small_archives: Path
) -> None:
    fewer = ("--set", f"source.paths=[{small_archives}/CC-MAIN-2*-00000.warc.gz, {small_archives}/CC-MAIN-2021-25-00000.warc.gz]")
    only = ("--set", f"source.paths=[{small_archives}/CC-MAIN-2021-25-00000.warc.gz]")
    assert seiryu("run", run_copy / "config.yaml", *fewer).err == "all is done, nothing to make\n"
    ended = seiryu("run", run_copy / "config.yaml", *only)
    assert ended.code == 1
    assert "holds 2 archives that source.paths does not name" in ended.err
    ended = seiryu("run", run_copy / "config.yaml", *only, "--prune")
    assert ended.code == 0, ended.err
    assert [file.stem for file in (run_copy / "run/corpus").iterdir()] == ["CC-MAIN-2021-25-00000"]
    assert seiryu("verify", run_copy / "run").code == 0


def test_a_run_can_stop_after_a_stage(small_archives: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, small_archives)
    assert seiryu("run", config, "--until", "decide").code == 0
    assert (tmp_path / "run/verdicts").is_dir()
    assert not (tmp_path / "run/shards").exists()
    names = [step["name"] for step in json.loads(seiryu("status", tmp_path / "run", "--json").out)["funnel"]]
    assert names[-1] == "pass all rules"


def test_what_is_gone_or_unreadable_is_made_again(run_copy: Path, small_run: Path) -> None:
    run = run_copy / "run"
    before = hashes(run, "shards", "provenance", "corpus", "tokens")
    sorted((run / "shards/megatron").glob("train-*.bin"))[0].unlink()
    sorted((run / "tokens").glob("*.ids"))[0].unlink()
    sorted((run / "units/clean").glob("*.json"))[0].write_text("{}")
    steps = plan(run_copy)
    assert steps["clean"]["to_make"] == 1
    ended = seiryu("run", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    assert (
        hashes(run, "shards", "provenance", "corpus", "tokens")
        == before
        == hashes(small_run / "run", "shards", "provenance", "corpus", "tokens")
    )


def test_a_unit_that_dies_between_its_files_and_its_sidecar_does_not_exist(
    run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the sidecar of an earlier config would vouch for files of this one."""
    from seiryu.corpus.storage import Store
    from seiryu.pipelines.chain import CHAIN
    from seiryu.pipelines.config_file import load_config
    from seiryu.pipelines.engine.attempt import attempt
    from seiryu.pipelines.state import State

    config = load_config(str(run_copy / "config.yaml"), ["shards.seed=other"])
    state = State(Store(config.run), config)
    standing = {stage.name: state.look(stage) for stage in CHAIN}["tokenize"]
    monkeypatch.setattr(Store, "write_json", lambda *_: 1 / 0)
    for unit in standing.to_make:
        assert attempt(standing.stage, unit, config).kind == "retry"
    units = len(standing.to_make)
    assert units
    monkeypatch.undo()
    expected = hashes(run_copy / "run", "shards")
    ended = seiryu("run", run_copy / "config.yaml")
    assert ended.code == 0, ended.err
    assert f"tokenize: {units} units" in ended.err
    assert hashes(run_copy / "run", "shards") == expected
    assert seiryu("verify", run_copy / "run").code == 0
