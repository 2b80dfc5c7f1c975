"""Whole numbers counted over the lines of many texts for the family `fineweb`; `fineweb` divides them.

FineWeb's filters cut a text into lines in three ways: at runs of line feeds ("blocks" here), at each line feed with blank lines left
out, and as str.splitlines() does. Linear in the letters. Memory: 20 to 30 bytes a letter of the longest text.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import numba as nb
import numpy as np

from seiryu.filters.signals.fineweb_letters import LINE_END, SENTENCE_END
from seiryu.filters.signals.repeats import count_repeats, room_for_repeats
from seiryu.filters.signals.swallow_kernels import strip

COUNTS = (
    "blocks", "repeated_blocks", "lines", "repeated_line_letters", "ended_lines", "letters",
    "all_lines", "bullets", "teasers",
)  # fmt: skip
(BLOCKS, REPEATED_BLOCKS, LINES, REPEATED_LINE_LETTERS, ENDED_LINES, LETTERS, ALL_LINES, BULLETS, TEASERS) = range(9)
LINE_FEED, RETURN, BULLET, HYPHEN, ELLIPSIS, DOT = (ord(letter) for letter in "\n\r•-….")


@nb.njit(cache=True, nogil=True)
def count(points, offsets, classes, kinds):
    """int64[texts, len(COUNTS)]; `classes`: `letters.CLASSES`, `kinds`: `fineweb_letters.CLASSES`."""
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    blocks = np.empty((longest // 2 + 3, 2), np.int32)  # line feeds stand between any two; the first and the last may be empty
    lines = np.empty((longest // 2 + 1, 2), np.int32)
    table = room_for_repeats(len(blocks))
    counts = np.zeros((len(offsets) - 1, len(COUNTS)), np.int64)
    for i in range(len(offsets) - 1):
        row = counts[i]
        text = points[offsets[i] : offsets[i + 1]]
        _lines(text, classes, kinds, blocks, lines, row)
        row[REPEATED_BLOCKS] = count_repeats(text, blocks[: row[BLOCKS]], table)[0]
        row[REPEATED_LINE_LETTERS] = count_repeats(text, lines[: row[LINES]], table)[1]
        _all_lines(text, classes, kinds, row)
    return counts


@nb.njit(cache=True, nogil=True)
def _lines(text, classes, kinds, blocks, lines, row):
    """Fills the spans of blocks and of lines that are not blank."""
    first = 0
    for k in range(len(text) + 1):
        if k < len(text) and text[k] != LINE_FEED:
            continue
        if k > first or first == 0 or k == len(text):
            blocks[row[BLOCKS], 0], blocks[row[BLOCKS], 1] = first, k
            row[BLOCKS] += 1
            row[LETTERS] += k - first
        left, right = strip(text, classes, first, k)
        if left < right:
            lines[row[LINES], 0], lines[row[LINES], 1] = first, k
            row[LINES] += 1
            row[ENDED_LINES] += kinds[text[k - 1]] & SENTENCE_END != 0
        first = k + 1


@nb.njit(cache=True, nogil=True)
def _all_lines(text, classes, kinds, row):
    """Lines as str.splitlines() cuts them, those that begin with a bullet and those that end in dots."""
    first = 0
    for k in range(len(text) + 1):
        if k < len(text) and not kinds[text[k]] & LINE_END:
            continue
        after_return = 0 < k < len(text) and text[k] == LINE_FEED and text[k - 1] == RETURN
        if not after_return and (k < len(text) or k > first):
            left, right = strip(text, classes, first, k)
            row[ALL_LINES] += 1
            row[BULLETS] += left < right and (text[left] == BULLET or text[left] == HYPHEN)
            dots = right - left > 2 and text[right - 1] == text[right - 2] == text[right - 3] == DOT
            row[TEASERS] += dots or (left < right and text[right - 1] == ELLIPSIS)
        first = k + 1
