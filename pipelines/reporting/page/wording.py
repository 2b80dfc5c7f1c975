"""What the page says, in English and Japanese, from `wording.yaml`."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml


def _read() -> dict[str, Any]:
    text = resources.files("seiryu.pipelines.reporting.page").joinpath("wording.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


_WORDING = _read()
TEXTS: dict[str, tuple[str, str]] = {key: (said["en"], said["ja"]) for key, said in _WORDING["texts"].items()}
TILES: tuple[tuple[str, str, str], ...] = tuple((key, said["en"], said["ja"]) for key, said in _WORDING["tiles"].items())
TERMS: dict[str, str] = _WORDING["terms"]
