"""Kana counted in the bytes of a page before anything is parsed: kernels of one pass each.

`utf8_kana` and `legacy_kana_bound` ask raw bytes: pairs that are kana in UTF-8, in cp932 or in EUC-JP, wherever they stand. No page in
one of these holds more kana than the greatest of the three and its numeric references, so most pages of other scripts leave here
undecoded. `legacy_kana` reads letter by letter, slower, where pairs across two letters were too many.

`writing` reads UTF-8 as a reader would: no tags, comments, scripts, styles or title, and nothing between <a href> and </a>: menus
are links, and articles are not. It is evidence, never a bound; broken markup moves it a little. 420 MB/s.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment, arg-type"
from __future__ import annotations

import numba as nb
import numpy as np

HEXADECIMAL = np.array([int(chr(byte), 16) if chr(byte) in "0123456789abcdefABCDEF" else -1 for byte in range(256)], np.int64)


def utf8_kana(payload: bytes) -> tuple[int, int]:
    """(kana, numeric references) of a payload in UTF-8. 3.8 GB/s."""
    kana, references = _utf8_kana(np.frombuffer(payload, np.uint8))
    return int(kana), int(references)


def legacy_kana_bound(payload: bytes) -> tuple[int, int]:
    """(in cp932, in EUC-JP): how many pairs of bytes could be kana (U+3041-30FF). Neither holds more, broken letters aside."""
    in_cp932, in_euc = _legacy_kana_bound(np.frombuffer(payload, np.uint8))
    return int(in_cp932), int(in_euc)


def legacy_kana(payload: bytes) -> tuple[int, int, int, int]:
    """(kana, faults) of the payload read as cp932, then as EUC-JP, pair by pair; a fault is a byte that begins no letter."""
    data = np.frombuffer(payload, np.uint8)
    kana, faults = _cp932_kana(data)
    euc_kana, euc_faults = _euc_kana(data)
    return int(kana), int(faults), int(euc_kana), int(euc_faults)


def writing(utf8: bytes) -> tuple[int, int]:
    """(kana, letters of any script) outside markup and links, of a page in valid UTF-8."""
    kana, letters = _writing(np.frombuffer(utf8, np.uint8), HEXADECIMAL)
    return int(kana), int(letters)


# Sums of a block fit a byte, and there is one condition a loop with its constants written out: so each loop becomes one over vectors
# of bytes, at 7 GB/s, where one loop with all conditions does 1.2.
_BLOCK = 240


@nb.njit(cache=True, nogil=True)
def _utf8_kana(data):
    kana, references, size = 0, 0, len(data) - 1
    for begin in range(0, size, _BLOCK):
        end = min(begin + _BLOCK, size)
        leads, trails = data[begin:end], data[begin + 1 : end + 1]
        a, b = np.uint8(0), np.uint8(0)
        for i in range(len(leads)):
            a += np.uint8((leads[i] == np.uint8(0xE3)) & (np.uint8(trails[i] - np.uint8(0x81)) <= np.uint8(0x02)))
        for i in range(len(leads)):
            b += np.uint8((leads[i] == np.uint8(0x26)) & (trails[i] == np.uint8(0x23)))
        kana += np.int64(a)
        references += np.int64(b)
    return kana, references


@nb.njit(cache=True, nogil=True)
def _legacy_kana_bound(data):
    in_cp932, in_euc, size = 0, 0, len(data) - 1
    for begin in range(0, size, _BLOCK):
        end = min(begin + _BLOCK, size)
        leads, trails = data[begin:end], data[begin + 1 : end + 1]
        a, b, c = np.uint8(0), np.uint8(0), np.uint8(0)
        for i in range(len(leads)):
            a += np.uint8((leads[i] == np.uint8(0x82)) & (np.uint8(trails[i] - np.uint8(0x9F)) <= np.uint8(0x52)))
        for i in range(len(leads)):
            b += np.uint8((leads[i] == np.uint8(0x83)) & (np.uint8(trails[i] - np.uint8(0x40)) <= np.uint8(0x56)))
        for i in range(len(leads)):
            c += np.uint8(
                (leads[i] & np.uint8(0xFE) == np.uint8(0xA4)) & (np.uint8(trails[i] - np.uint8(0xA1)) <= np.uint8(0x55))
            )
        in_cp932 += np.int64(a) + np.int64(b)
        in_euc += np.int64(c)
    return in_cp932, in_euc


@nb.njit(cache=True, nogil=True)
def _cp932_kana(data):
    kana, faults, i, size = 0, 0, 0, len(data)
    while i < size:
        lead = data[i]
        i += 1
        if lead < 0x80 or 0xA1 <= lead <= 0xDF:
            continue
        trail = data[i] if i < size else 0
        if lead in (0x80, 0xA0) or lead > 0xFC or trail < 0x40 or trail == 0x7F or trail > 0xFC:
            faults += 1
            continue
        kana += (lead == 0x82 and 0x9F <= trail <= 0xF1) or (lead == 0x83 and trail <= 0x96)
        i += 1
    return kana, faults


@nb.njit(cache=True, nogil=True)
def _euc_kana(data):
    kana, faults, i, size = 0, 0, 0, len(data)
    while i < size:
        lead = data[i]
        i += 1
        if lead < 0x80:
            continue
        trail = data[i] if i < size else 0
        if (lead < 0xA1 and lead not in (0x8E, 0x8F)) or lead == 0xFF or trail < 0xA1 or trail == 0xFF:
            faults += 1
            continue
        kana += lead in (0xA4, 0xA5) and trail <= 0xF6
        i += 2 if lead == 0x8F else 1
    return kana, faults


@nb.njit(cache=True, nogil=True, inline="always")
def lower(byte):
    return byte | 0x20 if 0x41 <= byte <= 0x5A else byte


@nb.njit(cache=True, nogil=True)
def _find(data, i, what):
    """Where `what`, in small letters, begins at or after i; the end if nowhere."""
    for k in range(i, len(data) - len(what) + 1):
        same = True
        for j in range(len(what)):
            if lower(data[k + j]) != what[j]:
                same = False
                break
        if same:
            return k
    return len(data)


@nb.njit(cache=True, nogil=True)
def _at(data, i, what):
    return len(data) - i >= len(what) and _find(data[i : i + len(what)], 0, what) == 0


@nb.njit(cache=True, nogil=True)
def point_at(data, i):
    """(code point of the UTF-8 letter at i, its bytes); lone or cut bytes pass as one letter of no script."""
    lead = np.uint32(data[i])
    if lead < 0x80:
        return lead, 1
    length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC0 or i + length > len(data):
        return np.uint32(0xFFFD), 1
    point = lead & np.uint32(0x7F >> length)
    for k in range(1, length):
        point = point << np.uint32(6) | np.uint32(data[i + k] & 0x3F)
    return (point if point < 0x110000 else np.uint32(0xFFFD)), length


@nb.njit(cache=True, nogil=True)
def number_at(data, i, digits):
    """(value, where it ends) of the decimal or x-and-hexadecimal number at i; (0, i) if there is none."""
    base, k = 10, i
    if k < len(data) and lower(data[k]) == 0x78:
        base, k = 16, k + 1
    value, first = np.int64(0), k
    while k < len(data) and 0 <= digits[data[k]] < base:
        value = min(value * base + digits[data[k]], 0x110000)
        k += 1
    return (value if value < 0x110000 else np.int64(0)), (k if k > first else i)


@nb.njit(cache=True, nogil=True)
def _skip_markup(data, i, inside_link, unclosed):
    """(where the markup that begins with the < at i ends, whether a link is open after it); (i, ...) if it is none.

    `unclosed`: whether a comment, a tag was found to have no end. Then no later one has, and none is looked for: a page of `<!--`
    would take quadratic time, hours for 20 MB.
    """
    size = len(data)
    if _at(data, i, b"<!--"):
        end = size if unclosed[0] else _find(data, i + 4, b"-->")
        unclosed[0] = end == size
        return (end + 3 if end < size else i), inside_link
    follows = lower(data[i + 1]) if i + 1 < size else 0
    if not (0x61 <= follows <= 0x7A or follows in (0x2F, 0x21, 0x3F)):  # a letter, / ! ?
        return i, inside_link
    end = size if unclosed[1] else i
    while end < size and data[end] != 0x3E:
        end += 1
    if end == size:
        unclosed[1] = True
        return i, inside_link
    end += 1
    after = lower(data[i + 2])
    if follows == 0x61 and after <= 0x20 and _find(data[i:end], 0, b"href") < end - i:
        inside_link = True
    elif follows == 0x2F and after == 0x61 and data[i + 3] <= 0x3E and not 0x30 <= data[i + 3] <= 0x39:
        inside_link = False
    elif follows == 0x73 and _at(data, i, b"<script"):
        end = _find(data, end, b"</script")
    elif follows == 0x73 and _at(data, i, b"<style"):
        end = _find(data, end, b"</style")
    elif follows == 0x74 and _at(data, i, b"<title"):
        end = _find(data, end, b"</title")
    return end, inside_link


@nb.njit(cache=True, nogil=True)
def _writing(data, digits):
    kana, letters, i, size, inside_link = 0, 0, 0, len(data), False
    unclosed = np.zeros(2, np.bool_)
    while i < size:
        byte = data[i]
        if byte == 0x3C:
            end, inside_link = _skip_markup(data, i, inside_link, unclosed)
            i = max(end, i + 1)
            continue
        if byte == 0x26 and i + 1 < size and data[i + 1] == 0x23:
            value, end = number_at(data, i + 2, digits)
            point = np.uint32(value)
            i = end
        elif byte == 0x26:  # &nbsp; and its like
            i += 1
            while i < size and (0x61 <= lower(data[i]) <= 0x7A or 0x30 <= data[i] <= 0x39):
                i += 1
            continue
        else:
            point, length = point_at(data, i)
            i += length
        if inside_link:
            continue
        if 0x3041 <= point <= 0x30FF or 0xFF66 <= point <= 0xFF9F:
            kana += 1
            letters += 1
        elif point < 0x80:
            letters += 0x61 <= lower(point) <= 0x7A
        else:  # above that, all but punctuation, signs and emoji
            letters += 0xC0 <= point < 0x2000 or 0x2C00 <= point < 0x2E00 or 0x3100 <= point < 0xD800 or 0xF900 <= point < 0xFE00
    return kana, letters
