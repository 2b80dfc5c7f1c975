"""What was asked to be taken out of a run's shards: `takedown.json` in the run directory, which every later run obeys.

A host hits its own pages and those of hosts below it; an address hits a page when both are the same without scheme and fragment, as
deduplication compares them; an id hits one document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.dedup.digests import address as comparable_address
from seiryu.pipelines.unit import digest

FILE = "takedown.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """What is taken down, of all requests so far."""

    hosts: frozenset[str] = field(default_factory=frozenset)
    urls: frozenset[str] = field(default_factory=frozenset)
    ids: frozenset[str] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.hosts or self.urls or self.ids)

    def __or__(self, other: Rules) -> Rules:
        return Rules(self.hosts | other.hosts, self.urls | other.urls, self.ids | other.ids)

    def digest(self) -> str:
        return digest(self.as_json())

    def as_json(self) -> dict[str, list[str]]:
        return {"hosts": sorted(self.hosts), "urls": sorted(self.urls), "ids": sorted(self.ids)}

    def names(self) -> list[str]:
        """Each rule, as `hits` names it."""
        return [
            f"{kind} {name}"
            for kind, names in (("host", self.hosts), ("url", self.urls), ("id", self.ids))
            for name in sorted(names)
        ]

    def hits(self, table: pa.Table) -> pa.Array:
        """For each row, by its columns doc_id, url and host, the rule that hits it, such as `host example.jp`; empty if none does."""
        found = pa.array([""] * len(table), pa.string())
        if self.ids:
            known = pc.is_in(table["doc_id"], pa.array(sorted(self.ids)))
            found = pc.if_else(known, pc.binary_join_element_wise("id", table["doc_id"], " "), found)
        if self.urls:
            wanted = {comparable_address(url) for url in self.urls}
            found = _named(found, "url", table["url"], lambda url: url if comparable_address(url) in wanted else "")
        if self.hosts:
            found = _named(found, "host", table["host"], self._host)
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found

    def _host(self, host: str) -> str:
        parts = host.split(".")
        above = (".".join(parts[i:]) for i in range(len(parts)))
        return next((name for name in above if name in self.hosts), "")


def _named(found: pa.Array, kind: str, values: pa.ChunkedArray, rule_of: Any) -> pa.Array:
    """`found`, and where it is empty the rule of the value; each different value is asked for once."""
    coded = values.combine_chunks().dictionary_encode()
    rules = pa.array(
        [f"{kind} {rule}" if (rule := rule_of(value)) else "" for value in coded.dictionary.to_pylist()], pa.string()
    )
    here = rules.take(coded.indices)
    return pc.if_else(pc.equal(found, ""), here, found)


def entries(store: Store) -> list[dict[str, Any]]:
    """All requests so far, in their order. InputError if the file is damaged."""
    if not store.exists(FILE):
        return []
    value = store.read_json(FILE)
    if not isinstance(value, dict) or value.get("version") != _VERSION or not isinstance(value.get("entries"), list):
        raise InputError(
            f"{store.path(FILE)} is not the list of what was taken down; bring it back from a copy before the next run"
        )
    found: list[dict[str, Any]] = value["entries"]
    return found


def rules_of(store: Store) -> Rules:
    """All that is taken down in a run; empty if nothing is. InputError if takedown.json is damaged."""
    rules = Rules()
    for entry in entries(store):
        try:
            rules |= Rules(*(frozenset(_texts(entry[kind])) for kind in ("hosts", "urls", "ids")))
        except (KeyError, TypeError) as error:
            raise InputError(f"{store.path(FILE)} is damaged: an entry has no {error}; bring it back from a copy") from error
    return rules


def _texts(values: Any) -> Iterable[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("list of texts")
    return values


def write_entries(store: Store, value: list[dict[str, Any]]) -> None:
    store.write_json(FILE, {"version": _VERSION, "entries": value})
