"""The table of hosts: sums as a brute-force count has them, and a verdict that says why."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_tables import Page, config_for, many_pages, write_pages

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.stages import addresses, hosts
from seiryu.pipelines.unit import Unit

# Sites by hand.
SITES = {
    "www.example.co.jp": "example.co.jp", "example.co.jp": "example.co.jp", "a.b.example.co.jp": "example.co.jp",
    "user.hatenablog.com": "user.hatenablog.com", "other.hatenablog.com": "other.hatenablog.com", "x.fc2.com": "fc2.com",
    "y.fc2.com": "fc2.com", "192.168.0.1": "192.168.0.1", "mevius.5ch.net": "5ch.net", "ja.wikipedia.org": "wikipedia.org",
    "mywikipedia.org": "mywikipedia.org", "jp": "jp",
}  # fmt: skip
LISTS = ("dating", "ng")


def two_passes(config: Config, files: dict[str, list[Page]]) -> Store:
    """A run that holds the tables of both passes."""
    store = Store(config.run)
    for name, pages in files.items():
        write_pages(store, config, name, pages)
        addresses.work(Unit("addresses", name, {}, {}), config, store)
    for unit in units(config, list(files)):
        hosts.work(unit, config, store).counts.check(unit.name)
    return store


def units(config: Config, files: list[str]) -> Iterator[Unit]:
    partitions = config.hosts.partitions
    for number in range(partitions):
        yield Unit("hosts", hosts.unit_name(number), {"partition": number, "partitions": partitions}, {}, reads=tuple(files))


def table(store: Store) -> list[dict]:
    """All partitions together, by site and host."""
    files = sorted(Path(store.path("hosts")).glob("*.parquet"))
    return sorted(pa.concat_tables(map(pq.read_table, files)).to_pylist(), key=lambda row: (row["site"], row["host"]))


def brute_force(config: Config, pages: list[Page]) -> list[dict]:
    """The whole table, page by page."""
    own, site = Counter(), Counter()
    for page in pages:
        host = urlsplit(page.url).hostname
        found = {"documents": 1, "letters": page.letters} | {f"pages_{words}": 1 for words in LISTS if page.words.get(words)}
        for name, number in found.items():
            own[host, name] += number
            site[SITES[host], name] += number
    made = []
    for host in sorted({host for host, _ in own}, key=lambda host: (SITES[host], host)):
        row = {"host": host, "site": SITES[host], "documents": own[host, "documents"], "letters": own[host, "letters"]}
        row["site_documents"] = site[SITES[host], "documents"]
        for words in LISTS:
            row[f"pages_{words}"], row[f"site_pages_{words}"] = own[host, f"pages_{words}"], site[SITES[host], f"pages_{words}"]
        made.append(row | {"verdict": "; ".join(said_against(config, row))})
    return made


def said_against(config: Config, row: dict) -> Iterator[str]:
    for name in config.hosts.block:
        if f".{row['host']}".endswith(f".{name}"):
            yield f"blocked: {name}"
    before = "site_" if config.hosts.by == "site" else ""
    for words in LISTS:
        pages, documents = row[f"{before}pages_{words}"], row[f"{before}documents"]
        if documents >= config.hosts.min_pages and pages > config.hosts.max_share[words] * documents:
            yield f"{words} on {pages} of {documents} pages of {row[config.hosts.by]}"


PAGES = st.builds(
    lambda host, letters, ng, dating: Page(f"http://{host}/", letters, {"ng": ng, "dating": dating}),
    st.sampled_from(sorted(SITES)), st.integers(0, 9000), st.integers(0, 2), st.integers(0, 1),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(PAGES, max_size=12), min_size=1, max_size=3), st.sampled_from(["site", "host"]), st.sampled_from([1, 3, 16]),
       st.sampled_from([1, 2, 5]), st.sampled_from([0.0, 0.25, 0.5, 1.0]))  # fmt: skip
def test_the_table_is_that_of_a_brute_force_count(
    files: list[list[Page]], by: str, partitions: int, min_pages: int, share: float
) -> None:
    limits = {"by": by, "partitions": partitions, "min_pages": min_pages, "max_share": {"ng": share, "dating": share}}
    with tempfile.TemporaryDirectory() as run:
        config = config_for(Path(run), **limits)
        found = table(two_passes(config, {f"f{number}": pages for number, pages in enumerate(files)}))
    assert found == brute_force(config, [page for pages in files for page in pages])


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return two_passes(config_for(tmp_path_factory.mktemp("many"), partitions=1), many_files())


def many_files() -> dict[str, list[Page]]:
    return {name: many_pages(sorted(SITES), 1500, seed) for seed, name in enumerate("abc")}


@pytest.mark.parametrize("partitions", [3, 16, 40])
def test_the_number_of_partitions_changes_no_row(tmp_path: Path, many: Store, partitions: int) -> None:
    store = two_passes(config_for(tmp_path, partitions=partitions), many_files())
    assert table(store) == table(many)
    by_file = [pq.read_table(path) for path in Path(store.path("hosts")).glob("*.parquet")]
    assert len(by_file) == partitions
    sites = [set(rows["site"].to_pylist()) for rows in by_file]
    assert sum(map(len, sites)) == len(set().union(*sites))  # a site lies in one partition
    for rows in by_file:
        order = list(zip(rows["site"].to_pylist(), rows["host"].to_pylist(), strict=True))
        assert order == sorted(order)


def test_neither_the_order_of_files_nor_adding_up_between_them_changes_a_byte(
    tmp_path: Path, many: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "_GATHERED", 5)
    config = config_for(Path(many.root), partitions=1)
    before = many.read("hosts/000.parquet")
    shutil.copytree(Path(many.root) / "host_counts", tmp_path / "host_counts")
    (unit,) = units(config, ["c", "a", "b"])
    hosts.work(unit, config, Store(str(tmp_path)))
    assert (tmp_path / "hosts" / "000.parquet").read_bytes() == before


def test_a_host_counts_under_the_first_thing_that_speaks_against_it(tmp_path: Path) -> None:
    folder = tmp_path / "ut1" / "adult"
    folder.mkdir(parents=True)
    (folder / "domains").write_text("fc2.com\n5ch.net\n")
    pages = [Page(f"http://{host}/{number}", 10, {"ng": 1}) for host in SITES for number in range(2)]
    shares = {"ng": 0.005, "dating": 0.001}
    limits = {"min_pages": 4, "partitions": 1, "ut1": str(tmp_path / "ut1"), "categories": ["adult"], "max_share": shares}
    config = config_for(tmp_path / "run", **limits)
    store = two_passes(config, {"a": pages})
    verdicts = {row["host"]: row["verdict"] for row in table(store)}
    assert verdicts["mevius.5ch.net"] == "blocked: 5ch.net; ut1 adult: 5ch.net"
    assert verdicts["x.fc2.com"] == "ut1 adult: fc2.com; ng on 4 of 4 pages of fc2.com"
    assert verdicts["example.co.jp"] == "ng on 6 of 6 pages of example.co.jp"
    assert verdicts["mywikipedia.org"] == verdicts["other.hatenablog.com"] == ""  # two pages are too few
    (unit,) = units(config, ["a"])
    counts = hosts.work(unit, config, store).counts
    rejected = {"blocked_host": 2, "listed_host": 2, "dating_pages": 0, "ng_pages": 3}
    assert (counts.records, counts.kept, dict(counts.rejected)) == (12, 5, rejected)
    assert counts.extra["documents_left_out"] == 14
    assert tuple(rejected) == tuple(hosts.reasons(config))


@pytest.mark.parametrize(
    ("bad", "pages", "left_out"), [(1, 1000, False), (2, 1000, True), (1, 999, True), (0, 1000, False), (1, 19, False)]
)
def test_a_share_must_be_greater_than_the_limit_and_pages_enough(tmp_path: Path, bad: int, pages: int, left_out: bool) -> None:
    files = {"a": [Page("http://a.jp/", 10, {"dating": int(number < bad)}) for number in range(pages)]}
    (row,) = table(two_passes(config_for(tmp_path, partitions=1, max_share={"dating": 0.001}), files))
    assert row["verdict"] == (f"dating on {bad} of {pages} pages of a.jp" if left_out else "")


def test_the_verdict_of_each_of_a_column_of_hosts(many: Store) -> None:
    config = config_for(Path(many.root), partitions=1)
    verdicts = {row["host"]: row["verdict"] for row in table(many)}
    asked = [*verdicts, "unheard.of", "", *verdicts]
    column = pa.chunked_array([asked[:3], asked[3:]])
    assert hosts.blocked_hosts(many, config, column, "first").to_pylist() == [verdicts.get(host, "") for host in asked]
    assert any(verdicts.values())
    assert hosts.blocked_hosts(many, config, pa.chunked_array([[]], pa.string()), "first").to_pylist() == []


def test_verdicts_are_read_once_for_each_state_of_the_run(tmp_path: Path) -> None:
    config, column = config_for(tmp_path, partitions=2), pa.chunked_array([["a.5ch.net"]])
    store = two_passes(config, {"a": [Page("http://a.5ch.net/")]})
    assert hosts.blocked_hosts(store, config, column, "first").to_pylist() == ["blocked: 5ch.net"]
    other = config_for(tmp_path, partitions=2, block=[])
    for unit in units(other, ["a"]):
        hosts.work(unit, other, store)
    assert hosts.blocked_hosts(store, config, column, "first").to_pylist() == ["blocked: 5ch.net"]
    assert hosts.blocked_hosts(store, config, column, "second").to_pylist() == [""]


def test_damaged_or_foreign_sums_are_refused_by_name(tmp_path: Path) -> None:
    config = config_for(tmp_path, partitions=1)
    store = two_passes(config, {"a": [Page("http://a.jp/")]})
    (unit,) = units(config, ["a"])
    whole = store.read("host_counts/a.parquet")
    for damaged in (whole[:-9], whole[: len(whole) // 2], b"", store.read("addresses/a.parquet")):
        store.write("host_counts/a.parquet", damaged)
        with pytest.raises(InputError, match=r"host_counts/a\.parquet.*delete it and run again"):
            hosts.work(unit, config, store)


@pytest.mark.parametrize(
    ("section", "field", "said"),
    [
        ({"max_share": {"dting": 0.1}}, "max_share", "signals.lists has no word list 'dting'; did you mean 'dating'?"),
        ({"max_share": {"xyz": 0.1}}, "max_share", "signals.lists has no word list 'xyz'; there are dating, ng"),
        ({"block": ["5ch.net", "co.jp"]}, "block", "'co.jp' is a public suffix"),
        ({"block": ["http://5ch.net"]}, "block", "'http://5ch.net' is an address; name the host alone: 5ch.net"),
        ({"categories": ["adult"]}, "categories", "hosts.ut1 must name the directory of the block lists they belong to"),
        ({"ut1": "LISTS"}, "categories", "to leave out; there are adult, empty, games"),
        ({"ut1": "LISTS", "categories": ["adlut"]}, "categories", "there is no category 'adlut' (did you mean 'adult'?); there are adult"),
        ({"ut1": "LISTS", "categories": ["empty"]}, "categories", "have no entries, so nothing would be blocked"),
        ({"ut1": "LISTS", "categories": ["adult"]}, "ut1", "domains, line 2: 'not a host' is no domain or address; mend or delete the line"),
        ({"ut1": "LISTS/nowhere", "categories": ["adult"]}, "ut1", "nowhere is no directory; unpack UT1's blacklists.tar.gz"),
    ],
)  # fmt: skip
def test_a_config_that_names_what_is_not_there_is_refused(tmp_path: Path, section: dict, field: str, said: str) -> None:
    for name, content in (("adult/domains", "a.jp\nnot a host\n"), ("empty/urls", "\n"), ("games/domains", "b.jp\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    section = {key: value.replace("LISTS", str(tmp_path)) if key == "ut1" else value for key, value in section.items()}
    with pytest.raises(ConfigError) as error:
        hosts.check_hosts(config_for(tmp_path / "run", **section))
    assert str(error.value).startswith(f"hosts.{field}: ")
    assert said in str(error.value)
    assert error.value.field == ("hosts", field)


def test_a_config_whose_names_are_all_there_passes(tmp_path: Path) -> None:
    (tmp_path / "games").mkdir()
    (tmp_path / "games" / "urls").write_text("b.jp/x\n")
    hosts.check_hosts(config_for(tmp_path / "run"))
    hosts.check_hosts(config_for(tmp_path / "run", max_share={}, block=[], ut1=str(tmp_path), categories=["games"]))


def test_settings_know_names_lists_and_limits_but_not_their_order(tmp_path: Path) -> None:
    before = hosts.settings(config_for(tmp_path, block=["a.jp", "b.jp"], max_share={"ng": 0.1, "dating": 0.2}))
    assert json.dumps(before) == json.dumps(
        hosts.settings(config_for(tmp_path, block=["B.jp.", "a.jp"], max_share={"dating": 0.2, "ng": 0.1}))
    )
    for other in ({"block": ["a.jp"]}, {"min_pages": 3}, {"by": "host"}, {"max_share": {"ng": 0.2, "dating": 0.2}}):
        chosen = {"block": ["a.jp", "b.jp"], "max_share": {"ng": 0.1, "dating": 0.2}} | other
        assert hosts.settings(config_for(tmp_path, **chosen)) != before
