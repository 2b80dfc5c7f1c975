"""A node that does not see what the others see, or would make something else, costs nothing but the way to another one."""

import json
import subprocess
from pathlib import Path

import pytest
from commandline import SMALL, archives_in, hashes, seiryu, write_config
from nodes_of_ray import QUIET, nodes

from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.engine.attempt import attempt
from seiryu.pipelines.engine.lease import lease
from seiryu.pipelines.unit import Result, Stage, Unit

MOUNTS = subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not MOUNTS, reason="needs mounts of its own (unshare --mount, as root)")
def test_nodes_without_the_archives_or_without_the_run_directory_cost_no_unit(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    for name in ("archives", "run"):
        (tmp_path / name).mkdir()
    archives_in(tmp_path / "archives", *SMALL)
    with nodes(tmp_path) as cluster:
        cluster.start("head", "--num-cpus=1")
        for name in ("archives", "run"):
            cluster.start(f"no-{name}", "--num-cpus=1", mounts=[f"mount -t tmpfs tmpfs {tmp_path}/{name}"])
        engine = {"address": cluster.address, "memory": "300MB", "attempts": 3}
        config = write_config(tmp_path, tmp_path / "archives", engine=engine)
        ended = seiryu("run", config, "--log", "json", "--until", "annotate")
    assert ended.code == 0, ended.err
    told = [json.loads(line) for line in ended.err.splitlines()]
    done = {(line["unit"], line["node"]) for line in told if line["event"] == "done" and line["stage"] == "extract"}
    assert len(done) == len(SMALL)
    assert not [line for line in told if line["event"] == "set_aside"]
    reasons = [line["reason"] for line in told if line["event"] == "retry"]
    assert any(f"does not see the run directory {tmp_path}/run" in reason for reason in reasons)
    assert any("does not exist" in reason for reason in reasons)
    assert hashes(tmp_path / "run", "documents", "signals") == hashes(small_run / "run", "documents", "signals")


UNIT = Unit("trial", "u", {}, {})


def config(folder: Path) -> Config:
    return Config.model_validate({"run": str(folder), "source": {"paths": ("none.warc.gz",)}})


def stage(work) -> Stage:
    return Stage("trial", 1, "records", lambda _: {"libraries": {"trafilatura": "2.0"}}, lambda _: [UNIT], work)


def made(_: Unit, __: Config, store: Store) -> Result:
    return Result(Counts(1, 1), [store.write("made/u", b"x")])


def test_a_machine_with_other_libraries_makes_nothing_and_says_what_differs(tmp_path: Path) -> None:
    outcome = attempt(stage(made), UNIT, config(tmp_path), settings={"libraries": {"trafilatura": "2.1"}})
    assert outcome.kind == "unfit"
    assert 'libraries.trafilatura: "2.1" -> "2.0"' in outcome.reason
    assert not list(tmp_path.iterdir())
    assert attempt(stage(made), UNIT, config(tmp_path), settings={"libraries": {"trafilatura": "2.0"}}).kind == "done"


def test_a_machine_without_the_run_directory_begins_none(tmp_path: Path) -> None:
    with lease(Store(str(tmp_path / "shared")), print) as held:
        outcome = attempt(stage(made), UNIT, config(tmp_path / "mine"), held.token)
    assert outcome.kind == "unfit"
    assert "which must be the same on all nodes" in outcome.reason
    assert not (tmp_path / "mine").exists()


def test_what_a_unit_left_before_goes_though_the_first_try_to_make_it_anew_fails(tmp_path: Path) -> None:
    def more(_: Unit, __: Config, store: Store) -> Result:
        return Result(Counts(1, 1), [store.write("made/u", b"x"), store.write("other/u", b"y")])

    def fails(_: Unit, __: Config, store: Store) -> Result:
        store.write("made/u", b"x")
        raise OSError("the store has gone")

    assert attempt(stage(more), Unit("trial", "u", {"formats": 2}, {}), config(tmp_path)).kind == "done"
    again = Unit("trial", "u", {"formats": 1}, {}, replaces=("made/u", "other/u"))
    assert attempt(stage(fails), again, config(tmp_path)).kind == "retry"
    assert attempt(stage(made), again, config(tmp_path)).kind == "done"
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["u"]
    assert not list((tmp_path / "other").iterdir())
