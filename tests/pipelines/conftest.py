"""A finished run on small real archives, for tests to look at."""

import shutil
from pathlib import Path

import pytest
from commandline import SAMPLES, SMALL, seiryu, write_config


@pytest.fixture(scope="session")
def small_archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archives")
    for name in SMALL:
        shutil.copy(SAMPLES / name, folder)
    return folder


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_archives: Path) -> Path:
    """The folder of a finished run of two workers: config.yaml and run/. Tests only read it."""
    folder = tmp_path_factory.mktemp("small")
    ended = seiryu("run", write_config(folder, small_archives, engine={"workers": 2}))
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture
def run_copy(small_run: Path, small_archives: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may change."""
    shutil.copytree(small_run / "run", tmp_path / "run")
    write_config(tmp_path, small_archives)
    return tmp_path
