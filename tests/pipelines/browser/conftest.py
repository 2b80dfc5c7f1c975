"""A browser, and a run that one test file may write labels into."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium, chromium
from serving import Page, inspected


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.fail("chromium and chromedriver are wanted: apt-get install chromium chromium-driver fonts-noto-cjk")
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def looked_run(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("looked") / "run"
    shutil.copytree(small_run / "run", run)
    return run


@pytest.fixture(scope="module")
def page(looked_run: Path) -> Iterator[Page]:
    with inspected(looked_run) as found:
        yield found
