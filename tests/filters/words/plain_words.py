"""What words.matching does, in plain Python: every substring of a text is looked up, every end asked of Sudachi."""

import functools
import re
import unicodedata

from sudachipy import Dictionary, SplitMode

_KANA = r"ぁ-ゖゝ-ゟァ-ヺー-ヿㇰ-ㇿｦ-ﾟ\U0001b000-\U0001b122\U0001b132\U0001b150-\U0001b152\U0001b155\U0001b164-\U0001b167゙゚"
_KANJI = r"々〇〻㐀-鿿豈-﫿\U00020000-\U0002fffd\U00030000-\U0003fffd"
_LATIN = "0-9A-Za-z_０-９Ａ-Ｚａ-ｚ＿À-ÖØ-öø-ɏ"
IS_LATIN, IS_DIGIT, IS_JAPANESE = (re.compile(f"[{letters}]") for letters in (_LATIN, "0-9０-９", _KANA + _KANJI))
IN_CLAUSE = re.compile(f"[{_KANA}{_KANJI}{_LATIN}・･]")
MARKS = {"゙": "゙", "ﾞ": "゙", "゚": "゚", "ﾟ": "゚"}
ASCII_LOWER = {upper: upper + 32 for upper in range(65, 91)}


def letters_of(text):
    """[letter as width alone changes it, begin, end]."""
    found = []
    for place, letter in enumerate(text):
        joined = unicodedata.normalize("NFC", found[-1][0] + MARKS[letter]) if letter in MARKS and found else ""
        if len(joined) == 1:
            found[-1] = [joined, found[-1][1], place + 1]
            continue
        narrow = "！" <= letter <= "～" or "｡" <= letter <= "ﾝ" or letter == "\u3000"
        found.append([unicodedata.normalize("NFKC", letter) if narrow else letter, place, place + 1])
    return found


def known_as(word):
    word = "".join(letter for letter, _, _ in letters_of(word))
    return word if len(word) < 3 else word.translate(ASCII_LOWER)


def spellings(words):
    """What a letter sequence, small where case does not count, may be, and which word that is."""
    known = {known_as(word): known_as(word) for word in words}
    for word in tuple(known):
        if len(word) >= 5 and re.fullmatch("[ぁ-ゖー]+", word) and word.strip("ー"):
            known.setdefault("".join(chr(ord(c) + 96) if c != "ー" else c for c in word), word)
        if len(word) >= 5 and re.fullmatch("[ァ-ヶー]+", word) and word.strip("ー"):
            known.setdefault("".join(chr(ord(c) - 96) if c != "ー" else c for c in word), word)
    return known


def hits(text, words):
    """[(begin, end, what the word is known as)] of one list."""
    known, letters = spellings(words), letters_of(text)
    longest, found, next_free = max(map(len, known)), [], 0
    for i in range(len(letters)):
        for j in range(min(len(letters), i + longest), i, -1):
            spelt = "".join(letter for letter, _, _ in letters[i:j])
            word = known.get(spelt if j - i < 3 else spelt.translate(ASCII_LOWER))
            begin, end = letters[i][1], letters[j - 1][2]
            if word is not None and begin >= next_free and is_free(text, begin, end):
                found.append((begin, end, word))
                next_free = end
                break
    return found


def is_free(text, begin, end):
    return (
        not _latin_goes_on(text[:begin][::-1], text[begin])
        and not _latin_goes_on(text[end:], text[end - 1])
        and _between_words(text, begin, end)
    )


def _latin_goes_on(outside, edge):
    if not IS_LATIN.match(edge) or not outside:
        return False
    number = IS_DIGIT.match(edge) and outside[0] in ",.，．" and IS_DIGIT.match(outside[1:])
    return bool(IS_LATIN.match(outside) or number)


def _between_words(text, begin, end):
    first, last = begin, end
    while IN_CLAUSE.match(text[begin]) and first and IN_CLAUSE.match(text[first - 1]):
        first -= 1
    while IN_CLAUSE.match(text[end - 1]) and last < len(text) and IN_CLAUSE.match(text[last]):
        last += 1
    edges = boundaries(text[first:last])
    return (begin - first in edges or not IS_JAPANESE.match(text[begin])) and (
        end - first in edges or not IS_JAPANESE.match(text[end - 1])
    )


@functools.lru_cache(100_000)
def boundaries(text):
    return {0, len(text)} | {morpheme.end() for morpheme in _tokenizer().tokenize(text)}


@functools.cache
def _tokenizer():
    return Dictionary().tokenizer(mode=SplitMode.C)
