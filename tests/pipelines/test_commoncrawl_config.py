"""configs/commoncrawl.yaml and docs/commoncrawl.md: what they show loads, and what they say a crawl costs is what `plan` says."""

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from commandline import ROOT, seiryu

from seiryu.corpus.storage import Store
from seiryu.pipelines import crawl_plan as planned
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import load_config
from seiryu.pipelines.crawl_plan import CrawlPlan, crawl_plan
from seiryu.pipelines.sizes import duration, human, size
from seiryu.pipelines.state import State

CONFIG = ROOT / "configs" / "commoncrawl.yaml"
TEXT = (ROOT / "docs" / "commoncrawl.md").read_text(encoding="utf-8")
COSTS = TEXT.split("\n## What a crawl costs\n")[1].split("\n## ")[0]
CRAWL, ARCHIVES, INDEX_FILES = "CC-MAIN-2024-33", 90_000, 300


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lists of a crawl as large as a true one, and nothing else of it."""
    root = tmp_path_factory.mktemp("lists")
    folder = root / "crawl-data" / CRAWL
    folder.mkdir(parents=True)
    named = {
        "warc": [f"crawl-data/{CRAWL}/segments/{n % 100}.0/warc/CC-MAIN-{n:05}.warc.gz" for n in range(ARCHIVES)],
        "cc-index-table": [
            f"cc-index/table/cc-main/warc/crawl={CRAWL}/subset=warc/part-{n:05}.parquet" for n in range(INDEX_FILES)
        ],
    }
    for name, paths in named.items():
        (folder / f"{name}.paths.gz").write_bytes(gzip.compress("\n".join(paths).encode(), 1))
    (root / "collinfo.json").write_text(json.dumps([{"id": CRAWL}]))
    return root


def plan_of(lists: Path, run: Path, **fetch: object) -> CrawlPlan:
    source = {"kind": "commoncrawl", "crawls": [CRAWL], "base": str(lists)}
    config = Config.model_validate_json(json.dumps({"run": str(run), "source": source, "fetch": fetch}))
    return crawl_plan(State(Store(config.run), config), 0)


def table(head: str) -> list[list[str]]:
    """The rows of the table of the section on costs that begins so, without its head."""
    lines = COSTS[COSTS.index(head) :].split("\n\n")[0].splitlines()
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_config_to_copy_loads_and_is_shown_whole() -> None:
    shown = seiryu("config", "show", CONFIG)
    assert shown.code == 0, shown.err
    config = yaml.safe_load(shown.out)
    assert config["source"]["kind"] == "commoncrawl"
    assert config["engine"]["address"] == "auto"
    written = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    assert {name: config[name] for name in written} == load_config(str(CONFIG)).model_dump(mode="json", include=set(written))


def test_without_a_contact_nothing_is_asked_and_the_line_says_what_to_give(lists: Path) -> None:
    ended = seiryu("config", "validate", CONFIG)
    number = next(n for n, line in enumerate(CONFIG.read_text().splitlines(), 1) if line.startswith("  contact:"))
    assert ended.code == 2
    assert f"commoncrawl.yaml:{number}: fetch.contact" in ended.err
    assert "give an e-mail address or a URL" in ended.err
    mirrored = seiryu("config", "validate", CONFIG, "--set", f"source.base={lists}")
    assert mirrored.code == 0, mirrored.err
    assert f"40 archives of {CRAWL}" in mirrored.out


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))
def test_every_config_in_the_document_loads(block: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(block if "run:" in block else f"run: runs/x\n{block}", encoding="utf-8")
    assert load_config(str(path)).source.kind in block


def test_what_the_document_says_of_bytes_requests_and_cores_is_what_is_planned(lists: Path, tmp_path: Path) -> None:
    ways = plan_of(lists, tmp_path / "run").ways
    assert [way.name for way in ways] == ["archives", "index"]
    assert table("| 90,000 archives |") == [
        ["bytes", *(human(way.bytes) for way in ways)],
        ["requests", *(f"{way.requests:,}" for way in ways)],
        ["core time", *(duration(way.core_seconds) for way in ways)],
    ]


def test_what_the_document_says_of_budgets_is_what_is_planned(lists: Path, tmp_path: Path) -> None:
    rows = table("| requests a second |")
    assert len(rows) >= 3
    for number, (requests, width, *times) in enumerate(rows):
        ways = plan_of(lists, tmp_path / str(number), requests_a_second=float(requests), bytes_a_second=size(width)).ways
        assert times == [duration(way.seconds) for way in ways]


def test_what_the_document_says_of_workers_is_the_core_time_shared_out(lists: Path, tmp_path: Path) -> None:
    rows = table("| workers |")
    ways = plan_of(lists, tmp_path / "run").ways
    assert len(rows) >= 3
    for workers, *times in rows:
        assert times == [duration(way.core_seconds / int(workers.replace(",", ""))) for way in ways]


def test_the_constants_in_the_document_are_those_that_are_planned_with() -> None:
    shown = {row[0]: row[1] for row in table("| constant |")}
    constants = {name: getattr(planned, name) for name in shown}
    for name, text in shown.items():
        number, unit = re.match(r"([\d.,]+)\s*(GB|ms|µs|B)?", text).groups()
        scale = {"GB": 1e9, "ms": 1e-3, "µs": 1e-6}.get(unit, 1)
        assert float(number.replace(",", "")) * scale == pytest.approx(constants[name])
    assert {name for name in vars(planned) if name.isupper() and name != "PAGE_BYTES"} <= shown.keys()


def test_another_budget_changes_the_time_and_nothing_else(lists: Path, tmp_path: Path) -> None:
    one, other = (plan_of(lists, tmp_path / str(rate), requests_a_second=rate).ways[1] for rate in (20, 200))
    assert other.seconds == pytest.approx(one.seconds / 10)
    assert replace(other, seconds=one.seconds) == one
