"""A finished run on one small real archive, for tests that put something else in place of its files."""

import shutil
from pathlib import Path

import pytest
from commandline import SAMPLES, seiryu, write_config


@pytest.fixture(scope="module")
def small_archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archives")
    shutil.copy(SAMPLES / "CC-MAIN-2021-25-00000.warc.gz", folder)
    return folder


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_archives: Path) -> Path:
    """The folder of a finished run: config.yaml and run/. Tests only read it."""
    folder = tmp_path_factory.mktemp("small")
    ended = seiryu("run", write_config(folder, small_archives))
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture
def run_copy(small_run: Path, small_archives: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may change."""
    shutil.copytree(small_run / "run", tmp_path / "run")
    write_config(tmp_path, small_archives)
    return tmp_path
