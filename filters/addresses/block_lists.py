"""Block lists in the format of the University of Toulouse (UT1): a folder a category, with `domains` and `urls`, an entry a line.

An entry of `domains` hits that domain and all below it, never another that ends in the same letters. An entry of `urls` hits that
address and all below it: its path up to a /, its query up to a &. squidGuard, for which these lists are made, stops anywhere in a name;
here foo.jp/~bad does not hit foo.jp/~badminton. As there, the case of letters, ports, www. and the like before the domain (`hosts`)
count for nothing in `urls`. `expressions` are not read.

Tolerated are blank lines, # comments, \\r\\n, scheme, user, port, a leading or final dot, a final slash, capitals, _ in names, hosts
in any script, and Latin-1 left over among UTF-8. Whatever else is no host is an error with its line: an entry that is misread protects
nobody. Public suffixes are entries like others: UT1 has gov.uk among libraries and bet.br among bookmakers. A single label is refused.

adult's 4.6 M domains are read in a second. A mirror that cut its large files (domains.0, domains.1, ...) is read as if it had not.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.addresses.domain_lines import domain_lines
from seiryu.filters.addresses.entries import Entries, address_hits, address_keys, domain_hits, domain_keys, in_rows
from seiryu.filters.addresses.hosts import is_listable, listed_form, normal_address, normal_host, split_address, without_service

Keys = npt.NDArray[np.uint64]

_FILE = re.compile(r"(domains|urls)(?:\.([0-9]+))?")
_COMMENT = re.compile(r"(?:^|\s+)#.*")
_MOST_CATEGORIES = 255


@dataclass(frozen=True, slots=True)
class Listed:
    """The entries of some categories; `sha256`: of the categories' names, in their order, and of the files read."""

    entries: Entries
    sha256: str


class BlockLists:
    """The lists of some categories below `directory`, or below `blacklists` in it, where UT1's archive unpacks.

    ValueError if a category is not there. `domains` and `urls` are read when they are first asked for; ValueError, naming file and
    line, for what is no entry.
    """

    def __init__(self, directory: str | Path, categories: Sequence[str]) -> None:
        inner = Path(directory) / "blacklists"
        self._root = inner if inner.is_dir() else Path(directory)
        self.categories = tuple(dict.fromkeys(categories))
        known = categories_in(directory)
        for name in self.categories:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                raise ValueError(f"{self._root}: there is no category {name!r}{hint}; there are {', '.join(known)}")
        if len(self.categories) > _MOST_CATEGORIES:
            raise ValueError(f"{len(self.categories)} categories are named; {_MOST_CATEGORIES} is the most")

    @cached_property
    def domains(self) -> Listed:
        return self._read("domains", _domain_keys)

    @cached_property
    def urls(self) -> Listed:
        return self._read("urls", _address_keys)

    def blocked_hosts(self, hosts: pa.Array) -> pa.Array:
        """Why each host, in its one form, is blocked: `ut1 adult: example.com`; empty if it is not."""
        return in_rows(
            len(hosts), {row: self._reason(hit, category) for row, hit, category in domain_hits(hosts, self.domains.entries)}
        )

    def blocked_addresses(self, urls: pa.Array) -> pa.Array:
        """Why each address is blocked by an entry of `urls`: `ut1 adult: foo.jp/~bad`; empty if it is not. 10 µs an address."""
        addresses = pa.array([normal_address(url) for url in urls.to_pylist()], pa.string())
        return in_rows(
            len(urls), {row: self._reason(hit, category) for row, hit, category in address_hits(addresses, self.urls.entries)}
        )

    def _reason(self, entry: str, category: int) -> str:
        return f"ut1 {self.categories[category]}: {entry}"

    def _read(self, kind: str, keys_of: Callable[[Path, bytes], Keys]) -> Listed:
        keys, digest = [], hashlib.sha256()
        for category in self.categories:
            parts: list[Keys] = [np.empty(0, np.uint64)]
            for file in _files(self._root / category, kind):
                try:
                    data = file.read_bytes()
                except OSError as error:
                    raise ValueError(f"{file} cannot be read: {error.strerror or error}") from error
                digest.update(f"{category} {file.name} {hashlib.sha256(data).hexdigest()}\n".encode())
                parts.append(keys_of(file, data))
            keys.append(np.concatenate(parts))
        return Listed(Entries.of(keys), digest.hexdigest())


def categories_in(directory: str | Path) -> list[str]:
    """The categories below a directory, sorted. ValueError if there are none."""
    inner = Path(directory) / "blacklists"
    root = inner if inner.is_dir() else Path(directory)
    if not root.is_dir():
        raise ValueError(f"{root} is no directory; unpack UT1's blacklists.tar.gz and name the directory that holds its folders")
    found = sorted(
        folder.name for folder in root.iterdir() if folder.is_dir() and (_files(folder, "domains") or _files(folder, "urls"))
    )
    if not found:
        raise ValueError(f"{root} holds no block list: no folder in it has a file `domains` or `urls`")
    return found


def _files(folder: Path, kind: str) -> list[Path]:
    """The file of that kind, and its numbered parts in their order."""
    found = [(file, match) for file in folder.iterdir() if (match := _FILE.fullmatch(file.name)) and match[1] == kind]
    return [file for file, match in sorted(found, key=lambda pair: int(pair[1][2] or -1))]


def _domain_keys(file: Path, data: bytes) -> Keys:
    """The keys of a file's domains; what the fast reader leaves over is read one by one."""
    plain, others = domain_lines(data)
    domains = []
    for number, begin, end in others:
        host, rest = _entry(file, number, data[begin:end])
        if rest.strip("/"):
            raise ValueError(f"{file}, line {number}: {_shown(data[begin:end])} has a path; such entries belong into `urls`")
        domains.append(host)
    return np.concatenate([plain, domain_keys(pa.array(filter(None, domains), pa.string()))])


def _address_keys(file: Path, data: bytes) -> Keys:
    entries = [_entry(file, number, line) for number, line in enumerate(data.split(b"\n"), 1)]
    addresses = [listed_form(without_service(host), rest) for host, rest in entries if host]
    return address_keys(pa.array(addresses, pa.string()))


def _entry(file: Path, number: int, line: bytes) -> tuple[str, str]:
    """(host in its one form, the rest) of a line; ("", "") if it is blank or a comment. ValueError if it is no entry."""
    text = _COMMENT.sub("", line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").strip())
    if not text:
        return "", ""
    written, rest = split_address(text)
    host = normal_host(_latin_1(written))
    if not is_listable(host) or any(letter.isspace() for letter in text):
        raise ValueError(f"{file}, line {number}: {_shown(line)} is no domain or address; mend or delete the line")
    return host, rest


def _latin_1(host: str) -> str:
    """A host whose bytes are no UTF-8, as letters of Latin-1; "" if some are no letters there."""
    stray = [letter for letter in host if "\udc80" <= letter <= "\udcff"]
    if not all(chr(ord(letter) - 0xDC00).isalpha() for letter in stray):
        return ""
    return host.encode("utf-8", "surrogateescape").decode("latin-1") if stray else host


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace").strip()
    return repr(text if len(text) <= 60 else text[:60] + "...")
