"""What is measured of the writing itself: letters of a wrong codec, Chinese, lists, URLs, digits, Latin letters, symbols.

`mojibake_share` counts what text becomes in the wrong codec, and what no honest text holds:

- letters that were lost: U+FFFD, control letters (C0, and C1 but NEL), letters for private use; runs of three or more ? that begin
  a line or follow white space or ASCII signs (the ??? after a word is a writer's own);
- UTF-8 as Latin-1 or cp1252: the letters of a lead byte with as many of continuation bytes as it asks for: ã‚, Ã©, â€™;
- UTF-8 as cp932: 縺 繧 繝, the lead bytes of kana, before half-width katakana or the letters that the next kana makes (ゅ, 医, ...);
  any kanji of the lead bytes E2-EA before half-width katakana;
- cp932 as cp1252: ‚ and ƒ before letters of second bytes; EUC-JP as Latin-1: ¤ and ¥ before them;
- EUC-JP as cp932: ､ or ･ with a half-width letter, twice or more without a gap: ､ｳ､ﾎ. Half-width words have them apart.

The others (cp932 or EUC-JP as UTF-8, UTF-8 or cp932 as EUC-JP) are full of U+FFFD. Measured on 209 Japanese pages through each of
the 12 pairs of codecs: at least 0.13 of each page is counted, in the median 0.32 to 0.95; of 2,646 clean pages one has 0.0016,
99.9 % have 0. Not found: what a decoder dropped silently, and Japanese read as GBK, which is all han.

`simplified_han_share`, `traditional_han_share`: of kanji, those of the tables in `han`. Traditional forms are counted in
lines with at least four kanji for each kana: they are the old forms of Japanese as well, which stand among kana there.

`list_share`: of the letters in lines, those in lines that look like entries: they end no sentence and no quotation, and begin
with a bullet or a number (1. １） (1)), or hold two or more of | ｜ │ » › ＞, or have fewer than 20 letters and do not end in
hiragana (entries are nouns; a blogger's short lines end in verbs). Numbered paragraphs of a statute are sentences, not entries.

`url_share`: letters in what has ://, or begins with www. or with a host name and a slash, up to the first letter that is not ASCII.
80,000 documents of 2,000 letters a second and core.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from seiryu.filters.letters import CLASSES
from seiryu.filters.signals import han
from seiryu.filters.signals import writing_kernels as kernels
from seiryu.filters.signals.signal import Signal, quotients

SIGNALS = (
    Signal("mojibake_share", "float", "letters that betray a wrong codec / letters", ("mojibake", "letters")),
    Signal("simplified_han_share", "float", "han that only simplified Chinese writes / kanji", ("simplified", "kanji")),
    Signal(
        "traditional_han_share", "float", "han that only traditional Chinese writes, in lines of hardly any kana / kanji",
        ("traditional", "kanji"),
    ),
    Signal("list_share", "float", "letters in lines that look like entries of a list / in all lines", ("list_letters", "line_letters")),
    Signal("url_share", "float", "letters in URLs / letters", ("url_letters", "letters")),
    Signal("digit_share", "float", "digits, half or full width / letters", ("digits", "letters")),
    Signal("latin_share", "float", "Latin letters, half or full width, with or without accent / letters", ("latin", "letters")),
    Signal("symbol_share", "float", "arrows, shapes, stars, notes, emoji / letters", ("symbols", "letters")),
)  # fmt: skip

LATIN = (
    (0x41, 0x5A), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F), (0x1E00, 0x1EFF), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A),
)  # fmt: skip
# ※, arrows to shapes and dingbats without ①, 〒〓〠, pictures
SYMBOLS = ((0x203B, 0x203B), (0x2190, 0x245F), (0x2500, 0x2BFF), (0x3012, 0x3013), (0x3020, 0x3020), (0x1F000, 0x1FAFF))
LOST = (
    (0x0, 0x8), (0xE, 0x1F), (0x7F, 0x84), (0x86, 0x9F), (0xE000, 0xF8FF), (0xFFFD, 0xFFFD), (0xF0000, 0x10FFFF),
)  # fmt: skip
BULLETS = "・•‣·◦●○◎◉■□◆◇▼▽▲△▶▷►★☆→⇒⇨※✓✔❖*＊-－–—─━=＝_＿~～#＃+>"
NUMBERED = ((0x2460, 0x24FF), (0x2776, 0x2793), (0x3220, 0x3243))  # ① ⑴ ⒈ ❶ ㈠
SEPARATORS = "|｜│»›＞"
ENDS = "。．.！？!?」』”…‥"
URL_SIGNS = "!#$%&*+,-./:;=?@[]_~"


def measure_writing(points: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """SIGNALS of texts as `letters.codepoints` gives them."""
    counts = kernels.count(points, offsets, FLAGS)
    return quotients(SIGNALS, dict(zip(kernels.COUNTS, counts.T, strict=True)))


def _flags() -> npt.NDArray[np.uint32]:
    table = CLASSES.astype(np.uint32)
    for flag, ranges in ((kernels.LATIN, LATIN), (kernels.SYMBOL, SYMBOLS), (kernels.LOST, LOST), (kernels.BULLET, NUMBERED)):
        for first, last in ranges:
            table[first : last + 1] |= flag
    for flag, letters in _marks():
        table[list(map(ord, letters))] |= flag
    ascii_signs = [point for point in range(0x21, 0x7F) if not chr(point).isalnum() and point != kernels.QUESTION]
    table[ascii_signs] |= kernels.FREE
    table[(table & kernels.SPACE) != 0] |= kernels.FREE
    table[[point for point in range(0x30, 0x7B) if chr(point).isalnum()]] |= kernels.IN_URL
    table.setflags(write=False)
    return table


def _marks() -> Iterator[tuple[np.uint32, str]]:
    """Which letters have a flag; those of bytes in the wrong codec are what Python's codecs make of them."""
    yield kernels.SIMPLIFIED, han.SIMPLIFIED
    yield kernels.TRADITIONAL, han.TRADITIONAL
    yield kernels.BULLET, BULLETS
    yield kernels.SEPARATOR, SEPARATORS
    yield kernels.END, ENDS
    yield kernels.IN_URL, URL_SIGNS
    yield kernels.TAIL, _western(range(0x80, 0xC0))
    yield kernels.LEAD_2, _western((0xC2, 0xC3))  # of accents and signs
    yield kernels.LEAD_3, _western((*range(0xE2, 0xEA), 0xEF))  # of signs, kana, kanji, full-width letters
    yield kernels.LEAD_4, _western((0xF0,))
    yield kernels.CP1252_KANA, b"\x82\x83".decode("cp1252")
    yield kernels.CP1252_TAIL, _western((*range(0x40, 0x7F), *range(0x80, 0x100)))
    yield kernels.EUC_KANA, b"\xa4\xa5".decode("latin-1")
    yield kernels.EUC_TAIL, bytes(range(0xA1, 0xF7)).decode("latin-1")
    yield kernels.CP932_HAN, _cp932(range(0xE2, 0xEB), range(0x40, 0xFD))
    yield kernels.CP932_KANA, _cp932((0xE3,), (0x81, 0x82, 0x83))
    yield kernels.CP932_TAIL, _cp932(range(0x81, 0xA0), (0xE3,))
    yield kernels.HALF_WIDTH, bytes(range(0xA1, 0xE0)).decode("cp932")
    yield kernels.HALF_COMMA, b"\xa4\xa5".decode("cp932")


def _western(values: Any) -> str:
    """The letters of single bytes in Latin-1 and in cp1252."""
    return bytes(values).decode("latin-1") + bytes(values).decode("cp1252", "ignore")


def _cp932(leads: Any, trails: Any) -> str:
    pairs = (bytes((lead, trail)).decode("cp932", "replace") for lead in leads for trail in trails)
    return "".join(letter for letter in pairs if len(letter) == 1)  # \ufffd stands before a second byte that belongs to no pair


FLAGS = _flags()
