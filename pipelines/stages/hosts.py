"""What each host brings, and whether its pages are wanted: one unit is one partition, a stretch of all sites.

The second of two passes over hosts: adds up the sums of all files (`addresses`), file by file, so that memory holds the hosts of one
partition and no more. A site's hosts lie in one partition, so its sums are whole. A host's verdict names all that speaks against it:
a name in hosts.block, a domain of a block list, the share of its site's pages with a word of a list. Swallow's paper left out hosts by
such shares; nobody has released the numbers behind it, so the table keeps those of every host, whatever the verdict.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.filters.addresses.block_lists import categories_in
from seiryu.filters.addresses.entries import in_rows
from seiryu.filters.addresses.names import blocked_by_name, named_domains
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.counts import Counts
from seiryu.pipelines.places import read_stretch, stretch
from seiryu.pipelines.stages.addresses import block_lists, host_counts_schema, lists_of_pages, with_pages
from seiryu.pipelines.state import State
from seiryu.pipelines.unit import Result, Stage, Unit, digest

# Rows that are gathered before they are added up: what a pass holds beside the sums.
_GATHERED = 1 << 20


def hosts_schema(config: Config) -> pa.Schema:
    """The table of hosts and verdicts."""
    own = with_pages(schema.HOSTS, config, "pages_{}", "pages of this host with a word of the list {}")
    return with_pages(own, config, "site_pages_{}", "pages of its site with a word of the list {}")


def check_hosts(config: Config) -> None:
    """ConfigError unless all that `hosts` names is there: word lists, domains, categories, their entries."""
    hosts = config.hosts
    for words in lists_of_pages(config):
        if words not in config.signals.word_lists:
            known = sorted(config.signals.word_lists)
            near = difflib.get_close_matches(words, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
            raise _wrong("max_share", f"signals.lists has no word list {words!r}; {hint}")
    with _at("block"):
        named_domains(hosts.block)
    if not hosts.ut1:
        if hosts.categories:
            raise _wrong("categories", "hosts.ut1 must name the directory of the block lists they belong to")
        return
    with _at("ut1"):
        known = categories_in(hosts.ut1)
    if not hosts.categories:
        raise _wrong("categories", f"name the categories of {hosts.ut1} to leave out; there are {', '.join(known)}")
    with _at("categories"):
        lists = block_lists(hosts.ut1, hosts.categories)
    with _at("ut1"):
        entries = len(lists.domains.entries) + len(lists.urls.entries)
    if not entries:
        raise _wrong(
            "categories",
            f"the categories {', '.join(hosts.categories)} of {hosts.ut1} have no entries, so nothing would be blocked",
        )


def _wrong(field: str, message: str) -> ConfigError:
    return ConfigError(f"hosts.{field}: {message}", ("hosts", field))


@contextmanager
def _at(field: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise _wrong(field, str(error)) from error


def units(state: State) -> list[Unit]:
    files = state.completed("addresses")
    if not files:
        return []
    inputs = {"host_counts": digest([[name, done.output(f"host_counts/{name}.parquet").sha256] for name, done in files.items()])}
    names, partitions = tuple(files), state.config.hosts.partitions
    return [
        Unit("hosts", unit_name(number), {"partition": number, "partitions": partitions}, inputs, reads=names)
        for number in range(partitions)
    ]


def unit_name(number: int) -> str:
    return f"{number:03d}"


def settings(config: Config) -> dict[str, Any]:
    hosts = config.hosts
    return {
        "block": list(named_domains(hosts.block)),
        "domains": block_lists(hosts.ut1, hosts.categories).domains.sha256 if hosts.ut1 else "",
        "by": hosts.by, "min_pages": hosts.min_pages, "max_share": dict(sorted(hosts.max_share.items())),
    }  # fmt: skip


def reasons(config: Config) -> tuple[str, ...]:
    """A host counts under the first of what speaks against it."""
    return ("blocked_host", "listed_host", *(f"{words}_pages" for words in lists_of_pages(config)))


def work(unit: Unit, config: Config, store: Store) -> Result:
    hosts = _total(unit, config, store)
    columns: dict[str, Any] = {name: hosts[name].combine_chunks() for name in hosts.column_names}
    for name in ("documents", *(f"pages_{words}" for words in lists_of_pages(config))):
        columns[f"site_{name}"] = _of_site(columns["site"], columns[name].to_numpy())
    against = _against(columns, config)
    table = schema.table(hosts_schema(config), columns | {"verdict": _together(against.values(), len(hosts))})
    target = f"hosts/{unit.name}.parquet"
    with store.writing(target) as out:
        schema.write_table(table, out)
    counts, left = Counts(records=len(hosts)), np.ones(len(hosts), bool)
    for reason, said in against.items():
        speaks = pc.not_equal(said, "").to_numpy(zero_copy_only=False)
        counts.rejected[reason] = int((left & speaks).sum())
        left &= ~speaks
    counts.kept = int(left.sum())
    counts.extra["documents_left_out"] = int(columns["documents"].to_numpy()[~left].sum())
    return Result(counts, [out.written(target)])


def _total(unit: Unit, config: Config, store: Store) -> pa.Table:
    """The sums of the partition's hosts over all files, sorted by site and host."""
    wanted = host_counts_schema(config)
    columns, (first, last) = wanted.names[1:], stretch(unit.params["partition"], unit.params["partitions"])
    gathered, rows = [wanted.empty_table().select(columns)], 0
    for name in unit.reads:
        gathered.append(read_stretch(store, f"host_counts/{name}.parquet", wanted, columns, first, last))
        rows += len(gathered[-1])
        if rows > _GATHERED:
            gathered, rows = [_added(gathered)], 0
    return _added(gathered).sort_by([("site", "ascending"), ("host", "ascending")])


def _added(tables: list[pa.Table]) -> pa.Table:
    """One row a host, with its sums."""
    wanted = tables[0].schema
    keys, sums = wanted.names[:2], [(name, "sum") for name in wanted.names[2:]]
    return pa.concat_tables(tables).group_by(keys, use_threads=False).aggregate(sums).rename_columns(wanted.names).cast(wanted)


def _of_site(sites: pa.Array, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each host the sum over its site; the hosts lie sorted by site."""
    number = sites.dictionary_encode().indices.to_numpy()
    begins = np.flatnonzero(np.diff(number, prepend=-1))
    return np.add.reduceat(values, begins)[number] if len(values) else values


def _against(columns: dict[str, Any], config: Config) -> dict[str, pa.Array]:
    """For each reason what it says against each host, in words; empty if nothing."""
    chosen, hosts = config.hosts, columns["host"]
    lists = block_lists(chosen.ut1, chosen.categories) if chosen.ut1 else None
    said = [blocked_by_name(hosts, named_domains(chosen.block)), lists.blocked_hosts(hosts) if lists else in_rows(len(hosts), {})]
    prefix = "site_" if chosen.by == "site" else ""
    documents = np.asarray(columns[f"{prefix}documents"])
    for words in lists_of_pages(config):
        pages = np.asarray(columns[f"{prefix}pages_{words}"])
        high = (documents >= chosen.min_pages) & (pages / np.maximum(documents, 1) > chosen.max_share[words])
        rows = np.flatnonzero(high).tolist()
        found = {row: f"{words} on {pages[row]} of {documents[row]} pages of {columns[chosen.by][row]}" for row in rows}
        said.append(in_rows(len(hosts), found))
    return dict(zip(reasons(config), said, strict=True))


def _together(said: Iterable[pa.Array], hosts: int) -> pa.Array:
    """All that is said against each host, as one text."""
    found: dict[int, str] = {}
    for column in said:
        rows = np.flatnonzero(pc.not_equal(column, "").to_numpy(zero_copy_only=False))
        for row, text in zip(rows.tolist(), column.take(pa.array(rows)).to_pylist(), strict=True):
            found[row] = f"{found[row]}; {text}" if row in found else text
    return in_rows(hosts, found)


def blocked_hosts(store: Store, config: Config, hosts: pa.ChunkedArray, identity: str) -> pa.Array:
    """The verdict on each of a column of hosts, in their one form; empty where there is none.

    `identity`: of all units of this stage, as `state.identity` gives it; what they say is read once a process.
    """
    found = _with_verdict(store.root, config.hosts.partitions, hosts_schema(config), identity)
    places = pc.index_in(hosts.combine_chunks(), value_set=found["host"].combine_chunks())
    return pc.fill_null(found["verdict"].combine_chunks().take(places), "")


@lru_cache(maxsize=1)
def _with_verdict(root: str, partitions: int, table: pa.Schema, identity: str) -> pa.Table:  # noqa: ARG001 - what is kept depends on it
    """Hosts and verdicts of those that have one."""
    store, columns = Store(root), ["host", "verdict"]
    found = [table.empty_table().select(columns)]
    for number in range(partitions):
        hosts = schema.read_table(store, f"hosts/{unit_name(number)}.parquet", table, columns)
        found.append(hosts.filter(pc.not_equal(hosts["verdict"], "")))
    return pa.concat_tables(found)


STAGE = Stage("hosts", 2, "hosts", settings, units, work, reasons, on_documents=False)
