"""The script in docs/trainers.md, as it stands there, trains on a real run: the loss falls, and goes on where the first phase ended."""

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from finished_run import RUN, needs_run

pytest.importorskip("torch", reason="needs torch: make readers")

DOC = Path(__file__).parents[2] / "docs" / "trainers.md"
UNTRAINED = math.log(4096)  # what guessing among the script's ids costs, in nats
MARGIN = 1.5


def script() -> str:
    [block] = re.findall(r"^```python\n(# continual\.py RUN\n.*?)^```", DOC.read_text(), re.M | re.S)
    return block


@needs_run
def test_the_script_learns_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "continual.py").write_text(script())
    done = subprocess.run(
        [sys.executable, "continual.py", str(RUN.resolve())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = re.findall(r"^(first|second) +step +(\d+) +train (\S+) +validation (\S+)$", done.stdout, re.M)
    assert [(name, int(step)) for name, step, *_ in told] == [("first", 0), ("first", 100), ("second", 0), ("second", 100)]
    train, validation = ([float(row[column]) for row in told] for column in (2, 3))
    assert train[0] == pytest.approx(UNTRAINED, abs=0.3)
    assert train[0] - train[3] > MARGIN, done.stdout
    assert validation[0] - validation[3] > MARGIN, done.stdout
    assert validation[2] == validation[1]
    assert validation[3] < validation[2] - 0.1, done.stdout
