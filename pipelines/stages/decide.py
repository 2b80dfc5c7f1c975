"""Signals in, verdicts out, row for row: one unit is one documents file.

Every rule is judged for every document, without a short circuit; bit i of `reject_mask` says whether rule i rejects it. The names
of the rules lie in the table's own metadata. `blocked` says why an address or its host is not wanted. Only narrow tables are read,
so a moved threshold costs seconds. In the counts a document stands under the first rule that rejects it, and behind all rules under
what blocks it; `only` counts those that nothing else would have rejected, `hit` all.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.filters.rules import Rule, first_reason, judge
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import read_signals, to_measure
from seiryu.pipelines.rules_in_force import rules_in_force
from seiryu.pipelines.stages.hosts import blocked_hosts
from seiryu.pipelines.state import State, identity
from seiryu.pipelines.unit import Result, Sidecar, Stage, Unit

BLOCKED = ("blocked_url", "blocked_host")


def units(state: State) -> list[Unit]:
    hosts, addresses = state.completed("hosts"), state.completed("addresses")
    if len(hosts) < state.config.hosts.partitions:
        return []
    verdicts = identity(hosts)
    return [
        Unit("decide", name, {}, {"signals": done.digest, "addresses": addresses[name].output(f"addresses/{name}.parquet").sha256,
                                  "hosts": verdicts})
        for name, done in state.completed("annotate").items() if name in addresses
    ]  # fmt: skip


def settings(config: Config) -> dict[str, Any]:
    return {
        "rules": [[rule.name, rule.signal, str(rule.low), str(rule.high), str(rule.below)] for rule in rules_in_force(config)]
    }


def judged_by(done: Sidecar, config: Config) -> tuple[Rule, ...]:
    """The rules that a unit was judged by, whatever the config or its preset says by now; `why` where the config still has the rule."""
    try:
        known = {rule.name: rule for rule in rules_in_force(config)}
    except ConfigError:  # a preset file that is gone
        known = {}
    found = []
    for name, signal, *limits in done.setting("rules"):
        low, high, below = map(float, limits)
        now = known.get(name)
        found.append(Rule(name, signal, low, high, below, now.why if now else "", now.source if now else ""))
    return tuple(found)


def reasons(config: Config) -> tuple[str, ...]:
    return (*(rule.name for rule in rules_in_force(config)), *BLOCKED)


def work(unit: Unit, config: Config, store: Store) -> Result:
    rules = rules_in_force(config)
    asked = dict.fromkeys(["doc_id", "letters", "tokens", *(rule.signal for rule in rules)])
    signals = read_signals(store, to_measure(config), unit.name, list(asked))
    addresses = schema.read_table(store, f"addresses/{unit.name}.parquet", schema.ADDRESSES)
    if not signals["doc_id"].equals(addresses["doc_id"]):
        raise InputError(f"{store.path(f'addresses/{unit.name}.parquet')} belongs to other documents; delete it and run again")
    mask = judge(rules, {name: signals[name].to_numpy() for name in asked if name != "doc_id"})
    host = blocked_hosts(store, config, addresses["host"], unit.inputs["hosts"])
    listed = addresses["listed"].combine_chunks()
    blocked = pc.if_else(pc.equal(listed, ""), host, listed)
    columns = {"doc_id": signals["doc_id"].combine_chunks(), "reject_mask": mask, "blocked": blocked}
    table = schema.table(schema.VERDICTS, columns).replace_schema_metadata({"rules": json.dumps([rule.name for rule in rules])})
    target = f"verdicts/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(table, out)
    by_url = pc.not_equal(listed, "").to_numpy(zero_copy_only=False)
    by_host = pc.not_equal(host, "").to_numpy(zero_copy_only=False)
    counts = count(rules, mask, by_url, by_host, signals["letters"].to_numpy())
    counts.extra["tokens"] = int(signals["tokens"].to_numpy()[(mask == 0) & ~by_url & ~by_host].sum())
    return Result(counts, [out.written(target)])


def count(rules: tuple[Rule, ...], mask: Any, by_url: Any, by_host: Any, letters: Any) -> Counts:
    """Each document under the first thing that rejects it."""
    first = first_reason(rules, mask).astype(np.int64)
    first[(first < 0) & by_url] = len(rules)
    first[(first < 0) & by_host] = len(rules) + 1
    blocked = by_url | by_host
    counts = Counts(records=len(mask), kept=int((first < 0).sum()))
    counts.letters = Counter({"kept": int(letters[first < 0].sum())})
    for i, name in enumerate((*(rule.name for rule in rules), *BLOCKED)):
        if here := int((first == i).sum()):
            counts.rejected[name] = here
            counts.letters[name] = int(letters[first == i].sum())
    for i, rule in enumerate(rules):
        bit = np.uint64(1) << np.uint64(i)
        counts.extra[f"hit.{rule.name}"] = int((mask & bit != 0).sum())
        counts.extra[f"only.{rule.name}"] = int(((mask == bit) & ~blocked).sum())
    return counts


def passes(verdicts: pa.Table) -> pa.ChunkedArray:
    """Which documents no rule rejects and nothing blocks."""
    return pc.and_(pc.equal(verdicts["reject_mask"], pa.scalar(0, pa.uint64())), pc.equal(verdicts["blocked"], ""))


def passing(store: Store, config: Config, unit: str) -> pa.Table:
    """The documents of a unit that pass, with their text, letters and share of Japanese; in the order of the documents."""
    documents = schema.read_table(store, f"documents/{unit}.parquet", schema.DOCUMENTS)
    verdicts = schema.read_table(store, f"verdicts/{unit}.parquet", schema.VERDICTS)
    signals = read_signals(store, to_measure(config), unit, ["letters", "japanese_share"])
    for column in signals.column_names:
        documents = documents.append_column(signals.schema.field(column), signals[column])
    return documents.filter(passes(verdicts))


STAGE = Stage("decide", 1, "documents", settings, units, work, reasons)
