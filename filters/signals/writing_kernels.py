"""Whole numbers counted over the letters of many texts for `signals.writing`, which divides them and says what they mean.

Four passes over a text that is in the cache: letters one by one, mojibake, URLs, lines. Each looks a letter up once, in a table of
32 flags for each code point, and goes forward only: linear for any text.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import numba as nb
import numpy as np

COUNTS = (
    "letters", "kanji", "simplified", "traditional", "digits", "latin", "symbols", "mojibake", "url_letters",
    "line_letters", "list_letters",
)  # fmt: skip
(LETTERS, KANJI_LETTERS, SIMPLIFIED_LETTERS, TRADITIONAL_LETTERS, DIGITS, LATIN_LETTERS, SYMBOLS) = range(7)
(MOJIBAKE, URL_LETTERS, LINE_LETTERS, LIST_LETTERS) = range(7, 11)

# the first eight flags are those of `letters.CLASSES`
HIRAGANA, KANA, KANJI, SPACE, DIGIT, BREAK = (np.uint32(flag) for flag in (1, 3, 4, 16, 64, 128))
SIMPLIFIED, TRADITIONAL, LATIN, SYMBOL, IN_URL, BULLET, SEPARATOR, END = (np.uint32(1 << bit) for bit in range(8, 16))
LOST, TAIL, LEAD_2, LEAD_3, LEAD_4, CP1252_KANA, CP1252_TAIL, EUC_KANA = (np.uint32(1 << bit) for bit in range(16, 24))
EUC_TAIL, CP932_HAN, CP932_KANA, HALF_WIDTH, HALF_COMMA, CP932_TAIL, FREE = (np.uint32(1 << bit) for bit in range(24, 31))
MARK = LOST | LEAD_2 | LEAD_3 | LEAD_4 | CP1252_KANA | EUC_KANA | CP932_HAN | CP932_KANA | HALF_COMMA

SHORT_LINE = 20  # letters: the mean sentence of prose is longer, most entries of menus are not
QUESTIONS = 3
NUMERALS = 3  # digits of the number of an entry
KANJI_TO_KANA = 4  # at least so many for each kana: a line of Chinese, or a heading
QUESTION, COLON, SLASH, DOT, HYPHEN = ord("?"), ord(":"), ord("/"), ord("."), ord("-")


@nb.njit(cache=True, nogil=True)
def count(points, offsets, flags):
    """int64[texts, len(COUNTS)] of texts as `letters.codepoints` gives them; `flags`: `writing.FLAGS`."""
    counts = np.zeros((len(offsets) - 1, len(COUNTS)), np.int64)
    for i in range(len(counts)):
        text, row = points[offsets[i] : offsets[i + 1]], counts[i]
        _letters(text, flags, row)
        row[MOJIBAKE] = _mojibake(text, flags)
        row[URL_LETTERS] = _urls(text, flags)
        _lines(text, flags, row)
    return counts


@nb.njit(cache=True, nogil=True)
def _letters(text, flags, row):
    letters = kanji = simplified = digits = latin = symbols = 0
    for point in text:
        flag = flags[point]
        letters += (flag & BREAK) == 0
        kanji += (flag & KANJI) != 0
        simplified += (flag & SIMPLIFIED) != 0
        digits += (flag & DIGIT) != 0
        latin += (flag & LATIN) != 0
        symbols += (flag & SYMBOL) != 0
    row[LETTERS], row[KANJI_LETTERS], row[SIMPLIFIED_LETTERS] = letters, kanji, simplified
    row[DIGITS], row[LATIN_LETTERS], row[SYMBOLS] = digits, latin, symbols


@nb.njit(cache=True, nogil=True)
def _mojibake(text, flags):
    """Letters in marks of a wrong codec, each counted once."""
    found, i, end = 0, 0, len(text)
    while i < end:
        if text[i] == QUESTION:
            first = i
            while i < end and text[i] == QUESTION:
                i += 1
            if i - first >= QUESTIONS and (first == 0 or flags[text[first - 1]] & FREE):
                found += i - first
        elif flags[text[i]] & MARK:
            length = _mark(text, flags, i)
            found += length
            i += max(length, 1)
        else:
            i += 1
    return found


@nb.njit(cache=True, nogil=True)
def _mark(text, flags, i):
    """Length of the mark that begins at i, 0 if none does."""
    flag, left = flags[text[i]], len(text) - i
    second = flags[text[i + 1]] if left > 1 else np.uint32(0)
    if flag & LOST:
        return 1
    if flag & (LEAD_2 | LEAD_3 | LEAD_4):
        length = 2 if flag & LEAD_2 else 3 if flag & LEAD_3 else 4
        if length > left:
            return 0
        for k in range(i + 1, i + length):
            if not flags[text[k]] & TAIL:
                return 0
        return length
    if flag & HALF_COMMA:
        length = 0
        while length + 1 < left and flags[text[i + length]] & HALF_COMMA and flags[text[i + length + 1]] & HALF_WIDTH:
            length += 2
        return length if length > 2 else 0
    if flag & CP1252_KANA:
        return 2 if second & CP1252_TAIL else 0
    if flag & EUC_KANA:
        return 2 if second & EUC_TAIL else 0
    if flag & CP932_KANA:
        return 2 if second & (HALF_WIDTH | CP932_TAIL) else 0
    return 2 if second & HALF_WIDTH else 0


@nb.njit(cache=True, nogil=True)
def _urls(text, flags):
    """Letters of what has a scheme and ://, or begins like www.a or a.jp/."""
    found, i, end = 0, 0, len(text)
    while i < end:
        if not flags[text[i]] & IN_URL:
            i += 1
            continue
        last = i
        while last < end and flags[text[last]] & IN_URL:
            last += 1
        found += last - _url(text, flags, i, last)
        i = last
    return found


@nb.njit(cache=True, nogil=True)
def _url(text, flags, first, last):
    """Where a URL begins in a run of letters that may stand in one; `last` if none does."""
    if _is_host(text, flags, first, last):
        return first
    for i in range(first + 1, last - 3):
        if text[i] == COLON and text[i + 1] == SLASH and text[i + 2] == SLASH and flags[text[i - 1]] & LATIN:
            begin = i - 1
            while begin > first and flags[text[begin - 1]] & LATIN:
                begin -= 1
            return begin
    return last


@nb.njit(cache=True, nogil=True)
def _is_host(text, flags, first, last):
    """Whether the run begins with www. and a letter, or with labels, dots, a top level domain of letters and a slash."""
    label, only_latin, dots = first, True, 0
    for i in range(first, last):
        if text[i] == DOT:
            if i == label:
                return False
            www = i == first + 3 and _is_w(text[first]) and _is_w(text[first + 1]) and _is_w(text[first + 2])
            if www and i + 1 < last and flags[text[i + 1]] & (LATIN | DIGIT):
                return True
            label, only_latin, dots = i + 1, True, dots + 1
        elif text[i] == SLASH:
            return dots > 0 and only_latin and i - label >= 2
        elif not flags[text[i]] & LATIN:
            if not flags[text[i]] & DIGIT and text[i] != HYPHEN:
                return False
            only_latin = False
    return False


@nb.njit(cache=True, nogil=True)
def _is_w(point):
    return point | 32 == 119


@nb.njit(cache=True, nogil=True)
def _lines(text, flags, row):
    """Letters of lines without the white space around them, of those that look like entries of a list, traditional ones."""
    first, end = 0, len(text)
    while first < end:
        last, kana, kanji, traditional, separators = first, 0, 0, 0, 0
        while last < end and not flags[text[last]] & BREAK:
            flag = flags[text[last]]
            kana += (flag & KANA) != 0
            kanji += (flag & KANJI) != 0
            traditional += (flag & TRADITIONAL) != 0
            separators += (flag & SEPARATOR) != 0
            last += 1
        left, right = first, last
        while left < right and flags[text[left]] & SPACE:
            left += 1
        while left < right and flags[text[right - 1]] & SPACE:
            right -= 1
        first = last + 1
        row[LINE_LETTERS] += right - left
        if kana * KANJI_TO_KANA <= kanji:
            row[TRADITIONAL_LETTERS] += traditional
        if left == right or flags[text[right - 1]] & END:
            continue
        if separators > 1 or _is_entry(text, flags, left, right):
            row[LIST_LETTERS] += right - left


@nb.njit(cache=True, nogil=True)
def _is_entry(text, flags, left, right):
    """Whether a line that ends no sentence begins with a bullet or a number, or is short and does not end in hiragana."""
    if flags[text[left]] & BULLET:
        return True
    i = left + (text[left] == 0x28 or text[left] == 0xFF08)  # ( and （
    digits = i
    while i < right and flags[text[i]] & DIGIT:
        i += 1
    if 0 < i - digits <= NUMERALS and i < right:
        closing = text[i] == 0x29 or text[i] == 0xFF09
        stop = text[i] == DOT or text[i] == 0xFF0E or text[i] == 0x3001  # ．、
        if (closing or (stop and digits == left)) and (i + 1 == right or not flags[text[i + 1]] & DIGIT):
            return True
    return right - left < SHORT_LINE and not flags[text[right - 1]] & HIRAGANA
