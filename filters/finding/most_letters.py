"""The most Japanese letters that any text taken from a page can hold, so that a page which could never pass need not be parsed.

Everything counts, in attributes, comments and scripts too, and so do numeric references and JSON's \\uXXXX: trafilatura takes JSON-LD
and Discourse's data attribute for text, and decodes references twice. Leaving out markup was measured: of the candidates' extraction
time 22.9 % instead of 18.0 % is spared on the samples, 6.4 instead of 5.7 % on the larger pack, nearly all by attributes, little by
comments and scripts. Not taken: what is markup after an unclosed quote or comment differs between versions of libxml2, and a bound that
hangs on that is none.

A reference may also come about in the text: `&amp;#12<b>354;`, `&#` before a tag. Pages that hold such a beginning, or a control
character, have no bound but their length; few do. Found by mutating real and made pages, which is how the claim was tested. 440 MB/s.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment, arg-type"
from __future__ import annotations

import re

import numba as nb
import numpy as np

from seiryu.filters.finding.page_letters import HEXADECIMAL, lower, number_at, point_at
from seiryu.filters.letters import CLASSES, HIRAGANA, JAPANESE, PUNCTUATION

# Vertical forms of 、。！？, become these after extraction (corpus/extraction/reading.py).
_MAY_BECOME = CLASSES.copy()
_MAY_BECOME[0xFE10:0xFE17] |= PUNCTUATION
_NUMBER_NAMED = re.compile("&(?:num|bsol)")
_NO_BOUND = -1
# Where blocks are nested against the rules trafilatura may put out a part of a page twice: once in 8,000 pages of random nesting.
REPEATED = 2


def most_letters(text: str) -> tuple[int, int]:
    """No text taken from the page `text` holds more (Japanese letters, hiragana), as `signals` counts them.

    NFC, which the extractor applies, makes no Japanese letter of others. Only the length remains as a bound where a reference may come
    about that the page does not hold: one to a part of another (`&#35;`, `\\u0030`), one with markup or a control character in it.
    """
    utf8 = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    japanese, hiragana = _most_letters(utf8, _MAY_BECOME, HEXADECIMAL)
    if japanese == _NO_BOUND or _NUMBER_NAMED.search(text):
        return len(text), len(text)
    return int(japanese), int(hiragana)


def cannot_hold(text: str, japanese: int, hiragana: int) -> bool:
    """Whether no text taken from the page can hold so many Japanese letters and hiragana, even if all of it came out REPEATED times."""
    most = most_letters(text)
    return REPEATED * most[0] < japanese or REPEATED * most[1] < hiragana


@nb.njit(cache=True, nogil=True)
def _may_vanish(data, i, classes):
    """Whether what stands at i could be taken out, so that its neighbours meet: markup, a reference, an invisible letter."""
    if i >= len(data):
        return False
    if data[i] >= 0x80:
        point, _ = point_at(data, i)
        return (classes[point] & JAPANESE) == 0
    return data[i] in (0x3C, 0x26, 0x5C)  # < & and the backslash


@nb.njit(cache=True, nogil=True)
def _is_ruby(data, i):
    """Whether a tag of ruby, or another that begins with r, may stand at i."""
    i += 1 if i + 1 < len(data) and data[i + 1] == 0x2F else 0
    return i + 1 < len(data) and data[i + 1] | 0x20 == 0x72


@nb.njit(cache=True, nogil=True)
def _torn_reference(data, sign, end, classes):
    """Whether the # at `sign` and its number, which ends at `end`, could be the first part of a reference that something stands in."""
    bare = end == sign + 1
    if bare and end < len(data) and lower(data[end]) == 0x78:  # &#x, and no digit yet
        end += 1
    if not _may_vanish(data, end, classes):
        return False
    before = data[sign - 1] if sign else np.uint8(0x20)
    if before == 0x26:  # &#123< is read at once, but that tags of ruby go before the page is parsed
        return bare or data[end] >= 0x80 or _is_ruby(data, end)
    return before in (0x3B, 0x3E, 0x36) or before >= 0x80  # &amp;# or <b># or \u0026#


@nb.njit(cache=True, nogil=True)
def _most_letters(data, classes, digits):
    japanese, hiragana, i, size = 0, 0, 0, len(data)
    while i < size:
        byte = data[i]
        if byte >= 0x80:
            point, length = point_at(data, i)
            flags = classes[point]
            japanese += (flags & JAPANESE) != 0
            hiragana += (flags & HIRAGANA) != 0
            i += length
            continue
        i += 1
        if byte == 0x23:  # #: of a reference, whose & may be written in many ways
            value, end = number_at(data, i, digits)
            if _torn_reference(data, i - 1, end, classes):
                return _NO_BOUND, _NO_BOUND
        elif byte == 0x5C:
            if i < size and data[i] >= 0x80 and _may_vanish(data, i, classes):
                return _NO_BOUND, _NO_BOUND
            if i == size or lower(data[i]) != 0x75:
                continue
            value = _four_digits(data, i + 1, digits)  # \uXXXX
            if value < 0:
                return _NO_BOUND, _NO_BOUND
            if value == 0xD82C:  # first half of U+1B000-1B3FF
                japanese += 1
                hiragana += 1
            elif 0xD840 <= value <= 0xD8BF:  # of the planes of ideographs
                japanese += 1
        elif byte < 0x20 and byte not in (0x09, 0x0A, 0x0D):  # taken out before the page is parsed
            return _NO_BOUND, _NO_BOUND
        else:
            continue
        if value == 0:
            continue
        if value < 0x80:
            if digits[value] >= 0 or value in (0x23, 0x5C, 0x55, 0x58, 0x75, 0x78):  # # \ U X u x
                return _NO_BOUND, _NO_BOUND
            continue
        flags = classes[value]
        japanese += (flags & JAPANESE) != 0
        hiragana += (flags & HIRAGANA) != 0
    return japanese, hiragana


@nb.njit(cache=True, nogil=True)
def _four_digits(data, i, digits):
    """The number of four hexadecimal digits at i, -1 if they are none."""
    value = np.int64(0)
    for k in range(i, i + 4):
        if k >= len(data) or digits[data[k]] < 0:
            return np.int64(-1)
        value = value * 16 + digits[data[k]]
    return value
