"""What lies in deploy/ is held against the software that reads it, as far as that runs here."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml
from commandline import ROOT
from jsonschema import validate
from typer.testing import CliRunner

from seiryu.pipelines.cli import app
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import load_config
from seiryu.pipelines.telling.metrics import METRICS

DEPLOY = ROOT / "deploy"
EXPORTED = {name for metric in METRICS for name in metric.exported}


def rayjob() -> tuple[dict, dict]:
    config, job = yaml.safe_load_all((DEPLOY / "kuberay/rayjob.yaml").read_text())
    return config, job["spec"]


def run_config(tmp_path: Path) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(rayjob()[0]["data"]["config.yaml"])
    return load_config(str(path), [])


def test_the_launchers_file_is_what_rays_schema_asks_for() -> None:
    import ray
    from ray.autoscaler._private.util import prepare_config, validate_config

    schema = json.loads((Path(ray.__file__).parent / "autoscaler/ray-schema.json").read_text())
    validate(yaml.safe_load((DEPLOY / "aws/cluster.yaml").read_text()), schema)
    with_defaults = prepare_config(yaml.safe_load((DEPLOY / "aws/cluster.yaml").read_text()))
    validate_config(with_defaults)
    assert {name: kind["max_workers"] for name, kind in with_defaults["available_node_types"].items()} == {"head": 0, "spot": 50}


def test_rays_autoscaler_reads_of_the_rayjob_what_is_meant() -> None:
    from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

    spec = rayjob()[1]["rayClusterSpec"]
    read = _derive_autoscaling_config_from_ray_cr({"metadata": {"name": "seiryu", "namespace": "default"}, "spec": spec})
    kinds = {
        name: (kind["resources"], kind["min_workers"], kind["max_workers"]) for name, kind in read["available_node_types"].items()
    }
    assert kinds == {
        "headgroup": ({"CPU": 0, "memory": 16 << 30}, 0, 0),
        "spot": ({"CPU": 16, "memory": 64 << 30}, 0, 50),
    }


def test_the_rayjob_names_the_ray_that_is_installed() -> None:
    import ray

    assert rayjob()[1]["rayClusterSpec"]["rayVersion"] == ray.__version__


def test_the_rayjob_runs_a_config_that_its_workers_can_hold(tmp_path: Path) -> None:
    config, (_, spec) = run_config(tmp_path), rayjob()
    command = shlex.split(spec["entrypoint"])
    assert command[:2] == ["seiryu", "run"]
    assert CliRunner().invoke(app, [*command[1:2], "--help"]).exit_code == 0
    assert spec["rayClusterSpec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    for group in spec["rayClusterSpec"]["workerGroupSpecs"]:
        container = group["template"]["spec"]["containers"][0]
        memory = int(container["resources"]["limits"]["memory"].removesuffix("Gi")) << 30
        assert int(group["rayStartParams"]["num-cpus"]) * config.engine.memory <= memory
        mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
        assert str(Path(command[2]).parent) in mounted


def test_the_image_is_made_of_what_is_there() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    assert "--hash=sha256:" in (ROOT / "requirements/cluster.txt").read_text()


def test_the_slurm_script_is_bash_and_uses_options_that_ray_has() -> None:
    script = DEPLOY / "slurm/seiryu.sbatch"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    from ray.scripts.symmetric_run import symmetric_run

    known = {option for parameter in symmetric_run.params for option in parameter.opts}
    line = script.read_text().rsplit("ray symmetric-run", 1)[1].split(" -- ", 1)[0]
    asked = set(re.findall(r"--[a-z-]+", line))
    passed_on = {"--num-cpus", "--metrics-export-port"}  # to `ray start`, see its documentation
    assert asked - passed_on <= known
    assert "--address" in asked


def expressions() -> list[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())
    board = json.loads((DEPLOY / "grafana/seiryu.json").read_text())
    return [rule["expr"] for group in rules["groups"] for rule in group["rules"]] + [
        target["expr"] for panel in board["panels"] for target in panel["targets"]
    ]


@pytest.mark.parametrize("expression", expressions())
def test_every_question_is_about_metrics_and_labels_that_there_are(expression: str) -> None:
    promql_parser.parse(expression)
    assert set(re.findall(r"ray_seiryu_\w+", expression)) <= EXPORTED
    labels = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)\s*\"", expression))
    assert labels <= {"stage", "outcome", "reason"}


def test_every_metric_is_asked_for_somewhere() -> None:
    asked = set(re.findall(r"ray_seiryu_\w+", " ".join(expressions())))
    assert {metric.name for metric in METRICS if not asked & set(metric.exported)} == set()


def test_panels_of_the_dashboard_do_not_lie_on_each_other() -> None:
    panels = json.loads((DEPLOY / "grafana/seiryu.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y) for panel in panels for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]  # fmt: skip
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
