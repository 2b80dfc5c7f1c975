"""The site of a host: its registrable domain by the Public Suffix List, private section included.

Whose is a page? `a.example.co.jp` and `b.example.co.jp` are one owner's, `a.hatenablog.com` and `b.hatenablog.com` are not:
hatenablog.com stands in the list's private section, where a provider says that what is below its name belongs to its users. Providers
that have not entered themselves (seesaa.net, ameblo.jp, fc2.com) are one site.

The list comes with the package publicsuffixlist, which is made anew whenever the list is; nothing is fetched. 3 µs a host.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Literal

from publicsuffixlist import PublicSuffixList

from seiryu.filters.addresses.hosts import is_ip


def site_of(host: str) -> str:
    """The registrable domain of a host in its one form.

    A host that has none is its own site: an IP address, a public suffix itself (co.jp, hatenablog.com), a single label, a host with an
    empty label. Under an unknown top-level domain the last two labels are the site, as the list's algorithm has it.
    """
    if is_ip(host):
        return host
    return _suffixes("all").privatesuffix(host) or host


def is_registry(name: str) -> bool:
    """Whether anybody may register below a name: jp, co.jp, or a single label; not hatenablog.com, whose names are one provider's."""
    return not is_ip(name) and _suffixes("icann").publicsuffix(name) == name


@cache
def list_version() -> str:
    """Version of the package, which ends in the date of its list."""
    return version("publicsuffixlist")


@cache
def _suffixes(section: Literal["all", "icann"]) -> PublicSuffixList:
    return PublicSuffixList(only_icann=section == "icann")
