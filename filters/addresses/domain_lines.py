"""The fast reader for files of domains: lines that are plainly a domain become keys, the others are named for a closer look.

Plain is a line of at least two labels of letters, digits, - and _, the last of which is no number, with white space around it at most.
160 MB a second and core.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from seiryu.filters.addresses.entries import START, end, step


def domain_lines(data: bytes) -> tuple[npt.NDArray[np.uint64], list[tuple[int, int, int]]]:
    """(keys of the plain lines; number, begin and end of each other line that is not blank), lines numbered from 1."""
    array = np.frombuffer(data, np.uint8)
    lines = _count(array)
    keys, odd = np.empty(lines, np.uint64), np.empty((lines, 3), np.int64)
    plain, others = _read(array, keys, odd)
    return keys[:plain].copy(), [tuple(line) for line in odd[:others].tolist()]


@nb.njit(cache=True, nogil=True)
def _count(data):
    lines = 1
    for byte in data:
        lines += byte == 10
    return lines


@nb.njit(cache=True, nogil=True)
def _read(data, keys, odd):
    plain = others = number = first = 0
    while first < len(data):
        number += 1
        last = first
        while last < len(data) and data[last] != 10:
            last += 1
        left, right = first, last
        while left < right and data[left] <= 32:
            left += 1
        while left < right and data[right - 1] <= 32:
            right -= 1
        first = last + 1
        if left == right:
            continue
        key, is_plain = _key(data, left, right)
        if is_plain:
            keys[plain] = key
            plain += 1
        else:
            odd[others, 0], odd[others, 1], odd[others, 2] = number, left, right
            others += 1
    return plain, others


@nb.njit(cache=True, nogil=True)
def _key(data, left, right):
    """(key of a line's letters from the end, in lower case; whether the line is plainly a domain)."""
    key, labels, letters, numeric = START, 1, 0, True
    for i in range(right - 1, left - 1, -1):
        byte = data[i]
        if byte == 46:  # .
            if letters == 0 or (labels == 1 and numeric):
                return key, False
            labels += 1
            letters = 0
        else:
            if 65 <= byte <= 90:  # A-Z
                byte += 32
            digit = 48 <= byte <= 57
            if not (digit or 97 <= byte <= 122 or byte == 45 or byte == 95):  # a-z - _
                return key, False
            numeric &= digit
            letters += 1
        key = step(key, byte)
    return end(key), labels > 1 and letters > 0
