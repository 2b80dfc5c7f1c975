"""Which file of a run becomes which file of the dataset, and the configs by which `datasets` finds them.

`datasets` reads all configs of a repository with the builder of the first one, so only files of one kind can be configs: parquet if
there is any, provenance included; else jsonl. The other formats lie beside as plain files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from seiryu.corpus.storage import Written
from seiryu.pipelines.stages.splits import NAMES
from seiryu.pipelines.state import State

FOLDERS = {
    "parquet": "data",
    "parquet_tokens": "tokens-parquet",
    "jsonl": "jsonl",
    "megatron": "megatron",
    "datatrove": "datatrove",
    "mds": "mds",
}
WITH_TOKENS = ("parquet_tokens", "megatron", "datatrove", "mds")
PROVENANCE, LINEAGE, CARD, SUMS = "provenance", "lineage/events.jsonl", "README.md", "SHA256SUMS"
COUNTS_SCHEMA = "lineage/SeiryuCountsRunFacet.json"
_PARQUET = (("parquet", "default"), ("parquet_tokens", "tokens"), (PROVENANCE, PROVENANCE))


@dataclass(frozen=True, slots=True)
class File:
    """A file of the dataset. `source`: its name in the run, or empty if it is made here and `data` is what it holds."""

    name: str
    size: int
    sha256: str
    source: str = ""
    data: bytes = b""


def files(state: State) -> list[File]:
    """The shards in all formats and their provenance, by name."""
    found = [File(target, file.size, file.sha256, file.name) for file in _outputs(state) if (target := _target(file.name))]
    return sorted(found, key=lambda file: file.name)


def _outputs(state: State) -> Iterator[Written]:
    for stage in ("shards", "indexes"):
        for done in state.completed(stage).values():
            yield from done.outputs


def _target(name: str) -> str:
    folder, _, rest = name.partition("/")
    if folder == PROVENANCE:
        return name
    kind, _, file = rest.partition("/")
    return f"{FOLDERS.get(kind, kind)}/{file}" if folder == "shards" and file else ""


def formats(chosen: Sequence[File]) -> list[str]:
    """The formats that files are there of, in the order of `FOLDERS`."""
    held = {file.name.partition("/")[0] for file in chosen}
    return [name for name, folder in FOLDERS.items() if folder in held]


def configs(chosen: Sequence[File]) -> list[dict[str, Any]]:
    """What stands under `configs` in the card, the first one as the default."""
    made = [config for kind, called in _PARQUET if (config := _config(called, FOLDERS.get(kind, kind), "parquet", chosen))]
    if not any(file.name.startswith(f"{FOLDERS[kind]}/") for kind in ("parquet", "parquet_tokens") for file in chosen):
        made = [config for config in (_config("jsonl", "jsonl", "jsonl.zst", chosen),) if config] or made
    if made:
        made[0] = {"config_name": made[0]["config_name"], "default": True, "data_files": made[0]["data_files"]}
    return made


def _config(called: str, folder: str, ending: str, chosen: Sequence[File]) -> dict[str, Any]:
    """One config over a folder, with the splits that have a file; empty if none has."""
    held = [split for split in NAMES if any(file.name.startswith(f"{folder}/{split}-") for file in chosen)]
    if not held:
        return {}
    return {
        "config_name": called,
        "data_files": [{"split": split, "path": f"{folder}/{split}-*.{ending}"} for split in held],
    }


def prefixes(chosen: Sequence[File], split: str) -> list[str]:
    """The prefixes of Megatron's shards of a split: their paths without .bin."""
    return [
        file.name.removesuffix(".bin")
        for file in chosen
        if file.name.startswith(f"megatron/{split}-") and file.name.endswith(".bin")
    ]
