"""What was asked to be taken out of a run's shards: `takedown.json` in the run directory, which every later run obeys.

A host hits its own pages and those of hosts below it; an address hits the page that has the same but for scheme and fragment, as
deduplication compares addresses, however its host and its percent-encoding are written; an id hits one document. The file holds every
request as an entry with its rules, its reason and what came of it; the rules in force are those of all entries together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from string import printable
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.dedup.digests import address
from seiryu.filters.addresses.hosts import normal_host, split_address
from seiryu.pipelines.unit import digest

FILE = "takedown.json"
# Columns of `SEQUENCES` that tell what is hit, and in which shard it stands.
READ = ["shuffle_key", "split_key", "copy", "tokens", "doc_id", "url", "host"]
_VERSION = 1
_KINDS = ("hosts", "urls", "ids")
_ENCODED = re.compile(r"%[0-9a-fA-F]{2}")
_PLAIN = "".join(letter for letter in printable if not letter.isspace())


@dataclass(frozen=True, slots=True)
class Rules:
    """What is taken down: hosts in their one form, addresses as they were given, doc_ids."""

    hosts: frozenset[str] = field(default_factory=frozenset)
    urls: frozenset[str] = field(default_factory=frozenset)
    ids: frozenset[str] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.hosts or self.urls or self.ids)

    def __or__(self, other: Rules) -> Rules:
        return Rules(self.hosts | other.hosts, self.urls | other.urls, self.ids | other.ids)

    def beyond(self, other: Rules) -> Rules:
        """The rules that the other ones do not hold yet."""
        known = {comparable(url) for url in other.urls}
        urls = frozenset(url for url in self.urls if comparable(url) not in known)
        return Rules(self.hosts - other.hosts, urls, self.ids - other.ids)

    def digest(self) -> str:
        return digest(self.as_json())

    def as_json(self) -> dict[str, list[str]]:
        return {"hosts": sorted(self.hosts), "urls": sorted(self.urls), "ids": sorted(self.ids)}

    def each(self) -> list[Rules]:
        """Every rule for itself."""
        alone = [Rules(hosts=frozenset({host})) for host in sorted(self.hosts)]
        alone += [Rules(urls=frozenset({url})) for url in sorted(self.urls)]
        return alone + [Rules(ids=frozenset({doc_id})) for doc_id in sorted(self.ids)]

    def names(self) -> list[str]:
        """Each rule, as `hits` names it, in the order of `each`."""
        kinds = (("host", self.hosts), ("url", self.urls), ("id", self.ids))
        return [f"{kind} {rule}" for kind, rules in kinds for rule in sorted(rules)]

    def hits(self, table: pa.Table) -> pa.Array:
        """For each row, by its columns doc_id, url and host, the rule that hits it, such as `host example.jp`, with the address as the
        page has it; empty if none does.

        Of several the id stands before the address, that before the host, the longer host before the shorter. Hosts must be in their
        one form.
        """
        found = pa.array([""], pa.string()).take(pa.nulls(len(table), pa.int8()).fill_null(0))
        if self.hosts:
            found = _named(found, "host", table["host"], self._host)
        if self.urls:
            wanted = {comparable(url) for url in self.urls}
            hosts = pa.array(sorted({normal_host(split_address(url)[0]) for url in self.urls}), pa.string())
            near = pc.if_else(pc.is_in(table["host"], hosts), table["url"], "")
            found = _named(found, "url", near, lambda url: url if url and comparable(url) in wanted else "")
        if self.ids:
            known = pc.is_in(table["doc_id"], pa.array(sorted(self.ids), pa.string()))
            found = pc.if_else(known, pc.binary_join_element_wise("id", table["doc_id"], " "), found)
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found

    def _host(self, host: str) -> str:
        parts = host.split(".")
        above = (".".join(parts[i:]) for i in range(len(parts)))
        return next((name for name in above if name in self.hosts), "")


def _named(found: pa.Array, kind: str, values: pa.ChunkedArray, rule_of: Callable[[str], str]) -> pa.Array:
    """The rule of each value, and where it has none what was found before; each different value is asked for once."""
    coded = pa.chunked_array([values.combine_chunks()] if isinstance(values, pa.ChunkedArray) else [values], pa.string())
    coded = coded.combine_chunks().dictionary_encode()
    names = [f"{kind} {rule}" if (rule := rule_of(value)) else "" for value in coded.dictionary.to_pylist()]
    here = pa.array(names, pa.string()).take(coded.indices)
    return pc.if_else(pc.equal(here, ""), found, here)


def comparable(url: str) -> str:
    """An address in the form in which it is compared: as in deduplication, its host in the one form, percent-encoding too."""
    host, slash, rest = address(url.strip()).partition("/")
    name, colon, port = host.partition(":")
    plain = quote(rest, safe=_PLAIN, errors="surrogateescape")
    return f"{normal_host(name)}{colon}{port}{slash}{_ENCODED.sub(lambda found: found[0].upper(), plain)}"


def entries(store: Store) -> list[dict[str, Any]]:
    """All requests so far, in their order. InputError if the file is damaged."""
    if not store.exists(FILE):
        return []
    try:
        value = store.read_json(FILE)
    except InputError as error:
        raise _damaged(store, "it is no JSON") from error
    found = value.get("entries") if isinstance(value, dict) else None
    if not isinstance(found, list) or value.get("version") != _VERSION:
        raise _damaged(store, f"a mapping with version {_VERSION} and a list of entries is wanted")
    for number, entry in enumerate(found):
        if not isinstance(entry, dict):
            raise _damaged(store, f"entry {number} is no mapping")
        for kind in _KINDS:
            if not isinstance(entry.get(kind), list) or not all(isinstance(rule, str) for rule in entry[kind]):
                raise _damaged(store, f"entry {number} has no list of texts {kind}")
        for part in ("shards", "files"):
            told = entry.get(part, {})
            if not isinstance(told, dict) or not all(isinstance(value, dict) for value in told.values()):
                raise _damaged(store, f"entry {number}: {part} is no mapping of mappings")
    return found


def _damaged(store: Store, why: str) -> InputError:
    """Nobody may be told to delete this file: the pages would come back."""
    return InputError(
        f"{store.path(FILE)} is damaged: {why}; it says which pages must stay out, so mend it or bring it back from a copy"
    )


def rules_of(store: Store) -> Rules:
    """All that is taken down in a run; empty if nothing is. InputError if takedown.json is damaged."""
    found = entries(store)
    hosts, urls, ids = (frozenset(_all(found, kind)) for kind in _KINDS)
    return Rules(frozenset(map(normal_host, hosts)), urls, frozenset(doc_id.lower() for doc_id in ids))


def _all(found: Sequence[dict[str, Any]], kind: str) -> Iterable[str]:
    return (rule for entry in found for rule in entry[kind])


def is_lost(store: Store) -> bool:
    """Whether pages were taken down by a list that is not there any more."""
    return bool(store.names("units/takedown", ".json")) and not store.exists(FILE)


def check_not_lost(store: Store) -> None:
    """InputError if pages were taken down by a list that is not there any more: a run would put them back."""
    if is_lost(store):
        raise InputError(
            f"{store.path(FILE)} is gone, and pages were taken down by it: bring it back from a copy; if they may come back, delete "
            f"{store.path('units/takedown')} first"
        )


def write_entries(store: Store, value: list[dict[str, Any]]) -> None:
    """Put these entries in place of those in the file, whole or not at all."""
    store.write_json(FILE, {"version": _VERSION, "entries": value})
