"""A run directory of texts made by a test, taken through the stages of deduplication in this process; and the rule by the book.

The rule by the book is one pass in order of priority over datasketch's in-memory MinHashLSH, with similarity told by sets of strings.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH
from page_tables import write

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.dedup.digests import address
from seiryu.dedup.minhash import signatures
from seiryu.dedup.normal import normal, normalised
from seiryu.pipelines.chain import CHAIN
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.engine.attempt import attempt
from seiryu.pipelines.measured import signals_schema, to_measure
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Sidecar, made_of

STAGES = [stage for stage in CHAIN if stage.name in
          ("fingerprints", "pages", "copies", "signatures", "bands", "groups", "members", "choices", "select")]  # fmt: skip


@dataclass(frozen=True)
class Doc:
    """A document: its id, its text, the day it was crawled, its address and the digest of its payload."""

    doc_id: str
    text: str
    day: int = 0
    url: str = ""
    payload: str = ""

    @property
    def where(self) -> str:
        return self.url or f"http://example.jp/{self.doc_id}"


@dataclass(frozen=True)
class Verdict:
    reason: str
    duplicate_of: str
    run: int
    duplicates: int
    similarity: float


def config_of(run: Path, **dedup: Any) -> Config:
    rules = {"preset": "swallow"}
    return Config.model_validate_json(
        json.dumps({"run": str(run), "source": {"paths": ["none"]}, "rules": rules, "dedup": dedup})
    )


class Killed(Exception):
    """What a test does to a unit."""


class KillingStore(Store):
    """A store whose n-th written file does not come to be, and with it the unit that writes it."""

    def __init__(self, root: str, kill_at: int) -> None:
        super().__init__(root)
        self.left = kill_at

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        with super().writing(name) as out:
            yield out
            self.left -= 1
            if not self.left:
                raise Killed(name)


def make_files(run: Path, files: dict[str, Sequence[Doc]], config: Config) -> State:
    """The tables of all stages before deduplication; every document passes."""
    store = Store(str(run))
    state = State(store, config)
    for name, docs in files.items():
        said = {
            "doc_id": [doc.doc_id for doc in docs], "text": [doc.text for doc in docs], "url": [doc.where for doc in docs],
            "crawl_date": pa.array([doc.day * 86_400_000_000 for doc in docs], pa.timestamp("us", "UTC")),
            "payload_digest": [doc.payload for doc in docs],
        }  # fmt: skip
        write(store, f"documents/{name}.parquet", schema.DOCUMENTS, said, len(docs))
        measured = {"doc_id": said["doc_id"], "letters": pa.array([len(doc.text) for doc in docs], pa.int32())}
        write(store, f"signals/{name}.parquet", signals_schema(to_measure(config)), measured, len(docs))
        write(store, f"verdicts/{name}.parquet", schema.VERDICTS, {"doc_id": said["doc_id"]}, len(docs))
        for stage, folder in (("extract", "documents"), ("annotate", "signals"), ("decide", "verdicts")):
            with store.writing(f"tmp/{name}") as out:
                out.write(store.read(f"{folder}/{name}.parquet"))
            written = out.written(f"{folder}/{name}.parquet")
            made = {"version": 1, "settings": {}, "params": {}, "inputs": {}}
            done = Sidecar(stage, name, made, (written,), Counts(len(docs), len(docs)), 0)
            state._completed.setdefault(stage, {})[name] = done
    return state


def under(state: State, config: Config) -> State:
    """The same files under another config."""
    new = State(state.store, config)
    new._completed = {stage: dict(done) for stage, done in state._completed.items() if stage in ("extract", "annotate", "decide")}
    return new


def deduplicate(state: State, draw: random.Random | None = None, kills: int = 0) -> dict[str, int]:
    """Make all units of all stages, in any order if there is something to draw with, some killed on the way; units by stage."""
    made = {}
    for stage in STAGES:
        units = stage.units(state) if stage.wanted(state.config) else []
        if draw:
            draw.shuffle(units)
        state._completed[stage.name] = {}
        for unit in units:
            if draw and kills and draw.random() < 0.3:
                kills -= 1
                with suppress(Killed):
                    stage.work(unit, state.config, KillingStore(state.store.root, draw.randint(1, 2)))
            result = stage.work(unit, state.config, state.store)
            result.counts.check(unit.name)
            record = Sidecar(stage.name, unit.name, made_of(stage, unit, state.config), tuple(result.outputs), result.counts, 0)
            state._completed[stage.name][unit.name] = record
        made[stage.name] = len(units)
    return made


def go_on(state: State) -> dict[str, int]:
    """What `run` does with a run directory: drop what is not wanted, make what is missing or stale; units made, by stage."""
    made = {}
    for stage in STAGES:
        standing = state.look(stage)
        for unit in standing.orphans:
            state.remove(stage.name, unit)
        for unit in standing.to_make:
            outcome = attempt(stage, unit, state.config)
            assert outcome.kind == "done", (unit.stage, outcome.reason)
        made[stage.name] = len(standing.to_make)
        state.look(stage)
    return made


def verdicts(state: State) -> dict[str, Verdict]:
    """What was decided of every document."""
    found = {}
    for name in state.completed("fingerprints"):
        for row in pq.read_table(f"{state.store.root}/dedup/{name}.parquet", schema=schema.DECISIONS).to_pylist():
            found[row["doc_id"]] = Verdict(
                row["verdict"], row["duplicate_of"], row["run"], row["duplicates"], round(row["similarity"], 4)
            )
    return found


def shingles(text: str, length: int) -> set[str]:
    return {text[i : i + length] for i in range(max(1, len(text) - length + 1))} if text else set()


def jaccard(left: set[str], right: set[str]) -> float:
    return len(left & right) / len(left | right) if left and right else 0.0


def by_the_book(docs: Sequence[Doc], config: Config, held: Sequence[Doc] = ()) -> dict[str, tuple[str, tuple[str, ...]]]:
    """(verdict, doc_ids of the kept duplicates, best first) of each document."""
    dedup, cut = config.dedup, config.dedup.banding
    everything = [*held, *docs]
    values = signatures(
        normalised(pa.array([doc.text for doc in everything], pa.string())),
        num_perm=cut.num_perm, shingle=dedup.shingle, seed=dedup.seed,
    )  # fmt: skip
    text = {doc.doc_id: normal(doc.text) for doc in everything}
    sets = {doc_id: shingles(letters, dedup.shingle) for doc_id, letters in text.items()}
    hashes = {
        doc.doc_id: MinHash(cut.num_perm, dedup.seed, hashvalues=row, scheme="affine32")
        for doc, row in zip(everything, values, strict=True)
    }
    order = list(held) + sorted(docs, key=lambda doc: (-doc.day, doc.doc_id))
    place = {doc.doc_id: number for number, doc in enumerate(order)}
    known = {doc.doc_id: doc for doc in everything}
    lsh = MinHashLSH(num_perm=cut.num_perm, params=(cut.bands, cut.rows))
    ours = {doc.doc_id for doc in docs}
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    kept_of: dict[str, list[str]] = defaultdict(list)
    for doc in order:
        me = doc.doc_id
        if me in ours:
            met = set(lsh.query(hashes[me])) if sets[me] else set()
            if dedup.verify != "none":
                met = {other for other in met if jaccard(sets[me], sets[other]) >= dedup.threshold}
            page = kept_of[address(doc.where)] if dedup.same_address else []
            kept = sorted({*met, *page}, key=place.__getitem__)
            if len(kept) >= dedup.copies:
                found[me] = (reason(doc, known[kept[0]], text, kept[0] not in ours, same_address=dedup.same_address), tuple(kept))
                continue
            found[me] = ("kept", ())
            kept_of[address(doc.where)].append(me)
        lsh.insert(me, hashes[me])
    return found


def named(book: dict[str, tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, str]]:
    """With the best of the kept duplicates."""
    return {doc: (why, kept[0] if kept else "") for doc, (why, kept) in book.items()}


def reason(doc: Doc, kept: Doc, text: dict[str, str], held: bool, *, same_address: bool) -> str:
    if held:
        return "in_earlier_run"
    if text[doc.doc_id] and text[doc.doc_id] == text[kept.doc_id]:
        return "same_text"
    return "same_address" if same_address and address(doc.where) == address(kept.where) else "near_duplicate"


def dealt(docs: Sequence[Doc], files: int) -> dict[str, list[Doc]]:
    """Documents dealt out to files in turn."""
    return {f"f{number}": list(docs[number::files]) for number in range(files)}


def segments(number: int, letters: int, seed: int) -> list[str]:
    """Pieces of text that share no shingle."""
    draw = np.random.default_rng(seed)
    return ["".join(map(chr, draw.integers(0x4E00, 0x9FA0, letters))) for _ in range(number)]
