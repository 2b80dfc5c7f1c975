"""datatrove's own reader takes every token of the shards; its own writer makes the same bytes; its reader of lines takes the texts."""

import numpy as np
import pytest
from finished_run import RUN, SPLITS, finished_run, needs_run
from hypothesis import example, given
from hypothesis import strategies as st
from writing import write

from seiryu.corpus.formats.datatrove import for_people
from seiryu.corpus.formats.shard import Vocabulary

dataset = pytest.importorskip("datatrove.utils.dataset", reason="needs datatrove: make readers")
tokenizer = pytest.importorskip("datatrove.pipeline.tokens.tokenizer")
readers = pytest.importorskip("datatrove.pipeline.readers")
metric = pytest.importorskip("humanize", reason="needs humanize: make readers").metric
LENGTH = 64


@needs_run
@pytest.mark.parametrize("split", SPLITS)
def test_its_dataset_of_a_folder_holds_the_whole_stream(split):
    run = finished_run()
    for name in run.shards(split):
        stream = np.concatenate(run.sequences[name])
        path = str(RUN / "shards/datatrove" / split / f"{name.removeprefix(f'{split}-')}.ds")
        found = dataset.DatatroveFileDataset(path, LENGTH, token_size=4, return_positions=True)
        windows = [found[i] for i in range(len(found))]
        assert len(windows) == len(stream) // (LENGTH + 1)
        np.testing.assert_array_equal(
            np.concatenate([window["input_ids"] for window in windows]), stream[: len(windows) * (LENGTH + 1)]
        )
        assert np.fromfile(path, "<u4").tolist() == stream.tolist()
        # Places in a document, which come from the index.
        places = np.concatenate([np.arange(len(sequence)) for sequence in run.sequences[name]])
        begin = 0
        for window in windows[:200]:
            here = places[begin : begin + LENGTH + 1]
            first = np.flatnonzero(here == 0)
            np.testing.assert_array_equal(
                window["positions"][first[0] :] if len(first) else [], here[first[0] :] if len(first) else []
            )
            begin += LENGTH + 1
    folder = dataset.DatatroveFolderDataset(str(RUN / "shards/datatrove" / split), LENGTH, token_size=4, shuffle=False)
    streams = [np.concatenate(run.sequences[name]) for name in run.shards(split)]
    whole = [stream[: len(stream) // (LENGTH + 1) * (LENGTH + 1)] for stream in streams]
    np.testing.assert_array_equal(np.concatenate([folder[i]["input_ids"] for i in range(len(folder))]), np.concatenate(whole))


@pytest.mark.parametrize("vocabulary", [Vocabulary(1_000, 999, name="small"), Vocabulary(128_256, 128_001, name="llama3")])
def test_our_writer_makes_the_bytes_that_datatroves_makes(tmp_path, vocabulary):
    random = np.random.default_rng(0)
    documents = [random.integers(0, vocabulary.eod, size) for size in random.integers(1, 400, 300)]
    write(tmp_path, "datatrove", documents, vocabulary)
    theirs = tokenizer.TokenizedFile(
        str(tmp_path / "theirs"), "00000-of-00001.ds", tokenizer_name_or_path=vocabulary.name, save_final_metadata=True,
        token_size=vocabulary.dtype.itemsize,
    )  # fmt: skip
    for ids in documents:
        theirs.write([*ids, vocabulary.eod], None)
    theirs.close()
    ours = {path.name: path.read_bytes() for path in (tmp_path / "shards/datatrove/train").iterdir()}
    assert ours == {path.name: path.read_bytes() for path in (tmp_path / "theirs").iterdir()}


@given(st.integers(1, 10**16))
@example(999_499)
@example(999_500)
@example(999_999_999_999_999)
def test_numbers_for_people_are_those_of_humanize(tokens):
    assert for_people(tokens) == metric(tokens, unit="T")


@needs_run
@pytest.mark.parametrize("split", SPLITS)
def test_its_readers_take_lines_and_parquet(split):
    run = finished_run()
    lines = readers.JsonlReader(str(RUN / "shards/jsonl"), glob_pattern=f"{split}-*.jsonl.zst", doc_progress=False)
    documents = list(lines.run())
    assert [document.text for document in documents] == run.texts(split)
    assert [document.id for document in documents] == [doc_id for name in run.shards(split) for doc_id in run.ids[name]]
    parquet = readers.ParquetReader(str(RUN / "shards/parquet"), glob_pattern=f"{split}-*.parquet", id_key="doc_id")
    assert [document.text for document in parquet.run()] == run.texts(split)
