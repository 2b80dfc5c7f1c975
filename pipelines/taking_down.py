"""Taking pages down in a finished run: what rules hit, the request in takedown.json, and the shards made again without it.

What is hit is found in the narrow columns of `tokens/`. The request is written before anything else changes, with the hashes of the
files that will; so whatever stops this, the same command, or any later run, goes on. Then the stages from `takedown` on are made,
which are as good as nothing but for the shards that hold what is hit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError, SeiryuError
from seiryu.corpus.formats.shard import Place
from seiryu.corpus.shard_schema import SEQUENCES
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.going_on import before, take_as_it_lies
from seiryu.pipelines.places import stretch
from seiryu.pipelines.reporting.report import write_report
from seiryu.pipelines.run import run
from seiryu.pipelines.stages import indexes, shards, takedown
from seiryu.pipelines.stages.splits import NAMES, split_numbers, splits_of
from seiryu.pipelines.state import State
from seiryu.pipelines.takedown import READ, Rules, comparable, entries, rules_of, write_entries
from seiryu.pipelines.unit import Sidecar

_ENDS = (takedown.STAGE, shards.STAGE, indexes.STAGE)
HIT = pa.schema(
    [(name, SEQUENCES.field(name).type) for name in ("doc_id", "url", "host", "copy", "tokens")] + [("shard", pa.string())]
)


@dataclass(frozen=True, slots=True)
class Sum:
    documents: int = 0
    sequences: int = 0
    tokens: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.documents + other.documents, self.sequences + other.sequences, self.tokens + other.tokens)


def is_whole(state: State) -> bool:
    """Whether all shards are made, and fit what they are made of, earlier takedowns included. Files may have been set aside before."""
    return bool(state.completed("shards")) and state.whole("splits", *(stage.name for stage in _ENDS))


def check_ready(config: Config) -> None:
    """InputError, saying what to do, unless the stages from takedown on can be made, and now have nothing to make.

    So a request is not written if it could not be carried out, and what it makes again is what it hits.
    """
    state = State(Store(config.run), config)
    try:
        for stage in before(takedown.STAGE.name):
            take_as_it_lies(state, stage, takedown.STAGE.name)
    except SeiryuError as error:
        raise InputError(f"{config.run} cannot be gone on from as it is, and nothing was taken down: {error}") from error
    for stage in _ENDS:
        standing = state.look(stage)
        if unit := next(iter(standing.to_make), None):
            why = standing.stale.get(unit.name, "not made yet")
            raise InputError(
                f"{stage.name}: {len(standing.to_make):,} of {len(standing.units):,} units would be made again whatever is taken down "
                f"({unit.name}: {why}); bring the run up to date first: seiryu run with its config"
            )


def hit_by(state: State, rules: Rules) -> pa.Table:
    """The sequences of the run that rules hit, taken down already or not: HIT, with the name of the shard they belong to."""
    numbers, found = split_numbers(state.store), [HIT.empty_table()]
    of = {done.made_of["params"]["split"]: done.made_of["params"]["shards"] for done in state.completed("shards").values()}
    for name in state.completed("tokenize"):
        table = schema.read_table(state.store, f"tokens/{name}.parquet", SEQUENCES, READ)
        number = splits_of(table, numbers)
        hit = (number >= 0) & pc.not_equal(rules.hits(table), "").to_numpy(zero_copy_only=False)
        rows = table.filter(pa.array(hit))
        rows = rows.append_column("shard", _shard_names(rows["shuffle_key"].to_numpy(), number[hit], of))
        found.append(rows.select(HIT.names).cast(HIT))
    return pa.concat_tables(found)


def _shard_names(keys: npt.NDArray[np.uint64], splits: npt.NDArray[np.int8], of: dict[str, int]) -> pa.Array:
    names = np.full(len(keys), "", object)
    for split, shards_of_split in of.items():
        here = splits == NAMES.index(split)
        begins = np.array([stretch(i, shards_of_split)[0] for i in range(1, shards_of_split)], np.uint64)
        called = np.array([Place(split, i, shards_of_split).name for i in range(shards_of_split)], object)
        names[here] = called[np.searchsorted(begins, keys[here], side="right")]
    return pa.array(names, pa.string())


def total(hit: pa.Table) -> Sum:
    return Sum(len(hit["doc_id"].unique()), len(hit), pc.sum(hit["tokens"]).as_py() or 0)


def by_shard(hit: pa.Table) -> dict[str, Sum]:
    """What is hit in each shard."""
    return dict(sorted(_sums(hit, "shard")))


def by_rule(hit: pa.Table, rules: Rules) -> dict[str, Sum]:
    """What each rule hits by itself, in the order of `Rules.names`; a page may be hit by several."""
    found = dict.fromkeys(rules.names(), Sum())
    for host, here in _sums(hit, "host") if rules.hosts else ():
        parts = host.split(".")
        for name in {".".join(parts[i:]) for i in range(len(parts))} & rules.hosts:
            found[f"host {name}"] += here
    same: dict[str, list[str]] = {}
    for rule in rules.urls:
        same.setdefault(comparable(rule), []).append(rule)
    for url, here in _sums(hit, "url") if rules.urls else ():
        for rule in same.get(comparable(url), ()):
            found[f"url {rule}"] += here
    for doc_id, here in _sums(hit, "doc_id") if rules.ids else ():
        if doc_id in rules.ids:
            found[f"id {doc_id}"] += here
    return found


def _sums(hit: pa.Table, column: str) -> list[tuple[str, Sum]]:
    """The sums over each value of a column."""
    grouped = hit.group_by([column], use_threads=False).aggregate(
        [("doc_id", "count_distinct"), ([], "count_all"), ("tokens", "sum")]
    )
    rows = zip(*(grouped[name].to_pylist() for name in (column, "doc_id_count_distinct", "count_all", "tokens_sum")), strict=True)
    return [(value, Sum(*numbers)) for value, *numbers in rows]


def record(state: State, rules: Rules, hit: pa.Table, why: str) -> None:
    """Write the request, with the files that will change, as a new entry of takedown.json. `hit`: what it takes out."""
    touched, made = by_shard(hit), state.completed("shards")
    files = [output for name in touched for output in made[name].outputs]
    splits = {name.partition("-")[0] for name in touched}
    files += [
        output
        for done in state.completed("indexes").values()
        if done.made_of["params"]["split"] in splits
        for output in done.outputs
    ]
    found = total(hit)
    entry = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "why": why, **rules.as_json(),
        "sequences": found.sequences, "documents": found.documents, "tokens": found.tokens,
        "shards": {name: {"sequences": here.sequences, "before": made[name].digest, "after": None} for name, here in touched.items()},
        "files": {file.name: {"before": file.sha256, "after": None} for file in files},
    }  # fmt: skip
    write_entries(state.store, [*entries(state.store), entry])


def carry_out(config: Config) -> list[dict[str, Any]]:
    """Make what follows from takedown.json; the entries that this carried out. InputError if something of it cannot be made."""
    ended = run(config, first=takedown.STAGE.name)
    write_report(ended.state)  # whatever became of the shards
    aside = [(stage.name, ended.state.set_aside(stage.name)) for stage in _ENDS]
    if problems := [f"{stage} {unit}: {why['reason']}" for stage, units in aside for unit, why in units.items()]:
        raise InputError(
            f"not carried out, {len(problems):,} units could not be made again ({problems[0]}); the shards may still hold what "
            "takedown.json names; the same command tries again"
        )
    return close_entries(ended.state)


def close_entries(state: State) -> list[dict[str, Any]]:
    """Note in open entries what became of their shards and files, in a run that is whole; these entries."""
    done = state.completed("takedown").get("all")
    if done and done.made_of["inputs"]["rules"] != rules_of(state.store).digest():
        return []  # somebody asked for more meanwhile; whoever carries that out notes it all
    found, made = entries(state.store), state.completed("shards")
    known = {
        output.name: output.sha256 for stage in _ENDS for done in state.completed(stage.name).values() for output in done.outputs
    }
    noted = [_closed(entry, made, known) for entry in found]
    if noted == found:
        return []
    write_entries(state.store, noted)
    return [now for now, was in zip(noted, found, strict=True) if now != was]


def _closed(entry: dict[str, Any], made: dict[str, Sidecar], known: dict[str, str]) -> dict[str, Any]:
    """The entry with None as sha256 of a file that is gone."""
    told = entry.get("shards")
    if not isinstance(told, dict) or not any(shard.get("after") is None for shard in told.values()):
        return entry
    closed = {name: shard | {"after": made[name].digest if name in made else ""} for name, shard in told.items()}
    files = {name: file | {"after": known.get(name)} for name, file in dict(entry.get("files") or {}).items()}
    return entry | {"shards": closed, "files": files}


def files_of(entry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a request that is carried out changed: of each shard its sequences, and the sha256 of its files before and after.

    A file that is gone has none after. An index of all shards of a split stands with each of them.
    """
    found = {}
    for shard, told in entry["shards"].items():
        split, _, number = shard.partition("-")
        mine = {
            name: sha256
            for name, sha256 in entry["files"].items()
            if (number in name and split in name) or name == f"shards/mds/{split}/index.json"
        }
        sums = {when: {name: sha256[when] for name, sha256 in mine.items() if sha256[when]} for when in ("before", "after")}
        found[shard] = {"sequences": told["sequences"], **sums}
    return found


@dataclass(frozen=True, slots=True)
class Twin:
    """A page that rules hit and deduplication removed, and the page that was kept for it, which they do not hit."""

    rule: str
    url: str
    verdict: str
    kept: str
    kept_url: str
    shard: str


def twins(state: State, rules: Rules, out: frozenset[str]) -> list[Twin]:
    """Where the text of a page that is to be out, or one much like it, still stands in the shards, under another address.

    `out`: doc_ids that are taken down.
    """
    removed = [
        (page, verdict, kept)
        for name in state.completed("fingerprints")
        for page, verdict, kept in _removed(state.store, name, rules)
        if kept not in out
    ]
    kept = hit_by(state, Rules(ids=frozenset(kept for *_, kept in removed))) if removed else HIT.empty_table()
    where = {row["doc_id"]: row for row in kept.filter(pc.equal(kept["copy"], 0)).to_pylist()}
    return [
        Twin(page["rule"], page["url"], verdict, kept, where[kept]["url"], where[kept]["shard"])
        for page, verdict, kept in removed
        if kept in where
    ]


def _removed(store: Store, name: str, rules: Rules) -> Iterator[tuple[dict[str, Any], str, str]]:
    """(page, verdict, doc_id of the kept one) of what rules hit in a file of documents and deduplication removed."""
    columns = ["doc_id", "verdict", "duplicate_of", "run"]
    chosen = schema.read_table(store, f"dedup/{name}.parquet", schema.DECISIONS, columns)
    removed = chosen.filter(pc.and_(pc.not_equal(chosen["verdict"], "kept"), pc.equal(chosen["run"], 0)))
    if not len(removed):
        return
    pages = schema.read_table(store, f"documents/{name}.parquet", schema.DOCUMENTS, ["doc_id", "url"])
    hosts = schema.read_table(store, f"addresses/{name}.parquet", schema.ADDRESSES, ["host"])
    pages = pages.append_column("host", hosts["host"])
    pages = pages.filter(pc.is_in(pages["doc_id"], removed["doc_id"].combine_chunks()))
    pages = pages.append_column("rule", rules.hits(pages))
    told = {row["doc_id"]: row for row in removed.to_pylist()}
    for page in pages.filter(pc.not_equal(pages["rule"], "")).to_pylist():
        yield page, told[page["doc_id"]]["verdict"], told[page["doc_id"]]["duplicate_of"]
