"""Why a document was kept or not: its own values, every rule, and where in the text."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commandline import ROOT, command, seiryu


def change(run: Path, section: str, field: str, value: Any) -> None:
    """What a run with another config that is stopped early leaves."""
    record = json.loads((run / "run.json").read_text())
    record["config"][section][field] = value
    (run / "run.json").write_text(json.dumps(record))


def rows(run: Path, folder: str) -> list[dict]:
    return [row for file in sorted((run / folder).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def explained(run: Path, *arguments: str | Path) -> dict:
    ended = seiryu("explain", run, "--json", *arguments)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_every_signal_limit_and_verdict_of_a_document_is_shown(small_run: Path) -> None:
    run = small_run / "run"
    verdict = next(row for row in rows(run, "verdicts") if row["reject_mask"].bit_count() >= 3)
    found = explained(run, verdict["doc_id"])
    signals = next(row for row in rows(run, "signals") if row["doc_id"] == verdict["doc_id"])
    assert found["signals"] == {name: value for name, value in signals.items() if name != "doc_id"}
    assert sum(rule["rejects"] << i for i, rule in enumerate(found["rules"])) == verdict["reject_mask"]
    assert found["place"]["warc"].endswith(".warc.gz")
    assert found["final"] is None
    for rule in found["rules"]:
        assert rule["value"] == signals[rule["signal"]]
        assert all(0 <= begin < end <= len(found["text"]) for begin, end in rule["spans"])
    assert any(rule["spans"] for rule in found["rules"])
    names = [rule["rule"] for rule in found["rules"] if rule["rejects"]]
    assert found["fate"] == [["decide", f"rejected by {', '.join(names)}"]]


def test_a_kept_document_shows_what_cleaning_made_of_it_and_a_duplicate_what_it_was_lost_to(small_run: Path) -> None:
    run = small_run / "run"
    kept = rows(run, "corpus")[0]
    found = explained(run, kept["doc_id"][:13])
    assert found["final"] == kept["text"]
    assert [step[0] for step in found["fate"]] == ["decide", "select", "clean"]
    lost = next(row for row in rows(run, "dedup") if row["duplicate_of"])
    assert explained(run, lost["doc_id"])["fate"][-1] == [
        "select",
        f"{lost['verdict']}: similarity {lost['similarity']:.3f} to {lost['duplicate_of']}, which is kept",
    ]


def test_a_cut_is_shown_as_a_difference(small_run: Path) -> None:
    run = small_run / "run"
    before = {row["doc_id"]: row["text"] for row in rows(run, "documents")}
    cut = next(row for row in rows(run, "corpus") if row["text"] != before[row["doc_id"]])
    ended = seiryu("explain", run, cut["doc_id"])
    assert ended.code == 0, ended.err
    assert "what cleaning changed" in ended.out
    shown = ended.out.split("what cleaning changed")[1].strip().splitlines()
    assert any("[-" in line and "-]" in line for line in shown)
    changes = explained(run, cut["doc_id"])["changes"]
    assert "".join(piece for kind, piece in changes if kind != "new") == before[cut["doc_id"]]
    assert "".join(piece for kind, piece in changes if kind != "gone") == cut["text"]


def test_a_text_of_nobodys_is_judged_by_the_rules_of_the_run(small_run: Path, tmp_path: Path) -> None:
    text = "昨日の天気の話。" * 100
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    found = explained(small_run / "run", "--text", path)
    rules = {rule["rule"]: rule for rule in found["rules"]}
    assert rules["repeated_sentences"]["rejects"]
    assert rules["repeated_sentences"]["value"] == 0.99
    assert rules["repeated_sentences"]["spans"] == [[8 * i, 8 * i + 8] for i in range(1, 100)]
    piped = subprocess.run(
        command("explain", small_run / "run", "--json", "--text", "-"),
        input=text.encode(),
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert json.loads(piped.stdout) == found


def test_what_a_page_says_is_nothing_that_a_terminal_obeys(small_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("\x1b[31m赤い文字。\x1b]0;title\x07\x9b31m\u202e" * 60, encoding="utf-8")
    shown = seiryu("explain", small_run / "run", "--text", path).out
    assert "赤い文字" in shown
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ffffffff-0000",), "no document of"),
        (("",), "give either a DOC_ID or --text FILE"),
        (("--text", "nowhere.txt"), "--text nowhere.txt: No such file"),
        (("--text", ROOT / "samples/labels.jsonl.gz"), "not UTF-8"),
    ],
)
def test_a_document_that_is_not_there_ends_with_2_and_one_line(arguments: tuple[str, ...], message: str, small_run: Path) -> None:
    ended = seiryu("explain", small_run / "run", *arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert message in ended.err


def test_a_beginning_that_several_have_asks_for_more(small_run: Path) -> None:
    ids = sorted(row["doc_id"] for row in rows(small_run / "run", "documents"))
    shared = next(a[:1] for a, b in itertools.pairwise(ids) if a[0] == b[0])
    ended = seiryu("explain", small_run / "run", shared)
    assert (ended.code, "documents begin so" in ended.err) == (2, True)


def test_a_text_that_was_lost_in_cleaning_shows_what_it_lacks(run_copy: Path) -> None:
    run = run_copy / "run"
    ended = seiryu("run", run_copy / "config.yaml", "--set", "clean.min_letters=600", "--until", "clean")
    assert ended.code == 0, ended.err
    final = {row["doc_id"] for row in rows(run, "corpus")}
    lost = next(row["doc_id"] for row in rows(run, "dedup") if row["verdict"] == "kept" and row["doc_id"] not in final)
    found = explained(run, lost)
    assert found["final"] is None
    stage, said = found["fate"][-1]
    letters = len(found["cleaned"]) - found["cleaned"].count("\n")
    assert (stage, said) == ("clean", f"not in the corpus: short_after_cleaning: {letters:,} letters, 600 wanted")
    change(run, "clean", "min_letters", 5000)
    assert "config has changed since" in explained(run, lost)["fate"][-1][1]


def test_a_text_of_nobodys_shows_what_would_be_masked(small_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("問い合わせは info@example.jp まで。", encoding="utf-8")
    assert "<メールアドレス>" in explained(small_run / "run", "--text", path)["cleaned"]
    assert "[-info@example.jp-]{+<メールアドレス>+}" in seiryu("explain", small_run / "run", "--text", path).out


def test_a_text_of_nobodys_is_judged_as_the_documents_were_and_told_whether_it_would_stay(run_copy: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("今日は良い天気でした。明日もきっと晴れると思います。", encoding="utf-8")
    before = explained(run_copy / "run", "--text", path)
    lacks = [f"short_after_cleaning: 26 {signal}, 400 wanted" for signal in ("letters", "japanese_letters")]
    assert before["fate"][-1] == ["clean", f"would not stay: {'; '.join(lacks)}"]
    for value in ({"few_hiragana": {"low": 0.9}}, {"own": {"signal": "function_word_share", "high": 0.1}}):
        change(run_copy / "run", "rules", "change", value)
        assert explained(run_copy / "run", "--text", path) == before


def test_a_document_is_explained_when_the_preset_is_gone(run_copy: Path) -> None:
    lost = next(row["doc_id"] for row in rows(run_copy / "run", "verdicts") if row["reject_mask"])
    before = explained(run_copy / "run", lost)
    change(run_copy / "run", "rules", "preset", "/gone/own.yaml")
    after = explained(run_copy / "run", lost)
    for rule in (*before["rules"], *after["rules"]):
        del rule["why"]
    assert after == before
