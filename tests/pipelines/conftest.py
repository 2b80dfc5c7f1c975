"""A finished run on small real archives, for tests to look at."""

from pathlib import Path

import pytest
from commandline import SMALL, archives_in, finished_run


@pytest.fixture(scope="session")
def small_archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archives_in(tmp_path_factory.mktemp("archives"), *SMALL)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_archives: Path) -> Path:
    """The folder of a finished run of two workers: config.yaml and run/. Tests only read it."""
    return finished_run(tmp_path_factory.mktemp("small"), small_archives, engine={"workers": 2})
