"""The bytes of today are the bytes of yesterday, or the stage that makes others says so by its version.

`tests/data/golden.json` holds, for each stage, its version and a hash of what it made of three sample archives. When a change makes
other bytes on purpose: raise the stage's version, so that old results are made again, and run
`SEIRYU_UPDATE_GOLDEN=1 pytest tests/pipelines/test_golden.py`.
"""

import hashlib
import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from seiryu.pipelines.chain import CHAIN

GOLDEN = Path(__file__).parents[1] / "data/golden.json"
FOLDERS = {"extract": "documents", "annotate": "signals", "addresses": "addresses", "hosts": "hosts",
           "decide": "verdicts", "fingerprints": "fingerprints", "signatures": "signatures", "select": "dedup", "boilerplate": "boilerplate",
           "clean": "corpus", "tokenize": "tokens", "shards": "shards"}  # fmt: skip
# A sum of floats in a library's kernel may differ in the last digit between processors.
LEFT_OUT = ("language_score",)


def content(file: Path) -> str:
    """A hash of a table's rows, whatever wrote them, or of a file's bytes."""
    if file.suffix != ".parquet":
        return hashlib.sha256(file.read_bytes()).hexdigest()
    table = pq.read_table(file)
    rows = table.drop_columns([name for name in LEFT_OUT if name in table.column_names]).to_pylist()
    return hashlib.sha256(json.dumps(rows, default=str, ensure_ascii=False).encode()).hexdigest()


def made(run: Path) -> dict[str, dict[str, object]]:
    found = {}
    for stage in CHAIN:
        if stage.name in FOLDERS:
            folder = run / FOLDERS[stage.name]
            files = sorted(
                file for file in folder.rglob("*") if file.is_file() and file.suffix != ".zst"
            )  # such sums stand in its lines
            whole = hashlib.sha256(
                "\n".join(f"{file.relative_to(folder)} {content(file)}" for file in files).encode()
            ).hexdigest()
            found[stage.name] = {"version": stage.version, "sha256": whole}
    return found


@pytest.fixture(scope="module")
def now(small_run: Path) -> dict[str, dict[str, object]]:
    found = made(small_run / "run")
    if os.environ.get("SEIRYU_UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    return found


@pytest.mark.parametrize("stage", FOLDERS)
def test_a_stage_makes_what_it_made_or_has_another_version(stage: str, now: dict[str, dict[str, object]]) -> None:
    golden = json.loads(GOLDEN.read_text())[stage]
    assert now[stage] == golden, f"{stage} makes other bytes: raise its version, then see the top of this file"
