"""Other rules over a finished run: the numbers are those of a run made with them, and nothing is extracted or measured again."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commandline import hashes, seiryu


def rows(run: Path, folder: str) -> list[dict]:
    return [row for file in sorted((run / folder).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def recounted(run: Path, *arguments: str) -> dict:
    ended = seiryu("rules", run, "--json", *arguments)
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def sums(documents: list[dict]) -> dict[str, int]:
    return {
        "documents": len(documents),
        "letters": sum(row["letters"] for row in documents),
        "tokens": sum(row["tokens"] for row in documents),
    }


def test_the_runs_own_rules_keep_what_the_run_kept(small_run: Path) -> None:
    found = recounted(small_run / "run")
    signals, verdicts = rows(small_run / "run", "signals"), rows(small_run / "run", "verdicts")
    passing = [
        row for row, verdict in zip(signals, verdicts, strict=True) if not verdict["reject_mask"] and not verdict["blocked"]
    ]
    assert found["kept"] == found["before"] == sums(passing)
    assert found["measured"] == sums(signals)
    assert found["gained"] == found["lost"] == {"documents": 0, "letters": 0, "tokens": 0}
    short = next(rule for rule in found["rules"] if rule["name"] == "too_short")
    assert short["rejects"] == sums([row for row in signals if row["letters"] < 400])
    bit = [rule["name"] for rule in found["rules"]].index("too_short")
    only = [
        row
        for row, verdict in zip(signals, verdicts, strict=True)
        if verdict["reject_mask"] == 1 << bit and not verdict["blocked"]
    ]
    assert short["only"] == sums(only)


def test_a_moved_limit_gains_and_loses_what_a_scan_of_the_signal_says(small_run: Path) -> None:
    found = recounted(small_run / "run", "--set", "too_short.low=800", "--set", "sentence_too_long=null")
    signals, verdicts = rows(small_run / "run", "signals"), rows(small_run / "run", "verdicts")
    names = [rule["name"] for rule in recounted(small_run / "run")["rules"]]
    long = 1 << names.index("sentence_too_long")
    before = {row["doc_id"] for row in verdicts if not row["reject_mask"] and not row["blocked"]}
    after = {
        row["doc_id"]
        for row, verdict in zip(signals, verdicts, strict=True)
        if not verdict["reject_mask"] & ~long and not verdict["blocked"] and row["letters"] >= 800
    }
    assert found["kept"]["documents"] == len(after)
    assert found["gained"]["documents"] == len(after - before) > 0
    assert found["lost"]["documents"] == len(before - after) > 0
    assert "sentence_too_long" not in [rule["name"] for rule in found["rules"]]


def test_a_rule_that_only_another_preset_has_comes_from_there(run_copy: Path) -> None:
    assert seiryu("run", run_copy / "config.yaml", "--set", "signals.morphology=true", "--until", "decide").code == 0
    found = recounted(run_copy / "run", "--preset", "fineweb2-ja", "--set", "few_hiragana.low=0.1")
    rule = found["rules"][-1]
    assert (rule["name"], rule["signal"], rule["rejected_if"]) == ("few_hiragana", "hiragana_share", "< 0.1")
    assert "were not extracted because they could not pass" in found["note"]
    assert found["kept"]["documents"] > 0


@pytest.mark.parametrize("change", ["rules.preset=swallow-v1", "rules.change.few_hiragana.low=0.4"])
def test_what_a_recount_says_is_what_a_run_from_decide_makes(change: str, run_copy: Path) -> None:
    run = run_copy / "run"
    preset = ("--preset", "swallow-v1") if "preset" in change else ("--set", change.removeprefix("rules.change."))
    changes = ("--set", change) if "preset" not in change else ("--set", "rules={preset: swallow-v1}")
    said = recounted(run, *preset)
    before = hashes(run, "units/extract", "units/annotate", "documents", "signals")
    config = json.loads((run_copy / "config.yaml").read_text())
    archives = Path(config["source"]["paths"][0]).parent
    nowhere = ("--set", f"source.paths=[{run_copy}/nowhere/*.warc.gz]")  # the archives may be gone
    ended = seiryu("run", run_copy / "config.yaml", "--from", "decide", "--until", "decide", *changes, *nowhere)
    assert ended.code == 0, ended.err
    assert archives.is_dir()
    assert hashes(run, "units/extract", "units/annotate", "documents", "signals") == before
    kept = sum(not row["reject_mask"] and not row["blocked"] for row in rows(run, "verdicts"))
    assert kept == said["kept"]["documents"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "swalow"), "did you mean 'swallow'?"),
        (("--set", "few_hirgana.low=0.1"), "did you mean 'few_hiragana'?"),
        (("--set", "few_hiragana.lo=0.1"), "unknown key 'lo'"),
        (("--set", "few_hiragana=0.1"), "RULE.low=0.1"),
        (("--set", "few_hiragana.low"), "RULE.low=0.1"),
        (("--set", "few_hiragana.low=much"), "low must be a number"),
        (("--set", "few_hiragana={low: 2, high: 1}"), "low 2 against high 1"),
        (("--set", "few_hiragana={low: 0.1, low: 0.2}"), "'low' stands there twice"),
        (("--set", "few_hiragana.name=other"), "a rule keeps its name"),
        (("--set", "near_duplicate={signal: letters, low: 1}"), "documents are counted under this name elsewhere"),
        (("--set", "x={signal: doc_id, low: 1}"), "unknown signal 'doc_id'"),
        (("--preset", "fineweb2-ja"), "--from annotate --set signals.morphology=true"),
    ],
)
def test_rules_that_cannot_be_judged_end_with_2_and_one_line(arguments: tuple[str, ...], message: str, small_run: Path) -> None:
    ended = seiryu("rules", small_run / "run", *arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert message in ended.err


def test_the_rules_of_a_run_are_those_it_was_judged_by_and_not_what_its_config_says_since(run_copy: Path) -> None:
    before = recounted(run_copy / "run")
    later = ("--set", "rules.change.too_short.low=100000", "--until", "hosts")
    assert seiryu("run", run_copy / "config.yaml", *later).code == 0
    assert recounted(run_copy / "run") == before


def test_the_last_change_of_a_rule_wins(small_run: Path) -> None:
    changes = ("--set", "few_hiragana.low=0.4", "--set", "few_hiragana=null", "--set", "few_hiragana.low=0.3")
    assert recounted(small_run / "run", *changes) == recounted(small_run / "run", "--set", "few_hiragana.low=0.3")


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [("rules", "preset", "/gone/own.yaml"), ("signals", "lists", {"own": ["/gone/own.txt"]}), ("signals", "morphology", True)],
)
def test_a_run_can_be_looked_at_whatever_its_config_names_by_now(section: str, field: str, value: Any, run_copy: Path) -> None:
    run, shown = run_copy / "run", ("rules", "status", "verify")
    before = [seiryu(name, run, "--json").out for name in shown]
    record = json.loads((run / "run.json").read_text())
    record["config"][section][field] = value
    (run / "run.json").write_text(json.dumps(record))
    ended = [seiryu(name, run, "--json") for name in shown]
    assert [end.err for end in ended] == ["", "", ""]
    if field != "preset":  # the reasons of rules lie in the preset
        assert [end.out for end in ended] == before
    assert recounted(run)["kept"] == json.loads(before[0])["kept"]
    report = seiryu("report", run)
    assert report.code == 0, report.err


def test_archives_that_are_not_judged_are_said_not_to_be_counted(run_copy: Path) -> None:
    next((run_copy / "run/units/decide").glob("*.json")).unlink()
    assert recounted(run_copy / "run")["note"] == "1 of 3 archives are not judged yet and not counted"


@pytest.mark.parametrize("stage", ["annotate", "decide"])
def test_a_unit_of_another_version_is_one_line(stage: str, run_copy: Path) -> None:
    for sidecar in (run_copy / f"run/units/{stage}").glob("*.json"):
        value = json.loads(sidecar.read_text())
        value["made_of"]["settings"] = {}
        sidecar.write_text(json.dumps(value))
    ended = seiryu("rules", run_copy / "run")
    assert (ended.code, ended.err.count("\n"), "was written by another version" in ended.err) == (1, 1, True), ended.err
