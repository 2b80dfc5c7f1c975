"""Domains that a config leaves out by name."""

import re

import pyarrow as pa
import pytest

from seiryu.filters.addresses.names import blocked_by_name, named_domain, named_domains
from seiryu.pipelines.config import Hosts

BUILT_IN = named_domains(Hosts().block)


@pytest.mark.parametrize(
    ("host", "by"),
    [
        ("5ch.net", "5ch.net"), ("mevius.5ch.net", "5ch.net"), ("a.b.5ch.net", "5ch.net"), ("2ch.sc", "2ch.sc"), ("www.2ch.net", "2ch.net"),
        ("wikipedia.org", "wikipedia.org"), ("ja.wikipedia.org", "wikipedia.org"), ("ja.m.wikipedia.org", "wikipedia.org"),
        ("mywikipedia.org", ""), ("15ch.net", ""), ("5ch.net.example.com", ""), ("wikipedia.org.jp", ""), ("net", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_built_in_names_block_themselves_and_all_below(host: str, by: str) -> None:
    assert blocked_by_name(pa.array([host]), BUILT_IN).to_pylist() == [f"blocked: {by}" if by else ""]


def test_no_names_block_nothing() -> None:
    assert blocked_by_name(pa.array(["5ch.net"]), ()).to_pylist() == [""]
    assert blocked_by_name(pa.array([], pa.string()), BUILT_IN).to_pylist() == []


@pytest.mark.parametrize(
    ("written", "name"),
    [("5CH.net.", "5ch.net"), ("*.5ch.net", "5ch.net"), ("example.jp:8080", "example.jp"), ("日本語.jp", "xn--wgv71a119e.jp"),
     (" .foo.jp ", "foo.jp"), ("hatenablog.com", "hatenablog.com"), ("192.168.0.1", "192.168.0.1"), ("[2001:db8::1]:80", "2001:db8::1")],
)  # fmt: skip
def test_a_name_is_brought_into_the_one_form(written: str, name: str) -> None:
    assert named_domain(written) == name


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("jp", "'jp' is a public suffix: it would leave out every site below it; name a site, such as example.jp"),
        ("co.jp", "'co.jp' is a public suffix: it would leave out every site below it; name a site, such as example.co.jp"),
        ("*.kawasaki.jp", "'*.kawasaki.jp' is a public suffix"),
        ("https://5ch.net/", "'https://5ch.net/' is an address; name the host alone: 5ch.net"),
        ("5ch.net/news", "'5ch.net/news' is an address; name the host alone: 5ch.net"),
        ("5ch .net", "'5ch .net' is no host"),
        ("1.2.3", "'1.2.3' is no host"),
        ("*", "'*' is no host"),
        ("a b", "'a b' is no host"),
        ("", "'' is no host"),
    ],
)
def test_what_is_no_name_or_too_much_is_refused_with_the_reason(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        named_domain(written)


def test_names_are_sorted_and_stand_once() -> None:
    assert named_domains(["b.jp", "A.jp", "*.b.jp"]) == ("a.jp", "b.jp")
