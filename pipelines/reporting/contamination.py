"""What a run found of each benchmark: how many documents, how many of its items, and how much text. From narrow tables alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from seiryu.pipelines.stages.contamination import read_found
from seiryu.pipelines.state import State

_MOST = 5


@dataclass(frozen=True, slots=True)
class Contamination:
    """One benchmark. `items`: of its file; `short` and `common`: those of them that cannot be looked for.

    `documents` hold `found` different items (a line of the file each), in stretches of `letters` code points, counted once an item.
    `most`: (line, documents) of the items that stand in most documents; many mean a phrase that people use, and no leak.
    """

    benchmark: str
    items: int
    short: int
    common: int
    documents: int
    found: int
    letters: int
    most: tuple[tuple[int, int], ...]


def contamination(state: State) -> list[Contamination]:
    """A line for each benchmark that the run looked for, by name; none if it looked for none. InputError if a table is damaged.

    Memory: a number for each different item found.
    """
    done = state.completed("contamination")
    documents: Counter[str] = Counter()
    letters: Counter[str] = Counter()
    lines: dict[str, Counter[int]] = {}
    for unit in done:
        table = read_found(state.store, unit)
        for name in pc.unique(table["benchmark"]).to_pylist():
            mine = table.filter(pc.equal(table["benchmark"], name))
            documents[name] += len(pc.unique(mine["doc_id"]))
            begin, end = (pc.list_flatten(mine[column]).to_numpy().astype(np.int64) for column in ("begin", "end"))
            letters[name] += int((end - begin).sum())
            lines.setdefault(name, Counter()).update(mine["item"].to_pylist())
    known = next(iter(done.values())).setting("benchmarks") if done else {}
    return [
        Contamination(
            name, each["items"], each["short"], each["common"], documents[name], len(lines.get(name, ())), letters[name],
            tuple(sorted(lines.get(name, Counter()).items(), key=lambda item: (-item[1], item[0]))[:_MOST]),
        )
        for name, each in sorted(known.items())
    ]  # fmt: skip


def as_json(found: Sequence[Contamination]) -> list[dict[str, Any]]:
    """The lines as plain values."""
    return [asdict(each) for each in found]


def as_text(each: Contamination) -> str:
    """A benchmark in one line."""
    left = [f"{number:,} {why}" for number, why in ((each.short, "too short"), (each.common, "nothing of their own")) if number]
    looked = f" ({', '.join(left)}: not looked for)" if left else ""
    text = f"{each.benchmark}: {each.found:,} of {each.items:,} items{looked} in {each.documents:,} documents, {each.letters:,} letters"
    most = [f"line {line:,} in {number:,}" for line, number in each.most if number > 1]
    return text + (f"; most: {', '.join(most)}" if most else "")
