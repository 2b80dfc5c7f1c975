"""The one form of a host, and of an address in a block list, in which all of them are compared.

A host: lower case, no port, no user, no dot at its ends, percent-encoding undone, an international name in its ASCII form. That form is
UTS 46's without its transitional letters, as browsers make it (WHATWG URL Standard), but label by label: what IDNA 2008 does not allow
(☃.net, b_c.例え.jp) is on the web all the same and becomes plain Punycode. Nothing raises: what comes from a crawl is taken as it is.

An address in a list: what squidGuard compares (its documentation, "URLlists"). No scheme, user or port; no www, web or ftp with or
without a number before the domain; slashes once, none at the end; lower case.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import unquote

import idna

_SCHEME = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//")  # counts only with its slashes: a.jp:80 has none
_REST = re.compile(r"[/?#\\]")
_PORT = re.compile(r":[0-9]*\Z")
_SERVICE = re.compile(r"^(?:www|web|ftp)[0-9]*\.(?=[^.]+\.)")  # www.com is a domain
_NUMBER = re.compile(r"(?:^|\.)[0-9]+\Z")
_DOMAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")
_SLASHES = re.compile(r"[/\\]+")
_ENCODED = re.compile(rb"%[0-9a-fA-F]{2}|[^\x21-\x7e]")
_PLAIN = set(range(0x21, 0x7F)) - set(b"%/?#&=+")  # means the same with % and without


def split_address(address: str) -> tuple[str, str]:
    """(host as it is written, without user and port; the rest from the path on) of an address with or without a scheme."""
    address = address.strip()
    scheme = _SCHEME.match(address)
    begin = scheme.end() if scheme else 0
    rest = _REST.search(address, begin)
    end = rest.start() if rest else len(address)
    host = address[begin:end].rpartition("@")[2]
    if host.startswith("[") or host.count(":") == 1:  # an IPv6 address without brackets has no port
        host = _PORT.sub("", host)
    return host, address[end:]


def normal_host(host: str) -> str:
    """A host in its one form; "" stays "". Never raises."""
    if "%" in host:
        host = unquote(host, errors="replace")
    host = host.strip()
    if not host.isascii():
        host = _ascii_form(host)
    host = host.lower().strip(".")
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host.strip("[]")).compressed
        except ValueError:
            return host
    return host


def is_ip(host: str) -> bool:
    """Whether a host in its one form is an IP address, which has no domain above it; what ends in a number is one, or is no host."""
    return ":" in host or _NUMBER.search(host) is not None


def is_listable(host: str) -> bool:
    """Whether a host in its one form may be an entry: an IP address, or a domain of two labels or more."""
    if not is_ip(host):
        return _DOMAIN.fullmatch(host) is not None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def normal_address(address: str) -> str:
    """An address in the form in which lists are compared: `foo.jp/what/ever?a=b`. Never raises."""
    host, rest = split_address(address)
    return listed_form(without_service(normal_host(host)), rest.partition("#")[0])


def listed_form(host: str, rest: str) -> str:
    """What a list's entry for a host and the rest of an address is compared as.

    A fragment stays in it: no page is fetched by one, and without it the entry would hit the whole page or host.
    """
    rest = _percent(rest)
    end = next((place for place, letter in enumerate(rest) if letter in "?#"), len(rest))
    path, tail = _SLASHES.sub("/", rest[:end]).rstrip("/"), rest[end:]
    return host + (path + tail if len(tail) > 1 else path).lower()


def without_service(host: str) -> str:
    """A host without www., web., ftp., www2. and the like before its domain."""
    return _SERVICE.sub("", host, count=1)


def _percent(rest: str) -> str:
    """Percent-encoding in one form: encoded what must be, written out what need not."""

    def one(found: re.Match[bytes]) -> bytes:
        byte = int(found[0][1:], 16) if len(found[0]) == 3 else found[0][0]
        return bytes([byte]) if byte in _PLAIN else b"%%%02x" % byte

    return _ENCODED.sub(one, rest.encode("utf-8", "surrogateescape")).decode("ascii")


def _ascii_form(host: str) -> str:
    try:
        host = idna.uts46_remap(host, std3_rules=False, transitional=False)
    except (idna.IDNAError, ValueError, IndexError):
        host = unicodedata.normalize("NFKC", host).lower().replace("\u3002", ".")
    return ".".join(label if label.isascii() else _ascii_label(label) for label in host.split("."))


def _ascii_label(label: str) -> str:
    try:
        return idna.alabel(label).decode("ascii")
    except (idna.IDNAError, ValueError):
        return "xn--" + label.encode("punycode").decode("ascii")
