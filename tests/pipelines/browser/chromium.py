"""Debian's Chromium, without a screen: what a page says on its console, whom it asks, and elements within marimo's shadow roots."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webelement import WebElement

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=en", "--force-color-profile=srgb",
)  # fmt: skip
_DEEP = """
const found = [];
(function walk(root) {
  for (const element of root.querySelectorAll('*')) {
    if (element.matches(arguments_selector)) found.push(element);
    if (element.shadowRoot) walk(element.shadowRoot);
  }
})(document);
return found;
"""
PATIENCE = 60.0  # seconds: CI has two cores for three test processes


class Chromium:
    """One window. Whatever it loads, console errors and requests are kept for the test to look at."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    def forget(self) -> None:
        """Leave the page that is open, whose server may be gone and asked for all the same, and what it said."""
        self.open("about:blank")
        self.errors()

    def errors(self) -> list[str]:
        """What was said on the console as an error since the last time."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]

    def asked(self) -> set[str]:
        """The host of every request since the last time; "" for what no network serves."""
        found = set()
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                url = message["params"].get("url") or message["params"]["request"]["url"]
                found.add(
                    urlsplit(url).hostname or ""
                    if not url.startswith(("data:", "blob:", "file:", "chrome:", "chrome-untrusted:"))
                    else ""
                )
        return found

    def all(self, selector: str) -> list[WebElement]:
        """Elements of the page, those within shadow roots among them."""
        found: list[WebElement] = self.driver.execute_script(_DEEP.replace("arguments_selector", json.dumps(selector)))
        return found

    def script(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def text(self, selector: str) -> str:
        """The text of the first such element; "" if there is none (yet)."""
        try:
            found = self.all(selector)
            return found[0].text if found else ""
        except StaleElementReferenceException:
            return ""

    def until(self, true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Wait until something holds, and give it."""
        end = time.monotonic() + seconds
        while True:
            try:
                if found := true():
                    return found
            except StaleElementReferenceException:
                pass
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not happen in {seconds:g} s; console: {self.errors()[:3]}")
            time.sleep(0.1)


@contextmanager
def chromium(width: int = 1400, height: int = 1600) -> Iterator[Chromium]:
    """A fresh window with a profile of its own."""
    options = webdriver.ChromeOptions()
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        options.binary_location = shutil.which("chromium") or ""
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            yield Chromium(driver)
        finally:
            driver.quit()
