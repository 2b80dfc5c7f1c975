"""Extraction against the loop that everybody writes first: warcio, a regular expression, trafilatura, fastText, rules.

Both go through the same archive, one page in twenty Japanese, on one core, and extract the same pages: those that our rapid test takes.
The loop pays for its own test (lang, kana in the title) and is then told the verdict of ours. It decodes with our `decode`, reads
ruby as we do, and judges with signals in plain Python, one document at a time, so that what is left can be compared text for
text: the run stops if they differ. Our side is the stage as it is, with its child process, and the rules over its documents. The
rules are those of configs/sample.yaml; `swallow` as it stands keeps too few to tell what is lost, and is looked at for the screen only.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import trafilatura
from warcio.archiveiterator import ArchiveIterator

from benchmarks.inputs import MAX_PAGE, ROOT, SAMPLES, Inputs
from benchmarks.mixed_archive import write_mixed
from benchmarks.timing import Figure, alternate, rate
from seiryu.corpus.archive.page import BodyError, payload, read_page
from seiryu.corpus.archive.warc import RawRecord, raw_records
from seiryu.corpus.decoding.charset import decode
from seiryu.corpus.extraction.cascade import OPTIONS
from seiryu.corpus.extraction.reading import readable_html, readable_text
from seiryu.filters.finding.japanese_bytes import look_for_kana
from seiryu.filters.finding.language import accepted, language
from seiryu.filters.rules import judge
from seiryu.filters.signals import measure
from seiryu.filters.words import WordLists, measure_lists
from seiryu.pipelines.config import Config, CountsOn, Extract, Rules
from seiryu.pipelines.config_file import load_config
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.stages import extract as stage

JAPANESE_PAGES = 600
ROUNDS = 3
_LANG = re.compile(rb"<html[^>]*?\slang\s*=\s*[\"']?ja", re.IGNORECASE)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_KANA = re.compile("[ぁ-ヿ]")
_SAMPLE = load_config(str(ROOT / "configs" / "sample.yaml"))
_STRICT = _SAMPLE.model_copy(update={"rules": Rules(preset=_SAMPLE.rules.preset)})
_RULES = rules_in_force(_SAMPLE)
_LISTS = WordLists(_SAMPLE.signals.word_lists)
Texts = dict[str, str]  # address: text


def figures(inputs: Inputs) -> Iterator[Figure]:
    """From a process of its own: where our extractor ran, trafilatura's inside is no longer what the loop would find."""
    command = [sys.executable, "-m", "benchmarks.plain_loop", str(inputs.folder)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit("the comparison with the plain loop failed")
    yield from (Figure(**figure) for figure in json.loads(done.stdout))


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder) / "mixed.warc.gz", list(dict.fromkeys([SAMPLES, Path(sys.argv[1])])))
        json.dump([asdict(figure) for figure in found], sys.stdout)


def compare(archive: Path, folders: list[Path]) -> Iterator[Figure]:
    japanese, others = write_mixed(archive, folders, JAPANESE_PAGES)
    shares = candidates(archive)
    loop = PlainLoop(shares)
    ways: dict[str, Callable[[Path], Texts]] = {
        "the loop": loop.run, "trafilatura": Seiryu(_SAMPLE), "quick_screen": Seiryu(_SAMPLE, quick_screen=True),
        "quick_screen by swallow": Seiryu(_STRICT, quick_screen=True), "resiliparse": Seiryu(_SAMPLE, extractor="resiliparse"),
    }  # fmt: skip
    texts: dict[str, Texts] = {}
    rounds = alternate(
        {name: lambda name=name, way=way: texts.update({name: way(archive)}) for name, way in ways.items()}, ROUNDS
    )
    plain = texts["the loop"]
    if texts["trafilatura"] != plain:
        differing = sorted(
            url for url in plain.keys() | texts["trafilatura"].keys() if plain.get(url) != texts["trafilatura"].get(url)
        )
        raise SystemExit(f"{len(differing)} documents differ from the loop's: {' '.join(differing[:5])}")
    pages = japanese + others
    what = f"{pages:,} pages, {len(shares):,} of them extracted"
    for name in list(ways)[1:]:
        yield rounds.figure(f"{what}: {name}", name, "pages/s", rate(pages), "the loop")
    yield Figure("documents after the rules, the same texts as the loop's", len(plain), "documents")
    yield Figure("lost by quick_screen", len(plain.keys() - texts["quick_screen"].keys()), "documents")
    yield Figure("documents after the rules, resiliparse", len(texts["resiliparse"]), "documents")


def candidates(archive: Path) -> dict[int, float]:
    """The pages our rapid test takes: how many responses stood before each, and its share of kana."""
    found: dict[int, float] = {}
    with archive.open("rb") as file:
        responses = (
            item for item in raw_records(file, archive.name, MAX_PAGE) if isinstance(item, RawRecord) and item.kind == "response"
        )
        for place, record in enumerate(responses):
            try:
                page = read_page(record)
                evidence = look_for_kana(payload(page, MAX_PAGE), page.charset)
            except BodyError:
                continue
            if page.status == 200 and page.html and not evidence.refused:
                found[place] = evidence.kana_share
    return found


class PlainLoop:
    """One page after the other, nothing kept from one to the next."""

    def __init__(self, shares: dict[int, float]) -> None:
        self._shares = shares
        self._twin = runpy.run_path(str(ROOT / "tests" / "filters" / "signals" / "twins.py"))["twin"]

    def run(self, archive: Path) -> Texts:
        kept: Texts = {}
        with archive.open("rb") as file:
            responses = (record for record in ArchiveIterator(file) if record.rec_type == "response")
            for place, record in enumerate(responses):
                body, http = record.raw_stream.read(), record.http_headers
                kind = http.get_header("Content-Type") or ""
                if http.get_statuscode() != "200" or "html" not in kind:
                    continue
                self._by_declaration(body)
                if place not in self._shares:
                    continue
                charset = re.search(r"charset=([\w-]+)", kind)
                html = readable_html(decode(body, charset[1] if charset else None).text)
                text = readable_text(trafilatura.extract(html, **OPTIONS) or "")
                if text and accepted(*language(text), self._shares[place]) and not self._rejected(text):
                    kept[record.rec_headers.get_header("WARC-Target-URI")] = text
        return kept

    @staticmethod
    def _by_declaration(body: bytes) -> bool:
        title = _TITLE.search(body)
        return bool(_LANG.search(body)) or bool(title and _KANA.search(title[1].decode("utf-8", "replace")))

    def _rejected(self, text: str) -> bool:
        columns: dict[str, Any] = {name: np.array([value]) for name, value in self._twin(text).items()}
        columns |= measure_lists(pa.array([text]), columns["japanese_letters"], _LISTS)
        return bool(judge(_RULES, columns)[0])


class Seiryu:
    """The stage `extract`, and the rules over what it leaves."""

    def __init__(self, config: Config, **settings: Any) -> None:
        counts_on = CountsOn(preset=config.rules.preset, change=config.rules.change)
        self._config = config.model_copy(update={"extract": Extract(counts_on=counts_on, **settings)})
        self._rules = rules_in_force(self._config)
        self._isolated = stage.Isolated(stage.PAGE, self._config.model_dump_json().encode())

    def __call__(self, archive: Path) -> Texts:
        extractor = stage.Extractor(self._config, archive.name, self._isolated)
        with archive.open("rb") as file:
            extractor.read(raw_records(file, archive.name, MAX_PAGE))
        texts = pa.array([row["text"] for row in extractor.rows])
        columns: dict[str, Any] = measure(texts, ("swallow",))
        columns |= measure_lists(texts, columns["japanese_letters"], _LISTS)
        passed = judge(self._rules, columns) == 0
        return {row["url"]: row["text"] for row, good in zip(extractor.rows, passed, strict=True) if good}


if __name__ == "__main__":
    main()
