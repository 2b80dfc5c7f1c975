"""The letters of a text that are compared with those of benchmarks, and where in the text each comes from.

NFKC (Unicode Standard Annex 15), lower case, then letters and digits alone (categories L and N): no white space, marks or
symbols. So full width, line breaks, brackets and 、 for ， change nothing. One load from a table of 1 MB tells what a code point
becomes: nothing, one letter, or several (㌔ is キロ).

NFKC is told code point by code point, which is the same as that of the text unless it holds one that joins what stands before it,
such as the mark of ﾊﾞ. Texts with those are put through `unicodedata` first, and `origins` says what came from where. The letters
depend on the interpreter's version of Unicode, `seiryu.dedup.normal.UNICODE`.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seiryu.dedup.kernel import kernel

_KNOWN = 0x40000  # behind plane 3 Unicode has no letters, only tags, selectors and private use
_JOINS = np.uint32(1 << 31)
_LETTER = np.uint32((1 << 21) - 1)  # a letter, or where several begin
_MANY = np.uint32(21)  # how many; 0 for one
_ENDS = np.uint32(1)  # no letter, and something ends there; 0: nothing does, as in white space


class Table(NamedTuple):
    """`becomes[code point]`: see above. `several`: the letters of code points that become more than one."""

    becomes: NDArray[np.uint32]
    several: NDArray[np.uint32]


@lru_cache(maxsize=1)
def table() -> Table:
    """The table, made once a process from `unicodedata`: 0.3 s."""
    becomes, several = np.full(_KNOWN, _ENDS), [0]
    seconds = _second_parts()
    for point in range(_KNOWN):
        if 0xD800 <= point < 0xE000 or (category := unicodedata.category(letter := chr(point))) in ("Cn", "Co"):
            continue
        found = [ord(each) for each in unicodedata.normalize("NFKC", letter).lower() if unicodedata.category(each)[0] in "LN"]
        if len(found) == 1:
            becomes[point] = found[0]
        elif found:
            becomes[point] = len(found) << int(_MANY) | len(several)
            several += found
        elif category[0] in "ZM" or category == "Cf" or letter == "\t":
            becomes[point] = 0
        first = unicodedata.normalize("NFKD", letter)[0]
        if unicodedata.combining(first) or first in seconds:
            becomes[point] |= _JOINS
    becomes[[0x2028, 0x2029]] = _ENDS  # line breaks, of category Z
    made = Table(becomes, np.array(several, np.uint32))
    for array in made:
        array.setflags(write=False)
    return made


def _second_parts() -> frozenset[str]:
    """Code points that composition puts to the one before; marks of class 0, and the vowels and finals of Hangul, are among them."""
    pairs = (unicodedata.decomposition(chr(point)).split() for point in range(_KNOWN) if not 0xAC00 <= point < 0xE000)
    seconds = {chr(int(pair[1], 16)) for pair in pairs if len(pair) == 2 and not pair[0].startswith("<")}
    return frozenset(seconds.union(map(chr, range(0x1161, 0x1176)), map(chr, range(0x11A8, 0x11C3))))


def composed(text: str) -> str:
    """The text by NFKC, which no code point joins any more in a way that the table does not tell."""
    return unicodedata.normalize("NFKC", text)


def origins(text: str) -> tuple[list[int], list[int]]:
    """(begin, end) in the text of what each code point of `composed(text)` was made from."""
    becomes = table().becomes
    firsts = [
        at for at, letter in enumerate(text) if not at or not (point := ord(letter)) < _KNOWN or not becomes[point] & _JOINS
    ]
    begins: list[int] = []
    ends: list[int] = []
    for first, last in pairwise([*firsts, len(text)]):
        made = len(composed(text[first:last]))
        begins += [first] * made
        ends += [last] * made
    return begins, ends


@kernel
def room_for(points: NDArray[np.uint32], count: int, table: Table) -> tuple[int, bool]:
    """(how many letters `count` code points become at most, whether they must be composed first)."""
    room, joins = count, False
    for i in range(count):
        if points[i] < len(table.becomes):
            becomes = table.becomes[points[i]]
            joins |= becomes & _JOINS != 0
            room += (becomes & ~_JOINS) >> _MANY
    return room, joins


@kernel
def normalise(
    points: NDArray[np.uint32],
    count: int,
    table: Table,
    letters: NDArray[np.uint32],
    places: NDArray[np.int32],
    begins: NDArray[np.bool_],
) -> int:
    """How many letters `count` code points become: the letters, the place each comes from, and whether anything ended before it.

    A code point that joins the one before, where the text was composed, is taken as it stands. There must be `room_for` them.
    """
    size, ended = 0, True
    for i in range(count):
        becomes = _ENDS
        if points[i] < len(table.becomes):
            becomes = table.becomes[points[i]] & ~_JOINS
        if becomes <= _ENDS:
            ended |= becomes == _ENDS
            continue
        many = becomes >> _MANY
        if many == 0:
            letters[size], places[size], begins[size] = becomes, i, ended
            size += 1
        for k in range(many):
            letters[size], places[size], begins[size] = table.several[(becomes & _LETTER) + np.uint32(k)], i, ended
            size += 1
            ended = False
        ended = False
    begins[size] = True
    return size


def letters_of_texts(texts: list[str]) -> list[NDArray[np.uint32]]:
    """The letters of each text."""
    return [_letters(code_points_of(composed(text))) for text in texts]


def code_points_of(text: str) -> NDArray[np.uint32]:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le"), "<u4")


def _letters(points: NDArray[np.uint32]) -> NDArray[np.uint32]:
    room, _ = room_for(points, len(points), table())
    letters = np.empty(room, np.uint32)
    count = normalise(points, len(points), table(), letters, np.empty(room, np.int32), np.empty(room + 1, np.bool_))
    return letters[:count]
