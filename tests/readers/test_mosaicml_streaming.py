"""MosaicML's own reader takes every sample of the shards in their order; its own writer makes the same bytes."""

import json

import no_torchvision  # noqa: F401 - before streaming
import numpy as np
import pytest
from finished_run import RUN, SPLITS, finished_run, needs_run
from writing import rows_of, write

from seiryu.corpus.formats import mosaic
from seiryu.corpus.formats.mosaic import merged_index
from seiryu.corpus.formats.shard import Place, Vocabulary
from seiryu.corpus.storage import Store

streaming = pytest.importorskip("streaming", reason="needs mosaicml-streaming: make readers")


@needs_run
@pytest.mark.parametrize("split", SPLITS)
def test_it_reads_every_token_of_every_sequence(split):
    run = finished_run()
    dataset = streaming.StreamingDataset(local=str(RUN / "shards/mds" / split), shuffle=False, batch_size=1)
    samples = [dataset[i] for i in range(len(dataset))]
    assert [sample["doc_id"] for sample in samples] == [doc_id for name in run.shards(split) for doc_id in run.ids[name]]
    for sample, expected in zip(samples, run.of_split(split), strict=True):
        np.testing.assert_array_equal(sample["tokens"], expected)
        assert sample["tokens"].dtype == np.int32


@pytest.mark.parametrize(
    ("vocabulary", "size_limit"), [(Vocabulary(1_000, 999), 1 << 26), (Vocabulary(128_256, 128_001), 40_000)]
)
def test_our_writer_makes_the_bytes_that_mosaicmls_makes(tmp_path, vocabulary, size_limit, monkeypatch):
    monkeypatch.setattr(mosaic, "SIZE_LIMIT", size_limit)
    random = np.random.default_rng(0)
    documents = [random.integers(0, vocabulary.size - 1, size) for size in [*random.integers(1, 700, 300), 254, 255, 256, 70_000]]
    documents = [np.where(ids == vocabulary.eod, 0, ids) for ids in documents]
    write(tmp_path, "mds", documents, vocabulary)
    columns = {"tokens": f"ndarray:{vocabulary.dtype.name}", "doc_id": "str", "url": "str"}
    with streaming.MDSWriter(out=str(tmp_path / "theirs"), columns=columns, size_limit=size_limit) as theirs:
        for doc_id, url, ids in zip(*rows_of(len(documents)), documents, strict=True):
            theirs.write({"tokens": np.append(ids, vocabulary.eod).astype(vocabulary.dtype), "doc_id": doc_id, "url": url})
    ours = {path.name: path.read_bytes() for path in (tmp_path / "shards/mds/train/00000-of-00001").iterdir()}
    assert ours == {path.name: path.read_bytes() for path in (tmp_path / "theirs").iterdir()}
    assert len(ours) > (2 if size_limit < 1 << 26 else 1)


def test_the_merged_index_is_the_one_that_mosaicml_merges(tmp_path):
    vocabulary, places = Vocabulary(1_000, 999), [Place("train", i, 3) for i in range(3)]
    for place in places:
        write(tmp_path, "mds", [np.arange(1, 9 + place.index)] * 5, vocabulary, place)
    ours = merged_index(Store(str(tmp_path)), places)
    streaming.base.util.merge_index(str(tmp_path / "shards/mds/train"))
    assert ours == json.loads((tmp_path / "shards/mds/train/index.json").read_text())
