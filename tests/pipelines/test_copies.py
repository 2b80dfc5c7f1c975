"""Two copies of a unit, a run that was taken over, records that did not come: what is committed stays and vouches for its own bytes."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import ray
from ray import cloudpickle
from ray.cluster_utils import Cluster

from seiryu.corpus.errors import NodeFull
from seiryu.corpus.remote.errors import Unreachable
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import NOT_FETCHED, Counts
from seiryu.pipelines.engine.attempt import attempt
from seiryu.pipelines.engine.cluster import EngineError
from seiryu.pipelines.engine.lease import NAME, TakenOver, lease
from seiryu.pipelines.engine.running import run_units
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import NoBetter, Result, Stage, Unit

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers need nothing but the package


def config(folder: Path, **engine: object) -> Config:
    wanted = {"memory": "100MB", "straggler_seconds": 1, "straggler_factor": 3, "attempts": 3} | engine
    return Config.model_validate({"run": str(folder), "source": {"paths": ("none.warc.gz",)}, "engine": wanted})


def stage(work) -> Stage:
    return Stage("trial", 1, "records", lambda _: {}, lambda _: [UNIT], work)


UNIT = Unit("trial", "u", {}, {})
LACKING = Counts(10, 8, failed=Counter({NOT_FETCHED: 2}))


def whole(_: Unit, __: Config, store: Store) -> Result:
    return Result(Counts(10, 10), [store.write("made/u", b"10 of 10")])


def lacking(unit: Unit, __: Config, store: Store) -> Result:
    if unit.not_come:
        raise NoBetter
    return Result(LACKING, [store.write("made/u", b"8 of 10")])


def sidecar(folder: Path) -> dict:
    return json.loads((folder / "units/trial/u.json").read_text())


def test_a_slow_copy_with_fewer_records_changes_nothing_of_what_the_other_has_committed(tmp_path: Path) -> None:
    def slow(unit: Unit, config: Config, store: Store) -> Result:
        with store.writing("made/u") as out:
            out.write(b"8 of 10")
            assert attempt(stage(whole), unit, config).kind == "done"  # the other copy, meanwhile
        return Result(LACKING, [out.written("made/u")])

    outcome = attempt(stage(slow), UNIT, config(tmp_path))
    assert (outcome.kind, outcome.counts) == ("done", Counts(10, 10))
    assert (tmp_path / "made/u").read_bytes() == b"10 of 10"
    assert sidecar(tmp_path)["counts"]["kept"] == 10


def test_a_worker_of_a_run_that_was_taken_over_puts_no_further_output_in_place(tmp_path: Path) -> None:
    def work(_: Unit, __: Config, store: Store) -> Result:
        first = store.write("made/1", b"1")
        (tmp_path / NAME).write_text('{"token": "theirs"}')
        return Result(Counts(1, 1), [first, store.write("made/2", b"2")])

    (tmp_path / "run.json").write_text("{}")
    with lease(Store(str(tmp_path)), print) as held:
        outcome = attempt(stage(work), UNIT, config(tmp_path), held.token)
    assert outcome.kind == "stop"
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["1"]
    assert not (tmp_path / "units").exists()


def test_a_unit_that_lacks_records_and_has_lost_its_output_is_made_again(tmp_path: Path) -> None:
    assert attempt(stage(lacking), UNIT, config(tmp_path)).kind == "part"
    assert attempt(stage(lacking), UNIT, config(tmp_path)).kind == "part"  # no better, and nothing changed
    (tmp_path / "made/u").unlink()
    assert attempt(stage(lacking), UNIT, config(tmp_path)).kind == "part"
    assert (tmp_path / "made/u").read_bytes() == b"8 of 10"


@pytest.mark.parametrize("kept", [True, False])
def test_a_unit_whose_outputs_are_another_copys_is_taken_away(kept: bool, tmp_path: Path) -> None:
    assert attempt(stage(whole), UNIT, config(tmp_path)).kind == "done"
    if not kept:
        (tmp_path / "made/u").write_bytes(b"8 of 10")
    state, asked = State(Store(str(tmp_path)), config(tmp_path)), list[str]()

    def not_ours() -> None:
        asked.append("the lease")
        raise TakenOver

    with nullcontext() if kept else pytest.raises(TakenOver):
        state.drop_unless_whole("trial", ["u"], not_ours)
    assert (tmp_path / "units/trial/u.json").exists()
    assert bool(asked) is not kept
    state.drop_unless_whole("trial", ["u"], lambda: None)
    assert (tmp_path / "units/trial/u.json").exists() is kept


@pytest.mark.parametrize(
    "field",
    [{"counts": {"records": 1, "kept": 1, "rejected": rejected, "failed": {}, "letters": {}, "extra": {}}}
     for rejected in (None, [], 3, "x", {"a": None}, {"a": 1.5})]
    + [{"counts": None}, {"outputs": {"a": 1}}, {"outputs": [{"name": "made/u", "size": "8", "sha256": "0"}]}, {"made_of": []}, {"stage": 1},
       {"made_of": {"version": 1, "settings": {}, "params": [], "inputs": {}}}, {"seconds": "x"}, {"seconds": None}, {"seconds": float("inf")},
       {"seconds": float("nan")}, {"seconds": 1e30}, {"seconds": 10**400}, {"seconds": -1}, {"finished": 5}, {"finished": "soon"}, {"finished": "2026-02-31T00:00:00Z"},
       {"cpu_seconds": None}, {"peak_memory": "much"}, {"times": []}, {"times": {"parse": "x"}}],
)  # fmt: skip
def test_a_sidecar_with_a_field_of_another_kind_is_a_damaged_one(field: dict, tmp_path: Path) -> None:
    attempt(stage(whole), UNIT, config(tmp_path))
    is_made_again(json.dumps(sidecar(tmp_path) | field), tmp_path)


def test_a_sidecar_that_is_nested_without_an_end_is_a_damaged_one(tmp_path: Path) -> None:
    attempt(stage(whole), UNIT, config(tmp_path))
    is_made_again("[" * 100_000, tmp_path)


def is_made_again(text: str, tmp_path: Path) -> None:
    """Whether a unit with this for a sidecar is damaged until it is made again."""
    (tmp_path / "units/trial/u.json").write_text(text)
    state = State(Store(str(tmp_path)), config(tmp_path))

    def damaged() -> list[str]:
        state.look(stage(whole))
        return state.damaged["trial"]

    assert damaged() == ["u"]
    assert attempt(stage(whole), UNIT, config(tmp_path)).kind == "done"
    assert damaged() == []


@pytest.fixture(scope="module")
def one_able_node() -> Iterator[Cluster]:
    """A head without a core, a node that can take units, and one whose memory is too small for any."""
    args = {"num_cpus": 0, "object_store_memory": 80_000_000, "include_dashboard": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        cluster = Cluster(initialize_head=True, head_node_args=args)
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000, memory=50_000_000)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
        ray.shutdown()
        cluster.shutdown()


def no_room(*_: object) -> Result:
    raise NodeFull("no room in /tmp on this machine; set TMPDIR")


@pytest.mark.usefixtures("one_able_node")
def test_a_node_without_room_ends_the_run_if_there_is_no_other(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="set TMPDIR"):
        run_units(stage(no_room), [UNIT], config(tmp_path), lambda *_: None)


def late_and_bad(unit: Unit, _: Config, store: Store) -> Result:
    if unit.name == "u":
        time.sleep(6)
        raise OSError("no good")
    return Result(Counts(1, 1), [store.write(f"made/{unit.name}", b"x")])


@pytest.mark.usefixtures("one_able_node")
def test_a_straggler_that_no_other_node_can_take_does_not_wait_for_one(tmp_path: Path) -> None:
    wanted = [UNIT, *(Unit("trial", str(number), {}, {}) for number in range(8))]
    begin = time.monotonic()
    progress = run_units(stage(late_and_bad), wanted, config(tmp_path, attempts=1), lambda *_: None)
    assert time.monotonic() - begin < 40
    assert (progress.done, progress.copies, list(progress.set_aside)) == (8, 0, ["u"])


def lacking_then_silent(_: Unit, config: Config, store: Store) -> Result:
    if (Path(config.run) / "made/u").exists():
        raise Unreachable("the server has gone")
    return Result(LACKING, [store.write("made/u", b"8 of 10")])


@pytest.mark.usefixtures("one_able_node")
def test_what_was_committed_without_some_records_stands_when_later_tries_fail(tmp_path: Path) -> None:
    progress = run_units(stage(lacking_then_silent), [UNIT], config(tmp_path), lambda *_: None)
    assert (progress.done, progress.set_aside, progress.records) == (1, {}, 10)
    assert sidecar(tmp_path)["counts"]["failed"] == {NOT_FETCHED: 2}
