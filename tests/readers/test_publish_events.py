"""The events of a publication, built by OpenLineage's own client: every field is one that it knows, and every schema the one it names."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("openlineage.client")

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState  # noqa: E402
from openlineage.client.generated import (  # noqa: E402
    dataset_version_dataset,
    datasource_dataset,
    documentation_dataset,
    documentation_job,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
)

FACETS = {
    "dataSource": datasource_dataset.DatasourceDatasetFacet,
    "version": dataset_version_dataset.DatasetVersionDatasetFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "parent": parent_run.ParentRunFacet,
    "processing_engine": processing_engine_run.ProcessingEngineRunFacet,
}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    target = tmp_path_factory.mktemp("published") / "dataset"
    run = Path(os.environ.get("SEIRYU_RUN", "runs/sample"))
    command = [ROOT / ".venv/bin/python", "-m", "seiryu.pipelines", "publish", run, "--out", target, "--name", "Kiyoi"]
    subprocess.run(command, check=True, cwd=ROOT)
    return [json.loads(line) for line in (target / "lineage/events.jsonl").read_text().splitlines()]


def built(facets: dict[str, Any], documentation: type) -> None:
    """Each facet as the client's class, which refuses fields that it does not know; the schema is the class's own."""
    for name, facet in facets.items():
        if name == "seiryu_counts":
            continue
        kind = documentation if name == "documentation" else FACETS[name]
        values = {key: value for key, value in facet.items() if not key.startswith("_")}
        if kind is parent_run.ParentRunFacet:
            values = {"run": parent_run.Run(**values["run"]), "job": parent_run.Job(**values["job"])}
        assert kind(**values, producer=facet["_producer"])._schemaURL == facet["_schemaURL"], name


def test_every_event_is_one_of_the_clients(events: list[dict[str, Any]]) -> None:
    assert len(events) > 10
    for event in events:
        rebuilt = RunEvent(
            eventTime=event["eventTime"], producer=event["producer"], eventType=RunState[event["eventType"]],
            run=Run(event["run"]["runId"]), job=Job(event["job"]["namespace"], event["job"]["name"]),
            inputs=[InputDataset(each["namespace"], each["name"]) for each in event["inputs"]],
            outputs=[OutputDataset(each["namespace"], each["name"]) for each in event["outputs"]],
        )  # fmt: skip
        assert rebuilt.schemaURL == event["schemaURL"]
        built(event["run"]["facets"], documentation_job.DocumentationJobFacet)
        built(event["job"]["facets"], documentation_job.DocumentationJobFacet)
        for each in event["inputs"]:
            built(each["facets"] | each["inputFacets"], documentation_dataset.DocumentationDatasetFacet)
        for each in event["outputs"]:
            built(each["facets"] | each["outputFacets"], documentation_dataset.DocumentationDatasetFacet)
