"""Arithmetic on what `queries.masks` counted: each rule for itself, rules in any order, and what several reject together.

A mask stands for all documents that exactly its rules reject, so every count of rules is a sum over masks: nothing is read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.rules import Rule

AMOUNTS = ("documents", "letters", "tokens")
Amounts = npt.NDArray[np.int64]  # (rows, 3)


def amounts(masks: pa.Table) -> Amounts:
    """Documents, letters and tokens of each row."""
    return np.stack([masks[name].to_numpy() for name in AMOUNTS], axis=1).astype(np.int64)


def totals(masks: pa.Table) -> dict[str, dict[str, int]]:
    """`measured`: all; `blocked`: of those by their address, whatever the rules say; `kept`: what passes all, in AMOUNTS."""
    found, mask, blocked = amounts(masks), masks["reject_mask"].to_numpy(), _blocked(masks)
    chosen = {"measured": np.ones(len(mask), np.bool_), "blocked": blocked, "kept": (mask == 0) & ~blocked}
    if "before" in masks.column_names:
        before = masks["before"].to_numpy(zero_copy_only=False).astype(np.bool_)
        chosen |= {"before": before, "gained": chosen["kept"] & ~before, "lost": before & ~chosen["kept"]}
    return {name: named(found[rows].sum(axis=0)) for name, rows in chosen.items()}


def named(sums: npt.NDArray[np.int64]) -> dict[str, int]:
    """Three sums under their names."""
    return dict(zip(AMOUNTS, (int(each) for each in sums), strict=True))


def rule_counts(masks: pa.Table, rules: Sequence[Rule]) -> pa.Table:
    """A row a rule: hit_: all it rejects; only_: what nothing else would have rejected; first_: what it is the first to reject."""
    found, mask, blocked = amounts(masks), masks["reject_mask"].to_numpy(), _blocked(masks)
    lowest = mask & (~mask + np.uint64(1))
    columns: dict[str, Any] = {"rule": pa.array([rule.name for rule in rules], pa.string())}
    for prefix in ("hit", "only", "first"):
        sums = []
        for i in range(len(rules)):
            bit = np.uint64(1 << i)
            rows = {"hit": mask & bit != 0, "only": (mask == bit) & ~blocked, "first": lowest == bit}[prefix]
            sums.append(found[rows].sum(axis=0))
        for k, name in enumerate(AMOUNTS):
            columns[f"{prefix}_{name}"] = pa.array([int(each[k]) for each in sums], pa.int64())
    return pa.table(columns)


def in_order(masks: pa.Table, rules: Sequence[Rule], order: Sequence[str]) -> pa.Table:
    """What each rule takes away of what those before it left: rule, documents, letters, tokens. `order`: names, all or some."""
    found, mask = amounts(masks), masks["reject_mask"].to_numpy()
    place = {rule.name: i for i, rule in enumerate(rules)}
    left, sums = np.ones(len(mask), np.bool_), []
    for name in order:
        rows = left & (mask & np.uint64(1 << place[name]) != 0)
        sums.append(found[rows].sum(axis=0))
        left &= ~rows
    return pa.table({"rule": pa.array(list(order), pa.string())} | {
        name: pa.array([int(each[k]) for each in sums], pa.int64()) for k, name in enumerate(AMOUNTS)
    })  # fmt: skip


def overlaps(masks: pa.Table, rules: Sequence[Rule], most: int) -> pa.Table:
    """Documents that exactly these rules reject: rules (list<string>), documents, letters, tokens; the `most` largest sets."""
    found: dict[int, Amounts] = {}
    for mask, sums in zip(masks["reject_mask"].to_pylist(), amounts(masks), strict=True):
        if mask:
            found[mask] = found.get(mask, np.zeros(3, np.int64)) + sums
    largest = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))[:most]
    names = [[rule.name for i, rule in enumerate(rules) if mask >> i & 1] for mask, _ in largest]
    return pa.table({"rules": pa.array(names, pa.list_(pa.string()))} | {
        name: pa.array([int(sums[k]) for _, sums in largest], pa.int64()) for k, name in enumerate(AMOUNTS)
    })  # fmt: skip


def added_up(rows: pa.Table, side: str, stops: Sequence[float]) -> pa.Table:
    """`queries.at_stops` from its groups: `place`: how many stops lie below a value; a limit at stop k rejects those from there on
    (high, below) or those before (low); `fixed`: rejected by the other limits; `free`: by no other rule."""
    stop = np.arange(len(stops))
    hit, free_hit, free_all = (np.zeros((len(stops), 3), np.int64) for _ in range(3))
    fixed = rows["fixed"].to_numpy(zero_copy_only=False).astype(np.bool_)
    free = rows["free"].to_numpy(zero_copy_only=False).astype(np.bool_)
    for place, always, alone, sums in zip(rows["place"].to_numpy(), fixed, free, amounts(rows), strict=True):
        rejected = np.full(len(stops), True) if always else stop >= place if side == "low" else stop < place
        hit[rejected] += sums
        if alone:
            free_all += sums
            free_hit[rejected] += sums
    columns: dict[str, Any] = {"stop": pa.array(list(stops), pa.float64())}
    for prefix, sums in (("hit", hit), ("only", free_hit), ("kept", free_all - free_hit)):
        columns |= {f"{prefix}_{name}": pa.array(sums[:, k]) for k, name in enumerate(AMOUNTS)}
    return pa.table(columns)


def _blocked(masks: pa.Table) -> npt.NDArray[np.bool_]:
    return np.asarray(masks["blocked"].to_numpy(zero_copy_only=False), np.bool_)
