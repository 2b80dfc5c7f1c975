"""What Prometheus sees of a run: a real Ray, whose agent exports what a driver was told."""

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commandline import ROOT

from seiryu.pipelines.telling.metrics import METRICS, SECONDS

CLUSTER = Path(sys.prefix) / "cluster/bin/python"  # with ray[default], which would slow down every Ray of the other tests
Samples = dict[tuple[str, ...], float]

TOLD = """
import os, sys
from collections import Counter
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.telling.events import Event, Progress
from seiryu.pipelines.telling.metrics import metered

counts = Counts(10, 6, Counter(no_text=3), Counter(damaged=1), extra=Counter(bytes_fetched=5000, requests=7))
progress, tell = Progress("extract", 12), metered()

def happens():
    for number in range(4):
        tell(Event("done", "extract", f"unit-{number}", seconds=2.5, counts=counts), progress)
    for what in ("retry", "retry", "node_lost", "copied", "set_aside", "waiting"):
        tell(Event(what, "extract", "unit-9", "a reason", node="0123"), progress)
    tell(Event("done", "index", "part-0", seconds=20_000.0), Progress("index", 1, done=1))
    progress.done, progress.running, progress.set_aside = 7, 5, {"unit-9": None}
"""
DRIVER = f"""{TOLD}
import ray, select
happens()  # nobody counts this: Ray is not connected
for _ in range(2):  # a process may be connected to one Ray after another
    os.environ["RAY_metrics_report_interval_ms"] = "1000"
    ray.init(address="local", num_cpus=1, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False,
             logging_level=40, configure_logging=False, _metrics_export_port=int(sys.argv[1]))
    happens()
    print("told", flush=True)
    while not select.select([sys.stdin], [], [], 0.3)[0]:
        tell(None, progress)
    if not sys.stdin.readline():
        break
    ray.shutdown()
    progress = Progress("extract", 12)
"""


@pytest.fixture(scope="module")
def driver() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A driver that was told things and waits; and where its Ray's agent shows metrics. A line on its stdin: another Ray."""
    if not CLUSTER.exists():
        raise RuntimeError(f"there is no {CLUSTER}, whose Ray exports metrics: `make test` installs it")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [str(CLUSTER), "-c", DRIVER, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process, f"http://127.0.0.1:{port}/metrics"
        finally:
            process.stdin.close()
            process.wait(60)


def exported(url: str) -> str:
    answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=20)
    return str(answer.read().decode())


def scrape(url: str) -> Samples:
    """Our samples: (name, stage, then outcome, reason or le) -> value."""
    text = exported(url)
    found: Samples = {}
    for name, labels, value in re.findall(r"^(ray_seiryu_\w+)\{(.*)\} (\S+)$", text, re.MULTILINE):
        known = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        series = (name, *(known[label] for label in ("stage", "outcome", "reason", "le") if label in known))
        assert series not in found, "two series differ only in labels that are not ours"
        found[series] = float(value)
    return found


def once(url: str, holds: Callable[[Samples], bool]) -> Samples:
    """What is shown once that holds; agents show things late."""
    until = time.monotonic() + 60
    while True:
        try:
            found = scrape(url)
        except OSError:
            found = {}
        if holds(found):
            return found
        assert time.monotonic() < until, found
        time.sleep(0.5)


def whole(found: Samples) -> bool:
    return found.get(("ray_seiryu_units_finished", "extract")) == 8 and ("ray_seiryu_unit_seconds_count", "index") in found


def plain(found: Samples) -> Samples:
    """Without the histogram, whose sum Ray makes of the middles of its buckets."""
    return {series: value for series, value in found.items() if not series[0].startswith("ray_seiryu_unit_seconds")}


SHOWN = {
    ("ray_seiryu_units_total", "extract", "done"): 4,
    ("ray_seiryu_units_total", "extract", "retry"): 2,
    ("ray_seiryu_units_total", "extract", "node_lost"): 1,
    ("ray_seiryu_units_total", "extract", "copied"): 1,
    ("ray_seiryu_units_total", "extract", "set_aside"): 1,
    ("ray_seiryu_units_total", "index", "done"): 1,
    ("ray_seiryu_records_total", "extract", "kept"): 24,
    ("ray_seiryu_records_total", "extract", "no_text"): 12,
    ("ray_seiryu_records_total", "extract", "damaged"): 4,
    ("ray_seiryu_bytes_fetched_total", "extract"): 20_000,
    ("ray_seiryu_requests_total", "extract"): 28,
    ("ray_seiryu_worker_seconds_total", "extract"): 10,
    ("ray_seiryu_worker_seconds_total", "index"): 20_000,
    ("ray_seiryu_units_planned", "extract"): 12,
    ("ray_seiryu_units_finished", "extract"): 8,
    ("ray_seiryu_units_running", "extract"): 5,
}


def test_prometheus_sees_what_happened(driver: tuple[subprocess.Popen[str], str]) -> None:
    process, url = driver
    assert process.stdout.readline() == "told\n"
    found = once(url, whole)
    assert {name for name, *_ in found} == {name for metric in METRICS for name in metric.exported}
    # Gauges of a stage that nobody speaks of any more go after a while.
    assert {series: value for series, value in plain(found).items() if series in SHOWN} == SHOWN
    assert {series[0] for series in plain(found).keys() - SHOWN.keys()} <= {
        f"ray_seiryu_units_{what}" for what in ("planned", "finished", "running")
    }
    below = {le: found["ray_seiryu_unit_seconds_bucket", "extract", le] for le in ("1.0", "3.0", "+Inf")}
    assert (below, found["ray_seiryu_unit_seconds_count", "extract"]) == ({"1.0": 0, "3.0": 4, "+Inf": 4}, 4)
    assert (
        len([series for series in found if series[:2] == ("ray_seiryu_unit_seconds_bucket", "index")]) == len(SECONDS.buckets) + 1
    )


def test_gauges_stay_while_they_are_told_and_count_again_with_another_ray(driver: tuple[subprocess.Popen[str], str]) -> None:
    process, url = driver
    time.sleep(5)  # longer than an agent keeps a gauge that is not set again: two of its intervals
    assert {series: value for series, value in plain(scrape(url)).items() if series[1] == "extract"}.items() >= {
        series: value for series, value in SHOWN.items() if series[1] == "extract"
    }.items()
    print(file=process.stdin, flush=True)
    assert process.stdout.readline() == "told\n"
    assert plain(once(url, whole)).items() >= SHOWN.items()


def test_what_the_dashboard_asks_of_nodes_is_there(driver: tuple[subprocess.Popen[str], str]) -> None:
    asked = set(re.findall(r"ray_node_\w+", (ROOT / "deploy/grafana/seiryu.json").read_text()))
    assert len(asked) == 4
    once(driver[1], lambda _: asked <= set(re.findall(r"^(ray_node_\w+)\{", exported(driver[1]), re.MULTILINE)))


def test_names_and_labels_can_be_had_without_ray_and_events_go_nowhere() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", f"{TOLD}\nhappens()\nprint('ray' in sys.modules)"], capture_output=True, text=True, cwd=ROOT
    )
    assert (ended.stdout, ended.stderr) == ("False\n", "")
    assert {label for metric in METRICS for label in metric.labels} == {"stage", "outcome", "reason"}


def test_a_run_goes_on_though_its_metrics_cannot_be_had() -> None:
    """Ray refuses a label that is no string; told once, and the run hears no more of it."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{TOLD}\nimport ray\nray.init(address='local', num_cpus=1, include_dashboard=False, log_to_driver=False, "
         "logging_level=40, configure_logging=False)\nprogress.stage = 7\nhappens()\nhappens()\nprint('on')"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert ended.stdout == "on\n"
    assert ended.stderr.count("no metrics from here on: ") == 1
