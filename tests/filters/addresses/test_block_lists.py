"""Lists in UT1's format against a naive reading of squidGuard's documentation, and what a line may and may not be."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.filters.addresses.block_lists import BlockLists, categories_in
from seiryu.filters.addresses.domain_lines import domain_lines
from seiryu.filters.addresses.entries import Entries, address_hits, address_keys, domain_hits, domain_keys
from seiryu.filters.addresses.hosts import is_ip, is_listable, normal_host


def write(directory: Path, **files: str | bytes) -> Path:
    """Files of a list; `adult_domains` is adult/domains."""
    for name, content in files.items():
        category, _, kind = name.rpartition("_")
        (directory / category).mkdir(parents=True, exist_ok=True)
        (directory / category / kind).write_bytes(content.encode() if isinstance(content, str) else content)
    return directory


def host_reasons(lists: BlockLists, *hosts: str) -> list[str]:
    return lists.blocked_hosts(pa.array(hosts, pa.string())).to_pylist()


def address_reasons(lists: BlockLists, *urls: str) -> list[str]:
    return lists.blocked_addresses(pa.array(urls, pa.string())).to_pylist()


HOSTS = [  # entry, host, whether it is hit
    ("example.com", "example.com", True),
    ("example.com", "www.example.com", True),
    ("example.com", "a.b.example.com", True),
    ("example.com", "notexample.com", False),
    ("example.com", "example.com.jp", False),
    ("example.com", "com", False),
    ("www.example.com", "example.com", False),
    ("Example.COM", "www.example.com", True),
    (".example.com", "www.example.com", True),
    ("example.com.", "www.example.com", True),
    ("example.com:8080", "www.example.com", True),
    ("http://example.com/", "www.example.com", True),
    ("https://user:word@example.com:443", "example.com", True),
    ("example.com # why", "example.com", True),
    ("\texample.com ", "example.com", True),
    ("日本語.jp", "www.xn--wgv71a119e.jp", True),
    ("xn--wgv71a119e.jp", "xn--wgv71a119e.jp", True),
    ("a_b.tripod.com", "a_b.tripod.com", True),
    ("192.168.0.1", "192.168.0.1", True),
    ("192.168.0.1", "2.192.168.0.1", False),
    ("168.0.1.2", "192.168.0.1", False),
    ("[2001:db8::1]", "2001:db8::1", True),
    ("gov.uk", "www.gov.uk", True),  # a public suffix, and an entry
    ("blogspot.com", "a.blogspot.com", True),
]


@pytest.mark.parametrize(("entry", "host", "hit"), HOSTS)
def test_an_entry_of_domains_hits_its_domain_and_all_below(tmp_path: Path, entry: str, host: str, hit: bool) -> None:
    lists = BlockLists(write(tmp_path, adult_domains=f"# list\r\n\r\n{entry}\r\nother.jp\r\n"), ["adult"])
    (reason,) = host_reasons(lists, host)
    assert bool(reason) == hit
    assert len(lists.domains.entries) == 2
    if hit:
        assert reason.startswith("ut1 adult: ")
        assert host.endswith(reason.removeprefix("ut1 adult: "))


ADDRESSES = [  # entry, address, whether it is hit; the first ten are squidGuard's own examples
    ("foo.com/~badguy", "http://foo.com/~badguy", True),
    ("foo.com/~badguy", "http://foo.com/~badguy/whatever", True),
    ("foo.com/~badguy", "ftp://foo.com/~badguy/whatever", True),
    ("foo.com/~badguy", "http://www2.foo.com/~badguy/whatever", True),
    ("foo.com/~badguy", "http://web56.foo.com/~badguy/whatever", True),
    ("foo.com/~badguy", "http://barfoo.com/~badguy", False),
    ("foo.com/~badguy", "http://bar.foo.com/~badguy", False),
    ("foo.com/~badguy", "http://foo.com/~goodguy", False),
    ("foo.bar.com/what/ever", "http://www3.foo.bar.com:8080/what/ever/index.html", True),
    ("bar.com/whatever/suspect", "http://bar.com/whatever/", False),
    ("foo.com/~bad", "http://foo.com/~badminton", False),  # squidGuard would
    ("foo.com/a", "http://foo.com/A/?q=1#x", True),
    ("Foo.com/A/", "https://foo.com/a", True),
    ("http://www.foo.com:80//a//", "https://foo.com/a/b", True),
    ("foo.com/a?id=1", "http://foo.com/a?id=1", True),
    ("foo.com/a?id=1", "http://foo.com/a?id=1&b=2", True),
    ("foo.com/a?id=1", "http://foo.com/a?id=12", False),
    ("foo.com/a?id=1", "http://foo.com/a", False),
    ("foo.com/a?id=1", "http://foo.com/a?b=2&id=1", False),
    ("foo.com/a?u=b", "http://foo.com/a?u=b/c", False),
    ("foo.com/a?", "http://foo.com/a?id=1", True),
    ("foo.com/?a=1", "http://foo.com?a=1", True),
    ("foo.com/#", "http://foo.com/a", True),
    ("foo.com/#part", "http://foo.com/a", False),  # no page is fetched by a fragment; the host must not pay for it
    ("foo.com/#part", "http://foo.com/#part", False),
    ("foo.com", "http://www.foo.com/a", True),
    ("foo.com", "http://a.foo.com/", False),
    ("foo.com/%7ebad", "http://foo.com/~bad", True),
    ("foo.com/あ", "http://foo.com/%E3%81%82/b", True),
    ("foo.com/a%20b", "http://foo.com/a b", True),
    ("foo.com/a%2Fb", "http://foo.com/a/b", False),
    ("日本語.jp/a", "http://xn--wgv71a119e.jp/a", True),
    ("45.90.163.37//arm4", "http://45.90.163.37/arm4", True),
]


@pytest.mark.parametrize(("entry", "address", "hit"), ADDRESSES)
def test_an_entry_of_urls_hits_its_address_and_all_below(tmp_path: Path, entry: str, address: str, hit: bool) -> None:
    lists = BlockLists(write(tmp_path, adult_urls=f"other.jp/x\n{entry}\n"), ["adult"])
    (reason,) = address_reasons(lists, address)
    assert bool(reason) == hit
    assert not host_reasons(lists, "foo.com")[0]


LABEL = st.sampled_from(["a", "b", "ab", "x-1", "co", "jp"])
DOMAIN = st.lists(LABEL, min_size=2, max_size=5).map(".".join)
NUMBERS = st.lists(st.integers(0, 2).map(str), min_size=4, max_size=4).map(".".join)


@given(st.lists(st.one_of(DOMAIN, NUMBERS), max_size=9), st.lists(st.one_of(DOMAIN, NUMBERS), min_size=1, max_size=9))
def test_domains_hit_what_a_naive_reading_says(entries: list[str], hosts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lists = BlockLists(write(Path(folder), ads_domains="\n".join(entries)), ["ads"])
        for host, reason in zip(hosts, host_reasons(lists, *hosts), strict=True):
            hits = [entry for entry in entries if host == entry or (host.endswith("." + entry) and not is_ip(host))]
            assert reason == (f"ut1 ads: {min(hits, key=len)}" if hits else "")


SEGMENTS = st.lists(st.sampled_from(["a", "b", "~a", "A", "a.html"]), max_size=3)
Parts = tuple[str, list[str], list[str]]
PAIRS = st.lists(st.sampled_from(["a=1", "a=12", "b", "c=/x/"]), max_size=2)


@given(
    st.lists(st.tuples(DOMAIN, SEGMENTS, PAIRS), max_size=6), st.tuples(DOMAIN, SEGMENTS, PAIRS),
    st.sampled_from(["http://", "https://www.", "ftp://web2.", "//u@"]), st.sampled_from(["", ":81"]), st.sampled_from(["", "/", "//"]),
    st.sampled_from(["", "#x"]),
)  # fmt: skip
def test_urls_hit_what_a_naive_reading_says(
    entries: list[Parts], page: Parts, before: str, port: str, slash: str, after: str
) -> None:
    host, path, query = page
    address = before + written(host + port, path, query, slash) + after
    with tempfile.TemporaryDirectory() as folder:
        lists = BlockLists(write(Path(folder), ads_urls="\n".join(written(*entry) for entry in entries)), ["ads"])
        (reason,) = address_reasons(lists, address)
    assert bool(reason) == any(hits(entry, page) for entry in entries)


def written(host: str, path: list[str], query: list[str], slash: str = "") -> str:
    return "/".join([host, *path]) + slash + ("?" + "&".join(query) if query else "")


def hits(entry: Parts, page: Parts) -> bool:
    (named, segments, pairs), (host, path, query) = entry, page
    mine, theirs = [part.lower() for part in segments], [part.lower() for part in path]
    if named != host or mine != theirs[: len(mine)]:
        return False
    return not pairs or (mine == theirs and pairs == query[: len(pairs)])


@given(
    st.lists(
        st.one_of(DOMAIN, NUMBERS, st.text(max_size=12), st.sampled_from(["A.b.jp", "a..b", ".a.b", "a.b.", "a.1"])), max_size=8
    )
)
def test_the_fast_reader_takes_a_line_only_where_the_slow_one_would_agree(lines: list[str]) -> None:
    data = "\n".join(line.replace("\n", " ") for line in lines).encode()
    keys, others = domain_lines(data)
    rest = {number for number, _, _ in others}
    plain = [
        line.decode() for number, line in enumerate(data.split(b"\n"), 1) if number not in rest and line.strip(bytes(range(33)))
    ]
    hosts = [normal_host(line.strip("".join(map(chr, range(33))))) for line in plain]
    assert all(is_listable(host) and not is_ip(host) for host in hosts)
    assert keys.tolist() == domain_keys(pa.array(hosts, pa.string())).tolist()


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("foo bar.com", "domains", "'foo bar.com' is no domain or address; mend or delete the line"),
        ("com", "domains", "'com' is no domain or address"),
        ("a..b.com", "domains", "'a..b.com' is no domain or address"),
        ("*.foo.com", "domains", "'*.foo.com' is no domain or address"),
        ("1.2.3", "domains", "'1.2.3' is no domain or address"),
        ("foo.com/a", "domains", "'foo.com/a' has a path; such entries belong into `urls`"),
        ("<html>", "urls", "'<html>' is no domain or address"),
        ("/a/b", "urls", "'/a/b' is no domain or address"),
        ("foo.com/a http://other.com", "urls", "'foo.com/a http://other.com' is no domain or address"),
        (b"\x93\xfa\x96\x7b.jp", "domains", r"'\\x93\\xfa\\x96{.jp' is no domain or address"),  # Shift_JIS
        ("foo.com".encode("utf-16"), "domains", r"is no domain or address"),
        ("x" * 100, "urls", f"'{'x' * 60}...' is no domain or address"),
    ],
)
def test_a_line_that_is_no_entry_is_an_error_with_file_and_line(tmp_path: Path, line: str | bytes, kind: str, said: str) -> None:
    content = b"good.com\n\n" + (line.encode() if isinstance(line, str) else line)
    lists = BlockLists(write(tmp_path, **{f"ads_{kind}": content}), ["ads"])
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        getattr(lists, kind)
    assert str(error.value).startswith(f"{tmp_path / 'ads' / kind}, line 3: ")
    assert "\n" not in str(error.value)


def test_latin_1_left_over_among_utf_8_is_read(tmp_path: Path) -> None:
    files = {"ads_domains": b"espa\xf1a.com\nespa\xc3\xb1ola.com\n", "ads_urls": b"foo.com/espa\xf1a\nespa\xf1a.com/a\n"}
    lists = BlockLists(write(tmp_path, **files), ["ads"])
    names = [normal_host(name) for name in ("españa.com", "española.com")]
    assert host_reasons(lists, *names) == [f"ut1 ads: {name}" for name in names]
    assert all(address_reasons(lists, "http://foo.com/espa%F1a/", "http://españa.com/a"))


def test_a_category_that_is_not_there_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    write(tmp_path, adult_domains="a.jp\n", dating_urls="b.jp/x\n", agressif_expressions="x")
    assert categories_in(tmp_path) == ["adult", "dating"]
    with pytest.raises(ValueError, match=r"there is no category 'adlut' \(did you mean 'adult'\?\); there are adult, dating$"):
        BlockLists(tmp_path, ["dating", "adlut"])
    with pytest.raises(ValueError, match=r"there is no category 'agressif'"):
        BlockLists(tmp_path, ["agressif"])
    with pytest.raises(ValueError, match=r"there is no category '\.\.'"):
        BlockLists(tmp_path, [".."])


def test_a_directory_without_lists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nothing is no directory; unpack UT1's blacklists\.tar\.gz"):
        BlockLists(tmp_path / "nothing", ["adult"])
    with pytest.raises(ValueError, match="holds no block list: no folder in it has a file `domains` or `urls`"):
        BlockLists(tmp_path, ["adult"])


def test_the_archive_may_lie_as_it_unpacks_with_links_and_cut_files(tmp_path: Path) -> None:
    inner = write(
        tmp_path / "blacklists", **{"adult_domains.0": "a.jp\n", "adult_domains.1": "b.jp\n", "adult_domains.10": "c.jp\n"}
    )
    (inner / "porn").symlink_to("adult")
    lists = BlockLists(tmp_path, ["porn"])
    assert host_reasons(lists, "a.jp", "www.b.jp", "c.jp", "d.jp") == [
        f"ut1 porn: {name}.jp" if name else "" for name in ("a", "b", "c", "")
    ]


def test_an_entry_in_several_categories_is_the_first_ones(tmp_path: Path) -> None:
    write(tmp_path, a_domains="foo.jp\nx.jp\n", b_domains="foo.jp\nwww.x.jp\n", b_urls="foo.jp/a\n")
    assert host_reasons(BlockLists(tmp_path, ["a", "b"]), "foo.jp", "www.x.jp") == ["ut1 a: foo.jp", "ut1 a: x.jp"]
    assert host_reasons(BlockLists(tmp_path, ["b", "a", "b"]), "foo.jp") == ["ut1 b: foo.jp"]
    assert address_reasons(BlockLists(tmp_path, ["a", "b"]), "http://foo.jp/a") == ["ut1 b: foo.jp/a"]


def test_the_identity_is_that_of_the_files_and_categories(tmp_path: Path) -> None:
    write(tmp_path, a_domains="foo.jp\n", b_domains="foo.jp\n", a_urls="foo.jp/a\n")
    first = BlockLists(tmp_path, ["a"])
    assert first.domains.sha256 == BlockLists(tmp_path, ["a"]).domains.sha256
    assert len({BlockLists(tmp_path, chosen).domains.sha256 for chosen in (["a"], ["b"], ["a", "b"], ["b", "a"])}) == 4
    before = BlockLists(tmp_path, ["a"]).urls.sha256
    write(tmp_path, a_domains="bar.jp\n")
    again = BlockLists(tmp_path, ["a"])
    assert again.domains.sha256 != first.domains.sha256
    assert again.urls.sha256 == before


def test_an_empty_list_hits_nothing_and_nothing_is_hit_in_no_hosts(tmp_path: Path) -> None:
    lists = BlockLists(write(tmp_path, a_domains="", a_urls="\n# nothing\n"), ["a"])
    assert host_reasons(lists, "foo.jp", "") == ["", ""]
    assert address_reasons(lists, "http://foo.jp/") == [""]
    assert host_reasons(lists) == address_reasons(lists) == []


def distinct(keys: Iterable[np.ndarray]) -> int:
    return len(np.unique(np.concatenate(list(keys))))


def test_names_that_are_alike_have_keys_of_their_own() -> None:
    names = pa.array([f"{a}{number}.{b}" for number in range(100_000) for a in ("a", "b-") for b in ("jp", "co.jp")])
    assert distinct([domain_keys(names)]) == distinct([address_keys(names)]) == len(names)
    assert distinct([domain_keys(names), address_keys(names)]) == 2 * len(names)


def test_slices_and_large_strings_are_looked_up_alike() -> None:
    entries = Entries.of([domain_keys(pa.array(["b.jp"])), domain_keys(pa.array(["c.jp"]))])
    hosts = pa.array(["a.jp", "b.jp", "x.c.jp", "日.b.jp"])
    assert domain_hits(hosts.slice(1), entries) == [(0, "b.jp", 0), (1, "c.jp", 1), (2, "b.jp", 0)]
    assert domain_hits(hosts.cast(pa.large_string()), entries) == [(1, "b.jp", 0), (2, "c.jp", 1), (3, "b.jp", 0)]
    assert address_hits(hosts.slice(3), Entries.of([address_keys(pa.array(["日.b.jp"]))])) == [(0, "日.b.jp", 0)]
