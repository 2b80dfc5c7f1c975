"""Runs that have nothing to show yet, or nothing but failures, and a run beside another: the report says so in words."""

import json
import shutil
from pathlib import Path

import pytest
from commandline import seiryu
from report_page import Report


def reported(run: Path, *arguments: str) -> Report:
    ended = seiryu("report", run, *arguments)
    assert (ended.code, ended.err) == (0, ""), ended.err
    return Report(run)


def without(run: Path, *stages: str) -> None:
    for stage in stages:
        shutil.rmtree(run / "units" / stage)


def test_a_run_that_has_only_begun(run_copy: Path) -> None:
    run = run_copy / "run"
    for folder in [each for each in run.iterdir() if each.is_dir()]:
        shutil.rmtree(folder)
    page = reported(run)
    assert "No archive has been read to its end yet" in page.source
    assert "No document has been judged by rules yet" in page.text("limits")
    assert not page.specs("")
    assert seiryu("status", run).code == 0
    sample = seiryu("sample", run)
    assert (sample.code, sample.out, sample.err) == (0, "", "no document passes all rules\n")


def test_a_run_that_is_still_going(run_copy: Path) -> None:
    run = run_copy / "run"
    without(run, "fingerprints", "select", "clean", "tokenize", "shards", "splits")
    next((run / "units/decide").glob("*.json")).unlink()
    page = reported(run)
    assert "1 of 3 archives are not judged yet and not counted" in page.source
    assert page.specs("//section[@id='limits']")
    assert [row[0] for row in page.rows("funnel")][-1] == "pass all rules"
    without(run, "decide")
    page = reported(run)
    assert "3 of 3 archives are not judged yet and not counted" in page.source
    assert "No document has been judged by rules yet" in page.text("samples")
    assert [row[0] for row in page.rows("funnel")][-1] == "Japanese documents"


@pytest.fixture(scope="module")
def failed_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over an archive that is no archive: every unit is set aside."""
    folder = tmp_path_factory.mktemp("failed")
    (folder / "bad.warc.gz").write_bytes(b"\x1f\x8b\x08\x00" + b"no archive" * 100)
    config = {
        "run": str(folder / "run"),
        "source": {"kind": "files", "paths": [str(folder / "*.warc.gz")]},
        "engine": {"workers": 1},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    seiryu("run", folder / "config.yaml")
    return folder / "run"


def test_a_run_with_only_failures(failed_run: Path) -> None:
    page = reported(failed_run)
    text = page.text("failures")
    assert "1 records failed" in text or "set aside" in text
    assert "bad.warc.gz" in text or "bad" in text
    assert "damaged" in text or "attempts" in text
    assert not page.specs("//section[@id='limits']")


def test_a_run_beside_another(run_copy: Path, small_run: Path) -> None:
    moved = ("--set", "rules.change.too_short.low=900", "--from", "decide", "--until", "decide")
    assert seiryu("run", run_copy / "config.yaml", *moved).code == 0
    page = reported(run_copy / "run", "--against", str(small_run / "run"))
    here, there = (json.loads(seiryu("status", run, "--json").out)["funnel"] for run in (run_copy / "run", small_run / "run"))
    said = {row[0]: row for row in page.rows("against")}
    for name, steps in ((1, here), (2, there)):
        for step in steps:
            assert str(step["documents"]) in said[step["name"]][name:], (step, said[step["name"]])
    rule = next(row for row in page.rows("against", 1) if row[0] == "too_short")
    assert {"< 900", "< 400"} <= set(rule)
    spec = page.specs("//section[@id='against']//*[@data-against='letters']")[0]
    bins = spec["datasets"]["bins"]
    total = next(step["documents"] for step in there if step["name"] == "Japanese documents")
    assert sum(place["there_documents"] for place in bins if not place.get("again")) == total
    assert {row["limit"] for row in spec["datasets"]["limits"]} == {400, 900}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--language", "fr"), "--language fr: en or ja"), (("--against", "nowhere"), "nowhere holds no run")],
    ids=["language", "against nothing"],
)
def test_what_cannot_be_reported_is_one_line(arguments: tuple[str, ...], message: str, small_run: Path) -> None:
    ended = seiryu("report", small_run / "run", *arguments)
    assert ended.code in (1, 2)
    assert (ended.err.count("\n"), message in ended.err) == (1, True), ended.err
