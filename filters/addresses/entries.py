"""Millions of domains or addresses to look hosts and addresses up in: 9 bytes an entry.

An entry is the 64-bit hash of its bytes, in one sorted array, with the number of its category in another. UT1's adult list has 4.6 M
domains: as Python strings in a set they take half a gigabyte in every process, as hashes 42 MB. The price is that a host may be
hit that is on no list: with 5 M entries one look-up in 4 * 10^12 is.

A host is hashed from its end, so that one walk over it passes every domain above it (jp, foo.jp, www.foo.jp); an address from its
beginning, so that one walk passes every path above it (foo.jp, foo.jp/what, foo.jp/what/ever, foo.jp/what/ever?a). The first that is an
entry, which is the widest, ends the walk.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

_DOT, _SLASH, _QUESTION, _AND = ord("."), ord("/"), ord("?"), ord("&")
START, _FACTOR = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)

Hit = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Entries:
    """Hashes in rising order, and the category of each by its number."""

    keys: npt.NDArray[np.uint64]
    categories: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, keys: Sequence[npt.NDArray[np.uint64]]) -> Entries:
        """The entries of categories 0, 1, ...; one that stands in several belongs to the first. At most 255 categories."""
        numbers = [np.full(len(part), number, np.uint8) for number, part in enumerate(keys)]
        together = np.concatenate([np.empty(0, np.uint64), *keys])
        order = np.argsort(together, kind="stable")
        together = together[order]
        new = np.ones(len(together), bool)
        new[1:] = together[1:] != together[:-1]
        return cls(together[new], np.concatenate([np.empty(0, np.uint8), *numbers])[order][new])

    def __len__(self) -> int:
        return len(self.keys)


def domain_keys(domains: pa.Array) -> npt.NDArray[np.uint64]:
    """The key of each domain, an Arrow array of strings."""
    data, bounds = _bytes(domains)
    keys: npt.NDArray[np.uint64] = _keys_from_the_end(data, bounds)
    return keys


def address_keys(addresses: pa.Array) -> npt.NDArray[np.uint64]:
    """The key of each address."""
    data, bounds = _bytes(addresses)
    keys: npt.NDArray[np.uint64] = _keys_from_the_beginning(data, bounds)
    return keys


def domain_hits(hosts: pa.Array, entries: Entries) -> list[Hit]:
    """The hosts, in their one form, that an entry hits: (row, widest domain above the host that is an entry, its category)."""
    data, bounds = _bytes(hosts)
    begins, found = _widest_domains(data, bounds, entries.keys, entries.categories)
    return [
        (int(row), data[bounds[row] + begins[row] : bounds[row + 1]].tobytes().decode(), int(found[row]))
        for row in np.flatnonzero(begins >= 0)
    ]


def address_hits(addresses: pa.Array, entries: Entries) -> list[Hit]:
    """The addresses, in their one form, that an entry hits: (row, widest address above it that is an entry, its category)."""
    data, bounds = _bytes(addresses)
    ends, found = _widest_addresses(data, bounds, entries.keys, entries.categories)
    return [
        (int(row), data[bounds[row] : bounds[row] + ends[row]].tobytes().decode(), int(found[row]))
        for row in np.flatnonzero(ends >= 0)
    ]


def in_rows(length: int, found: Mapping[int, str]) -> pa.Array:
    """A column that is empty but for the rows in `found`."""
    column = np.full(length, "", object)
    column[list(found)] = list(found.values())
    return pa.array(column, pa.string())


def _bytes(strings: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """(bytes, offsets) of an Arrow array of strings without nulls."""
    whole = strings.cast(pa.large_string())
    if not len(whole):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, bounds, data = whole.buffers()
    offsets = np.frombuffer(bounds, np.int64)[whole.offset : whole.offset + len(whole) + 1]
    return np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8), offsets


@nb.njit(cache=True, nogil=True)
def step(key, byte):
    """The hash of a byte more."""
    key = (key ^ np.uint64(byte)) * _FACTOR
    return key ^ (key >> np.uint64(29))


@nb.njit(cache=True, nogil=True)
def end(key):
    """The key of what was hashed."""
    key = (key ^ (key >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return key ^ (key >> np.uint64(32))


@nb.njit(cache=True, nogil=True)
def key_from_the_end(data, first, last):
    key = START
    for i in range(last - 1, first - 1, -1):
        key = step(key, data[i])
    return end(key)


@nb.njit(cache=True, nogil=True)
def _keys_from_the_end(data, bounds):
    keys = np.empty(len(bounds) - 1, np.uint64)
    for row in range(len(keys)):
        keys[row] = key_from_the_end(data, bounds[row], bounds[row + 1])
    return keys


@nb.njit(cache=True, nogil=True)
def _keys_from_the_beginning(data, bounds):
    keys = np.empty(len(bounds) - 1, np.uint64)
    for row in range(len(keys)):
        key = START
        for i in range(bounds[row], bounds[row + 1]):
            key = step(key, data[i])
        keys[row] = end(key)
    return keys


@nb.njit(cache=True, nogil=True)
def _place(keys, key):
    """Where a key stands among sorted ones, -1 if it does not."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low if low < len(keys) and keys[low] == key else -1


@nb.njit(cache=True, nogil=True)
def is_ip(data, first, last):
    """`hosts.is_ip` over bytes."""
    digits = True  # so far, in the last label
    label = last
    for i in range(last - 1, first - 1, -1):
        if data[i] == ord(":"):
            return True
        if label == last and data[i] == _DOT:
            label = i
        if label == last and not ord("0") <= data[i] <= ord("9"):
            digits = False
    return digits and first < last and data[last - 1] != _DOT


@nb.njit(cache=True, nogil=True)
def _widest_domains(data, bounds, keys, categories):
    rows = len(bounds) - 1
    begins, found = np.full(rows, -1, np.int32), np.zeros(rows, np.uint8)
    for row in range(rows):
        first, last = bounds[row], bounds[row + 1]
        whole = is_ip(data, first, last)
        key = START
        for i in range(last - 1, first - 1, -1):
            key = step(key, data[i])
            if i == first or (not whole and data[i - 1] == _DOT):
                place = _place(keys, end(key))
                if place >= 0:
                    begins[row], found[row] = i - first, categories[place]
                    break
    return begins, found


@nb.njit(cache=True, nogil=True)
def _widest_addresses(data, bounds, keys, categories):
    rows = len(bounds) - 1
    ends, found = np.full(rows, -1, np.int32), np.zeros(rows, np.uint8)
    for row in range(rows):
        first, last = bounds[row], bounds[row + 1]
        key, query = START, False
        for i in range(first, last):
            key = step(key, data[i])
            following = data[i + 1] if i + 1 < last else _SLASH
            query |= data[i] == _QUESTION
            if i + 1 == last or (following == _AND if query else following in (_SLASH, _QUESTION)):
                place = _place(keys, end(key))
                if place >= 0:
                    ends[row], found[row] = i + 1 - first, categories[place]
                    break
    return ends, found
