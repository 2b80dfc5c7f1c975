"""Whole numbers counted over the letters of many texts for the family `swallow`; `swallow` divides them.

Three passes over a text, each linear in its length. *Lines*: stripped lines become paragraphs, one after the other in `body`, an
impossible letter (GAP) behind each, so that no n-gram runs over it. *Repeats*: paragraphs and sentences that occurred before
(`repeats`). *n-grams*: those that occur twice or more (`ngrams`). Memory: 40 to 50 bytes a letter of the longest text, taken once
for all texts.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import numba as nb
import numpy as np

from seiryu.filters.letters import BREAK, DIGIT, HIRAGANA, JAPANESE, KATAKANA, SPACE, TERMINATOR
from seiryu.filters.signals.ngrams import GAP, GRAM_COUNTS, LONGEST_GRAM, count_ngrams, room_for_ngrams
from seiryu.filters.signals.repeats import count_repeats, room_for_repeats

COUNTS = (
    "letters", "japanese_letters", "hiragana", "katakana",
    "paragraphs", "paragraph_letters", "repeated_paragraphs", "repeated_paragraph_letters",
    "sentences", "sentence_letters", "repeated_sentences", "repeated_sentence_letters",
    "longest_sentence_letters", "ellipses",
    *GRAM_COUNTS,
)  # fmt: skip
(LETTERS, JAPANESE_LETTERS, HIRAGANA_LETTERS, KATAKANA_LETTERS) = range(4)
(PARAGRAPHS, PARAGRAPH_LETTERS, REPEATED_PARAGRAPHS, REPEATED_PARAGRAPH_LETTERS) = range(4, 8)
(SENTENCES, SENTENCE_LETTERS, REPEATED_SENTENCES, REPEATED_SENTENCE_LETTERS) = range(8, 12)
(LONGEST, ELLIPSES, GRAMS) = range(12, 15)

FULL_STOP, MIDDLE_DOT, ELLIPSIS = ord("。"), ord("・"), ord("…")


@nb.njit(cache=True, nogil=True)
def count(points, offsets, classes, tally):
    """int64[texts, len(COUNTS)] of texts as `letters.codepoints` gives them.

    `classes`: `letters.CLASSES`; `tally`: `ngrams.tally_of_letters()`, for this call alone.
    """
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    body = np.empty(longest + 1, np.uint32)
    paragraphs = np.empty((longest // 2 + 1, 2), np.int32)  # a line break stands between any two
    sentences = np.empty((longest // 2 + 1, 2), np.int32)  # of two letters, unless a line ends
    table, room = room_for_repeats(longest // 2 + 1), room_for_ngrams(longest + 1)
    counts = np.zeros((len(offsets) - 1, len(COUNTS)), np.int64)
    for i in range(len(offsets) - 1):
        row = counts[i]
        text = points[offsets[i] : offsets[i + 1]]
        _letters(text, classes, row)
        size = _lines(text, classes, body, paragraphs, sentences, row)
        row[REPEATED_PARAGRAPHS], row[REPEATED_PARAGRAPH_LETTERS] = count_repeats(body, paragraphs[: row[PARAGRAPHS]], table)
        row[REPEATED_SENTENCES], row[REPEATED_SENTENCE_LETTERS] = count_repeats(body, sentences[: row[SENTENCES]], table)
        count_ngrams(body[:size], tally, room, row[GRAMS:].reshape(4, LONGEST_GRAM))
    return counts


@nb.njit(cache=True, nogil=True)
def _letters(text, classes, row):
    letters = japanese = hiragana = katakana = 0
    for point in text:
        flags = classes[point]
        letters += (flags & BREAK) == 0
        japanese += (flags & JAPANESE) != 0
        hiragana += (flags & HIRAGANA) != 0
        katakana += (flags & KATAKANA) != 0
    row[LETTERS], row[JAPANESE_LETTERS], row[HIRAGANA_LETTERS] = letters, japanese, hiragana
    row[KATAKANA_LETTERS] = katakana


@nb.njit(cache=True, nogil=True)
def _lines(text, classes, body, paragraphs, sentences, row):
    """Fills body and the spans of paragraphs and sentences in it; returns the length of the body."""
    size, first, end = 0, 0, len(text)
    while first < end:
        last = first
        while last < end and not classes[text[last]] & BREAK:
            last += 1
        left, right = strip(text, classes, first, last)
        first = last + 1
        if left == right:
            continue
        start = size
        for i in range(left, right):
            body[size] = text[i]
            size += 1
        paragraphs[row[PARAGRAPHS], 0], paragraphs[row[PARAGRAPHS], 1] = start, size
        row[PARAGRAPHS] += 1
        row[PARAGRAPH_LETTERS] += size - start
        _sentences(body, classes, start, size, sentences, row)
        body[size] = GAP
        size += 1
    return size


@nb.njit(cache=True, nogil=True)
def _sentences(body, classes, start, end, sentences, row):
    for i in range(start, end):
        if classes[body[i]] & TERMINATOR:
            decimal = body[i] != FULL_STOP and start < i < end - 1
            if decimal and classes[body[i - 1]] & DIGIT and classes[body[i + 1]] & DIGIT:
                continue
            _sentence(body, classes, start, i, i + 1, sentences, row)
            start = i + 1
    _sentence(body, classes, start, end, end, sentences, row)


@nb.njit(cache=True, nogil=True)
def _sentence(body, classes, start, run, end, sentences, row):
    """The run [start, run) and its terminator if any, up to `end`: a sentence unless the run is blank."""
    left, right = strip(body, classes, start, run)
    if left == right:
        return
    sentences[row[SENTENCES], 0], sentences[row[SENTENCES], 1] = left, end  # a paragraph ends in no white space
    row[SENTENCES] += 1
    row[SENTENCE_LETTERS] += end - left
    row[LONGEST] = max(row[LONGEST], end - left)
    row[ELLIPSES] += body[end - 1] == MIDDLE_DOT or body[end - 1] == ELLIPSIS


@nb.njit(cache=True, nogil=True)
def strip(text, classes, left, right):
    """Where text[left:right] begins and ends without white space; as much as str.strip() takes."""
    while left < right and classes[text[left]] & SPACE:
        left += 1
    while left < right and classes[text[right - 1]] & SPACE:
        right -= 1
    return left, right
