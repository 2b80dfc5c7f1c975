"""One run at a time in a run directory, and what becomes of one that was taken for dead."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commandline import ROOT, seiryu, write_config

from seiryu.corpus.errors import NotWritable
from seiryu.corpus.storage import Store
from seiryu.pipelines.engine import lease as module
from seiryu.pipelines.engine.lease import NAME, Held, TakenOver, check_lease, lease
from seiryu.pipelines.engine.lease import held as is_held

BEAT = 0.2


def said_by(words: list[str]):
    return words.append


def elsewhere(folder: Path, **more: object) -> None:
    """A lease of a process on a machine that nobody can ask after."""
    holder = {"token": "theirs", "beat": 1, "every": BEAT, "host": "other", "system": "another boot", "pid": 1, "started": "1"}
    (folder / NAME).write_text(json.dumps(holder | more))


def test_a_lease_is_there_while_it_is_held_and_gone_after(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with lease(store, print, BEAT) as held:
        check_lease(store, held.token)
        before = json.loads((tmp_path / NAME).read_text())["beat"]
        time.sleep(5 * BEAT)
        assert json.loads((tmp_path / NAME).read_text())["beat"] > before
        held.check()
        with pytest.raises(Held, match=f"process {os.getpid()}"), lease(store, print, BEAT):
            pass
        check_lease(store, held.token)
    assert not (tmp_path / NAME).exists()
    with pytest.raises(TakenOver):
        check_lease(store, held.token)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"token": 1}', '{"system": null, "pid": "x"}', "\x00\xff", '{"token": "x", "every": null}', '{"token": "x", "every": "abc"}', '{"token": 1, "every": -5}',
     '{"every": 1e9, "host": []}', '{"every": [], "pid": "x"}'],
)  # fmt: skip
def test_whatever_a_lease_holds_is_waited_for_at_most_as_long_as_any(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT", BEAT)
    (tmp_path / NAME).write_text(content)
    begin = time.monotonic()
    with lease(Store(str(tmp_path)), lambda _: None, BEAT) as held:
        held.check()
    assert time.monotonic() - begin < 10 * BEAT


def test_a_lease_that_somebody_deletes_ends_the_run_and_says_what_may_have_been(tmp_path: Path) -> None:
    with lease(Store(str(tmp_path)), print, BEAT) as held:
        (tmp_path / NAME).unlink()
        time.sleep(3 * BEAT)
        with pytest.raises(TakenOver, match="another run has taken over and ended, or somebody deleted or damaged it"):
            held.check()


def test_a_directory_in_place_of_a_lease_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(NotWritable, match=rf"{NAME}: Is a directory"), lease(Store(str(tmp_path)), print, BEAT):
        pass


def test_who_was_killed_here_holds_nothing(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert not is_held(store)
    with lease(store, print, BEAT):
        assert is_held(store)
        found = json.loads((tmp_path / NAME).read_text())
    (tmp_path / NAME).write_text(json.dumps(found | {"started": "1"}))
    assert not is_held(store)
    elsewhere(tmp_path)
    assert is_held(store)


def test_a_holder_of_this_machine_that_was_killed_is_not_waited_for(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom seiryu.corpus.storage import Store\nfrom seiryu.pipelines.engine.lease import lease\n"
        f"with lease(Store({str(tmp_path)!r}), print):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(Held), lease(Store(str(tmp_path)), print):
            pass
        process.send_signal(signal.SIGKILL)
    begin, words = time.monotonic(), list[str]()
    with lease(Store(str(tmp_path)), said_by(words)):
        assert time.monotonic() - begin < 1
        assert words == []


def test_a_holder_elsewhere_is_watched_and_taken_over_once_it_is_silent(tmp_path: Path) -> None:
    elsewhere(tmp_path)
    begin, words = time.monotonic(), list[str]()
    with lease(Store(str(tmp_path)), said_by(words), BEAT) as held:
        assert time.monotonic() - begin >= 3 * BEAT
        assert "is held by a run on other" in words[0]
        held.check()


def test_a_holder_elsewhere_that_is_alive_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(tmp_path)
    pause = time.sleep

    def meanwhile(seconds: float) -> None:
        elsewhere(tmp_path, beat=2)
        pause(seconds)

    monkeypatch.setattr(module.time, "sleep", meanwhile)
    with pytest.raises(Held, match="process 1 on other"), lease(Store(str(tmp_path)), print, BEAT):
        pass
    assert json.loads((tmp_path / NAME).read_text())["token"] == "theirs"


def test_who_was_taken_over_sees_it_and_leaves_the_other_alone(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with lease(store, print, BEAT) as held:
        elsewhere(tmp_path)
        assert held.lost.wait(10 * BEAT)
        with pytest.raises(TakenOver, match="taken over by process 1 on other"):
            held.check()
    assert json.loads((tmp_path / NAME).read_text())["token"] == "theirs"


def test_clocks_of_the_day_are_not_asked() -> None:
    assert "time.time(" not in Path(module.__file__).read_text()


def test_a_worker_writes_nothing_once_its_run_was_taken_over(run_copy: Path) -> None:
    from seiryu.pipelines.chain import CHAIN
    from seiryu.pipelines.config_file import load_config
    from seiryu.pipelines.engine.attempt import attempt
    from seiryu.pipelines.state import State

    config = load_config(str(run_copy / "config.yaml"), ["rules.change.too_short.low=500"])
    state = State(Store(config.run), config)
    standing = {stage.name: state.look(stage) for stage in CHAIN}["decide"]
    before = {path: path.read_bytes() for path in (run_copy / "run").rglob("*") if path.is_file()}
    with lease(state.store, print) as held:
        elsewhere(run_copy / "run")
        outcome = attempt(standing.stage, standing.to_make[0], config, held.token)
    assert outcome.kind == "stop"
    assert "taken over by process 1 on other" in outcome.reason
    (run_copy / "run" / NAME).unlink()
    assert {path: path.read_bytes() for path in (run_copy / "run").rglob("*") if path.is_file()} == before


def test_a_second_run_in_one_directory_is_refused_in_words(small_archives: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, small_archives)
    with lease(Store(str(tmp_path / "run")), print):
        ended = seiryu("run", config)
    assert ended.code == 1
    assert f"another run works here (process {os.getpid()} on " in ended.err
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["tmp"]
