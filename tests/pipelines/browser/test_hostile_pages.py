"""What the web says is text: in the live page and in the report nothing of it runs, is drawn, or is asked for."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chromium import Chromium
from commandline import seiryu
from serving import Page, inspected

HOSTILE = (
    "</td></script><script>window.taken=1</script><img src=http://192.0.2.1/x onerror='window.taken=2'>"
    "<style>*{display:none}</style><iframe src=javascript:top.taken=3></iframe>**bold** [x](javascript:window.taken=4) "
    "$\\href{javascript:window.taken=5}{x}$ {{7*7}} ${7*7} \u202egnp.exe <svg onload=window.taken=6>"
)


@pytest.fixture(scope="module")
def hostile_run(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose pages all have such a title, text and address; the table of the run is made of them."""
    run = tmp_path_factory.mktemp("hostile") / "run"
    shutil.copytree(small_run / "run", run)
    shutil.rmtree(run / "report")
    for file in (run / "documents").glob("*.parquet"):
        table = pq.read_table(file)
        number = len(table)
        for name, values in (("title", [HOSTILE] * number), ("url", [f"http://x/{HOSTILE}"] * number),
                             ("text", [f"{HOSTILE}\n{text}" for text in table["text"].to_pylist()])):  # fmt: skip
            place = table.schema.get_field_index(name)
            table = table.set_column(place, table.schema.field(name), pa.chunked_array([values], pa.string()))
        pq.write_table(table, file, row_group_size=4096)
    for file in (run / "addresses").glob("*.parquet"):
        table = pq.read_table(file)
        place = table.schema.get_field_index("host")
        pq.write_table(
            table.set_column(place, table.schema.field("host"), pa.chunked_array([[HOSTILE] * len(table)], pa.string())), file
        )
    return run


@pytest.fixture(scope="module")
def hostile_page(hostile_run: Path) -> Iterator[Page]:
    with inspected(hostile_run) as found:
        yield found


def inert(browser: Chromium) -> None:
    assert browser.script("return window.taken === undefined && frames.length === 0")
    assert not browser.all("img[src^='http://192'], svg[onload], iframe, a[href^='javascript:']")
    assert browser.asked() <= {"127.0.0.1", ""}
    assert browser.errors() == []


@pytest.mark.parametrize(
    "query", ["tab=documents&doc={}", "tab=near&rule=too_short&alone=0", "tab=judge&rule=too_short", "tab=flips&set=too_short=null,few_japanese_letters=null",
              "tab=distributions", "tab=documents&host=<script>window.taken=7</script>&doc=<img src=x onerror=window.taken=8>"],
    ids=["document", "near", "judge", "flips", "distributions", "address"],
)  # fmt: skip
def test_the_live_page_shows_it_as_text(query: str, browser: Chromium, hostile_page: Page, hostile_run: Path) -> None:
    browser.forget(), browser.asked()
    first = min(
        name for file in (hostile_run / "verdicts").glob("*.parquet") for name in pq.read_table(file)["doc_id"].to_pylist()
    )
    browser.open(hostile_page.at(query.format(first)))
    if "distributions" in query:
        browser.until(lambda: browser.all("svg g[aria-label=rect]"), "the plots")
    elif "host=" in query:
        browser.until(
            lambda: browser.text("#total") == "0" or "No document" in browser.script("return document.body.textContent"),
            "the empty list",
        )
    else:
        browser.until(lambda: "window.taken=1" in browser.script("return document.body.textContent"), "the text")
    inert(browser)


def test_the_report_shows_it_as_text(browser: Chromium, hostile_run: Path) -> None:
    ended = seiryu("report", hostile_run)
    assert ended.code == 0, ended.err
    browser.forget(), browser.asked()
    browser.open(f"file://{hostile_run}/report/index.html")
    for height in range(0, int(browser.script("return document.body.scrollHeight")), 800):
        browser.script("window.scrollTo(0, arguments[0])", height)
    browser.until(lambda: browser.all("figure[data-drawn=done] svg"), "the first chart")
    assert browser.script("return document.body.textContent").count("window.taken=1") > 5
    inert(browser)
