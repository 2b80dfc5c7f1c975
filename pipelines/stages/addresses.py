"""Documents and signals in; host, site and block-list entry of each address out, and the sums of each host: one unit is one file.

The first of two passes over hosts. The sums lie sorted by the places of their sites, so that a unit of the second pass (`hosts`) reads
only its own stretch of every file.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.filters.addresses.block_lists import BlockLists
from seiryu.filters.addresses.hosts import normal_host
from seiryu.filters.addresses.sites import list_version, site_of
from seiryu.filters.cleaning.repeated_lines import site_places
from seiryu.pipelines.config import Config
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.measured import read_signals, to_measure
from seiryu.pipelines.places import write_by_place
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit

_ROW_GROUP = 1024  # hosts: a file has thousands, of which a stretch wants a few percent


def lists_of_pages(config: Config) -> list[str]:
    """The word lists whose pages are counted for each host."""
    return sorted(config.hosts.max_share)


def host_counts_schema(config: Config) -> pa.Schema:
    """The table of the sums of one file."""
    return with_pages(schema.HOST_COUNTS, config, "pages_{}", "pages with a word of the list {}")


def with_pages(table: pa.Schema, config: Config, name: str, meaning: str) -> pa.Schema:
    """A schema with a count of pages for each word list that is asked for."""
    fields = [
        pa.field(name.format(words), pa.int64(), nullable=False, metadata={"meaning": meaning.format(words)})
        for words in lists_of_pages(config)
    ]
    return pa.schema([*table, *fields])


@lru_cache(maxsize=2)
def block_lists(directory: str, categories: tuple[str, ...]) -> BlockLists:
    """The lists of a config, read once a process. ValueError as `BlockLists`."""
    return BlockLists(directory, categories)


def units(state: State) -> list[Unit]:
    extracted = state.completed("extract")
    return [
        Unit("addresses", name, {}, {"documents": extracted[name].output(f"documents/{name}.parquet").sha256, "signals": done.digest})
        for name, done in state.completed("annotate").items()
    ]  # fmt: skip


def settings(config: Config) -> dict[str, Any]:
    urls = block_lists(config.hosts.ut1, config.hosts.categories).urls.sha256 if config.hosts.ut1 else ""
    return {"lists": lists_of_pages(config), "public_suffix_list": list_version(), "urls": urls}


def work(unit: Unit, config: Config, store: Store) -> Result:
    documents = schema.read_table(store, f"documents/{unit.name}.parquet", schema.DOCUMENTS, ["doc_id", "url", "host"])
    lists = lists_of_pages(config)
    signals = read_signals(store, to_measure(config), unit.name, ["doc_id", "letters", *(f"{words}_distinct" for words in lists)])
    if not documents["doc_id"].equals(signals["doc_id"]):
        raise InputError(f"{store.path(f'signals/{unit.name}.parquet')} belongs to other documents; delete it and run again")
    hosts = documents["host"].combine_chunks().dictionary_encode()
    names = [normal_host(host) for host in hosts.dictionary.to_pylist()]
    sites = [site_of(host) for host in names]
    columns = {
        "doc_id": documents["doc_id"].combine_chunks(),
        "host": pa.array(names, pa.string()).take(hosts.indices),
        "site": pa.array(sites, pa.string()).take(hosts.indices),
        "listed": _listed(config, documents["url"].combine_chunks()),
    }
    addresses = schema.table(schema.ADDRESSES, columns)
    target = f"addresses/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(addresses, out)
    pages = {f"pages_{words}": pc.greater(signals[f"{words}_distinct"], 0).cast(pa.int64()) for words in lists}
    sums = schema.table(host_counts_schema(config), _sums(addresses, {"letters": signals["letters"].cast(pa.int64()), **pages}))
    counts = Counts(records=len(documents), kept=len(documents))
    counts.extra["listed"] = pc.sum(pc.not_equal(columns["listed"], "")).as_py() or 0
    return Result(counts, [out.written(target), write_by_place(store, f"host_counts/{unit.name}.parquet", sums, _ROW_GROUP)])


def _listed(config: Config, urls: pa.Array) -> pa.Array:
    if not config.hosts.ut1:
        return pa.array([""] * len(urls), pa.string())
    return block_lists(config.hosts.ut1, config.hosts.categories).blocked_addresses(urls)


def _sums(addresses: pa.Table, values: dict[str, pa.ChunkedArray]) -> dict[str, Any]:
    """Columns of the sums of `values` over each host, sorted by place, site and host."""
    rows = pa.table({"site": addresses["site"], "host": addresses["host"], **values})
    asked: list[tuple[list[str] | str, str]] = [([], "count_all"), *((name, "sum") for name in values)]
    hosts = rows.group_by(["site", "host"], use_threads=False).aggregate(asked)
    hosts = hosts.append_column("place", pa.array(site_places(hosts["site"])))
    hosts = hosts.sort_by([("place", "ascending"), ("site", "ascending"), ("host", "ascending")])
    named = {
        "place": "place",
        "site": "site",
        "host": "host",
        "documents": "count_all",
        **{name: f"{name}_sum" for name in values},
    }
    return {name: hosts[column].combine_chunks() for name, column in named.items()}


STAGE = Stage("addresses", 1, "documents", settings, units, work)
