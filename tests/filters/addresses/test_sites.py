"""The site of a host: its registrable domain. The right answers stand here by hand, from publicsuffix.org's rules."""

import importlib.resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.filters.addresses.hosts import normal_host
from seiryu.filters.addresses.sites import is_registry, list_version, site_of


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("example.jp", "example.jp"),
        ("www.example.jp", "example.jp"),
        ("a.b.example.co.jp", "example.co.jp"),
        ("example.co.uk", "example.co.uk"),
        ("www.city.kawasaki.jp", "city.kawasaki.jp"),  # an exception to *.kawasaki.jp
        ("shop.nakahara.kawasaki.jp", "shop.nakahara.kawasaki.jp"),
        ("user.hatenablog.com", "user.hatenablog.com"),  # the private section
        ("a.user.hatenablog.com", "user.hatenablog.com"),
        ("someone.github.io", "someone.github.io"),
        ("someone.blog.fc2.com", "fc2.com"),  # a provider that is not in the list
        ("www.xn--wgv71a119e.jp", "xn--wgv71a119e.jp"),
        ("a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn"),  # 公司.cn is a suffix
        ("a.b.unknown-domain", "b.unknown-domain"),
        ("a_b.tripod.com", "tripod.com"),
    ],
)
def test_the_site_is_the_registrable_domain(host: str, site: str) -> None:
    assert site_of(host) == site
    assert site_of(site) == site


@pytest.mark.parametrize("host", ["co.jp", "jp", "hatenablog.com", "github.io", "localhost", "", "a..example.jp"])
def test_a_host_without_a_registrable_domain_is_its_own_site(host: str) -> None:
    assert site_of(host) == host


@given(st.ip_addresses().map(str).map(normal_host))
def test_an_ip_address_is_its_own_site(address: str) -> None:
    assert site_of(address) == address


@given(st.text().map(normal_host))
def test_every_host_has_a_site_which_is_the_end_of_it(host: str) -> None:
    site = site_of(host)
    assert host == site or host.endswith("." + site)
    assert site_of(site) == site


@pytest.mark.parametrize(("name", "registry"), [("jp", True), ("co.jp", True), ("gov.uk", True), ("nonsense", True),
                                                ("hatenablog.com", False), ("github.io", False), ("5ch.net", False)])  # fmt: skip
def test_a_registry_is_told_from_a_provider(name: str, registry: bool) -> None:
    assert is_registry(name) == registry


def test_the_list_lies_in_the_package_and_its_date_in_the_version() -> None:
    first = importlib.resources.files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text(encoding="utf-8")[:2000]
    assert "// VERSION: 20" in first
    assert len(list_version().rpartition(".")[2]) == len("20261023")
