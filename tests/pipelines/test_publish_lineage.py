"""The OpenLineage events of a publication: runs with both ends, the numbers of the run, and the same bytes again.

tests/readers/test_publish_events.py holds them against OpenLineage's own classes.
"""

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commandline import SMALL
from jsonschema import Draft202012Validator, FormatChecker

from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.commands.checks import finished
from seiryu.pipelines.publishing import lineage
from seiryu.pipelines.publishing.card import Said
from seiryu.pipelines.publishing.publication import Publication, publication
from seiryu.pipelines.source_config import CommonCrawl
from seiryu.pipelines.state import State

# What the specification demands of every RunEvent and every facet.
EVENT = {
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job", "eventType"],
    "properties": {
        "eventTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "run": {"required": ["runId"], "properties": {"runId": {"type": "string", "format": "uuid"}}},
        "job": {"required": ["namespace", "name"]},
    },
}


@pytest.fixture(scope="module")
def state(small_run: Path) -> State:
    return finished(str(small_run / "run"))


@pytest.fixture(scope="module")
def made(state: State) -> Publication:
    return publication(state, Said("Kiyoi"))


@pytest.fixture(scope="module")
def events(made: Publication) -> list[dict[str, Any]]:
    lines = next(file.data for file in made.files if file.name == "lineage/events.jsonl").splitlines()
    return [json.loads(line) for line in lines]


def test_every_line_is_an_event(events: list[dict[str, Any]]) -> None:
    validator = Draft202012Validator(EVENT, format_checker=FormatChecker())
    for event in events:
        validator.validate(event)
        uuid.UUID(event["run"]["runId"])


def test_every_run_starts_and_completes_once_and_in_that_order(events: list[dict[str, Any]]) -> None:
    runs: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        runs.setdefault(event["run"]["runId"], []).append(event)
    for both in runs.values():
        assert [event["eventType"] for event in both] == ["START", "COMPLETE"]
        assert datetime.fromisoformat(both[0]["eventTime"]) <= datetime.fromisoformat(both[1]["eventTime"])
    assert (events[0]["job"]["name"], events[-1]["job"]["name"]) == ("Kiyoi", "Kiyoi")
    for event in events[1:-1]:
        parent = event["run"]["facets"]["parent"]
        assert (parent["run"]["runId"], parent["job"]["name"]) == (events[0]["run"]["runId"], "Kiyoi")


def test_each_stage_tells_its_counts_and_they_add_up(events: list[dict[str, Any]], state: State, made: Publication) -> None:
    schema = json.loads(next(file.data for file in made.files if file.name.endswith("CountsRunFacet.json")))
    own = schema["$defs"]["SeiryuCountsRunFacet"]["allOf"][1]
    Draft202012Validator.check_schema(own)
    told = {}
    for event in events[1:-1]:
        if event["eventType"] == "COMPLETE":
            counts = event["run"]["facets"]["seiryu_counts"]
            Draft202012Validator(own).validate(counts)
            assert counts["_schemaURL"].partition("#")[0] == schema["$id"]
            assert counts["records"] == counts["kept"] + sum(counts["rejected"].values()) + sum(counts["failed"].values())
            told[event["job"]["name"].removeprefix("Kiyoi.")] = counts["records"]
    assert list(told) == [stage.name for stage in CHAIN if state.completed(stage.name)]
    assert told["extract"] == 1578


def test_inputs_are_the_archives_and_outputs_the_published_shards(
    events: list[dict[str, Any]], made: Publication, small_run: Path
) -> None:
    last = events[-1]
    assert sorted((each["namespace"], each["name"]) for each in last["inputs"]) == sorted(("file", name) for name in SMALL)
    shards = {file.name: file for file in made.files if file.source}
    assert {each["name"] for each in last["outputs"]} == set(shards)
    for each in last["outputs"]:
        file, written = shards[each["name"]], each["outputFacets"]["outputStatistics"]
        assert (written["size"], each["facets"]["version"]["datasetVersion"]) == (file.size, f"sha256:{file.sha256}")
        if each["name"].endswith(".parquet"):
            assert written["rowCount"] == pq.read_metadata(small_run / "run" / file.source).num_rows


def test_nothing_of_this_machine_is_told(made: Publication, small_run: Path) -> None:
    for file in made.files:
        if not file.source:
            assert str(small_run).encode() not in file.data, file.name
            assert b"/tmp/" not in file.data


def test_the_same_run_gives_the_same_events_and_another_config_another_identity(state: State, made: Publication) -> None:
    again = publication(state, Said("Kiyoi"))
    assert again.files == made.files
    assert lineage.run_id(made.facts | {"config_sha256": "0" * 64}) != made.run_id


def test_an_archive_of_common_crawl_is_named_as_openlineage_names_objects_of_s3(small_run: Path) -> None:
    state = finished(str(small_run / "run"))
    facts = publication(state, Said("Kiyoi")).facts
    state.config = state.config.model_copy(update={"source": CommonCrawl(crawls=("CC-MAIN-2024-33",))})
    path = "crawl-data/CC-MAIN-2024-33/segments/1722640353668.0/warc/CC-MAIN-20240802234508-20240803024508-00000.warc.gz"
    next(iter(state.completed("extract").values())).made_of["params"]["warc"] = path
    last = json.loads(lineage.events(state, facts, "Kiyoi", ()).splitlines()[-1])
    assert (last["inputs"][0]["namespace"], last["inputs"][0]["name"]) == ("s3://commoncrawl", path)
    assert last["inputs"][0]["facets"]["dataSource"]["uri"] == f"s3://commoncrawl/{path}"
