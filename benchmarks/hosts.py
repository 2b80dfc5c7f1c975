"""Hosts: a block list of 5 M made-up domains against a set of strings; addresses, sites, and the second pass over the sums of hosts."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.inputs import Inputs
from benchmarks.timing import Figure, alternate, each, rate
from seiryu.corpus import schema
from seiryu.corpus.storage import Store
from seiryu.filters.addresses.block_lists import BlockLists
from seiryu.filters.addresses.hosts import normal_address, normal_host
from seiryu.filters.addresses.sites import site_of
from seiryu.filters.cleaning.repeated_lines import site_places
from seiryu.pipelines.config import Config
from seiryu.pipelines.places import write_by_place
from seiryu.pipelines.source_config import Files
from seiryu.pipelines.stages import hosts
from seiryu.pipelines.stages.addresses import host_counts_schema
from seiryu.pipelines.unit import Unit

_DOMAINS, _HOSTS, _URLS = 5_000_000, 200_000, 20_000  # UT1's adult: 4.6 M domains
_FILES, _ROWS = 40, 5_000


def figures(_: Inputs) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _block_lists(Path(folder))
        yield from _second_pass(Path(folder))


def _block_lists(folder: Path) -> Iterator[Figure]:
    domains = _names(_DOMAINS, seed=1)
    asked = [f"www.{name}" for name in (*_names(_HOSTS - 2000, seed=2), *domains[:2000])]
    urls = [f"https://{host}/what/ever/{number}?a=b" for number, host in enumerate(asked[:_URLS])]
    (folder / "adult").mkdir()
    (folder / "adult" / "domains").write_text("\n".join(domains) + "\n")
    (folder / "adult" / "urls").write_text("\n".join(f"{name}/what" for name in domains[:20_000]) + "\n")
    lists, strings = BlockLists(folder, ["adult"]), _set(folder)
    column, addresses = pa.array(asked), pa.array(urls)
    size = (lists.domains.entries.keys.nbytes + lists.domains.entries.categories.nbytes) / len(lists.domains.entries)
    plain = (sys.getsizeof(strings) + sum(map(sys.getsizeof, strings))) / len(strings)
    yield Figure("a domain in memory", size, "bytes", against="set of str", other=plain, ratio=plain / size)
    rounds = alternate({"read": lambda: BlockLists(folder, ["adult"]).domains, "set of str": lambda: _set(folder)}, rounds=3)
    yield rounds.figure("read 5 M domains", "read", "M lines/s", rate(_DOMAINS / 1e6), "set of str")
    rounds = alternate(
        {"hosts": lambda: lists.blocked_hosts(column), "set of str": lambda: [_hit(host, strings) for host in asked]}
    )
    yield rounds.figure("hosts looked up in them", "hosts", "hosts/s", rate(_HOSTS), "set of str")
    rounds = alternate({
        "addresses": lambda: lists.blocked_addresses(addresses), "form": lambda: [normal_address(url) for url in urls],
        "site": lambda: [site_of(normal_host(host)) for host in asked[:_URLS]],
    })  # fmt: skip
    yield rounds.figure("addresses looked up among 20,000", "addresses", "addresses/s", rate(_URLS))
    yield rounds.figure("form and site of a host", "site", "hosts/s", rate(_URLS))


def _second_pass(folder: Path) -> Iterator[Figure]:
    config = Config(run=str(folder), source=Files(paths=("none",)))
    store, wanted = Store(config.run), host_counts_schema(config)
    names = _names(_ROWS * 4, seed=3)
    for number in range(_FILES):
        rows = np.random.default_rng(number).choice(len(names), _ROWS, replace=False)
        sites = pa.array([names[row] for row in rows])
        columns = {"place": site_places(sites), "site": sites, "host": sites}
        columns |= {name: np.ones(_ROWS, np.int64) for name in wanted.names[3:]}
        table = schema.table(wanted, columns).sort_by([("place", "ascending"), ("site", "ascending"), ("host", "ascending")])
        write_by_place(store, f"host_counts/{number}.parquet", table, 1024)
    files = tuple(str(number) for number in range(_FILES))
    unit = Unit("hosts", "000", {"partition": 0, "partitions": 16}, {}, reads=files)
    rounds = alternate({"one": lambda: hosts.work(unit, config, store)})
    yield rounds.figure("second pass, one of 16 partitions", "one", "ms a file", each(_FILES))


def _names(number: int, seed: int) -> list[str]:
    """Domains as lists have them: 5 to 16 letters and a top-level domain, rarely one below."""
    draw = np.random.default_rng(seed)
    letters = draw.integers(97, 123, (number, 16)).astype(np.uint8).tobytes().decode()
    lengths, ends = draw.integers(8, 17, number).tolist(), draw.choice(["com", "net", "jp", "co.jp", "xyz"], number).tolist()
    return [f"{letters[16 * i : 16 * i + lengths[i]]}.{ends[i]}" for i in range(number)]


def _set(folder: Path) -> set[str]:
    return set((folder / "adult" / "domains").read_text().split())


def _hit(host: str, domains: set[str]) -> str:
    while host not in domains:
        _, dot, host = host.partition(".")
        if not dot:
            return ""
    return host
