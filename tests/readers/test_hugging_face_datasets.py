"""Hugging Face datasets takes every row of Parquet and of lines, loaded whole and streamed."""

import numpy as np
import pytest
from finished_run import RUN, SPLITS, finished_run, needs_run

datasets = pytest.importorskip("datasets", reason="needs datasets: make readers")
pytestmark = needs_run


def load(kind, folder, split, tmp_path, **options):
    suffix = {"parquet": "parquet", "json": "jsonl.zst"}[kind]
    files = {split: str(RUN / "shards" / folder / f"{split}-*.{suffix}")}
    return datasets.load_dataset(kind, data_files=files, split=split, cache_dir=str(tmp_path), **options)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("kind", "folder"), [("parquet", "parquet"), ("parquet", "parquet_tokens"), ("json", "jsonl")])
def test_it_reads_every_row(kind, folder, split, streaming, tmp_path):
    run, rows = finished_run(), list(load(kind, folder, split, tmp_path, streaming=streaming))
    assert [row["text"] for row in rows] == run.texts(split)
    assert [row["id" if kind == "json" else "doc_id"] for row in rows] == [i for name in run.shards(split) for i in run.ids[name]]
    assert [row["tokens"] for row in rows] == [len(sequence) for sequence in run.of_split(split)]
    if folder == "parquet_tokens":
        for row, expected in zip(rows, run.of_split(split), strict=True):
            np.testing.assert_array_equal(row["input_ids"], expected)
