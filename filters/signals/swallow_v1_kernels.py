"""Whole numbers counted over the letters of many texts for the family `swallow_v1`; `swallow_v1` divides them.

As in `swallow_kernels`, with other lines, sentences and n-grams. `body` first holds the sentences one after the other, so that a
line's sentences are its paragraph; then the text itself, whose n-grams run over line breaks. Memory: 50 to 70 bytes a letter of
the longest text, taken once for all texts: a text may consist of line breaks, each with an empty paragraph before it.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import numba as nb
import numpy as np

from seiryu.filters.letters import HIRAGANA, KANJI, KATAKANA, PUNCTUATION, TERMINATOR
from seiryu.filters.signals.ngrams import GAP, GRAM_COUNTS, LONGEST_GRAM, count_ngrams, room_for_ngrams
from seiryu.filters.signals.repeats import count_repeats, room_for_repeats
from seiryu.filters.signals.swallow_kernels import strip

COUNTS = (
    "letters", "japanese_letters", "hiragana", "katakana",
    "paragraphs", "repeated_paragraphs", "repeated_paragraph_letters",
    "sentences", "sentence_letters", "repeated_sentences", "repeated_sentence_letters",
    "longest_sentence_letters", "ellipses",
    *GRAM_COUNTS,
)  # fmt: skip
(LETTERS, JAPANESE_LETTERS, HIRAGANA_LETTERS, KATAKANA_LETTERS) = range(4)
(PARAGRAPHS, REPEATED_PARAGRAPHS, REPEATED_PARAGRAPH_LETTERS) = range(4, 7)
(SENTENCES, SENTENCE_LETTERS, REPEATED_SENTENCES, REPEATED_SENTENCE_LETTERS) = range(7, 11)
(LONGEST, ELLIPSES, GRAMS) = range(11, 14)

# The last of the letters that count, in each of the classes of `letters`, which go on behind them.
LAST_HIRAGANA, LAST_KATAKANA, LAST_KANJI = 0x3096, 0x30FA, 0xFAFF
LINE_FEED, MIDDLE_DOT, ELLIPSIS = ord("\n"), ord("・"), ord("…")


@nb.njit(cache=True, nogil=True)
def count(points, offsets, classes, tally):
    """int64[texts, len(COUNTS)]; the arguments are those of `swallow_kernels.count`."""
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    body = np.empty(longest + 1, np.uint32)
    paragraphs = np.empty((longest + 1, 2), np.int32)
    sentences = np.empty((longest // 2 + 1, 2), np.int32)  # of two letters, unless a line ends
    table, room = room_for_repeats(longest + 1), room_for_ngrams(longest + 1)
    counts = np.zeros((len(offsets) - 1, len(COUNTS)), np.int64)
    for i in range(len(offsets) - 1):
        row = counts[i]
        text = points[offsets[i] : offsets[i + 1]]
        _letters(text, classes, row)
        _paragraphs(text, classes, body, paragraphs, sentences, row)
        row[REPEATED_PARAGRAPHS], row[REPEATED_PARAGRAPH_LETTERS] = count_repeats(body, paragraphs[: row[PARAGRAPHS]], table)
        row[REPEATED_SENTENCES], row[REPEATED_SENTENCE_LETTERS] = count_repeats(body, sentences[: row[SENTENCES]], table)
        body[: len(text)], body[len(text)] = text, GAP
        count_ngrams(body[: len(text) + 1], tally, room, row[GRAMS:].reshape(4, LONGEST_GRAM))
    return counts


@nb.njit(cache=True, nogil=True)
def _letters(text, classes, row):
    hiragana = katakana = others = 0
    for point in text:
        flags = classes[point]
        hiragana += flags & HIRAGANA != 0 and point <= LAST_HIRAGANA
        katakana += flags & KATAKANA != 0 and point <= LAST_KATAKANA
        others += flags & PUNCTUATION != 0 or (flags & KANJI != 0 and point <= LAST_KANJI)
    row[LETTERS], row[HIRAGANA_LETTERS], row[KATAKANA_LETTERS] = len(text), hiragana, katakana
    row[JAPANESE_LETTERS] = hiragana + katakana + others


@nb.njit(cache=True, nogil=True)
def _paragraphs(text, classes, body, paragraphs, sentences, row):
    """Fills body and the spans of paragraphs and sentences in it."""
    size = start = sentence = 0
    for i in range(len(text) + 1):
        ended = i == len(text) or text[i] == LINE_FEED
        if not ended:
            terminator = classes[text[i]] & TERMINATOR != 0
            if terminator and size == sentence:
                continue  # behind another terminator, or at the beginning of a line
            body[size] = text[i]
            size += 1
            if not terminator:
                continue
        if size > sentence:
            _sentence(body, classes, sentence, size, sentences, row)
            sentence = size
        if ended:
            paragraphs[row[PARAGRAPHS], 0], paragraphs[row[PARAGRAPHS], 1] = start, size
            row[PARAGRAPHS] += 1
            start = size


@nb.njit(cache=True, nogil=True)
def _sentence(body, classes, first, last, sentences, row):
    sentences[row[SENTENCES], 0], sentences[row[SENTENCES], 1] = first, last
    row[SENTENCES] += 1
    row[SENTENCE_LETTERS] += last - first
    row[LONGEST] = max(row[LONGEST], last - first)
    first, last = strip(body, classes, first, last)
    row[ELLIPSES] += last > first and (body[last - 1] == MIDDLE_DOT or body[last - 1] == ELLIPSIS)
