"""What a run tells on stderr, to people or to programs."""

import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

from commandline import ALONE, ROOT, Ended, seiryu, write_config

HOSTILE = 'a\n{"event": "done"}\r\x1b[2J\x1b]0;t\x07"\\\u2028\u0085\u202e\x7f日本'
STARTED = """
import sys, time
from collections import Counter
from seiryu.pipelines.telling import logs, screen
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.telling.events import Event, Progress
from seiryu.pipelines.telling.logs import told_as
from seiryu.pipelines.telling.screen import say, together, watching

COUNTS = Counts(10, 6, Counter(no_text=3), Counter(damaged=1), extra=Counter(bytes_fetched=5000, requests=7))
HOSTILE = sys.argv[1] if len(sys.argv) > 1 else ""
progress = Progress("extract", 12, done=3, running=2)
"""


def program(lines: str, *arguments: str) -> Ended:
    """A few lines in a process of their own."""
    started = [sys.executable, "-c", STARTED + lines, *arguments]
    done = subprocess.run(started, capture_output=True, text=True, timeout=100, cwd=ROOT)
    return Ended(done.returncode, done.stdout, done.stderr)


def lines_of(ended: Ended) -> list[dict[str, Any]]:
    """All that stands on stderr, each line an object."""
    return [json.loads(line) for line in ended.err.splitlines()]


def test_json_is_one_object_a_line_with_all_that_an_event_says() -> None:
    ended = program("""
with told_as("json", "s3://bucket/run"), watching("extract", 12) as tell:
    say("starting Ray ...")
    tell(Event("stage_begun", "extract"), progress)
    tell(Event("done", "extract", "unit-1", seconds=2.5, node="ab12", counts=COUNTS), progress)
    tell(Event("retry", "extract", "unit-2", "the worker process died", 1.0), progress)
    tell(Event("set_aside", "extract", "unit-3", "it is empty"), progress)
    tell(None, progress)
    tell(Event("stage_ended", "extract", seconds=9), progress)
say("as ever")
""")
    *told, last = ended.err.splitlines()
    assert last == "as ever"
    message, begun, done, retry, aside, over = (json.loads(line) for line in told)
    for line in (message, begun, done, retry, aside, over):
        assert list(line)[:6] == ["time", "level", "event", "run", "stage", "unit"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert line["run"] == "s3://bucket/run"
    assert (message["event"], message["message"], message["stage"]) == ("message", "starting Ray ...", "")
    assert (begun["event"], begun["units"], over["event"], over["seconds"]) == ("stage_begun", 12, "stage_ended", 9)
    assert {name: done[name] for name in list(done)[1:] if name != "run"} == {
        "level": "info", "event": "done", "stage": "extract", "unit": "unit-1", "node": "ab12", "seconds": 2.5, "records": 10, "kept": 6,
        "rejected": {"no_text": 3}, "failed": {"damaged": 1}, "extra": {"bytes_fetched": 5000, "requests": 7},
    }  # fmt: skip
    assert (retry["level"], retry["unit"], retry["reason"]) == ("warning", "unit-2", "the worker process died")
    assert (aside["level"], aside["event"], aside["reason"]) == ("error", "set_aside", "it is empty")


def test_a_hostile_name_stays_a_value_of_one_line() -> None:
    ended = program(
        """
with told_as("json", HOSTILE), watching("extract", 12) as tell:
    tell(Event("set_aside", "extract", HOSTILE, HOSTILE), progress)
    say(HOSTILE)
    say("half a letter: \\ud800")
""",
        HOSTILE,
    )
    assert ended.err.count("\n") == 3
    assert all(" " <= letter <= "~" for letter in ended.err.replace("\n", ""))
    first, second, third = lines_of(ended)
    assert (first["run"], first["unit"], first["reason"], second["message"]) == (HOSTILE,) * 4
    assert third["message"] == "half a letter: ?"


def test_text_holds_nothing_of_a_name_that_a_terminal_would_obey() -> None:
    ended = program(
        """
with told_as("text", "runs/a"), watching("extract", 12) as tell:
    tell(Event("copied", "extract", HOSTILE, HOSTILE, node="ab12"), progress)
    tell(Event("waiting", "extract", reason=HOSTILE), progress)
    say(f"set aside: {HOSTILE}")
""",
        HOSTILE,
    )
    assert "日本" in ended.err
    assert not [letter for letter in ended.err if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp")]
    copied, waiting, *_ = ended.err.splitlines()
    assert copied.startswith('extract: a⏎{"event": "done"}')
    assert waiting.startswith("extract: waiting: a⏎")


def test_text_says_what_a_person_may_wonder_about_once() -> None:
    ended = program("""
with watching("extract", 12) as tell:
    for unit in ("unit-1", "unit-2", "unit-3"):
        tell(Event("node_lost", "extract", unit, "its node was lost", node="0123456789abcdef"), progress)
        tell(Event("done", "extract", unit, seconds=2.5, counts=COUNTS), progress)
        tell(Event("waiting", "extract", reason="no node of the cluster offers a CPU"), progress)
    tell(Event("copied", "extract", "unit-4", "taken up 99 s ago, others took 9 at most"), progress)
    tell(Event("waiting", "extract", reason="another reason"), progress)
""")
    assert ended.err.splitlines() == [
        "extract: node 0123456789ab was lost; its units are made again, which counts as no attempt",
        "extract: waiting: no node of the cluster offers a CPU",
        "extract: unit-4 is started once more on another node: taken up 99 s ago, others took 9 at most",
        "extract: waiting: another reason",
    ]


def test_it_is_said_again_after_a_while_that_a_run_waits_or_goes_on() -> None:
    ended = program("""
screen._AGAIN = logs._EVERY = 0.2
with told_as("json", "run"), watching("extract", 12) as tell:
    for _ in range(2):
        for _ in range(3):
            tell(Event("waiting", "extract", reason="no node"), progress)
        time.sleep(0.3)
    tell(None, progress)
""")
    assert [line["event"] for line in lines_of(ended)] == ["waiting", "waiting", "progress", "progress"]
    assert lines_of(ended)[-1].items() >= {"units": 12, "done": 3, "running": 2}.items()


def test_what_libraries_say_is_json_too_and_so_is_the_error_that_ends_it() -> None:
    ended = program("""
import logging, warnings
try:
    with told_as("json", "run"):
        logging.getLogger("ray.worker").warning("a node is %s", "slow")
        warnings.warn("this will go away")
        raise ValueError("the end")
except ValueError as error:
    say(str(error))
""")
    first, second, third = lines_of(ended)
    assert (first["level"], first["message"], first["logger"]) == ("warning", "a node is slow", "ray.worker")
    assert "this will go away" in second["message"]
    assert (third["event"], third["message"]) == ("message", "the end")


def test_lines_of_many_threads_do_not_mix() -> None:
    ended = program("""
from concurrent.futures import ThreadPoolExecutor
with told_as("json", "run"), ThreadPoolExecutor(8) as threads:
    list(threads.map(say, [str(number) * 500 for number in range(10)] * 40))
""")
    assert Counter(line["message"][0] for line in lines_of(ended)) == {str(number): 40 for number in range(10)}


def test_a_run_told_in_json_says_nothing_else_and_every_unit(small_archives: Path, tmp_path: Path) -> None:
    config, run = write_config(tmp_path, small_archives, engine=ALONE), tmp_path / "run"
    ended = seiryu("run", config, "--until", "annotate", "--log", "json", "--json")
    assert ended.code == 0, ended.err
    told = lines_of(ended)
    assert {line["run"] for line in told} == {str(run)}
    done = {(line["stage"], line["unit"]): line for line in told if line["event"] == "done"}
    sidecars = [json.loads(file.read_text()) for file in run.glob("units/*/*.json")]
    assert done.keys() == {(sidecar["stage"], sidecar["unit"]) for sidecar in sidecars}
    for sidecar in sidecars:
        line, counts = done[sidecar["stage"], sidecar["unit"]], sidecar["counts"]
        assert (line["records"], line["kept"], line["seconds"]) == (counts["records"], counts["kept"], sidecar["seconds"])
    assert "starting Ray ..." in [line.get("message") for line in told]


def test_several_are_told_as_one() -> None:
    ended = program("""
told = []
together(lambda *said: told.append((1, *said)), lambda *said: told.append((2, *said)))(None, progress)
assert told == [(1, None, progress), (2, None, progress)]
""")
    assert ended.code == 0, ended.err
