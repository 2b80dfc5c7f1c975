"""Whether a hit begins and ends where words do.

A word list hits innocent words: セックス in エセックス, マゾ in アマゾン, 性的 in 理性的, sex in Essex. Each end of a hit is looked at:

- a Latin letter or digit needs no other beside it, a digit no number that goes on (893 in 1,893 and ０．８９３);
- kana and kanji need a boundary of Sudachi's longest units (mode C) in the clause around the hit;
- anything else (○, ■, ①) ends a word by itself.

A clause is what stands between marks: letters, digits, ー, _ and ・. Of 32,334 matches of all hojichar's lists in 20.4 M letters the
verdict by clause differs in 3 from that by the whole line (組織的|犯罪処罰法 before a bracket), for a third of the price; by
sentences it differs in none, for nine tenths. With ・ as a mark セックス・シンボル, which Sudachi knows as one word, would count.
A hit that fills its clause needs no Sudachi. Half of the clauses come again (menus, statutes), so the last ones are remembered.

Sudachi cannot tell what it does not know: セックス in ミドルセックス counts, for it splits the word there.
"""

import functools

import numba as nb
import numpy as np
import numpy.typing as npt

from seiryu.filters.letters import CLASSES, HIRAGANA, KANJI, KATAKANA
from seiryu.filters.letters import DIGIT as ANY_DIGIT
from seiryu.filters.morphology import boundaries

LATIN, DIGIT, JAPANESE, CLAUSE, IN_NUMBER = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8), np.uint8(16)
COUNTS, OTHER_CASE, WITHIN_LATIN, WITHIN_WORD, ASK = range(5)
WHY_NOT = ("", "small letters or capitals, unlike the list", "within a Latin word or a number", "not at the boundaries of words")
REMEMBERED, REMEMBERED_LETTERS = 1 << 16, 100  # clauses, at most 20 MB of them; and the longest that is kept

Places = npt.NDArray[np.int64]


def _kinds() -> npt.NDArray[np.uint8]:
    table = np.zeros(0x110000, np.uint8)
    for first, last in ("09", "AZ", "az", "__", "０９", "ＡＺ", "ａｚ", "＿＿", "ÀÖ", "Øö", "øɏ"):
        table[ord(first) : ord(last) + 1] |= LATIN | CLAUSE
    table[CLASSES & ANY_DIGIT != 0] |= DIGIT
    table[CLASSES & (HIRAGANA | KATAKANA | KANJI) != 0] |= JAPANESE | CLAUSE
    table[[0x3099, 0x309A]] |= JAPANESE | CLAUSE
    table[[ord("・"), ord("･")]] |= CLAUSE
    table[[ord(mark) for mark in ",.，．"]] |= IN_NUMBER
    table.setflags(write=False)
    return table


KINDS = _kinds()


def verdicts(
    points: npt.NDArray[np.uint32], begins: Places, ends: Places, firsts: Places, lasts: Places, capitals: npt.NDArray[np.int8]
) -> npt.NDArray[np.uint8]:
    """COUNTS or why not (a place in WHY_NOT) for each hit points[begin:end] in the text points[first:last].

    Hits come in the order of their begins, for linear work however many lie in one clause. `capitals`: see `variants.pattern`.
    """
    found, clauses = _cheap(points, begins, ends, firsts, lasts, capitals, KINDS)
    clause, edges = (-1, -1), b""
    for i in np.flatnonzero(found == ASK).tolist():
        begin, end = clauses[i].tolist()
        if (begin, end) != clause:
            clause = begin, end
            text = points[begin:end].tobytes().decode("utf-32-le")
            edges = remembered(text) if end - begin <= REMEMBERED_LETTERS else _edges(text)
        free = (edges[begins[i] - begin] or not KINDS[points[begins[i]]] & JAPANESE) and (
            edges[ends[i] - begin] or not KINDS[points[ends[i] - 1]] & JAPANESE
        )
        found[i] = COUNTS if free else WITHIN_WORD
    return found


def _edges(clause: str) -> bytes:
    """1 where a word begins or ends, for each place between two letters and both ends."""
    edges = bytearray(len(clause) + 1)
    edges[0] = edges[-1] = 1
    for place in boundaries(clause, 0, len(clause), [(0, len(clause))]):
        edges[place] = 1
    return bytes(edges)


remembered = functools.lru_cache(REMEMBERED)(_edges)


@nb.njit(cache=True, nogil=True)
def _cheap(
    points: npt.NDArray[np.uint32],
    begins: Places,
    ends: Places,
    firsts: Places,
    lasts: Places,
    capitals: npt.NDArray[np.int8],
    kinds: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.uint8], Places]:
    """What can be said without Sudachi; ASK, and the clause to ask it about, for the rest."""
    found = np.zeros(len(begins), np.uint8)
    clauses = np.zeros((len(begins), 2), np.int64)
    left_from = left_to = right_from = right_to = np.int64(-1)
    for i in range(len(begins)):
        begin, end, first, last = begins[i], ends[i], firsts[i], lasts[i]
        if capitals[i] >= 0 and _capitals(points, begin, end) != capitals[i]:
            found[i] = OTHER_CASE
            continue
        if _goes_on(points, kinds, begin, -1, first, last) or _goes_on(points, kinds, end - 1, 1, first, last):
            found[i] = WITHIN_LATIN
            continue
        kind_first, kind_last = kinds[points[begin]], kinds[points[end - 1]]
        if not (kind_first | kind_last) & JAPANESE:
            continue
        left, right = begin, end
        while kind_first & CLAUSE and left > first and kinds[points[left - 1]] & CLAUSE:
            if left_to < left <= left_from:  # a hit before this one went the rest of the way
                left = left_to
                break
            left -= 1
        while kind_last & CLAUSE and right < last and kinds[points[right]] & CLAUSE:
            if right_from <= right < right_to:
                right = right_to
                break
            right += 1
        if kind_first & CLAUSE:
            left_from, left_to = begin, left
        if kind_last & CLAUSE:
            right_from, right_to = end, right
        if (kind_first & JAPANESE and left < begin) or (kind_last & JAPANESE and right > end):
            found[i] = ASK
            clauses[i, 0], clauses[i, 1] = left, right
    return found, clauses


@nb.njit(cache=True, nogil=True)
def _goes_on(points: npt.NDArray[np.uint32], kinds: npt.NDArray[np.uint8], place: int, step: int, first: int, last: int) -> bool:
    """Whether a Latin word or a number at the end of a hit goes on outside it."""
    kind = kinds[points[place]]
    if not kind & LATIN or not first <= place + step < last:
        return False
    beside = kinds[points[place + step]]
    if beside & LATIN:
        return True
    further = place + 2 * step
    return bool(kind & DIGIT and beside & IN_NUMBER and first <= further < last and kinds[points[further]] & DIGIT)


@nb.njit(cache=True, nogil=True)
def _capitals(points: npt.NDArray[np.uint32], begin: int, end: int) -> int:
    """Bit i: letter i is a Latin capital; a voicing mark is no letter."""
    found, bit = 0, 1
    for i in range(begin, end):
        point = points[i]
        if 0x41 <= point <= 0x5A or 0xFF21 <= point <= 0xFF3A:
            found |= bit
        if point != 0x3099 and point != 0x309A and point != 0xFF9E and point != 0xFF9F:
            bit <<= 1
    return found
