"""What tests of several rooms share lies beside this file: pytest puts its folder on the path.

Hypothesis tries the same examples in every run, so that a change is what makes a test fail. New ones:
`pytest --hypothesis-profile search`.
"""

import os
import shutil
from pathlib import Path

import pytest
from commandline import write_config
from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile("same")
# A test that starts a Ray in this process would otherwise turn tokens on for whatever is started later, and a driver that wants tokens
# waits for ever for the nodes of a Ray that knows none.
os.environ["RAY_AUTH_MODE"] = "disabled"


@pytest.fixture
def run_copy(small_run: Path, small_archives: Path, tmp_path: Path) -> Path:
    """A copy of a room's finished run that a test may change."""
    shutil.copytree(small_run / "run", tmp_path / "run")
    write_config(tmp_path, small_archives)
    return tmp_path
