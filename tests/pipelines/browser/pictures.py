"""Makes the pictures of the documentation: `python tests/pipelines/browser/pictures.py RUN docs` (make pictures)."""

from __future__ import annotations

import sys
from pathlib import Path

from selenium.webdriver.common.keys import Keys

sys.path.append(str(Path(__file__).parents[1]))

from chromium import Chromium, chromium
from serving import inspected

_DRAWN = "return [...document.querySelectorAll('figure[data-chart]')].filter(each => each.getBoundingClientRect().top < innerHeight).every(each => each.dataset.drawn === 'done')"


def main() -> None:
    run, folder = Path(sys.argv[1]), Path(sys.argv[2])  # as it is given: its path stands in the pictures
    with chromium(1240, 1000) as browser:
        browser.open(f"file://{run.resolve()}/report/index.html")
        taken(browser, folder / "report-funnel.png")
        browser.script("document.getElementById('ja').click(); document.getElementById('limits').scrollIntoView()")
        browser.until(lambda: browser.script(_DRAWN), "the charts")
        taken(browser, folder / "report-limits-ja.png")
    with inspected(run) as page, chromium(1240, 1000) as browser:
        browser.open(page.at("tab=limits&set=little_japanese.low=0.45"))
        slider = browser.until(lambda: browser.all("[role=slider]")[7:], "the sliders")[0]
        slider.send_keys(Keys.ARROW_RIGHT * 12)
        browser.until(lambda: "sentence_too_long" in browser.driver.current_url, "the recount")
        taken(browser, folder / "inspect-limits.png")
        browser.open(page.at("tab=judge&rule=sentence_too_long"))
        browser.until(lambda: browser.all("#judged"), "the document")
        taken(browser, folder / "inspect-judge.png")
        browser.open(page.at("tab=distributions&brush=japanese_share:0.5:1.0"))
        browser.until(lambda: len(browser.all("svg g[aria-label=rect]")) > 5, "the plots")
        taken(browser, folder / "inspect-distributions.png")


def taken(browser: Chromium, file: Path) -> None:
    browser.driver.set_script_timeout(10)
    browser.driver.execute_async_script("setTimeout(arguments[0], 1500)")  # what moves comes to rest
    browser.driver.save_screenshot(str(file))
    print(file)


if __name__ == "__main__":
    main()
