"""The alert rules by Prometheus' own code: what fires at which minute where metrics go as they do in runs."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from test_deploy import DEPLOY

RULES = DEPLOY / "prometheus/alerts.yaml"
PROMTOOL = shutil.which("promtool")
LAST = 240  # minutes that are told

Metrics = dict[str, str]


def series(name: str, worker: str = "01", **labels: str) -> str:
    """As Ray exports one of the driver's."""
    named = {"WorkerId": worker, "NodeAddress": "10.0.0.1", "stage": "extract"} | labels
    return f"ray_seiryu_{name}" + "{" + ", ".join(f'{label}="{value}"' for label, value in named.items()) + "}"


def units(outcome: str, worker: str = "01") -> str:
    return series("units_total", worker, outcome=outcome)


def gauges(values: str, planned: str, running: str = "", worker: str = "01", stage: str = "extract") -> Metrics:
    """Of a stage of so many units: how many are finished, and are at work."""
    found = {
        series("units_finished", worker, stage=stage): went(values),
        series("units_planned", worker, stage=stage): went(planned),
    }
    return found | ({series("units_running", worker, stage=stage): went(running)} if running else {})


def went(told: str) -> str:
    """One value a minute, for promtool. `20:1 25:2+1 90:gone`: there from minute 20 on, from 25 on one more a minute, not from 90 on."""
    values = ["_"] * (LAST + 1)
    for step in told.split():
        minute, _, value = step.partition(":")
        first, _, more = value.partition("+")
        for later in range(int(minute), LAST + 1):
            if first == "gone":
                values[later] = "stale" if later == int(minute) else "_"
            else:
                values[later] = str(int(first) + int(more or 0) * (later - int(minute)))
    return " ".join(values)


CASES: dict[str, tuple[Metrics, dict[int, set[str]]]] = {
    "the first unit that is set aside": (
        {units("set_aside"): went("20:1")},
        {15: set(), 21: {"SeiryuUnitsSetAside"}, 34: {"SeiryuUnitsSetAside"}, 40: set()},
    ),
    "another one": (
        {units("set_aside"): went("0:1 60:2")},
        {50: set(), 62: {"SeiryuUnitsSetAside"}, 80: set()},
    ),
    "nothing is ever finished": (
        gauges("0:0", "0:100", "0:8"),
        {60: set(), 75: {"SeiryuNothingFinishes"}, 200: {"SeiryuNothingFinishes"}},
    ),
    "the first one is finished after 50 minutes, and one more each 50": (
        gauges("0:0", "0:100", "0:8") | {units("done"): went("50:1 100:2 150:3 200:4")},
        {minute: set() for minute in (60, 75, 99, 120, 170, 230)},
    ),
    "all goes well, then nothing more is finished": (
        gauges("0:0", "0:100", "0:8") | {units("done"): went("1:1+1 60:60")},
        {59: set(), 110: set(), 135: {"SeiryuNothingFinishes"}},
    ),
    "every attempt fails": (
        gauges("0:0", "0:100", "0:8") | {units("retry"): went("5:1+2")},
        {4: set(), 20: {"SeiryuManyRetries"}, 40: {"SeiryuManyRetries"}},
    ),
    "one attempt in twenty fails": (
        gauges("0:0", "0:100", "0:8") | {units("retry"): went("0:1+1"), units("done"): went("0:1+20")},
        {20: set(), 100: set()},
    ),
    "nodes come and go": (
        {units("node_lost"): went("0:1+1"), units("done"): went("0:1+20")},
        {10: set(), 40: {"SeiryuNodesLost"}},
    ),
    "many are started twice": (
        {units("copied"): went("0:1+1"), units("done"): went("0:1+20")},
        {10: set(), 40: {"SeiryuStragglers"}},
    ),
    "the driver dies in the middle": (
        gauges("0:10+1 30:gone", "0:100 30:gone"),
        {29: set(), 33: set(), 37: {"SeiryuDriverGone"}, 80: {"SeiryuDriverGone"}, 120: set()},
    ),
    "the driver dies and another one goes on": (
        gauges("0:10+1 30:gone", "0:100 30:gone") | gauges("50:0+1", "50:60", worker="02"),
        {37: {"SeiryuDriverGone"}, 52: set(), 80: set()},
    ),
    "another one goes on at once, and comes to the end": (
        gauges("0:10+1 30:gone", "0:100 30:gone") | gauges("33:0+2 63:60 64:gone", "33:60 64:gone", worker="02"),
        {37: set(), 62: set(), 75: set()},
    ),
    "the run comes to its end": (
        gauges("0:0+2 30:60 31:gone", "0:60 31:gone") | gauges("31:0+2 36:10 37:gone", "31:10 37:gone", stage="annotate"),
        {30: set(), 40: set(), 60: set()},
    ),
    "nothing is kept": (
        {series("records_total", reason="not_japanese"): went("0:1000+1000")},
        {20: set(), 50: {"SeiryuHardlyAnythingKept"}},
    ),
    "one record in two thousand is kept": (
        {series("records_total", reason="few_kana"): went("0:1+2000"), series("records_total", reason="kept"): went("0:1+1")},
        {20: set(), 50: {"SeiryuHardlyAnythingKept"}},
    ),
    "one record in fifty is kept": (
        {series("records_total", reason="few_kana"): went("0:1+50"), series("records_total", reason="kept"): went("0:1+1")},
        {50: set(), 200: set()},
    ),
}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (apt install prometheus)")
@pytest.mark.parametrize("case", CASES)
def test_what_fires_and_when(case: str, tmp_path: Path) -> None:
    metrics, wanted = CASES[case]
    firing = 'count by (alertname) (ALERTS{alertstate="firing"})'
    asked = [
        {
            "expr": firing,
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)],
        }
        for minute, names in wanted.items()
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in metrics.items()],
        "promql_expr_test": asked,
    }
    path = tmp_path / "test.yaml"
    path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run([str(PROMTOOL), "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (apt install prometheus)")
def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run([str(PROMTOOL), "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 rules found" in done.stdout
