"""Whole numbers counted over the letters of many texts; `signals` divides them.

Three passes over a text, each linear in its length. *Lines*: stripped lines become paragraphs, one after the
other in `body`, an impossible letter (GAP) behind each. *Repeats*: paragraphs and sentences go into a hash
table that compares the letters whenever two hashes agree, so that a collision costs time and never changes a
count. *n-grams*: the key of an (n+1)-gram is (number of its first n letters, last letter), 32 + 21 bits:
exact without looking at the letters again. An n-gram can occur twice only where both n-grams in it do, so
that each length looks only at what the one before left over: on Japanese manuals a third of the letters
from n = 6 on. A suffix array tells the same and is slower to build.

n-grams lie within a paragraph. Memory: about 50 bytes a letter of the longest text, taken once for all texts.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import numba as nb
import numpy as np

from seiryu.filters.letters import BREAK, DIGIT, HIRAGANA, JAPANESE, KATAKANA, SPACE, TERMINATOR

COUNTS = (
    "letters", "japanese_letters", "hiragana", "katakana",
    "paragraphs", "paragraph_letters", "repeated_paragraphs", "repeated_paragraph_letters",
    "sentences", "sentence_letters", "repeated_sentences", "repeated_sentence_letters",
    "longest_sentence_letters", "ellipses",
    *(f"all_{n}grams" for n in range(2, 11)),
    *(f"top_{n}gram" for n in range(2, 11)),
    *(f"duplicate_{n}grams" for n in range(2, 11)),
)  # fmt: skip
(LETTERS, JAPANESE_LETTERS, HIRAGANA_LETTERS, KATAKANA_LETTERS) = range(4)
(PARAGRAPHS, PARAGRAPH_LETTERS, REPEATED_PARAGRAPHS, REPEATED_PARAGRAPH_LETTERS) = range(4, 8)
(SENTENCES, SENTENCE_LETTERS, REPEATED_SENTENCES, REPEATED_SENTENCE_LETTERS) = range(8, 12)
(LONGEST, ELLIPSES, ALL_GRAMS, TOP_GRAM, DUPLICATE_GRAMS) = (12, 13, 14, 23, 32)
LONGEST_GRAM = 10

GAP = np.uint32(0x1FFFFF)  # no code point, and still 21 bits
FULL_STOP, MIDDLE_DOT, ELLIPSIS = ord("。"), ord("・"), ord("…")


@nb.njit(cache=True, nogil=True)
def count(points, offsets, classes):
    """int64[texts, len(COUNTS)] of texts as `letters.codepoints` gives them; `classes`: `letters.CLASSES`."""
    texts = len(offsets) - 1
    longest = 0
    for i in range(texts):
        longest = max(longest, offsets[i + 1] - offsets[i])
    body = np.empty(longest + 1, np.uint32)
    paragraphs = np.empty((longest // 2 + 1, 2), np.int32)  # a line break stands between any two
    sentences = np.empty((longest + 1, 2), np.int32)
    slots = np.empty(longest + 1, np.int32)
    active = np.empty(longest + 1, np.int32)
    room = _room(longest + 1)
    keys, values = np.empty(room, np.uint64), np.empty(room, np.int32)
    counts = np.zeros((texts, len(COUNTS)), np.int64)
    for i in range(texts):
        row = counts[i]
        text = points[offsets[i] : offsets[i + 1]]
        _letters(text, classes, row)
        size = _lines(text, classes, body, paragraphs, sentences, row)
        row[REPEATED_PARAGRAPHS], row[REPEATED_PARAGRAPH_LETTERS] = _repeats(body, paragraphs[: row[PARAGRAPHS]], keys, values)
        row[REPEATED_SENTENCES], row[REPEATED_SENTENCE_LETTERS] = _repeats(body, sentences[: row[SENTENCES]], keys, values)
        for p in range(row[PARAGRAPHS]):
            length = paragraphs[p, 1] - paragraphs[p, 0]
            for n in range(2, min(LONGEST_GRAM, length) + 1):
                row[ALL_GRAMS + n - 2] += length - n + 1
        _grams(body[:size], slots, active, keys, values, row)
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
        left, right = _strip(text, classes, first, last)
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
    left, right = _strip(body, classes, start, run)
    if left == right:
        return
    sentences[row[SENTENCES], 0], sentences[row[SENTENCES], 1] = left, end  # a paragraph ends in no white space
    row[SENTENCES] += 1
    row[SENTENCE_LETTERS] += end - left
    row[LONGEST] = max(row[LONGEST], end - left)
    row[ELLIPSES] += body[end - 1] == MIDDLE_DOT or body[end - 1] == ELLIPSIS


@nb.njit(cache=True, nogil=True)
def _strip(text, classes, left, right):
    while left < right and classes[text[left]] & SPACE:
        left += 1
    while left < right and classes[text[right - 1]] & SPACE:
        right -= 1
    return left, right


@nb.njit(cache=True, nogil=True)
def _repeats(body, spans, keys, values):
    """(spans that occurred before, letters in them)."""
    mask = _room(len(spans)) - 1
    values[: mask + 1] = -1
    repeated, letters = 0, 0
    for s in range(len(spans)):
        first, last = spans[s, 0], spans[s, 1]
        key = _hash(body, first, last)
        slot = np.int64(_mix(key) & np.uint64(mask))
        while values[slot] >= 0 and not (keys[slot] == key and _same(body, spans, s, values[slot])):
            slot = (slot + 1) & mask
        if values[slot] < 0:
            keys[slot], values[slot] = key, s
        else:
            repeated += 1
            letters += last - first
    return repeated, letters


@nb.njit(cache=True, nogil=True)
def _hash(body, first, last):
    key = np.uint64(last - first)
    for i in range(first, last):
        key = (key ^ np.uint64(body[i])) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key


@nb.njit(cache=True, nogil=True)
def _same(body, spans, a, b):
    length = spans[a, 1] - spans[a, 0]
    if spans[b, 1] - spans[b, 0] != length:
        return False
    for i in range(length):  # noqa: SIM110 (numba has no all() of a generator)
        if body[spans[a, 0] + i] != body[spans[b, 0] + i]:
            return False
    return True


@nb.njit(cache=True, nogil=True)
def _grams(body, slots, active, keys, values, row):
    """Occurrences of the most frequent n-gram, and of all that occur twice or more, for n from 2 to 10.

    `slots[i]` names the n-gram at i: its slot in the table of its length (its letter for n = 1), -1 if it
    occurs once.
    """
    size = len(body)
    left = 0
    for i in range(size):
        slots[i] = -1 if body[i] == GAP else np.int32(body[i])
        if i + 1 < size:
            active[left] = i
            left += 1
    for n in range(2, LONGEST_GRAM + 1):
        kept = 0
        for a in range(left):
            i = active[a]
            if slots[i] >= 0 and slots[i + 1] >= 0:  # i + 1 still has its n-1-gram here: order matters
                active[kept] = i
                kept += 1
            else:
                slots[i] = -1
        left = kept
        mask = _room(left) - 1
        values[: mask + 1] = 0
        for a in range(left):
            i = active[a]
            key = np.uint64(slots[i]) << np.uint64(21) | np.uint64(body[i + n - 1])
            slot = np.int64(_mix(key) & np.uint64(mask))
            while values[slot] and keys[slot] != key:
                slot = (slot + 1) & mask
            keys[slot] = key
            values[slot] += 1
            slots[i] = slot
        top, duplicates = min(1, row[ALL_GRAMS + n - 2]), 0
        for a in range(left):
            occurrences = values[slots[active[a]]]
            if occurrences > 1:
                duplicates += 1
                top = max(top, occurrences)
            else:
                slots[active[a]] = -1
        row[TOP_GRAM + n - 2] = top
        row[DUPLICATE_GRAMS + n - 2] = duplicates


@nb.njit(cache=True, nogil=True)
def _mix(key):
    key = (key ^ (key >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return key ^ (key >> np.uint64(32))


@nb.njit(cache=True, nogil=True)
def _room(entries):
    """The smallest power of two that leaves a third of a hash table free."""
    room = 8
    while 2 * room < 3 * entries:
        room *= 2
    return room
