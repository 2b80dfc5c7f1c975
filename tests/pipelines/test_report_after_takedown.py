"""The report of a run from which pages were taken down shows none of their texts, wherever those stood before."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from brute import documents
from commandline import seiryu, write_config
from report_page import Report

from seiryu.corpus.errors import InputError
from seiryu.pipelines.facts import facts_of, queries
from seiryu.pipelines.reporting.page import sections
from seiryu.pipelines.reporting.report import write_report
from seiryu.pipelines.reporting.taken_down import taken_down
from seiryu.pipelines.state import State


def shown(run: Path) -> set[str]:
    """The addresses of all samples."""
    return set(Report(run).tree.xpath("//section[@id='samples']//article//header//bdi/code/text()"))


def texts_of(run: Path, rows: dict, urls: set[str]) -> list[str]:
    """Those of these pages whose text begins somewhere in the report."""
    page = " ".join(Report(run).whole.text_content().split())
    return [url for url in urls if " ".join(rows[url]["text"].split())[:40] in page]


def asked_for(run: Path, **rules: list[str]) -> None:
    """A request in takedown.json that nobody has carried out."""
    entry = {"hosts": [], "urls": [], "ids": [], "shards": {}} | rules
    (run / "takedown.json").write_text(json.dumps({"version": 1, "entries": [entry]}))


def of_host(row: dict[str, Any], host: str) -> bool:
    return f".{row['host']}".endswith(f".{host}")


@pytest.fixture
def run(run_copy: Path) -> Path:
    return run_copy / "run"


@pytest.fixture(scope="module")
def rows(small_run: Path) -> dict[str, dict[str, Any]]:
    return {row["url"]: row for row in documents(small_run / "run")}


def test_a_takedown_takes_the_texts_out_of_the_report_too(
    small_run: Path, small_archives: Path, tmp_path: Path, rows: dict
) -> None:
    shutil.copytree(small_run / "run", tmp_path / "run")
    write_config(tmp_path, small_archives)
    run, before = tmp_path / "run", shown(small_run / "run")
    host = next(
        rows[url]["host"] for url in sorted(before) if rows[url]["passes"] and not rows[url]["decision"].get("duplicate_of")
    )
    ended = seiryu("takedown", run, "--host", host)
    assert ended.code == 0, ended.err
    gone = {url for url in before if of_host(rows[url], host)}
    after = shown(run)
    assert gone
    assert texts_of(small_run / "run", rows, gone)
    assert not texts_of(run, rows, gone)
    assert not [url for url in after if of_host(rows[url], host)]
    assert before - gone <= after  # the others stay, and more take the places
    page = Report(run)
    assert "Pages that were taken down are not among them" in page.text("samples")
    assert "repeated paragraphs are not shown" in page.text("cleaning")
    assert "taken down" not in Report(small_run / "run").text("samples")


def test_what_carried_it_out_may_die_before_the_report(run: Path, small_run: Path, rows: dict) -> None:
    url = next(url for url in sorted(shown(run)) if rows[url]["passes"] and not rows[url]["decision"].get("duplicate_of"))
    ended = seiryu("takedown", run, "--url", url)
    assert ended.code == 0, ended.err
    told = json.loads((run / "takedown.json").read_text())
    for each in told["entries"][0]["shards"].values():
        each["after"] = None
    (run / "takedown.json").write_text(json.dumps(told))
    shutil.copy(small_run / "run/report/index.html", run / "report/index.html")
    assert seiryu("takedown", run, "--url", url).code == 0
    assert url not in shown(run)


def test_a_page_that_a_rule_rejected_is_hidden_by_its_host_its_address_and_its_id(run: Path, rows: dict) -> None:
    before = shown(run)
    one, two, three = [rows[url] for url in sorted(before) if not rows[url]["passes"]][:3]
    asked_for(run, hosts=[one["host"]], urls=[two["url"].replace("https:", "http:")], ids=[three["doc_id"]])
    write_report(State.of_run(str(run)))
    after = shown(run)
    assert not {one["url"], two["url"], three["url"]} & after
    assert not [url for url in after if of_host(rows[url], one["host"])]


def test_a_copy_of_a_page_that_was_taken_down_is_hidden_with_it(run: Path, rows: dict) -> None:
    """Whatever the request names: the copy lies under another address and passes all rules."""
    by_id = {row["doc_id"]: row for row in rows.values()}
    copy = next(row for row in rows.values() if row["passes"] and row["decision"].get("duplicate_of") in by_id)
    kept = by_id[copy["decision"]["duplicate_of"]]
    state = State.of_run(str(run))
    facts = facts_of(state)
    for rule in ({"urls": [kept["url"]]}, {"ids": [kept["doc_id"]]}):
        asked_for(run, **rule)
        gone = taken_down(state, facts)
        with facts.cursor() as con:
            found = gone.sample(con, facts.rules, None, 10_000).to_pylist()
            every = queries.sample(con, facts.rules, None, 10_000).to_pylist()
        hidden = {row["doc_id"] for row in every} - {row["doc_id"] for row in found}
        copies = {row["doc_id"] for row in rows.values() if row["decision"].get("duplicate_of") == kept["doc_id"]}
        assert hidden == {kept["doc_id"]} | copies
        assert found == [row for row in every if row["doc_id"] not in hidden]


def test_others_take_the_places_until_there_are_none(run: Path, rows: dict) -> None:
    state = State.of_run(str(run))
    facts = facts_of(state)
    short = sorted(row["doc_id"] for row in rows.values() if row["letters"] < 400)
    asked_for(run, ids=short[2:])
    with facts.cursor() as con:
        left = taken_down(state, facts).sample(con, facts.rules, "too_short", 3)["doc_id"].to_pylist()
        assert sorted(left) == short[:2]
        asked_for(run, ids=short)
        assert len(taken_down(state, facts).sample(con, facts.rules, "too_short", 3)) == 0


def test_repeated_lines_of_its_site_are_hidden(run: Path, rows: dict) -> None:
    lines = Report(run).rows("cleaning", 1)
    assert lines
    site = lines[0][0]
    asked_for(run, urls=[next(url for url, row in rows.items() if of_host(row, site))])
    write_report(State.of_run(str(run)))
    assert not Report(run).tree.xpath(f"//section[@id='cleaning']//td[text()='{site}']")
    asked_for(run, hosts=["later.example.jp"])  # nothing of this run
    write_report(State.of_run(str(run)))
    assert Report(run).rows("cleaning", 1) == lines


def test_repeated_paragraphs_are_hidden_once_a_page_is(run: Path, rows: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State.of_run(str(run))
    facts = facts_of(state)
    monkeypatch.setattr(sections, "_repeated", lambda _state, kind, *_: [{"text": kind}])
    assert sections.cleaning(state, taken_down(state, facts))["paragraphs"] == [{"text": "paragraph"}]
    asked_for(run, urls=[min(rows)])
    assert sections.cleaning(state, taken_down(state, facts))["paragraphs"] == []


@pytest.mark.parametrize("damage", ["{", '{"version": 1, "entries": [{"hosts": 3}]}'])
def test_a_list_that_cannot_be_read_leaves_the_report_unwritten(damage: str, run: Path) -> None:
    (run / "takedown.json").write_text(damage)
    (run / "report/index.html").unlink()
    with pytest.raises(InputError, match=r"takedown\.json is damaged"):
        write_report(State.of_run(str(run)))
    assert not (run / "report/index.html").exists()
