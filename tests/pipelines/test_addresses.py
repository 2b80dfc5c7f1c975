"""Where each page comes from, and the sums of each host in one file."""

from collections import Counter
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from page_tables import Page, config_for, many_pages, write_pages

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.config import Config
from seiryu.pipelines.stages import addresses
from seiryu.pipelines.unit import Result, Unit


def made(tmp_path: Path, pages: list[Page], **hosts: object) -> tuple[Store, Config, Result]:
    """A run with one file of pages that went through the stage."""
    config = config_for(tmp_path / "run", **hosts)
    store = Store(config.run)
    write_pages(store, config, "a", pages)
    return store, config, addresses.work(Unit("addresses", "a", {}, {}), config, store)


def rows(store: Store, name: str) -> list[dict]:
    return pq.read_table(store.path(name)).to_pylist()


ADDRESSES = [  # address, host, site
    ("http://WWW.Example.co.jp:8080/a", "www.example.co.jp", "example.co.jp"),
    ("https://user:word@example.co.jp./", "example.co.jp", "example.co.jp"),
    ("http://日本語.jp/", "xn--wgv71a119e.jp", "xn--wgv71a119e.jp"),
    ("http://www.XN--WGV71A119E.jp/", "www.xn--wgv71a119e.jp", "xn--wgv71a119e.jp"),
    ("http://user.hatenablog.com/", "user.hatenablog.com", "user.hatenablog.com"),
    ("http://192.168.0.1:80/", "192.168.0.1", "192.168.0.1"),
    ("http://[2001:db8::1]/", "2001:db8::1", "2001:db8::1"),
    ("file:///a", "", ""),
]


def test_every_page_has_the_one_form_of_its_host_and_its_site(tmp_path: Path) -> None:
    store, _, result = made(tmp_path, [Page(url) for url, _, _ in ADDRESSES])
    found = rows(store, "addresses/a.parquet")
    assert [(row["host"], row["site"], row["listed"]) for row in found] == [(host, site, "") for _, host, site in ADDRESSES]
    assert [row["doc_id"] for row in found] == [row["doc_id"] for row in rows(store, "documents/a.parquet")]
    assert (result.counts.records, result.counts.kept) == (len(ADDRESSES), len(ADDRESSES))
    result.counts.check("addresses a")


def test_the_sums_of_a_host_are_those_of_a_count_by_hand(tmp_path: Path) -> None:
    pages = many_pages(["a.jp", "www.a.jp", "b.co.jp", "WWW.A.JP:80", "c.jp", "5ch.net"], 2000, seed=1)
    store, _, _ = made(tmp_path, pages)
    count: Counter[tuple[str, str]] = Counter()
    for page in pages:
        host = page.url.split("/")[2].lower().removesuffix(":80")
        count.update({(host, "documents"): 1, (host, "letters"): page.letters})
        count.update({(host, f"pages_{words}"): 1 for words, found in page.words.items() if found})
    found = rows(store, "host_counts/a.parquet")
    assert [row["host"] for row in found if row["site"] == "a.jp"] == ["a.jp", "www.a.jp"]
    assert len(found) == 5
    for row in found:
        for name in ("documents", "letters", "pages_ng", "pages_dating"):
            assert row[name] == count[row["host"], name]


def test_the_sums_lie_in_the_order_of_the_places_of_their_sites(tmp_path: Path) -> None:
    store, _, _ = made(tmp_path, [Page(f"http://{host}{number}.jp/") for number in range(3000) for host in ("a", "www.a")])
    parquet = pq.ParquetFile(store.path("host_counts/a.parquet"))
    order = [(row["place"], row["site"], row["host"]) for row in parquet.read().to_pylist()]
    assert order == sorted(order)
    assert len({(place, site) for place, site, _ in order}) == len({site for _, site, _ in order}) == 3000
    assert parquet.num_row_groups == 6
    middle = sum(2**62 < place < 3 * 2**62 for place, _, _ in order)
    assert 2600 < middle < 3400  # half of 6,000: places are spread evenly


def test_only_lists_that_are_asked_for_are_counted(tmp_path: Path) -> None:
    store, config, _ = made(tmp_path, [Page("http://a.jp/", words={"ng": 1, "dating": 1})], max_share={"dating": 0.5})
    assert pq.read_schema(store.path("host_counts/a.parquet")).names == [
        "place",
        "site",
        "host",
        "documents",
        "letters",
        "pages_dating",
    ]
    assert addresses.host_counts_schema(config).names[-1] == "pages_dating"


def test_an_address_on_a_block_list_says_by_which_entry(tmp_path: Path) -> None:
    folder = tmp_path / "ut1" / "adult"
    folder.mkdir(parents=True)
    (folder / "urls").write_text("foo.jp/~bad\nbar.jp/a?id=1\n")
    (folder / "domains").write_text("worse.jp\n")
    urls = ["http://www.foo.jp:80/~bad/x", "http://foo.jp/~badminton", "http://bar.jp/a?id=1&b", "http://worse.jp/"]
    store, _, result = made(tmp_path, [Page(url) for url in urls], ut1=str(tmp_path / "ut1"), categories=["adult"])
    listed = pq.read_table(store.path("addresses/a.parquet"))["listed"].to_pylist()
    assert listed == ["ut1 adult: foo.jp/~bad", "", "ut1 adult: bar.jp/a?id=1", ""]  # whole hosts are for the table of hosts
    assert result.counts.extra["listed"] == 2


def test_a_file_without_pages_leaves_tables_without_rows(tmp_path: Path) -> None:
    store, _, result = made(tmp_path, [])
    assert rows(store, "addresses/a.parquet") == rows(store, "host_counts/a.parquet") == []
    assert result.counts.records == 0


def test_signals_of_other_documents_are_refused(tmp_path: Path) -> None:
    store, config, _ = made(tmp_path, [Page("http://a.jp/")])
    write_pages(store, config, "b", [Page("http://a.jp/")])
    store.write("signals/a.parquet", store.read("signals/b.parquet"))
    with pytest.raises(InputError, match=r"signals/a\.parquet belongs to other documents; delete it and run again"):
        addresses.work(Unit("addresses", "a", {}, {}), config, store)


def test_the_settings_change_with_lists_of_addresses_and_not_with_limits(tmp_path: Path) -> None:
    folder = tmp_path / "ut1" / "adult"
    folder.mkdir(parents=True)
    (folder / "urls").write_text("foo.jp/~bad\n")
    (folder / "domains").write_text("worse.jp\n")
    before = addresses.settings(config_for(tmp_path))
    assert (
        addresses.settings(config_for(tmp_path, max_share={"ng": 0.9, "dating": 0.1}, partitions=3, min_pages=7, block=[]))
        == before
    )
    assert addresses.settings(config_for(tmp_path, max_share={"ng": 0.9})) != before
    listed = addresses.settings(config_for(tmp_path, ut1=str(tmp_path / "ut1"), categories=["adult"]))
    assert listed != before
    addresses.block_lists.cache_clear()
    (folder / "domains").write_text("other.jp\n")
    assert addresses.settings(config_for(tmp_path, ut1=str(tmp_path / "ut1"), categories=["adult"])) == listed
    addresses.block_lists.cache_clear()
    (folder / "urls").write_text("foo.jp/~good\n")
    assert addresses.settings(config_for(tmp_path, ut1=str(tmp_path / "ut1"), categories=["adult"])) != listed


def test_the_sums_do_not_depend_on_where_arrow_cuts_its_columns(tmp_path: Path) -> None:
    pages = many_pages(["a.jp", "www.a.jp", "b.co.jp", "c.jp"], 9000, seed=2)  # three row groups of documents
    store, _, _ = made(tmp_path, pages)
    again, _, _ = made(tmp_path / "again", pages[::-1])
    drop = ["place", "site", "host", "documents", "letters", "pages_dating", "pages_ng"]
    assert store.read("host_counts/a.parquet") == again.read("host_counts/a.parquet")
    assert pc.sum(pq.read_table(store.path("host_counts/a.parquet"), columns=drop)["documents"]).as_py() == 9000
