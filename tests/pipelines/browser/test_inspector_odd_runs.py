"""The live page of runs with nothing to show yet, and of a run in which something is damaged: said in words, without an error."""

import json
import shutil
from pathlib import Path

import pytest
from chromium import Chromium
from serving import inspected

from seiryu.pipelines.inspecting.view import TABS


def text(browser: Chromium) -> str:
    return str(browser.script("return document.body.textContent"))


@pytest.mark.parametrize("kept", [(), ("extract", "annotate", "addresses", "hosts")], ids=["only begun", "not judged"])
def test_every_tab_of_a_run_without_judged_documents(
    kept: tuple[str, ...], browser: Chromium, small_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(small_run / "run", run)
    shutil.rmtree(run / "report")
    for stage in (run / "units").iterdir():
        if stage.name not in kept:
            shutil.rmtree(stage)
    says = {"limits": "No document has been judged yet", "flips": "None. Move limits", "near": "Choose a rule", "documents": "No document is like that",
            "distributions": "No document has been judged yet", "judge": "Choose a rule", "text": "0 judged documents"}  # fmt: skip
    with inspected(run) as page:
        browser.forget()
        for tab in TABS:
            browser.open(page.at(f"tab={tab}"))
            browser.until(lambda tab=tab: says[tab] in text(browser), f"what {tab} says")
            assert browser.text("#kept-documents") == "0"
            assert ("are not judged yet" in text(browser)) is bool(kept)
        assert browser.errors() == []


def test_what_is_damaged_is_said_on_the_page(browser: Chromium, looked_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(looked_run, run)
    for file in (run / "documents").glob("*.parquet"):
        file.unlink()
    with inspected(run) as page:
        for query in ("tab=judge&rule=too_short", "tab=near&rule=too_short&alone=0", "tab=documents&words=a"):
            browser.open(page.at(query))
            browser.until(lambda: "is not there; run again" in text(browser), f"what {query} says")
        (run / "labels").mkdir(exist_ok=True)
        (run / "labels/judged.jsonl").write_text(json.dumps({"rule": "too_short"}) + "\n")
        browser.open(page.at("tab=judge&rule=ng_words"))
        browser.until(lambda: "judged.jsonl, line 1: no judgement" in text(browser), "the line of the labels")
