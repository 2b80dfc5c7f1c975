"""Hosts and addresses in the one form in which they are compared."""

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.filters.addresses.hosts import is_ip, is_listable, normal_address, normal_host, split_address, without_service


@pytest.mark.parametrize(
    ("written", "one_form"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        (".example.com", "example.com"),
        ("日本語.jp", "xn--wgv71a119e.jp"),
        ("XN--WGV71A119E.jp", "xn--wgv71a119e.jp"),
        ("%E6%97%A5%E6%9C%AC%E8%AA%9E.jp", "xn--wgv71a119e.jp"),
        ("ＥＸＡＭＰＬＥ．ＪＰ", "example.jp"),
        ("例え。jp", "xn--r8jz45g.jp"),
        ("Bücher.de", "xn--bcher-kva.de"),
        ("faß.de", "xn--fa-hia.de"),  # not transitional: it is another name than fass.de
        ("☃.net", "xn--n3h.net"),  # not in IDNA 2008, and on the web
        ("a_b.日本.jp", "a_b.xn--wgv71a.jp"),
        ("192.168.0.1", "192.168.0.1"),
        ("１９２．１６８．０．１", "192.168.0.1"),
        ("[2001:DB8:0:0:0:0:0:1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("localhost", "localhost"),
        ("", ""),
        ("..", ""),
    ],
)
def test_a_host_has_one_form(written: str, one_form: str) -> None:
    assert normal_host(written) == one_form
    assert normal_host(one_form) == one_form


@given(st.text(st.characters(exclude_characters="%％", exclude_categories=["Cs"])))
def test_the_one_form_is_its_own_form_and_nothing_raises(host: str) -> None:
    once = normal_host(host)
    assert normal_host(once) == once
    assert once.isascii()


@given(st.text(), st.text())
def test_no_address_raises(address: str, rest: str) -> None:
    normal_address(address)
    normal_address(f"http://{address}/{rest}")
    normal_host(address)
    split_address(address)


@given(st.ip_addresses().map(str))
def test_an_ip_address_is_one_and_keeps_its_form(address: str) -> None:
    assert normal_host(address) == str(ipaddress.ip_address(address)) or "." in address[address.rfind(":") :]
    assert is_ip(address)
    assert is_listable(normal_host(address))


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://user:word@example.jp:8080/a@b:9", "example.jp"),
        ("//example.jp/", "example.jp"),
        ("example.jp:80/what", "example.jp"),
        ("example.jp", "example.jp"),
        ("example.jp?q=//", "example.jp"),
        ("https://[2001:db8::1]:443/", "[2001:db8::1]"),
        ("2001:db8::1", "2001:db8::1"),
        ("http://[/", "["),
        ("", ""),
    ],
)
def test_the_host_of_an_address(address: str, host: str) -> None:
    assert split_address(address)[0] == host


@given(
    st.sampled_from(["http", "HTTPS", "ftp"]), st.sampled_from(["", "user@", "u:p@"]),
    st.from_regex(r"[a-zA-Z0-9-]{1,9}(\.[a-zA-Z0-9-]{1,9}){0,3}", fullmatch=True), st.sampled_from(["", ":", ":80", ":65535"]),
    st.from_regex(r"(/[a-z@:]{0,5}){0,3}(\?[a-z@:/]{0,5})?", fullmatch=True),
)  # fmt: skip
def test_the_host_is_the_one_that_the_standard_library_finds(scheme: str, user: str, host: str, port: str, rest: str) -> None:
    address = f"{scheme}://{user}{host}{port}{rest}"
    assert split_address(address)[0].lower() == urlsplit(address).hostname


@pytest.mark.parametrize(
    ("address", "one_form"),
    [
        ("http://www3.Foo.Bar.com:8080//What///Ever/?A=1&b=2#c", "foo.bar.com/what/ever?a=1&b=2"),
        ("http://foo.com", "foo.com"),
        ("http://foo.com/?", "foo.com"),
        ("http://foo.com/?a", "foo.com?a"),
        ("ftp://ftp2.foo.com/%7Ebad/%e3%81%82 あ", "foo.com/~bad/%e3%81%82%20%e3%81%82"),
        ("http://foo.com/a%2Fb%3fc", "foo.com/a%2fb%3fc"),
        ("http://www.com/", "www.com"),
        ("http://webmail.foo.com/", "webmail.foo.com"),
        ("http://foo.com\\a\\b", "foo.com/a/b"),
        ("http://foo.com/a?x=//b/", "foo.com/a?x=//b/"),
        ("http://日本語.jp:80/", "xn--wgv71a119e.jp"),
    ],
)
def test_an_address_has_one_form(address: str, one_form: str) -> None:
    assert normal_address(address) == one_form


@pytest.mark.parametrize(
    ("host", "bare"),
    [("www.foo.jp", "foo.jp"), ("www12.foo.jp", "foo.jp"), ("web.foo.jp", "foo.jp"), ("ftp9.foo.jp", "foo.jp"),
     ("wwwa.foo.jp", "wwwa.foo.jp"), ("a.www.foo.jp", "a.www.foo.jp"), ("www.jp", "www.jp"), ("foo.jp", "foo.jp")],
)  # fmt: skip
def test_the_service_before_a_domain_counts_for_nothing(host: str, bare: str) -> None:
    assert without_service(host) == bare


@pytest.mark.parametrize(
    ("host", "listable"),
    [("foo.jp", True), ("a_b.foo.jp", True), ("192.168.0.1", True), ("2001:db8::1", True), ("jp", False), ("foo..jp", False),
     ("1.2.3", False), ("256.1.1.1", False), ("a:b", False), ("foo bar.jp", False), ("*.foo.jp", False), ("", False)],
)  # fmt: skip
def test_what_may_be_an_entry(host: str, listable: bool) -> None:
    assert is_listable(host) == listable
