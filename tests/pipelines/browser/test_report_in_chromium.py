"""The report in a real browser, from disk: every chart is drawn, sliders recount, the language switches, nobody is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from brute import documents
from chromium import Chromium
from selenium.webdriver.common.keys import Keys

from seiryu.pipelines.facts import facts_of
from seiryu.pipelines.state import State


@pytest.fixture(scope="module")
def report(small_run: Path) -> str:
    return f"file://{small_run}/run/report/index.html"


@pytest.fixture
def opened(browser: Chromium, report: str):
    browser.errors(), browser.asked()
    browser.open(report)
    yield browser
    assert browser.errors() == []
    assert browser.asked() <= {""}


def figures(browser: Chromium) -> list[str]:
    return browser.script("return [...document.querySelectorAll('figure[data-chart]')].map(each => each.dataset.drawn || '')")


def test_every_chart_is_drawn_without_network(opened: Chromium) -> None:
    opened.script("document.querySelectorAll('details').forEach(each => each.open = true)")

    def seen() -> bool:
        missing = [place for place, state in enumerate(figures(opened)) if state != "done"]
        for place in missing[:3]:
            opened.script("document.querySelectorAll('figure[data-chart]')[arguments[0]].scrollIntoView()", place)
        return not missing

    opened.until(seen, "drawing of all charts")
    assert len(figures(opened)) > 60
    empty = "return [...document.querySelectorAll('figure[data-chart] svg')].filter(each => !each.querySelector('path[d], text')).length"
    assert opened.script(empty) == 0
    assert len(opened.all("figure[data-chart] svg")) == len(figures(opened))


def tiles(browser: Chromium, rule: str) -> list[str]:
    """What the chart of a rule says in words: limit, rejected, only this, and what passes."""
    texts = browser.script(
        "return [...document.querySelectorAll(`[data-rule='${arguments[0]}'] svg .mark-text text`)].map(each => each.textContent)",
        rule,
    )
    return [text for text in texts if text]


@pytest.mark.parametrize(("rule", "keys"), [("too_short", Keys.ARROW_RIGHT * 9), ("sentence_too_long", Keys.ARROW_LEFT * 7), ("ng_words", Keys.HOME)],
                         ids=["low", "high", "below"])  # fmt: skip
def test_a_slider_shows_what_a_scan_counts(rule: str, keys: str, opened: Chromium, small_run: Path) -> None:
    rows = documents(small_run / "run")
    rules = facts_of(State.of_run(str(small_run / "run"))).rules
    bit, judged = next((i, each) for i, each in enumerate(rules) if each.name == rule)
    card = opened.all(f"[data-rule='{rule}']")[0]
    opened.script("arguments[0].scrollIntoView()", card)
    opened.until(lambda: tiles(opened, rule), "the chart")
    assert wanted_at(rows, bit, judged, getattr(judged, card.get_attribute("data-side"))) <= set(tiles(opened, rule))
    slider = card.find_element("css selector", "input")
    before = slider.get_attribute("value")
    slider.send_keys(keys)
    assert slider.get_attribute("value") != before
    shown = "return JSON.parse(arguments[0].querySelector('script').textContent).datasets.stops[arguments[1]].stop"
    limit = float(opened.script(shown, card, int(slider.get_attribute("value"))))
    wanted = wanted_at(rows, bit, judged, limit)
    opened.until(lambda: wanted <= set(tiles(opened, rule)), f"{wanted} in the chart")


def wanted_at(rows: list[dict[str, Any]], bit: int, rule: Any, limit: float) -> set[str]:
    sign = "<" if abs(rule.low) < 1e300 else ">" if abs(rule.high) < 1e300 else "≥"
    hit = [
        row
        for row in rows
        if {"<": row[rule.signal] < limit, ">": row[rule.signal] > limit, "≥": row[rule.signal] >= limit}[sign]
    ]
    names = {row["doc_id"] for row in hit}
    free = [row for row in rows if not row["reject_mask"] & ~(1 << bit) and not row["blocked"]]
    kept = [row for row in free if row["doc_id"] not in names]
    numbers = (
        len(hit),
        len(free) - len(kept),
        len(kept),
        sum(row["letters"] for row in kept),
        sum(row["tokens"] for row in kept),
    )
    return {f"{number:,}" for number in numbers}


def test_the_language_switches_in_text_and_charts(opened: Chromium) -> None:
    assert opened.all("#funnel h2")[0].text == "Funnel"
    card = opened.all("[data-rule='too_short']")[0]
    opened.script("arguments[0].scrollIntoView()", card)
    opened.until(lambda: "rejects" in tiles(opened, "too_short"), "the chart in English")
    opened.script("document.getElementById('ja').click()")
    opened.until(lambda: "除外" in tiles(opened, "too_short"), "the chart in Japanese")
    opened.script("window.scrollTo(0, 0)")
    assert opened.all("#funnel h2")[0].text == "ファネル"
    assert opened.script("return document.documentElement.lang") == "ja"
    opened.script("document.getElementById('en').click()")
    opened.until(lambda: "rejects" in tiles(opened, "too_short"), "the chart in English again")


@pytest.mark.parametrize("width", [360, 900, 1900])
def test_nothing_sticks_out_of_the_window(width: int, opened: Chromium) -> None:
    opened.driver.set_window_size(width, 1200)
    assert opened.script("return document.documentElement.scrollWidth <= window.innerWidth + 1")
    opened.driver.set_window_size(1400, 1600)
