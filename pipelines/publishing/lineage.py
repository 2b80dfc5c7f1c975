"""The run as OpenLineage tells it: START and COMPLETE of the run, and of each stage as its child, an event a line.

By https://openlineage.io, version 2-0-2 of its schema. Identities and times come from the config, the input and the sidecars, so
publishing again writes the same bytes. Datasets are named by OpenLineage's conventions: an archive of Common Crawl stands in
s3://commoncrawl, another one in `file` under the name it has in the run; files of the dataset in `file` under their names in it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.publishing.layout import COUNTS_SCHEMA, PROVENANCE, File
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar, Stage
from seiryu.pipelines.version import VERSION

_EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets"
_COUNTS = "urn:seiryu:facets:1-0-0:SeiryuCountsRunFacet"
_PRODUCER = f"pkg:generic/seiryu@{VERSION.replace('+', '%2B')}"
_NAMESPACE = "seiryu"
_WHEN = "%Y-%m-%dT%H:%M:%SZ"


def run_id(facts: dict[str, Any]) -> str:
    """The run's identity: what it was made by, and of what."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:seiryu:run:{facts['config_sha256']}:{facts['input_sha256']}"))


def events(state: State, facts: dict[str, Any], name: str, files: Sequence[File]) -> bytes:
    """All events, a JSON object a line, the run's own at both ends. InputError if a sidecar says no time."""
    whole = run_id(facts)
    done = {stage: list(state.completed(stage.name).values()) for stage in CHAIN if state.completed(stage.name)}
    job = _job(name, "Japanese text from archives of web pages, as token shards", "JOB")
    engine = {
        "processing_engine": _facet(
            "1-1-1", "ProcessingEngineRunFacet", version=str(facts["libraries"].get("ray", "not known")), name="ray"
        )
    }
    run = {"runId": whole, "facets": engine}
    first, last = _times([sidecar for sidecars in done.values() for sidecar in sidecars])
    lines = [_event("START", first, run, job, [], [])]
    for stage, sidecars in done.items():
        lines += _of_stage(stage, sidecars, state.counts(stage.name), (whole, name))
    lines.append(_event("COMPLETE", last, run, job, _archives(state), _files(state, files)))
    return "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in lines).encode()


def _of_stage(stage: Stage, sidecars: list[Sidecar], counts: Counts, parent: tuple[str, str]) -> list[dict[str, Any]]:
    whole, name = parent
    above = {"run": {"runId": whole}, "job": {"namespace": _NAMESPACE, "name": name}}
    begun = {"parent": _facet("1-2-0", "ParentRunFacet", **above)}
    counted = {"units": len(sidecars), "what": stage.what, **counts.to_json()}
    ended = begun | {"seiryu_counts": _base(f"{_COUNTS}#/$defs/SeiryuCountsRunFacet") | counted}
    identity = str(uuid.uuid5(uuid.UUID(whole), stage.name))
    job = _job(f"{name}.{stage.name}", f"{stage.name}: counts {stage.what}", "TASK")
    first, last = _times(sidecars)
    runs = ({"runId": identity, "facets": facets} for facets in (begun, ended))
    return [
        _event(kind, when, run, job, [], []) for kind, when, run in zip(("START", "COMPLETE"), (first, last), runs, strict=True)
    ]


def _archives(state: State) -> list[dict[str, Any]]:
    """The archives that were read, in the order of their units."""
    crawled = state.config.source.kind == "commoncrawl"
    found = []
    for unit, done in state.completed("extract").items():
        warc = str(done.made_of["params"].get("warc", unit))
        namespace = "s3://commoncrawl" if crawled else "file"
        uri = f"s3://commoncrawl/{warc}" if crawled else None
        facets = {"dataSource": _facet("1-0-1", "DatasourceDatasetFacet", name=namespace, **({"uri": uri} if uri else {}))}
        read = {"inputStatistics": _facet("1-0-0", "InputStatisticsInputDatasetFacet", rowCount=done.counts.records)}
        found.append({"namespace": namespace, "name": warc, "facets": facets, "inputFacets": read})
    return found


def _files(state: State, files: Sequence[File]) -> list[dict[str, Any]]:
    """The shards and their provenance, with their sizes, rows and sha256."""
    rows = {file.name: done.counts.kept for done in state.completed("shards").values() for file in done.outputs}
    found = []
    for file in files:
        what = "which page each sequence is" if file.name.startswith(f"{PROVENANCE}/") else "sequences of a shard"
        facets = {
            "version": _facet("1-0-1", "DatasetVersionDatasetFacet", datasetVersion=f"sha256:{file.sha256}"),
            "documentation": _facet("1-1-0", "DocumentationDatasetFacet", description=what),
        }
        told = {"rowCount": rows[file.source]} if file.source in rows else {}
        written = _facet("1-0-2", "OutputStatisticsOutputDatasetFacet", size=file.size, fileCount=1, **told)
        found.append({"namespace": "file", "name": file.name, "facets": facets, "outputFacets": {"outputStatistics": written}})
    return found


def _event(
    kind: str, when: str, run: dict[str, Any], job: dict[str, Any], inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "eventType": kind, "eventTime": when, "run": run, "job": job, "inputs": inputs, "outputs": outputs, "producer": _PRODUCER,
        "schemaURL": _EVENT,
    }  # fmt: skip


def _job(name: str, description: str, kind: str) -> dict[str, Any]:
    facets = {
        "jobType": _facet("2-0-4", "JobTypeJobFacet", processingType="BATCH", integration="SEIRYU", jobType=kind),
        "documentation": _facet("1-1-0", "DocumentationJobFacet", description=description),
    }
    return {"namespace": _NAMESPACE, "name": name, "facets": facets}


def _facet(version: str, name: str, /, **values: Any) -> dict[str, Any]:
    return _base(f"{_FACETS}/{version}/{name}.json#/$defs/{name}") | values


def _base(schema: str) -> dict[str, Any]:
    return {"_producer": _PRODUCER, "_schemaURL": schema}


def _times(sidecars: Sequence[Sidecar]) -> tuple[str, str]:
    """When the first of these units was begun and the last was finished."""
    ends = [(datetime.strptime(done.finished, _WHEN).replace(tzinfo=UTC), done.seconds) for done in sidecars]
    first = min(end - timedelta(seconds=round(seconds)) for end, seconds in ends)
    return first.strftime(_WHEN), max(end for end, _ in ends).strftime(_WHEN)


def counts_schema() -> bytes:
    """The JSON schema of the facet that is ours, which lies beside the events (layout.COUNTS_SCHEMA)."""
    number = {"type": "integer", "minimum": 0}
    named = {"type": "object", "additionalProperties": {"type": "integer"}}
    properties = {
        "units": number | {"description": "units of work of the stage"},
        "what": {"type": "string", "description": "what its records are"},
        "records": number | {"description": "records = kept + all rejected + all failed"},
        "kept": number,
        "rejected": named | {"description": "reason -> records"},
        "failed": named | {"description": "reason -> records"},
        "letters": named | {"description": "kept or a reason -> letters of these records' texts"},
        "extra": named | {"description": "further sums"},
    }
    base = {"$ref": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet"}
    own = {"type": "object", "properties": properties, "required": list(properties)}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": _COUNTS,
        "$defs": {"SeiryuCountsRunFacet": {"allOf": [base, own], "type": "object"}},
        "type": "object", "properties": {"seiryu_counts": {"$ref": "#/$defs/SeiryuCountsRunFacet"}},
    }  # fmt: skip
    return json.dumps(schema, indent=1, sort_keys=True).encode() + b"\n"


__all__ = ["COUNTS_SCHEMA", "counts_schema", "events", "run_id"]
