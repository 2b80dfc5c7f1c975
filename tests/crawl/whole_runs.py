"""Whole runs on a miniature crawl of few pages: its archives, configs, and what a run leaves."""

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from mini_crawl import SAMPLES, MiniCrawl
from servers import Asked
from visits import copied, visits

sys.path.append(str(Path(__file__).parents[1] / "pipelines"))  # pytest looks there only for the tests of that folder

from commandline import Ended, hashes, seiryu

CONTACT = "crawler@example.org"
NAMED = f"seiryu/0.1.0 (+{CONTACT})"  # as every server is to be told
# Two archives are made of each, so that each crawl has four; and the archive whose records no run may read.
PAGES_OF = ("CC-MAIN-2021-25-00000", "CC-MAIN-2024-33-00000", "CC-MAIN-2025-05-00000", "CC-MAIN-2025-05-wire-00000")
PAGES = 12
# Much is fetched with the records, so that few requests are made.
BY_INDEX = {"by": "index", "index": {"language": "primary", "max_gap": "1 MB", "max_waste": 0.6}}


def few_archives(folder: Path) -> list[Path]:
    """Archives of PAGES visits each, spread over a sample archive."""
    made = []
    for name in PAGES_OF:
        sample = SAMPLES / f"{name}.warc.gz"
        found = visits(sample)
        step = len(found) // PAGES
        for number in range(2):
            made.append(folder / f"{name}-{number}.warc.gz")
            made[-1].write_bytes(copied(sample, found[number::step][:PAGES]))
    made.append(folder / "CC-MAIN-2024-33-diagnostics-00000.warc.gz")
    made[-1].write_bytes((SAMPLES / made[-1].name).read_bytes())
    return made


@dataclass(frozen=True)
class Run:
    """A run in its folder: `config.yaml` and `run/`. `asked`: what it asked the server, where that was noted."""

    folder: Path
    asked: list[Asked] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "run"

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def make(self, until: str = "extract", *options: str) -> Ended:
        return seiryu("run", self.config, "--until", until, *options)

    def copied(self, folder: Path, **changes: dict[str, Any]) -> "Run":
        """The same run in another folder, as if it had been moved; `changes` as in `new_run`."""
        shutil.copytree(self.path, folder / "run")
        config = json.loads(self.config.read_text()) | {"run": str(folder / "run")}
        (folder / "config.yaml").write_text(json.dumps(_changed(config, changes)))
        return Run(folder)

    def documents(self) -> list[dict[str, Any]]:
        return self.rows("documents")

    def rows(self, folder: str) -> list[dict[str, Any]]:
        """All rows of a folder's tables, in the order of names."""
        return [row for file in sorted((self.path / folder).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]

    def hashes(self, *folders: str) -> dict[str, str]:
        return hashes(self.path, *folders or ("documents",))

    def counts(self, stage: str) -> dict[str, dict[str, Any]]:
        """What each unit of a stage counted, by its name."""
        return {file.stem: json.loads(file.read_text())["counts"] for file in (self.path / "units" / stage).glob("*.json")}

    def set_aside(self, stage: str) -> dict[str, str]:
        """Why units of a stage were given up, by their names."""
        return {file.stem: json.loads(file.read_text())["reason"] for file in (self.path / "units" / stage).glob("*.failed")}


def new_run(folder: Path, base: str, *, source: dict[str, Any] | None = None, **sections: dict[str, Any]) -> Run:
    """A run of both crawls of a miniature at `base`; `source`, `fetch` and so on change its config. BY_INDEX is such a change."""
    config: dict[str, Any] = {
        "run": str(folder / "run"),
        "source": {"kind": "commoncrawl", "crawls": ["CC-MAIN-2024-33..latest"], "base": base},
        "fetch": {"contact": CONTACT, "requests_a_second": 1000, "timeout": 5, "attempts": 4},
        "extract": {"extractor": "resiliparse"},
        "engine": {"workers": 1},  # a process less to start
    }
    if source and source.get("kind") == "files":
        config["source"] = {}
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(folder)
    run.config.write_text(json.dumps(_changed(config, {"source": source or {}, **sections})))
    return run


def together(*runs: Run, until: str = "extract") -> list[Ended]:
    """Make several runs at the same time: each mostly waits for its processes to start."""
    with ThreadPoolExecutor(len(runs)) as pool:
        return list(pool.map(lambda run: run.make(until), runs))


def _changed(config: dict[str, Any], changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return config | {name: config.get(name, {}) | section for name, section in changes.items()}


def index_rows(made: MiniCrawl, crawl: str | None = None) -> list[dict[str, Any]]:
    """The rows of the index of one crawl, or of all, of archives that a run may read."""
    tables = [made.rows(name) for name in made.crawls if crawl in (None, name)]
    return pa.concat_tables(tables).to_pylist()


def is_chosen(row: dict[str, Any]) -> bool:
    """Whether an index row fulfils what BY_INDEX asks for: its own language, and what is asked for by default."""
    return (
        (row["content_languages"] or "").split(",")[0] == "jpn"
        and row["fetch_status"] == 200
        and row["content_mime_detected"] in ("text/html", "application/xhtml+xml")
        and row["content_truncated"] is None
    )


def place(row: dict[str, Any]) -> tuple[str, int]:
    """Archive and offset of a row, be it of the index, of `documents` or of `ledger`."""
    if "warc_filename" in row:
        return row["warc_filename"], row["warc_record_offset"]
    return row["warc"], row["warc_offset"]
