"""A run that a scheduler ends by SIGTERM: in order, told so, with nothing but JSON where JSON was asked for."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
from commandline import ALONE, command, seiryu, write_config


@pytest.mark.parametrize("moment", ["while Ray starts", "while units are made"])
def test_a_run_that_is_told_to_end_ends_in_order(moment: str, small_archives: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, small_archives, engine=ALONE)
    log = tmp_path / "log"
    with (
        log.open("wb") as err,
        subprocess.Popen(command("run", config, "--log", "json"), stdout=subprocess.PIPE, stderr=err) as run,
    ):
        try:
            while not (told := log.read_text().splitlines(keepends=True)) or not told[-1].endswith("\n"):
                assert run.poll() is None
            while moment == "while units are made" and '"event": "stage_begun"' not in log.read_text():
                assert run.poll() is None
            run.send_signal(signal.SIGTERM)
            assert run.wait(60) == 130
        finally:
            run.kill()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert "starting Ray ..." in lines[0]["message"]
    assert "interrupted; what is done is kept, the same command goes on" in lines[-1]["message"]
    assert not (tmp_path / "run/run.lease").exists()
    assert "no run is at work" in seiryu("status", tmp_path / "run").out
