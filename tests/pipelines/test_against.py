"""What earlier runs hold is left out, from their signatures alone, and they are left as they are."""

import random
import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import DEDUP, SAMPLES, SMALL, hashes, seiryu, write_config
from duplicates import Doc, by_the_book, config_of, dealt, deduplicate, make_files, verdicts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_tables import write
from test_duplicates import SMALL as LOW
from test_duplicates import corpora

from seiryu.corpus import schema
from seiryu.pipelines.stages.deduplicating.earlier import EarlierRun


def finish(run: Path, docs: list[Doc], files: int, lost: frozenset[str]) -> tuple[list[Doc], EarlierRun]:
    """A run that ends with the documents it kept, less some that cleaning lost; and what it holds, in its order of priority."""
    config = config_of(run, **LOW)
    state = make_files(run, dealt(docs, files), config)
    deduplicate(state)
    kept = {name for name, verdict in verdicts(state).items() if verdict.reason == "kept"} - lost
    shutil.rmtree(run / "documents")  # no text of it is read again
    rows = []
    for name, some in dealt(docs, files).items():
        held = [doc.doc_id for doc in some if doc.doc_id in kept]
        write(state.store, f"corpus/{name}.parquet", schema.CORPUS, {"doc_id": pa.array(held, pa.string())}, len(held))
        rows.append((name, len(some)))
    best = sorted((doc for doc in docs if doc.doc_id in kept), key=lambda doc: (-doc.day, doc.doc_id))
    return best, EarlierRun(tuple(rows), "a hash")


def named(docs: list[Doc], prefix: str) -> list[Doc]:
    return [Doc(prefix + doc.doc_id, doc.text, doc.day, doc.url) for doc in docs]


@given(corpora(), corpora(), corpora(), st.randoms(use_true_random=False), st.sampled_from([1, 2, 4]), st.sampled_from([1, 1, 2]))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_stays_is_what_one_pass_keeps_that_begins_with_all_that_is_held(
    first: list[Doc], second: list[Doc], docs: list[Doc], draw: random.Random, partitions: int, copies: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        held, runs = [], []
        for number, some in enumerate((named(first, "a"), named(second, "b"))):
            lost = frozenset(doc.doc_id for doc in some if draw.random() < 0.2)
            best, run = finish(Path(folder) / f"earlier{number}", some, 2, lost)
            held += best
            runs.append(run)
        paths = [str(Path(folder) / f"earlier{number}") for number in range(2)]
        before = hashes(Path(folder), "earlier0", "earlier1")
        config = config_of(Path(folder) / "run", partitions=partitions, copies=copies, against=paths, **LOW)
        state = make_files(Path(folder) / "run", dealt(docs, 2), config)
        state.earlier = tuple(runs)
        deduplicate(state, draw, kills=3)
        found = verdicts(state)
        book, theirs = by_the_book(docs, config, held), {doc.doc_id for doc in held}
        assert {doc: v.reason for doc, v in found.items()} == {doc: why for doc, (why, _) in book.items()}
        for doc, v in found.items():  # of what is held, one with the same text is named before one that is only near
            _, kept = book[doc]
            assert v.duplicate_of in ([each for each in kept if each in theirs] or kept[:1] or [""])
        of_run = {doc.doc_id: 1 + (doc.doc_id[0] == "b") for doc in held}
        assert all(v.run == of_run.get(v.duplicate_of, 0) for v in found.values())
        assert hashes(Path(folder), "earlier0", "earlier1") == before


@pytest.fixture(scope="module")
def two_archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One archive that the earlier run has read, and one that it has not."""
    folder = tmp_path_factory.mktemp("snapshot")
    for name in (SMALL[0], "CC-MAIN-2023-50-00000.warc.gz"):
        shutil.copy(SAMPLES / name, folder)
    return folder


def test_a_snapshot_against_an_earlier_one_holds_nothing_that_is_there(
    small_run: Path, two_archives: Path, tmp_path: Path
) -> None:
    earlier = shutil.copytree(small_run / "run", tmp_path / "earlier")
    shutil.rmtree(earlier / "documents")
    config = write_config(tmp_path, two_archives, dedup={**DEDUP, "against": [str(earlier)]})
    before = hashes(earlier, "signatures", "fingerprints", "corpus", "units")
    ended = seiryu("run", config)
    assert ended.code == 0, ended.err
    assert hashes(earlier, "signatures", "fingerprints", "corpus", "units") == before
    assert "in_earlier_run" in ended.out
    read = [pq.read_table(file) for file in sorted((tmp_path / "run/dedup").glob("*.parquet"))]
    rows = [row for table in read for row in table.to_pylist() if row["verdict"] == "in_earlier_run"]
    ids = {row["doc_id"] for file in (earlier / "corpus").glob("*.parquet") for row in pq.read_table(file).to_pylist()}
    corpus = {row["doc_id"] for file in (tmp_path / "run/corpus").glob("*.parquet") for row in pq.read_table(file).to_pylist()}
    assert len(rows) > 10
    assert all(row["duplicate_of"] in ids and row["run"] == 1 for row in rows)
    assert not corpus & ids
    assert corpus
    again = seiryu("run", config)
    assert "signatures" not in again.err, "what was done is done again"
    shutil.rmtree(earlier)
    assert "in_earlier_run" in seiryu("status", tmp_path / "run").out
    gone = seiryu("run", config)
    assert (gone.code, gone.err.count("\n")) == (2, 1), gone.err
    assert f"dedup.against: {earlier} holds no run: run.json is not there" in gone.err


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"bands": 14, "rows": 8}, "was made with bands 30, this config asks for 14"),
        ({"shingle": 4}, "was made with shingle 5, this config asks for 4"),
    ],
)
def test_signatures_of_another_kind_are_refused(
    change: dict, why: str, small_run: Path, two_archives: Path, tmp_path: Path
) -> None:
    config = write_config(tmp_path, two_archives, dedup={**DEDUP, "against": [str(small_run / "run")], **change})
    ended = seiryu("plan", config)
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert why in ended.err


def test_an_earlier_run_that_is_not_finished_is_refused(run_copy: Path, two_archives: Path, tmp_path: Path) -> None:
    next((run_copy / "run/units/clean").glob("*.json")).unlink()
    config = write_config(tmp_path / "new", two_archives, dedup={**DEDUP, "against": [str(run_copy / "run")]})
    ended = seiryu("run", config)
    assert ended.code == 2
    assert "is not finished: 2 of 3 files are cleaned; run it to its end" in ended.err
