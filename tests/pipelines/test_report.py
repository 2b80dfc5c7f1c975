"""The report shows the run's own numbers, opens without network, and shows what the web says as text."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import seiryu


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        self.text += " " if tag in ("td", "th") else ""

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(small_run: Path) -> Page:
    return Page((small_run / "run/report/index.html").read_text(encoding="utf-8"))


def test_it_shows_every_number_of_the_funnel(page: Page, small_run: Path) -> None:
    for step in json.loads(seiryu("status", small_run / "run", "--json").out)["funnel"]:
        line = re.escape(step["name"]) + r"\s*(?:− )?" + f"{step['documents']:,}"
        assert re.search(line, page.text), step


def test_a_rule_counts_what_a_scan_of_its_signal_counts(page: Page, small_run: Path) -> None:
    letters = [
        value for file in (small_run / "run/signals").glob("*.parquet") for value in pq.read_table(file)["letters"].to_pylist()
    ]
    assert re.search(rf"too_short\s*letters\s*< 400\s*{sum(value < 400 for value in letters):,}\b", page.text)


def test_it_shows_what_cleaning_did_and_the_lines_it_cut(page: Page, small_run: Path) -> None:
    run = small_run / "run"
    lines = [row for file in sorted((run / "boilerplate").glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    assert lines
    top = max(lines, key=lambda row: row["pages"])
    assert re.search(rf"{re.escape(top['site'])} {re.escape(top['text'])} {top['pages']:,} {top['site_pages']:,}", page.text)
    extra = [json.loads(file.read_text())["counts"]["extra"] for file in (run / "units/clean").glob("*.json")]
    cut = sum(counts.get("repeated_line_letters", 0) for counts in extra)
    assert cut > 0
    assert f"letters in repeated lines, cut {cut:,}" in page.text


def test_it_needs_nothing_from_outside_and_runs_no_script(page: Page) -> None:
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not [value for name, value in page.attributes if name in ("src", "href")]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_what_the_web_says_is_never_markup(run_copy: Path) -> None:
    hostile = "</td><script>alert(1)</script>"
    table = sorted((run_copy / "run/ledger").glob("*.parquet"))[0]
    row = {"warc": hostile, "warc_offset": 1, "warc_length": 1, "url": hostile, "reason": "damaged", "detail": hostile}
    pq.write_table(pa.Table.from_pylist([row], schema=pq.read_schema(table)), table)
    assert seiryu("report", run_copy / "run").code == 0
    page = Page((run_copy / "run/report/index.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert page.text.count(hostile) == 3
