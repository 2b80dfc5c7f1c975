"""The live page in a real browser: its numbers are those of a plain scan, its address is its state, and it asks nobody else."""

import json
from pathlib import Path
from typing import Any

import pytest
from brute import documents
from chromium import Chromium
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from serving import Page

from seiryu.pipelines.facts import facts_of
from seiryu.pipelines.inspecting.labels import precision
from seiryu.pipelines.inspecting.view import TABS, View
from seiryu.pipelines.state import State


@pytest.fixture(scope="module")
def rows(looked_run: Path) -> list[dict[str, Any]]:
    return documents(looked_run)


@pytest.fixture(scope="module")
def facts(looked_run: Path):
    return facts_of(State.of_run(str(looked_run)))


@pytest.fixture
def quiet(browser: Chromium):
    """A test in which nothing goes wrong on the console, and nobody but this machine is asked."""
    browser.errors(), browser.asked()
    yield browser
    assert browser.errors() == []
    assert browser.asked() <= {"127.0.0.1", ""}


def kept(rows: list[dict[str, Any]], facts: Any, **moved: float | None) -> list[dict[str, Any]]:
    """What passes with limits moved (None: without the rule)."""
    view = View(moves={name.replace("__", "."): value for name, value in moved.items() if value is not None},
                drops=tuple(name for name, value in moved.items() if value is None))  # fmt: skip
    return [row for row in rows if not row["blocked"] and not any(
        row[rule.signal] < rule.low or row[rule.signal] > rule.high or row[rule.signal] >= rule.below for rule in view.rules(facts))]  # fmt: skip


def shown(browser: Chromium) -> list[int]:
    return [int(browser.text(f"#kept-{name}").replace(",", "") or -1) for name in ("documents", "letters", "tokens")]


def amounts(found: list[dict[str, Any]]) -> list[int]:
    return [len(found), sum(row["letters"] for row in found), sum(row["tokens"] for row in found)]


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens(tab: str, quiet: Chromium, page: Page, rows: list, facts: Any) -> None:
    rule = "&rule=too_short" if tab in ("near", "judge") else ""
    quiet.open(page.at(f"tab={tab}{rule}"))
    quiet.until(lambda: shown(quiet) == amounts(kept(rows, facts)), "the numbers of the run")
    landmark = {"limits": "table.limits", "flips": "#total", "near": ".sr.pairs .card", "distributions": "svg g[aria-label=rect]",
                "documents": "table.list", "judge": "#judged", "text": "textarea"}[tab]  # fmt: skip
    quiet.until(lambda: quiet.all(landmark), f"what {tab} shows")
    assert "token=" not in quiet.driver.current_url
    assert not quiet.all(".marimo-error, [data-testid=error-banner]")


def test_a_slider_counts_what_a_scan_counts_and_the_address_brings_it_back(
    quiet: Chromium, page: Page, rows: list, facts: Any
) -> None:
    quiet.open(page.at("tab=limits"))
    number = [rule.name for rule in facts.rules].index("sentence_too_long")
    slider = quiet.until(lambda: quiet.all("[role=slider]")[number:], "the sliders")[0]
    before = shown(quiet)
    slider.send_keys(Keys.ARROW_RIGHT * 6)
    quiet.until(lambda: shown(quiet) != before, "the recount")
    quiet.until(lambda: "set=" in quiet.driver.current_url, "the address")
    address = quiet.driver.current_url
    limit = float(quiet.until(lambda: quiet.text("[id='limit-sentence_too_long.high']"), "the limit").removeprefix("> "))
    assert limit > 200
    wanted = kept(rows, facts, sentence_too_long__high=limit)
    quiet.until(lambda: shown(quiet) == amounts(wanted), f"the numbers of a scan, {amounts(wanted)}")
    assert f"sentence_too_long: {{high: {limit:g}}}" in quiet.text("table.limits") + quiet.script(
        "return document.body.textContent"
    )
    quiet.open("about:blank")
    quiet.open(address)
    quiet.until(lambda: shown(quiet) == amounts(wanted), "the same numbers from the address")


def test_several_limits_and_a_rule_left_out_together(quiet: Chromium, page: Page, rows: list, facts: Any) -> None:
    quiet.open(page.at("tab=flips&set=too_short.low=300,few_japanese_letters.low=250,sentence_too_long=null"))
    wanted = kept(rows, facts, too_short__low=300, few_japanese_letters__low=250, sentence_too_long=None)
    quiet.until(lambda: shown(quiet) == amounts(wanted), "the numbers of a scan")
    gained = {row["doc_id"] for row in wanted if not row["passes"]}
    assert int(quiet.until(lambda: quiet.text("#total"), "how many flip")) == len(gained) > 5
    listed = {line.split()[0] for line in (cell.text for cell in quiet.all("table.list td")) if line in gained}
    assert listed == set(sorted(gained)[:20])
    assert quiet.text("#gained") == str(len(gained))


def test_a_document_is_opened_beside_its_list(quiet: Chromium, page: Page, rows: list) -> None:
    quiet.open(page.at("tab=documents&rule=sentence_too_long"))
    hit = sorted(row["doc_id"] for row in rows if row["longest_sentence_letters"] > 200)
    quiet.until(lambda: quiet.text("#total") == str(len(hit)), "the number of documents")
    quiet.until(lambda: [button for button in quiet.all("button") if button.text == "open"], "the buttons")[1].click()
    quiet.until(lambda: f"doc={hit[1]}" in quiet.driver.current_url, "the address")
    row = next(row for row in rows if row["doc_id"] == hit[1])
    beginning = row["text"].split("\n")[0][:20]
    quiet.until(lambda: any(beginning in each.text for each in quiet.all(".sr.text")), "its text")
    assert quiet.all(".sr.text mark")


def test_words_are_found_in_the_texts(quiet: Chromium, page: Page, rows: list) -> None:
    quiet.open(page.at("tab=documents&words=フォント"))
    wanted = sum("フォント" in row["text"] for row in rows)
    quiet.until(lambda: quiet.text("#total") == str(wanted), f"{wanted} documents")


def test_a_duplicate_stands_beside_the_one_kept(quiet: Chromium, page: Page, rows: list) -> None:
    row = next(row for row in rows if row["decision"].get("verdict") == "near_duplicate")
    quiet.open(page.at(f"tab=documents&doc={row['doc_id']}&cluster={row['decision']['duplicate_of']}"))
    quiet.until(lambda: quiet.text("#total") and int(quiet.text("#total")) >= 2, "its cluster")
    quiet.until(
        lambda: [each for each in quiet.all("button, [role=button]") if each.text == "Beside the one kept"], "the section"
    )[0].click()
    quiet.until(lambda: quiet.all(".sr del, .sr ins"), "what differs")


def test_keys_judge_and_the_precision_has_its_interval(quiet: Chromium, page: Page, looked_run: Path) -> None:
    quiet.open(page.at("tab=judge&rule=too_short"))
    file = looked_run / "labels/judged.jsonl"
    judged = []
    for key, label in (("b", "bad"), ("g", "good"), ("b", "bad")):
        name = quiet.until(lambda: (now := quiet.text("#judged-id")) not in judged and now, "the next document")
        ActionChains(quiet.driver).send_keys(key).perform()
        judged.append(name)
        quiet.until(lambda: file.exists() and len(file.read_text().splitlines()) == len(judged), "the label")
        assert json.loads(file.read_text().splitlines()[-1])["label"] == label
    assert [json.loads(line)["doc_id"] for line in file.read_text().splitlines()] == judged
    found = precision(2, 3)
    quiet.until(lambda: quiet.text("#precision") == f"{found.share:.1%}", "the precision")
    assert f"{found.low:.1%} to {found.high:.1%}" in quiet.script("return document.body.textContent")
    ActionChains(quiet.driver).send_keys("u").perform()
    quiet.until(lambda: len(file.read_text().splitlines()) == 2, "the label taken back")
    quiet.until(lambda: quiet.text("#judged-id") == judged[-1], "the document again")


def test_distributions_filter_each_other_and_the_address_keeps_what_is_drawn_over(
    quiet: Chromium, page: Page, rows: list
) -> None:
    quiet.open(page.at("tab=distributions&draws=hiragana_share,letters"))
    plots = quiet.until(
        lambda: len(quiet.all("svg g[aria-label=rect]")) >= 2 and quiet.all("svg:has(g[aria-label=rect])"), "the plots"
    )
    ActionChains(quiet.driver).move_to_element_with_offset(plots[0], -40, 0).click_and_hold().move_by_offset(
        60, 0
    ).move_by_offset(30, 0).release().perform()
    quiet.until(lambda: "brush=hiragana_share" in quiet.driver.current_url, "the address")
    address = quiet.driver.current_url
    part = address.partition("brush=")[2].partition("&")[0].replace("%3A", ":")
    low, high = map(float, part.split(":")[1:])
    inside = [row for row in rows if low <= row["hiragana_share"] <= high]
    assert 0 < len(inside) < len(rows)
    quiet.open(address.replace("tab=distributions", "tab=documents"))
    quiet.until(lambda: quiet.text("#total") == str(len(inside)), f"{len(inside)} documents")


def test_a_pasted_text_is_measured(quiet: Chromium, page: Page) -> None:
    quiet.open(page.at("tab=text"))
    area = quiet.until(lambda: quiet.all("textarea"), "the field")[0]
    area.send_keys("これは短い文です。" * 3)
    quiet.until(lambda: "rejected by too_short" in quiet.script("return document.body.textContent"), "the verdict")
