"""A run directory of millions of documents as it stands after `decide`, without archives: for what looks at runs to be timed on.

What lies under documents/ and signals/ is made up, with sidecars as their stages write them; addresses, hosts and decide are the
pipeline's own work, by its own engine, so sums, verdicts and counts are what it makes of such tables. Deduplication and all behind it
are not done.

- Signals are those of real Japanese pages (samples/), measured whole, drawn with repetition and jittered: lengths by a factor of
  exp(N(0, 0.35)), shares by about a tenth, all repetition signals of a document by the same factor. So what goes together on real
  pages goes together here. The rules are those of configs/sample.yaml.
- Hosts follow Zipf's law, one for 25 documents, at most 200,000; a fifth are below another's domain, three below names that are left
  out, one in 100 is a dating site. Archives are of thirteen years, with a log-normal number of documents each.
- A page's text is the beginning of a real one, 120 letters: documents/ is far smaller than in life. Extraction counts as if one page
  in 20 were Japanese.

The same numbers and seed give the same tables. `python -m benchmarks.synthetic_run FOLDER [DOCUMENTS [ARCHIVES]]` makes one.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.inputs import ROOT, SAMPLES
from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store, Written
from seiryu.filters.addresses.names import named_domains
from seiryu.filters.signals.opt_outs import measure_opt_outs
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import load_config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import instruments, signals_schema, to_measure
from seiryu.pipelines.run import run
from seiryu.pipelines.stages import annotate, decide, extract
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar, Stage, Unit, made_of

DOCUMENTS, ARCHIVES = 5_000_000, 2_800
CRAWLS = ("2013-20", "2014-42", "2015-18", "2016-44", "2017-26", "2018-34", "2019-35", "2020-29", "2021-25", "2022-33", "2023-50",
          "2024-33", "2025-05")  # fmt: skip
TOPS = ("jp", "com", "co.jp", "net", "ne.jp", "org", "or.jp", "info", "ac.jp", "xyz", "tokyo", "biz")
TOP_SHARES = np.array([30, 25, 15, 8, 6, 4, 4, 2, 2, 2, 1, 1]) / 100
CHARSETS, CHARSET_SHARES = ("utf-8", "cp932", "euc_jp", "iso2022_jp"), np.array([93, 4, 2.5, 0.5]) / 100
SOURCES, SOURCE_SHARES = ("bytes", "header", "meta", "bom"), np.array([60, 25, 14, 1]) / 100
ASKED = ("", "noarchive", "noindex", "noai,noimageai", "max-image-preview:large", "nofollow,noindex")
ASKED_SHARES = np.array([80, 3, 2, 1, 13, 1]) / 100
MOST_HOSTS, DOCUMENTS_A_HOST = 200_000, 25
DATING, DATING_PAGES = 0.01, 0.7  # of the hosts; of their pages
TEXT = 120
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Wanted:
    """A run to be made."""

    config: Config
    documents: int
    archives: int
    seed: int = 1


def kept_run(documents: int = DOCUMENTS, archives: int = ARCHIVES) -> Path:
    """A run of this size in runs/, made if it is not there or not what would be made now; it stays until somebody deletes it."""
    folder = ROOT / "runs" / f"synthetic-{documents}-{archives}"
    if not _is_of_now(folder):
        shutil.rmtree(folder, ignore_errors=True)
        make(folder, documents, archives)
    return folder


def make(folder: Path, documents: int, archives: int, seed: int = 1, workers: int = 2) -> State:
    """The run, in a folder that is not there yet, and beside it its config, FOLDER.yaml, for `seiryu run --from`."""
    config = config_of(folder, workers)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.with_suffix(".yaml").write_text(config.model_dump_json(indent=1) + "\n", encoding="utf-8")
    wanted = Wanted(config, documents, archives, seed)
    begin = time.monotonic()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(wanted,)) as pool:
        list(pool.map(_write, range(archives), chunksize=8))
    print(f"documents and signals: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    return run(config, until="decide", first="addresses").state


def config_of(folder: Path, workers: int = 2) -> Config:
    """The config of the sample run for archives that are gone; morphology is off, as it is by default."""
    gone = json.dumps([f"{folder}-archives/*.warc.gz"])
    changes = (f"run={folder}", f"source.paths={gone}", "signals.morphology=false", f"engine.workers={workers}")
    return load_config(str(ROOT / "configs" / "sample.yaml"), changes)


def _is_of_now(folder: Path) -> bool:
    """Whether a finished run lies there whose tables have the columns of now, judged by the rules of now."""
    try:
        state = State.of_run(str(folder), "decide")
        done = state.completed("annotate")
        unit = next(iter(done))
        schema.read_table(state.store, f"documents/{unit}.parquet", schema.DOCUMENTS, ["doc_id"])
        schema.read_table(state.store, f"signals/{unit}.parquet", signals_schema(to_measure(config_of(folder))), ["doc_id"])
    except (InputError, StopIteration):
        return False
    judged = state.completed("decide")
    rules = json.loads(json.dumps(decide.settings(config_of(folder))))
    return judged.keys() == done.keys() and bool(judged[unit].made_of["settings"] == rules)


def real_texts() -> list[str]:
    """Texts of real Japanese pages, a hundred letters and more, each once."""
    with gzip.open(SAMPLES / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        labels = [json.loads(line) for line in lines]
    texts = [label.get("gold_text") or "" for label in labels if label["lang"] == "ja"]
    return list(dict.fromkeys(text for text in texts if len(text) >= 100))


class Making:
    """What is the same for all archives: the real rows to draw from, the hosts, the stages' settings."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted, self.store = wanted, Store(wanted.config.run)
        texts = real_texts()
        self.rows: Columns = dict(instruments(wanted.config).measure(pa.array(texts), np.full(len(texts), 0.99)))
        self.texts = pa.array([text[:TEXT] for text in texts])
        self.titles = [" ".join(text[:30].split()) for text in texts]
        draw = np.random.default_rng([wanted.seed, 1])
        weights = draw.lognormal(0, 0.25, wanted.archives)
        self.documents = draw.multinomial(wanted.documents, weights / weights.sum())
        hosts = max(20, min(MOST_HOSTS, wanted.documents // DOCUMENTS_A_HOST))
        self.hosts = host_names(hosts, draw, named_domains(wanted.config.hosts.block))
        self.charset = draw.choice(len(CHARSETS), hosts, p=CHARSET_SHARES)
        self.dating = draw.random(hosts) < DATING
        self.zipf = np.cumsum(1 / (np.arange(hosts) + 10.0))
        self.zipf /= self.zipf[-1]
        self.settings: dict[str, dict[str, Any]] = {}

    def write(self, archive: int) -> None:
        """The tables and sidecars of one archive."""
        crawl = CRAWLS[archive * len(CRAWLS) // self.wanted.archives]
        name, number = f"CC-MAIN-{crawl}-{archive:05d}", int(self.documents[archive])
        draw = np.random.default_rng([self.wanted.seed, 2, archive])
        row = draw.integers(0, len(self.texts), number)
        host = np.searchsorted(self.zipf, draw.random(number))
        signals = jittered({column: values[row] for column, values in self.rows.items()}, draw)
        _set_words(signals, "dating", self.dating[host] & (draw.random(number) < DATING_PAGES), draw)
        _set_words(signals, "ng", draw.random(number) < 0.03, draw)
        documents = self._documents(name, row, host, signals["language_score"], draw)
        signals |= measure_opt_outs(pa.array(documents["robots"]), pa.array(documents["tdm_reservation"]))
        letters, tokens = int(signals["letters"].sum()), int(signals["tokens"].sum())
        table = schema.table(schema.DOCUMENTS, documents)
        counts, ledger = extraction(number, letters, name, draw)
        outputs = (self._table("documents", name, table), self._table("ledger", name, ledger))
        unit = Unit("extract", name, {"warc": f"{name}.warc.gz"}, {"mtime": f"{archive}", "size": 1_000_000_000 + archive})
        self._sidecar(extract.STAGE, unit, outputs, counts, 900 + number / 10)
        columns = signals | {"doc_id": table["doc_id"].combine_chunks()}
        measured = schema.table(signals_schema(to_measure(self.wanted.config)), columns)
        counts = Counts(records=number, kept=number, letters=Counter(kept=letters), extra=Counter(tokens=tokens))
        unit = Unit("annotate", name, {}, {"documents": outputs[0].sha256})
        self._sidecar(annotate.STAGE, unit, (self._table("signals", name, measured),), counts, letters / 1e6)

    def _documents(self, name: str, row: Any, host: Any, score: Any, draw: np.random.Generator) -> dict[str, Any]:
        number = len(row)
        ids, digests = draw.bytes(16 * number).hex(), draw.bytes(20 * number).hex().upper()
        year, week = map(int, name.split("-")[2:4])
        begin = int(datetime.fromisocalendar(year, week, 1).replace(tzinfo=UTC).timestamp() * 1e6)
        lengths = draw.lognormal(9.3, 0.8, number).astype(np.int64) + 400
        hosts, titles = [self.hosts[each] for each in host], [self.titles[each] for each in row]
        replaced = np.where(draw.random(number) < 0.01, draw.integers(1, 20, number), 0)
        asked = draw.choice(len(ASKED), number, p=ASKED_SHARES)
        pages = draw.integers(0, 10**9, number).tolist()
        return {
            "doc_id": [f"{ids[i : i + 8]}-{ids[i + 8 : i + 12]}-{ids[i + 12 : i + 16]}-{ids[i + 16 : i + 20]}-{ids[i + 20 : i + 32]}"
                       for i in range(0, 32 * number, 32)],
            "url": [f"https://{where}/{page % 97}/{page}.html" for where, page in zip(hosts, pages, strict=True)],
            "host": hosts, "title": [f"{title} {page % 10_000}" for title, page in zip(titles, pages, strict=True)],
            "text": self.texts.take(pa.array(row)),
            "crawl_date": pa.array(begin + draw.integers(0, 13 * 86_400 * 10**6, number), pa.timestamp("us", "UTC")),
            "warc": pa.array([f"{name}.warc.gz"] * number, pa.string()),
            "warc_offset": np.cumsum(lengths * 20), "warc_length": lengths,
            "payload_digest": [f"sha1:{digests[i : i + 32]}" for i in range(0, 40 * number, 40)],
            "charset": [CHARSETS[each] for each in self.charset[host]],
            "charset_source": [SOURCES[each] for each in draw.choice(len(SOURCES), number, p=SOURCE_SHARES)],
            "replaced": replaced, "html_lang": [("ja", "ja", "ja-JP", "")[each] for each in draw.integers(0, 4, number)],
            "language": ["ja"] * number, "language_score": score.astype(np.float32), "extractor": ["trafilatura"] * number,
            "robots": [ASKED[each] for each in asked], "tdm_reservation": ["1" if each else "" for each in draw.random(number) < 0.002],
            "tdm_policy": [""] * number,
        }  # fmt: skip

    def _table(self, folder: str, name: str, table: pa.Table) -> Written:
        with self.store.writing(f"{folder}/{name}.parquet") as out:
            schema.write_table(table, out)
        return out.written(f"{folder}/{name}.parquet")

    def _sidecar(self, stage: Stage, unit: Unit, outputs: Sequence[Written], counts: Counts, seconds: float) -> None:
        counts.check(f"{stage.name} {unit.name}")
        if stage.name not in self.settings:
            self.settings[stage.name] = made_of(stage, unit, self.wanted.config)
        made = self.settings[stage.name] | {"params": unit.params, "inputs": unit.inputs}
        self.store.write_json(unit.sidecar, Sidecar(stage.name, unit.name, made, tuple(outputs), counts, seconds).to_json())


def host_names(number: int, draw: np.random.Generator, left_out: Sequence[str]) -> list[str]:
    """Hosts, the most frequent first: made-up domains, a fifth of them below an earlier one; at 30 and after, some below `left_out`."""
    letters = draw.integers(97, 123, (number, 16)).astype(np.uint8).tobytes().decode()
    lengths, kinds = draw.integers(5, 15, number).tolist(), draw.random(number)
    tops, below = draw.choice(len(TOPS), number, p=TOP_SHARES).tolist(), (draw.random(number) * np.arange(number)).astype(int)
    found: list[str] = []
    for i in range(number):
        word = letters[16 * i : 16 * i + lengths[i]]
        own = f"{word}{i % 10}.{TOPS[tops[i]]}"
        site = found[below[i]].removeprefix("www.") if i and kinds[i] < 0.2 else ""
        found.append(f"{word[:7]}{i}.{site}" if 0 < len(site) < 60 else f"www.{own}" if kinds[i] < 0.6 else own)
    for i, domain in enumerate(left_out[-3:]):
        if (place := 30 + 40 * i) < number:
            found[place] = f"made-up.{domain}"
    return found


def jittered(rows: Columns, draw: np.random.Generator) -> Columns:
    """Signals of real pages as those of pages that are like them. Letters, Japanese letters, tokens and their ratios fit each other."""
    number = len(rows["letters"])
    size, repeats = np.exp(draw.normal(0, 0.35, number)), np.exp(draw.normal(0, 0.25, number))
    found: Columns = {}
    for name, values in rows.items():
        if values.dtype.kind == "i":
            factor = size if not name.endswith("longest_sentence_letters") else np.exp(draw.normal(0, 0.15, number))
            found[name] = np.rint(values * factor).astype(values.dtype)
        else:
            often = "repeated" in name or "duplicate" in name or "top_" in name
            moved = values * (repeats if often else 1) * np.exp(draw.normal(0, 0.02 if often else 0.1, number))
            found[name] = np.minimum(moved, 1) if name.endswith("_share") else moved
    for version in ("", "v1_"):
        letters = found[f"{version}letters"] = np.maximum(found[f"{version}letters"], 30)
        japanese = np.minimum(np.rint(letters * found[f"{version}japanese_share"]), letters)
        found[f"{version}japanese_letters"] = japanese.astype(letters.dtype)
        found[f"{version}japanese_share"] = japanese / letters
    found["tokens"] = np.rint(found["letters"] * found["tokens_per_letter"]).astype(found["tokens"].dtype)
    found["tokens_per_letter"] = found["tokens"] / found["letters"]
    unsure = draw.beta(0.6, 12, number) * (1.6 - found["japanese_share"])
    found["language_score"] = np.maximum(1 - unsure, 0.5).astype(np.float32).astype(np.float64)
    return found


def _set_words(signals: Columns, words: str, hit: npt.NDArray[np.bool_], draw: np.random.Generator) -> None:
    """Words of a list on some pages, besides those that the real ones hold."""
    rows = np.flatnonzero(hit & (signals["japanese_letters"] > 1))
    japanese = signals["japanese_letters"][rows]
    letters = np.maximum(np.rint(japanese * draw.beta(0.5, 12, len(rows))), 2).astype(np.int64)
    signals[f"{words}_letters"][rows] = letters
    signals[f"{words}_share"][rows] = letters / japanese
    signals[f"{words}_distinct"][rows] = np.minimum(1 + letters // 12, 40)


def extraction(kept: int, letters: int, name: str, draw: np.random.Generator) -> tuple[Counts, pa.Table]:
    """What extraction counts in an archive of so many Japanese pages, and its ledger."""
    pages = 20 * kept + int(draw.integers(0, 200))
    rejected = Counter(warcinfo=1, request=pages, metadata=pages, not_html=pages // 200, empty=pages // 1000,
                       not_japanese_page=pages // 50, cannot_pass=kept // 2, no_text=kept // 40, not_japanese=kept // 10)  # fmt: skip
    reasons = draw.choice(["bad_coding", "timeout", "crash"], draw.poisson(pages / 20_000), p=[0.5, 0.3, 0.2]).tolist()
    rejected["few_kana"] = max(3 * pages + 1 - rejected.total() - kept - len(reasons), 0)
    number = len(reasons)
    ledger = {"warc": [f"{name}.warc.gz"] * number, "warc_offset": draw.integers(0, 10**9, number),
              "warc_length": draw.integers(500, 10**5, number), "url": [f"https://failed{i}.example/" for i in range(number)],
              "reason": reasons, "detail": ["made up"] * number}  # fmt: skip
    counts = Counts(kept + rejected.total() + number, kept, +rejected, Counter(reasons))
    counts.letters = +Counter(kept=letters, not_japanese=kept // 10 * 900)
    counts.extra["pages"] = pages - rejected["not_html"] - rejected["empty"]
    return counts, schema.table(schema.LEDGER, ledger)


_making: Making


def _begin(wanted: Wanted) -> None:
    """In a process that writes."""
    global _making
    pa.set_cpu_count(1)
    _making = Making(wanted)


def _write(archive: int) -> None:
    _making.write(archive)


if __name__ == "__main__":
    target, *sizes = sys.argv[1:]
    make(Path(target), *map(int, sizes or (DOCUMENTS, ARCHIVES)))
