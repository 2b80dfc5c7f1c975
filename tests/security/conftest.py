"""A finished run on one small real archive, for tests that put something else in place of its files."""

from pathlib import Path

import pytest
from commandline import archives_in, finished_run


@pytest.fixture(scope="module")
def small_archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives_in(tmp_path_factory.mktemp("archives"), "CC-MAIN-2021-25-00000.warc.gz")


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_archives: Path) -> Path:
    """The folder of a finished run: config.yaml and run/. Tests only read it."""
    return finished_run(tmp_path_factory.mktemp("small"), small_archives)
