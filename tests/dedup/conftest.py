import gzip
import json
from pathlib import Path
from typing import Any

import pytest

LABELS = Path(__file__).parents[2] / "samples" / "labels.jsonl.gz"


@pytest.fixture(scope="session")
def pages() -> list[dict[str, Any]]:
    """Labels of the sample pages that have a text."""
    with gzip.open(LABELS, "rt", encoding="utf-8") as lines:
        return [page for page in map(json.loads, lines) if page.get("gold_text")]
