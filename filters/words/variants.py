"""Spellings that are one word, and texts as what the matcher reads.

*Width*, in words and texts alike: ＳＥＸ = sex, ｾｯｸｽ = セックス, and a voicing mark of its own, half-width or combining, joins the kana
before it: ﾊﾞ = バ. In 20.4 M letters of manuals, statutes and web pages that made 6 hits (Ｈに) more than the 2,477 before.

*Case*: sex = SEX = Sex, in words of three letters or more. In those of one or two (AV, SM, Hの, jk) the list's case counts:
otherwise unistd.hの, l.hを, const av and sm=255 were hits, 13 more and all of them wrong.

*Kana*: a word of five letters or more that is all katakana is found in hiragana too, and the other way round (デリバリーヘルス,
でりばりーへるす), which made no new hit. All kana alike made 233 more, 232 of them wrong: 追加されず (レズ), ていく (イク),
やりたいこと (ヤりたい), どのようにが (ニガ), パンツ (ぱんつ), おじいさん (ジイ), あす (アス); in hojichar's other lists
2,737: よつて (ヨツ), 上書きがされ (ガサ), とさつ (サツ). From four letters on there was still ジョイン (じょいん), and すらっと
is スラット, びくびく ビクビク. The list itself has its short words in both scripts where people write both.

Not taken: ー left out or written 〜, small kana, ゝ, kanji variants (處女): the list's own entries cover what occurs.

The matcher reads two bytes a letter, its number among the letters of the words or 0, and not UTF-8: a third fewer bytes, 170 M
letters a second instead of 130, and what it says of bytes is said of letters. `encode` folds and numbers 400 M letters a second.
"""

import numba as nb
import numpy as np
import numpy.typing as npt

from seiryu.filters.letters import HIRAGANA, KATAKANA, RANGES

_HALF_WIDTH = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテト"  # from U+FF61 on
_HALF_WIDTH += "ナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
_PLAIN = "うかきくけこさしすせそたちつてとはひふへほゝウカキクケコサシスセソタチツテトハヒフヘホワヰヱヲヽ"
_VOICED = "ゔがぎぐげござじずぜぞだぢづでどばびぶべぼゞヴガギグゲゴザジズゼゾダヂヅデドバビブベボヷヸヹヺヾ"
_H_ROW, _P_ROW = "はひふへほハヒフヘホ", "ぱぴぷぺぽパピプペポ"
VOICING_MARKS, P_MARKS = (0x3099, 0xFF9E), (0x309A, 0xFF9F)  # combining, half-width
CASE_COUNTS_BELOW, KANA_ALIKE_FROM = 3, 5  # letters of a word
MOST_LETTERS = 127 * 128

_WIDTH = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_WIDTH |= {0xFF61 + place: ord(letter) for place, letter in enumerate(_HALF_WIDTH)}
_UPPER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_JOINED = {plain + chr(mark): voiced for mark in VOICING_MARKS for plain, voiced in zip(_PLAIN, _VOICED, strict=True)}
_JOINED |= {plain + chr(mark): voiced for mark in P_MARKS for plain, voiced in zip(_H_ROW, _P_ROW, strict=True)}
_TO_HIRAGANA = {katakana: katakana - 0x60 for katakana in range(0x30A1, 0x30F7)}
_TO_KATAKANA = {hiragana: katakana for katakana, hiragana in _TO_HIRAGANA.items()}
_KANA = frozenset(chr(point) for kind in (HIRAGANA, KATAKANA) for first, last in RANGES[kind] for point in range(first, last + 1))


def folded(word: str) -> str:
    """What a word is known by: two words of a list that fold to the same are one."""
    letters: list[str] = []
    for letter in word.translate(_WIDTH):
        if letters and (joined := _JOINED.get(letters[-1] + letter)):
            letters[-1] = joined
        else:
            letters.append(letter)
    known = "".join(letters)
    return known if len(known) < CASE_COUNTS_BELOW else known.translate(_UPPER)


def pattern(known: str) -> tuple[str, int]:
    """(what the matcher looks for, which of its letters must be capitals): bit i for letter i, -1 where case does not count."""
    low = known.translate(_UPPER)
    if len(known) >= CASE_COUNTS_BELOW:
        return low, -1
    return low, sum(1 << i for i, (a, b) in enumerate(zip(known, low, strict=True)) if a != b)


def in_other_kana(known: str) -> str:
    """A long word of one kana script in the other, "" for all others."""
    if len(known) < KANA_ALIKE_FROM or not _KANA.issuperset(known):
        return ""
    hiragana, katakana = known.translate(_TO_HIRAGANA), known.translate(_TO_KATAKANA)
    if known not in (hiragana, katakana) or hiragana == katakana:
        return ""
    return katakana if known == hiragana else hiragana


def numbering(patterns: list[str]) -> npt.NDArray[np.uint16]:
    """The code of every code point: 0x0180 and on for letters that fold to one of the patterns', 0 for all others.

    The first byte of a code (the lower, which little-endian memory holds first) is above 0x7F, the second and those of 0 are below.
    """
    letters = sorted(set().union(*patterns))
    if len(letters) > MOST_LETTERS:
        raise ValueError(f"the word lists hold {len(letters):,} different letters, more than {MOST_LETTERS:,}")
    numbers = np.arange(len(letters), dtype=np.uint16)
    table = np.zeros(0x110000, "<u2")
    table[[ord(letter) for letter in letters]] = (numbers // 128 + 1) << 8 | numbers % 128 + 128
    for upper, lower in _UPPER.items():
        table[upper] = table[lower]
    for wide, plain in _WIDTH.items():
        table[wide] = table[plain]
    return table


def _joined_table() -> npt.NDArray[np.uint16]:
    """[mark is ゜, letter - 0x3040 for kana, letter - 0xFF61 + 0xC0 if half-width]: the letter with its mark, 0 if there is none."""
    table = np.zeros((2, 0xC0 + len(_HALF_WIDTH)), np.uint16)
    for pair, voiced in _JOINED.items():
        mark = int(ord(pair[1]) in P_MARKS)
        table[mark, ord(pair[0]) - 0x3040] = ord(voiced)
        if pair[0] in _HALF_WIDTH:
            table[mark, 0xC0 + _HALF_WIDTH.index(pair[0])] = ord(voiced)
    return table


_WITH_MARK = _joined_table()


def encode(
    points: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], codes: npt.NDArray[np.uint16]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
    """(codes of all letters of the texts, places in them of the kana that swallowed a mark): see `places_in_text`."""
    return _encode(points, offsets, codes, _WITH_MARK)


def places_in_text(places: npt.NDArray[np.int64], joined: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where letters, or ends, of the codes stand among the code points: a letter further for each mark swallowed before."""
    return places + np.searchsorted(joined, places) if len(joined) else places


@nb.njit(cache=True, nogil=True)
def _encode(
    points: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    codes: npt.NDArray[np.uint16],
    with_mark: npt.NDArray[np.uint16],
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
    marks = 0
    for point in points:
        marks += point - np.uint32(0x3099) < 2 or point - np.uint32(0xFF9E) < 2
    found = np.empty(len(points), np.uint16)
    joined = np.empty(marks, np.int64)
    size = joins = 0
    for t in range(len(offsets) - 1):
        for i in range(offsets[t], offsets[t + 1]):
            point = points[i]
            if marks and i > offsets[t] and (point - np.uint32(0x3099) < 2 or point - np.uint32(0xFF9E) < 2):
                before = points[i - 1]
                place = -1
                if 0x3040 <= before < 0x3100:
                    place = before - 0x3040
                elif 0xFF61 <= before < 0xFF9E:
                    place = before - 0xFF61 + 0xC0
                mark = 1 if point == 0x309A or point == 0xFF9F else 0
                if place >= 0 and with_mark[mark, place]:
                    found[size - 1] = codes[with_mark[mark, place]]
                    joined[joins] = size - 1
                    joins += 1
                    continue
            found[size] = codes[point]
            size += 1
    return found[:size], joined[:joins]
