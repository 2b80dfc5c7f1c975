"""What each check of `seiryu doctor` makes of what it sees."""

import shutil
import tempfile
import time
from pathlib import Path

import pytest
from commandline import seiryu, write_config

from seiryu.pipelines.config import Config
from seiryu.pipelines.doctoring.clock import Offset, judged, offset
from seiryu.pipelines.doctoring.disk import limits, room, shard_bytes
from seiryu.pipelines.doctoring.examine import weighed
from seiryu.pipelines.doctoring.finding import Finding, bounded
from seiryu.pipelines.doctoring.memory import memory
from seiryu.pipelines.doctoring.nodes import Node, Visit
from seiryu.pipelines.doctoring.source import held_up
from seiryu.pipelines.doctoring.versions import compared


def test_the_shortest_way_tells_the_clock_best() -> None:
    delays = iter([0.2, 0.001, 0.05, 0.2, 0.1, 0.1, 0.1, 0.1])

    def far() -> float:
        time.sleep(next(delays))  # all of the way is on the way there: the worst case
        return time.time() + 50

    found = offset(far)
    assert found.error < 0.02
    assert abs(found.seconds - 50) <= found.error + 1e-3


@pytest.mark.parametrize(
    ("seconds", "signs", "state"),
    [
        (0.5, True, "ok"),
        (-2, True, "warn"),
        (299, True, "warn"),
        (-301, True, "fail"),
        (301, False, "warn"),
        (1.005, False, "ok"),
    ],
)
def test_how_far_off_a_clock_may_be(seconds: float, signs: bool, state: str) -> None:
    assert judged(Offset(seconds, 0.01), signs).state == state


@pytest.mark.parametrize(
    ("cpus", "offered", "unit", "state", "said"),
    [
        (4, 8_000_000_000, 2_000_000_000, "ok", "4"),
        (4, 7_999_999_999, 2_000_000_000, "warn", "3 of 4 CPUs"),
        (4, 1_999_999_999, 2_000_000_000, "fail", "0 of 4 CPUs"),
        (0, 8_000_000_000, 2_000_000_000, "warn", "no unit will run here"),
        (4, 0, 0, "ok", "4"),
    ],
)
def test_how_many_units_fit_on_a_node(cpus: int, offered: int, unit: int, state: str, said: str) -> None:
    found = memory({"CPU": float(cpus), "memory": float(offered)}, unit)
    assert found.state == state
    assert said in found.text


def test_a_check_that_hangs_or_breaks_is_a_finding() -> None:
    checks = {
        "storage": lambda: time.sleep(30) or [],
        "disk": lambda: [Finding("disk", "ok", str(1 // 0))],
        "limits": lambda: [Finding("limits", "ok", "well")],
    }
    hangs, breaks, well = bounded(checks, 0.5)
    assert hangs == Finding("storage", "fail", "no answer within 0 s: a disk or a server that hangs")
    assert (breaks.state, well.state) == ("fail", "ok")
    assert breaks.text.startswith("ZeroDivisionError")


def test_code_that_was_changed_under_the_same_version_is_found() -> None:
    driver = {"Python": "3.11", "seiryu": "0.1.0", "seiryu's code": "a" * 64}
    (found,) = compared(driver | {"seiryu's code": "b" * 64}, driver)
    assert found.state == "fail"
    assert "but other code (sha256 bbbbbbbb, there aaaaaaaa)" in found.text
    assert [finding.state for finding in compared(driver, driver)] == ["ok"]


def test_little_shared_memory_is_a_warning() -> None:
    assert limits(1 << 60)[-1].state == "warn"
    assert "/dev/shm" in limits(1 << 60)[-1].text


def test_shards_that_go_to_an_object_store_need_room_for_all_that_are_made_at_once() -> None:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    assert shard_bytes(config("s3://b/run")) == 4 * 2_500_000_000
    assert [finding.state for finding in room("s3://b/run", free + (1 << 40))] == ["warn"]
    assert "lower shards.tokens" in room("s3://b/run", free + (1 << 40))[0].text
    assert [finding.state for finding in room("s3://b/run", 0)] == ["ok"]
    assert [finding.state for finding in room("/tmp/run", free + (1 << 40))] == ["ok"]  # there they are written in place


@pytest.mark.parametrize(
    ("source", "cpus", "said"),
    [
        ({"crawls": ("CC-MAIN-2024-33",)}, 800, ["warn"]),
        ({"crawls": ("CC-MAIN-2024-33",)}, 64, []),
        ({"crawls": ("CC-MAIN-2024-33",), "by": "index"}, 800, []),  # which holds a connection for a range only
        ({"kind": "files", "paths": ("/data/a.warc.gz",)}, 800, []),
        ({"kind": "files", "paths": ("https://e.org/a.warc.gz",)}, 800, ["warn"]),
    ],
)
def test_more_cores_than_connections_idle(source: dict, cpus: int, said: list[str]) -> None:
    found = held_up(config("s3://b/run", source={"kind": "commoncrawl"} | source), cpus)
    assert [finding.state for finding in found] == said
    assert all("(64) archives are read at once, and the cluster has 800 CPUs" in finding.text for finding in found)


def config(run: str, **changes: object) -> Config:
    wanted = {"run": run, "source": {"paths": ("/data/a.warc.gz",)}, "fetch": {"contact": "a@example.org"}} | changes
    return Config.model_validate(wanted)


def test_what_fails_where_no_unit_runs_is_a_warning() -> None:
    broken = Finding("storage", "fail", "no room")
    head = Visit(Node("0" * 56, "head", {"memory": 1e9}), [])
    found = weighed(broken, head)
    assert (found.state, found.node) == ("warn", "head")
    assert found.text == "no room (no unit runs here: it offers no CPU)"
    assert weighed(broken, Visit(Node("1" * 56, "worker", {"CPU": 1.0}), [])).state == "fail"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tokenize": {"tokenizer": "/no/tokenizer.model"}}, "tokenize.tokenizer: no tokenizer file /no/tokenizer.model"),
        ({"source": {"kind": "commoncrawl", "crawls": ("CC-MAIN-2024-33",)}}, "fetch.contact"),
    ],
)
def test_a_config_that_is_wrong_is_said_as_everywhere(changes: dict, said: str, small_archives: Path, tmp_path: Path) -> None:
    ended = seiryu("doctor", write_config(tmp_path, small_archives, **changes))
    assert ended.code == 2
    assert said in ended.err
    assert ended.out == ""
