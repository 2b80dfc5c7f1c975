"""The domains that a config leaves out by name, such as 5ch.net and wikipedia.org: each with all below it."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from seiryu.filters.addresses.entries import Entries, domain_hits, domain_keys, in_rows
from seiryu.filters.addresses.hosts import is_listable, normal_host, split_address
from seiryu.filters.addresses.sites import is_registry


def named_domain(text: str) -> str:
    """A domain that a person named, in the one form of hosts; `*.` before it adds nothing. ValueError if it is none, or too much."""
    written, rest = split_address(text.strip().removeprefix("*."))
    name = normal_host(written)
    if "//" in text or rest:
        hint = f"; name the host alone: {name}" if is_listable(name) else ""
        raise ValueError(f"{text!r} is an address{hint}")
    if is_registry(name) and is_listable(f"example.{name}"):
        raise ValueError(
            f"{text!r} is a public suffix: it would leave out every site below it; name a site, such as example.{name}"
        )
    if not is_listable(name):
        raise ValueError(f"{text!r} is no host")
    return name


def named_domains(texts: Iterable[str]) -> tuple[str, ...]:
    """`named_domain` of each, sorted, once."""
    return tuple(sorted({named_domain(text) for text in texts}))


def blocked_by_name(hosts: pa.Array, names: tuple[str, ...]) -> pa.Array:
    """Why each host is left out: `blocked: 5ch.net`; empty if no name, as `named_domains` gives them, is it or a domain above it."""
    hits = domain_hits(hosts, Entries.of([domain_keys(pa.array(names, pa.string()))]))
    return in_rows(len(hosts), {row: f"blocked: {name}" for row, name, _ in hits})
