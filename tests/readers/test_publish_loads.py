"""A publication, loaded by Hugging Face's `datasets` as anybody would load it.

The run is that of SEIRYU_RUN, runs/sample if it is not set; it is published by the seiryu of .venv.
"""

import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"default": "data", "tokens": "tokens-parquet", "provenance": "provenance"}
datasets = pytest.importorskip("datasets")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("published") / "dataset"
    run = Path(os.environ.get("SEIRYU_RUN", "runs/sample"))
    command = [ROOT / ".venv/bin/python", "-m", "seiryu.pipelines", "publish", run, "--out", target, "--name", "Kiyoi"]
    subprocess.run(command, check=True, cwd=ROOT)
    return target


@pytest.mark.parametrize("config", FOLDERS)
def test_every_config_and_split_loads_with_the_rows_of_its_files(published: Path, tmp_path: Path, config: str) -> None:
    files = sorted((published / FOLDERS[config]).glob("*.parquet"))
    if not files:
        pytest.skip(f"the run has no format for the config {config}")
    loaded = datasets.load_dataset(str(published), config, cache_dir=str(tmp_path))
    assert set(loaded) == {file.name.split("-")[0] for file in files}
    for split, table in loaded.items():
        wanted = pa.concat_tables([pq.read_table(file) for file in files if file.name.startswith(f"{split}-")])
        assert table.to_list() == wanted.to_pylist()


def test_without_a_config_the_texts_are_loaded(published: Path, tmp_path: Path) -> None:
    if not (published / "data").is_dir():
        pytest.skip("the run has no format parquet")
    train = datasets.load_dataset(str(published), split="train", cache_dir=str(tmp_path))
    assert "text" in train.column_names
    assert "input_ids" not in train.column_names


def test_the_names_of_configs_are_those_of_the_card(published: Path) -> None:
    held = [name for name, folder in FOLDERS.items() if (published / folder).is_dir()]
    if held == ["provenance"] and (published / "jsonl").is_dir():
        held = ["jsonl"]
    assert datasets.get_dataset_config_names(str(published)) == held


def test_the_json_lines_load_too(published: Path, tmp_path: Path) -> None:
    if not (published / "jsonl").is_dir():
        pytest.skip("the run has no format jsonl")
    files = {"train": str(published / "jsonl/train-*.jsonl.zst")}
    loaded = datasets.load_dataset("json", data_files=files, split="train", cache_dir=str(tmp_path))
    rows = sum(pq.read_metadata(file).num_rows for file in (published / "provenance").glob("train-*.parquet"))
    assert len(loaded) == rows
