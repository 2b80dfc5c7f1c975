"""run.json: what a run was made with and what came out, so that it can be repeated and compared."""

from __future__ import annotations

import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from seiryu.filters.finding.language import MODEL, model_sha256
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.measured import instruments
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.version import VERSION

LIBRARIES = ("fastwarc", "isal", "trafilatura", "justext", "resiliparse", "lxml", "fasttext-community", "numba", "numpy", "datasketch",
              "sudachipy", "sudachidict-core", "hojichar", "publicsuffixlist", "idna",
              "tiktoken", "pyarrow", "ray", "zstandard")  # fmt: skip


def run_record(state: State, set_aside: dict[str, str], seconds: float | None) -> dict[str, Any]:
    """The record of a run as it stands now; `seconds`: how long it took, None while it runs."""
    config = state.config
    stages = {
        stage.name: {
            "units": len(done),
            "worker_seconds": round(state.seconds(stage.name), 1),
            **state.counts(stage.name).to_json(),
        }
        for stage in CHAIN
        if (done := state.completed(stage.name))
    }
    return {
        "seiryu": VERSION, "python": platform.python_version(), "libraries": {name: _version(name) for name in LIBRARIES},
        "config": config.model_dump(mode="json"), "config_sha256": config.sha256(), "models": _models(state),
        "input_sha256": identity(state.completed("extract")), "stages": stages,
        "set_aside": set_aside, "wall_seconds": None if seconds is None else round(seconds, 1),
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }  # fmt: skip


def _models(state: State) -> dict[str, str]:
    """sha256 of all models and lists, by what the config calls them."""
    found = instruments(state.config)
    classifiers = {f"signals.classifiers.{name}": scorer.sha256 for name, scorer in found.classifiers.items()}
    lists = {f"signals.lists.{name}": sha256 for name, sha256 in found.lists.sha256.items()}
    return {MODEL: model_sha256(), state.config.tokenize.tokenizer: found.tokenizer.sha256} | classifiers | lists


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
