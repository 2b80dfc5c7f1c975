"""The command line as a person starts it, on small real archives."""

import atexit
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nodes_of_ray import nodes

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
ALONE = {"workers": 1}  # a Ray of its own with one worker
DEDUP = {"bands": 30, "rows": 4, "threshold": 0.3}  # the pages are few and hardly alike
# 440 pages with duplicates, other languages and records to pass over: every stage has something to do.
SMALL = ("CC-MAIN-2021-25-00000.warc.gz", "CC-MAIN-2025-05-00000.warc.gz", "CC-MAIN-2024-33-diagnostics-00000.warc.gz")


FORMATS = ["megatron", "datatrove", "mds", "parquet", "parquet_tokens", "jsonl"]


@dataclass
class Ended:
    code: int
    out: str
    err: str


def seiryu(*arguments: str | Path, timeout: float = 300) -> Ended:
    """One command, run to its end in a process of its own."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=timeout, cwd=ROOT)
    return Ended(done.returncode, done.stdout, done.stderr)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "seiryu.pipelines", *map(str, arguments)]


def write_config(folder: Path, archives: Path, **changes: object) -> Path:
    """A config like the sample's, for the archives in a folder, with its run beside it.

    It runs on a Ray that stays, for to start one of its own takes half of such a run; with an `engine` of the test's, as that says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    limits = {f"duplicate_{n}gram": {"high": 0.5} for n in range(5, 11)}
    config = {
        "run": str(folder / "run"),
        "source": {"kind": "files", "paths": [str(archives / "*.warc*")]},
        "rules": {"preset": "swallow", "change": limits},
        "dedup": DEDUP,
        "hosts": {"partitions": 3, "max_share": {"ng": 1.0, "dating": 1.0}},
        "clean": {"repeated_lines": {"min_pages": 5, "partitions": 2}},
        "tokenize": {"unit_letters": 60_000},
        "shards": {"formats": FORMATS, "validation": {"share": 0.05}, "tokens": 40_000},
    }
    config["engine"] = changes.get("engine") or {"address": ray_that_stays()}
    path = folder / "config.yaml"
    path.write_text(json.dumps(config | changes))
    return path


@cache
def ray_that_stays() -> str:
    """The address of a Ray of one core, for all tests of this process."""
    stack = ExitStack()
    atexit.register(stack.close)
    cluster = stack.enter_context(nodes(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
    cluster.start("stays", "--num-cpus=1")
    return cluster.address


def archives_in(folder: Path, *names: str) -> Path:
    """The folder with copies of these of the sample archives in it."""
    for name in names:
        shutil.copy(SAMPLES / name, folder)
    return folder


def finished_run(folder: Path, archives: Path, **changes: object) -> Path:
    """The folder with config.yaml in it and run/, a finished run."""
    ended = seiryu("run", write_config(folder, archives, **changes))
    assert ended.code == 0, ended.err
    return folder


def hashes(run: Path, *folders: str) -> dict[str, str]:
    """sha256 of every file in the folders of a run."""
    files = sorted(file for folder in folders for file in (run / folder).rglob("*") if file.is_file())
    return {str(file.relative_to(run)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def workers(driver: int) -> Iterator[tuple[int, str]]:
    """Process id and task of the Ray workers below a driver that are busy; Ray names them `ray::` and the task."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                name = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if re.match(r"ray::[a-z]+:", name) and driver in ancestors(int(folder.name)):
                    yield int(folder.name), name.strip().removeprefix("ray::")
            except OSError:
                continue


def ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        yield pid
