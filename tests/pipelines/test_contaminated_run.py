"""A whole run without the items of a benchmark: documents removed, sentences cut, or documents marked."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commandline import seiryu, write_config


def corpus(run: Path) -> dict[str, dict]:
    return {row["doc_id"]: row for file in sorted((run / "corpus").glob("*.parquet")) for row in pq.read_table(file).to_pylist()}


@pytest.fixture(scope="module")
def benchmark(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The file of a benchmark, the document that its only item was taken from, and that sentence."""
    rows = corpus(small_run / "run")
    held = [
        (doc_id, sentence)
        for doc_id, row in rows.items()
        for sentence in re.findall("(?<=。)[^。\n]{30,60}。", row["text"])
        if sum(sentence in other["text"] for other in rows.values()) == 1 and row["letters"] > 1500
    ]
    doc_id, sentence = held[0]
    file = tmp_path_factory.mktemp("benchmark") / "items.jsonl"
    file.write_text(json.dumps({"question": sentence.replace("、", " "), "answer": "はい"}, ensure_ascii=False) + "\n")
    return file, doc_id, sentence


def settings(benchmark: tuple[Path, str, str], action: str) -> dict:
    return {"action": action, "benchmarks": {"mine": {"path": str(benchmark[0]), "fields": ["question"]}}}


@pytest.mark.parametrize("action", ["remove", "cut", "mark"])
def test_the_item_is_gone_or_marked_and_all_else_is_as_it_was(
    action: str, benchmark: tuple[Path, str, str], small_run: Path, small_archives: Path, run_copy: Path
) -> None:
    _, doc_id, sentence = benchmark
    before, run = corpus(small_run / "run"), run_copy / "run"
    config = write_config(run_copy, small_archives, decontaminate=settings(benchmark, action))
    ended = seiryu("run", config, "--from", "contamination")
    assert ended.code == 0, ended.err
    after = corpus(run)
    mine, others = after.pop(doc_id, None), {key: row for key, row in before.items() if key != doc_id}
    assert after == others
    found = {"remove": None, "cut": before[doc_id]["text"].replace(sentence, ""), "mark": before[doc_id]["text"]}[action]
    assert (mine and mine["text"]) == found
    assert (mine["contaminated"] if mine else "mine") == ("" if action == "cut" else "mine")
    assert ("contaminated" in ended.out) == (action == "remove")
    told = seiryu("explain", run, doc_id, "--json")
    fate = dict(json.loads(told.out)["fate"])
    said = "not in the corpus: contaminated: it holds items of mine" if action == "remove" else "in the corpus"
    assert fate["clean"].startswith(said)
    assert '<td>mine</td><td class="n">1</td><td class="n">1</td>' in (run / "report/index.html").read_text()
    assert seiryu("verify", run).code == 0


def test_another_action_looks_at_no_text_again(benchmark: tuple[Path, str, str], small_archives: Path, run_copy: Path) -> None:
    for action, stages in (("remove", {"contamination", "clean"}), ("mark", {"clean"})):
        config = write_config(run_copy, small_archives, decontaminate=settings(benchmark, action))
        ended = seiryu("run", config)
        assert ended.code == 0, ended.err
        made = set(re.findall(r"^(\w+): \d+ units", ended.err, re.MULTILINE))
        assert stages <= made <= stages | {"tokenize", "splits", "shards", "indexes"}


def test_a_benchmark_that_cannot_be_used_stops_the_command_at_once(small_archives: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"question": "富士山の高さは何メートルですか。"}\nnot json\n')
    config = write_config(tmp_path, small_archives, decontaminate={"benchmarks": {"x": {"path": str(bad)}}})
    ended = seiryu("run", config)
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert "decontaminate.benchmarks.x" in ended.err
    assert f"{bad}, line 2: not JSON" in ended.err
    assert not (tmp_path / "run").exists()
