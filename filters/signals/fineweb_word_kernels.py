"""Whole numbers counted over the words of many texts for the family `fineweb`; `fineweb` divides them.

The words are laid out in `body` one after the other, so that an n-gram of words is a piece of it: with a space after each word for the
most frequent n-grams, then without for those that come back, as datatrove joins them. A piece is looked up by its letters
(`repeats`), however they are cut into words. Linear in the letters, each of which is read for every n-gram that it is in, 54
times. Memory: 10 bytes a letter and 40 to 60 a word of the longest text.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import numba as nb
import numpy as np

from seiryu.filters.signals.fineweb_letters import ALPHABETIC, PUNCTUATION
from seiryu.filters.signals.repeats import clear, find, room_for_repeats
from seiryu.filters.signals.swallow_kernels import strip

FIRST_TOP, FIRST_DUPLICATE, LONGEST_GRAM = 2, 5, 10
COUNTS = (
    "letters", "line_feeds", "hashes", "ellipses", "words", "solid_words", "solid_word_letters", "alphabetic_words", "stop_words",
    *(f"top_{n}gram_letters" for n in range(FIRST_TOP, FIRST_DUPLICATE)),
    *(f"duplicate_{n}gram_letters" for n in range(FIRST_DUPLICATE, LONGEST_GRAM + 1)),
)  # fmt: skip
(LETTERS, LINE_FEEDS, HASHES, ELLIPSES) = range(4)
(WORDS, SOLID_WORDS, SOLID_WORD_LETTERS, ALPHABETIC_WORDS, STOP_WORDS, GRAMS) = range(4, 10)

STOPS = np.array([ord(word) for word in "のにをはたてがとで年し・月れさ"], np.uint32)
LINE_FEED, HASH, ELLIPSIS, DOT, SPACE = (ord(letter) for letter in "\n#…. ")


@nb.njit(cache=True, nogil=True)
def count(points, offsets, spans, first_spans, classes, kinds):
    """int64[texts, len(COUNTS)]; the words of text i begin and end in it at `spans[first_spans[i]:first_spans[i + 1]]`.

    `classes`: `letters.CLASSES`, `kinds`: `fineweb_letters.CLASSES`.
    """
    longest = most = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
        most = max(most, first_spans[i + 1] - first_spans[i])
    body, begins = np.empty(longest + most, np.uint32), np.empty(most + 1, np.int32)
    words, grams = np.empty((most, 2), np.int32), np.empty((most, 2), np.int32)
    times, table = np.empty(most, np.int32), room_for_repeats(most)
    counts = np.zeros((len(offsets) - 1, len(COUNTS)), np.int64)
    for i in range(len(offsets) - 1):
        row = counts[i]
        text = points[offsets[i] : offsets[i + 1]]
        _letters(text, row)
        for s in range(first_spans[i], first_spans[i + 1]):
            left, right = strip(text, classes, spans[s, 0], spans[s, 1])
            if left < right:
                words[row[WORDS], 0], words[row[WORDS], 1] = left, right
                _word(text[left:right], kinds, row)
        laid = words[: row[WORDS]]
        _stop_words(text, laid, row)
        _lay_out(text, laid, 1, body, begins)
        for n in range(FIRST_TOP, FIRST_DUPLICATE):
            row[GRAMS + n - FIRST_TOP] = _top(body, _grams(begins, len(laid), n, 1, grams), times, table)
        _lay_out(text, laid, 0, body, begins)
        for n in range(FIRST_DUPLICATE, LONGEST_GRAM + 1):
            row[GRAMS + n - FIRST_TOP] = _repeated(body, _grams(begins, len(laid), n, 0, grams), n, table)
    return counts


@nb.njit(cache=True, nogil=True)
def _letters(text, row):
    dots = 0
    for point in text:
        row[LINE_FEEDS] += point == LINE_FEED
        row[HASHES] += point == HASH
        dots = dots + 1 if point == DOT else 0
        row[ELLIPSES] += point == ELLIPSIS or (dots > 0 and dots % 3 == 0)
    row[LETTERS] = len(text)


@nb.njit(cache=True, nogil=True)
def _word(word, kinds, row):
    solid = alphabetic = False
    for point in word:
        solid |= kinds[point] & PUNCTUATION == 0
        alphabetic |= kinds[point] & ALPHABETIC != 0
    row[WORDS] += 1
    row[SOLID_WORDS] += solid
    row[SOLID_WORD_LETTERS] += solid * len(word)
    row[ALPHABETIC_WORDS] += alphabetic


@nb.njit(cache=True, nogil=True)
def _stop_words(text, words, row):
    """How many different ones there are."""
    for stop in STOPS:
        for w in range(len(words)):
            if words[w, 1] - words[w, 0] == 1 and text[words[w, 0]] == stop:
                row[STOP_WORDS] += 1
                break


@nb.njit(cache=True, nogil=True)
def _lay_out(text, words, gap, body, begins):
    """Where each word begins in the body, with `gap` spaces behind each; after the last word, where one more would."""
    size = 0
    for w in range(len(words)):
        begins[w] = size
        for k in range(words[w, 0], words[w, 1]):
            body[size] = text[k]
            size += 1
        for _ in range(gap):
            body[size] = SPACE
            size += 1
    begins[len(words)] = size


@nb.njit(cache=True, nogil=True)
def _grams(begins, words, n, gap, grams):
    """Where the n-grams begin and end in the body."""
    for w in range(words - n + 1):
        grams[w, 0], grams[w, 1] = begins[w], begins[w + n] - gap
    return grams[: max(0, words - n + 1)]


@nb.njit(cache=True, nogil=True)
def _top(body, grams, times, table):
    """Letters in all occurrences of the most frequent n-gram, the earliest of several."""
    mask = clear(table, len(grams))
    times[: len(grams)] = 0
    for g in range(len(grams)):
        times[find(body, grams, g, table, mask)] += 1
    top = letters = 0
    for g in range(len(grams)):
        if times[g] > top:
            top = times[g]
            letters = top * (grams[g, 1] - grams[g, 0])
    return letters


@nb.njit(cache=True, nogil=True)
def _repeated(body, grams, n, table):
    """Letters in n-grams that came before, none of which shares a word with the one counted before it."""
    mask = clear(table, len(grams))
    g = letters = 0
    while g < len(grams):
        if find(body, grams, g, table, mask) == g:
            g += 1
        else:
            letters += grams[g, 1] - grams[g, 0]
            g += n
    return letters
