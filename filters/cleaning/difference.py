"""What cleaning did to a text, for people to look at: the lines that went, and the changed stretch inside a line that stayed.

The pieces are data, (kind, text), and hold the text as it is: who shows them colours and escapes them. All but the `new` ones are the
text before, all but the `gone` ones the text after, letter for letter, whatever the two texts are.

Not difflib on lines: where every other line is cut it takes quadratic time. Cleaning never moves a line, so one walk through the lines
after is enough, in which each is the next equal line before (，． and 、。 being equal here). What was passed over is gone, or was
changed so much that it must be told by its letters. Time: n log n in lines, linear in letters.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

Kind = Literal["same", "gone", "new", "skipped"]
Piece = tuple[Kind, str]

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_WORD = re.compile(r"[0-9A-Za-z０-９Ａ-Ｚａ-ｚ._@+-]+|.", re.DOTALL)
_COMMON = str.maketrans("，．", "、。")
_MOST_WORDS = 300  # of a stretch that is compared word by word
_MOST_PAIRS = 10_000  # of lines that are tried whether one has become the other


def difference(before: str, after: str, context: int = 1) -> list[Piece]:
    """The pieces in the order of the text. `skipped`: lines that stayed, further than `context` lines from any change."""
    pieces = [piece for piece in _walk(_LINE.findall(before), _LINE.findall(after)) if piece[1]]
    runs: list[Piece] = [(kind, "".join(text for _, text in run)) for kind, run in groupby(pieces, key=lambda piece: piece[0])]
    folded: list[Piece] = []
    for number, (kind, text) in enumerate(runs):
        if kind != "same":
            folded.append((kind, text))
            continue
        lines = _LINE.findall(text)
        head = context + (not runs[number - 1][1].endswith("\n")) if number else 0
        tail = context + (not text.endswith("\n")) if number < len(runs) - 1 else 0
        last = max(head, len(lines) - tail)
        parts: list[Piece] = [
            ("same", "".join(lines[:head])), ("skipped", "".join(lines[head:last])), ("same", "".join(lines[last:]))
        ]  # fmt: skip
        folded += [part for part in parts if part[1]]
    return folded


def _walk(before: list[str], after: list[str]) -> Iterator[Piece]:
    places = defaultdict(list)
    for i, line in enumerate(before):
        places[_key(line)].append(i)
    at = done = 0
    for j, line in enumerate(after):
        equal = places.get(_key(line), [])
        found = bisect_left(equal, at)
        if found == len(equal):
            continue
        yield from _between(before[at : equal[found]], after[done:j])
        yield from _inside(before[equal[found]], line)
        at, done = equal[found] + 1, j + 1
    yield from _between(before[at:], after[done:])


def _key(line: str) -> str:
    return line.rstrip().translate(_COMMON)


def _between(gone: list[str], new: list[str]) -> Iterator[Piece]:
    """Lines of which none became another as it is; some may have been changed inside."""
    if len(gone) == len(new):
        for before, after in zip(gone, new, strict=True):
            yield from _inside(before, after)
        return
    if len(gone) * len(new) > _MOST_PAIRS:
        yield "gone", "".join(gone)
        yield "new", "".join(new)
        return
    words, at = [_words(line) for line in gone], 0
    for line, wanted in zip(new, map(_words, new), strict=True):
        half = wanted.total() / 2
        changed = next((i for i in range(at, len(gone)) if (words[i] & wanted).total() > half), None)
        if changed is None:
            yield "new", line
            continue
        yield "gone", "".join(gone[at:changed])
        yield from _inside(gone[changed], line)
        at = changed + 1
    yield "gone", "".join(gone[at:])


def _words(line: str) -> Counter[str]:
    return Counter(_WORD.findall(line.translate(_COMMON)))


def _inside(before: str, after: str) -> Iterator[Piece]:
    if _key(before) == _key(after) and len(before) == len(after):
        for equal, run in groupby(zip(before, after, strict=True), key=lambda pair: pair[0] == pair[1]):
            old, new = map("".join, zip(*run, strict=True))
            if equal:
                yield "same", old
                continue
            yield "gone", old
            yield "new", new
        return
    first = _common(before, after)
    last = _common(before[first:][::-1], after[first:][::-1])
    yield "same", before[:first]
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    old_words, new_words = _WORD.findall(old), _WORD.findall(new)
    if max(len(old_words), len(new_words)) > _MOST_WORDS:
        old_words, new_words = [old], [new]
    for what, a, b, c, d in SequenceMatcher(None, old_words, new_words, autojunk=False).get_opcodes():
        yield "same" if what == "equal" else "gone", "".join(old_words[a:b])
        if what != "equal":
            yield "new", "".join(new_words[c:d])
    yield "same", before[len(before) - last :]


def _common(a: str, b: str) -> int:
    """How many letters two texts have in common at the beginning."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
