"""The run that the benchmarks look at is one as the pipeline leaves it: whole, in order, and the same for the same seed."""

import json
import sys
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from commandline import ROOT, hashes, seiryu

sys.path.append(str(ROOT))  # benchmarks/ stands beside tests/, and `pytest` alone does not look there

from benchmarks import synthetic_run
from seiryu.pipelines.state import State

DOCUMENTS, ARCHIVES = 20_000, 8
STAGES = {"extract": ARCHIVES, "annotate": ARCHIVES, "addresses": ARCHIVES, "hosts": 16, "decide": ARCHIVES}
LEFT_OUT = {"blocked_host", "dating_pages"}  # why hosts are


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "run"
    synthetic_run.make(folder, DOCUMENTS, ARCHIVES)
    return folder


def test_it_is_seen_whole(run: Path) -> None:
    state = State.of_run(str(run))
    assert {stage: len(state.completed(stage)) for stage in STAGES} == STAGES
    assert state.whole(*STAGES)
    assert state.counts("extract").kept == state.counts("decide").records == DOCUMENTS
    signals = [pq.read_table(file) for file in sorted((run / "signals").glob("*.parquet"))]
    for name in ("letters", "tokens"):
        measured = sum(pc.sum(table[name]).as_py() for table in signals)
        counts = state.counts("annotate")
        assert measured == (counts.letters["kept"] if name == "letters" else counts.extra["tokens"])


def test_it_is_in_order(run: Path) -> None:
    checked = seiryu("verify", run, "--json")
    assert checked.code == 0, checked.err
    assert json.loads(checked.out)["problems"] == []
    status = json.loads(seiryu("status", run, "--json").out)
    assert status["set_aside"] == {}
    assert set(STAGES) <= set(status["stages"])


def test_it_has_something_of_everything_that_is_looked_at(run: Path) -> None:
    counts = State.of_run(str(run)).counts("decide")
    assert DOCUMENTS / 20 < counts.kept < DOCUMENTS / 2
    assert counts.rejected["blocked_host"]
    hit = {name.removeprefix("hit."): number for name, number in counts.extra.items() if name.startswith("hit.")}
    assert sum(number > 0 for number in hit.values()) > len(hit) / 2
    assert {reason for reason, hosts in State.of_run(str(run)).counts("hosts").rejected.items() if hosts} == LEFT_OUT
    documents = [pq.read_table(file) for file in sorted((run / "documents").glob("*.parquet"))]
    assert {file.name[8:12] for file in (run / "documents").iterdir()} > {"2013", "2021"}
    for name, least in (("charset", 3), ("robots", 5), ("host", 400)):
        assert len({value for table in documents for value in table[name].to_pylist()}) >= least


def test_no_signal_is_one_that_no_text_could_have(run: Path) -> None:
    for file in (run / "signals").glob("*.parquet"):
        table = pq.read_table(file)
        for name in table.column_names:
            if name != "doc_id":
                least, most = pc.min_max(table[name]).as_py().values()
                assert least >= 0, name
                assert most <= 1 or not name.endswith("_share"), name
                assert not pc.any(pc.is_nan(table[name].cast("double"))).as_py(), name
        assert pc.all(pc.less_equal(table["japanese_letters"], table["letters"])).as_py()


def test_the_same_seed_makes_the_same_tables_in_any_number_of_processes(run: Path, tmp_path: Path) -> None:
    folders = ("documents", "ledger", "signals", "addresses", "host_counts", "hosts", "verdicts")
    synthetic_run.make(tmp_path / "again", DOCUMENTS, ARCHIVES, workers=1)
    assert hashes(tmp_path / "again", *folders) == hashes(run, *folders)
