"""Words that should not be: which words of which lists stand in a text, and how many of its letters they are.

All lists are one automaton, so a text is gone through once however many there are. What it finds is looked at by `edges`: a
hit counts only where words begin and end. Of the hits of one list that count the leftmost is taken, and of those that begin there
the longest, then the next that begins behind it. This choice comes after the boundaries: a longer word that is refused must
not hide the shorter one inside it, so the matcher (ahocorasick_rs) reports all matches and not only the leftmost longest. Lists
do not see each other: what one says is the same whatever others there are.

Price: 60 M letters a second without boundaries; with them 35 M and more for hojichar's Japanese list and 15 M for all its lists
together (manuals and statutes, 240 and 2,150 matches a million letters), 27 and 11 M on the beginnings of web pages, where no clause
comes again. Of the difference nearly all is Sudachi's. Memory: 15 MB for all of hojichar's lists.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Any, NamedTuple

import ahocorasick_rs
import numba as nb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.letters import blocks, codepoints
from seiryu.filters.signals.signal import Signal, divide
from seiryu.filters.words.edges import COUNTS, WHY_NOT, verdicts
from seiryu.filters.words.sources import words_of
from seiryu.filters.words.variants import encode, folded, in_other_kana, numbering, pattern, places_in_text

_SLICE = 1 << 17  # letters a call of the matcher; its tuples take 200 bytes a match
_FAST_LETTERS = 1 << 15  # of all words: up to here the fastest automaton, at 2 KB a letter, takes 64 MB

_OVERLAPS = "shares letters with a hit that begins before or is longer"

Columns = dict[str, npt.NDArray[Any]]
Places = npt.NDArray[np.int64]


class Hit(NamedTuple):
    """text[begin:end] is `word`, as its list spells it, and counts."""

    begin: int
    end: int
    word: str
    list: str


class Refusal(NamedTuple):
    """text[begin:end] is spelt like `word` and does not count, `why` in words."""

    begin: int
    end: int
    word: str
    list: str
    why: str


@dataclass(frozen=True, slots=True)
class _Found:
    """Matches in a block of texts, sorted by list, begin, and the longer first; `verdict`: see edges, `chosen` counts in the end."""

    text: Places
    begin: Places
    end: Places
    word: Places
    verdict: npt.NDArray[np.uint8]
    chosen: npt.NDArray[np.bool_]


class WordLists:
    """Word lists by name, read from their sources (see `sources`) once; `sha256` by name is the identity of what a list holds.

    Raises ValueError in one line, with file and line, for a list that cannot be used.
    """

    def __init__(self, sources: Mapping[str, Sequence[str]]) -> None:
        self._build({name: words_of(those) for name, those in sources.items()})

    @classmethod
    def of_words(cls, words: Mapping[str, Collection[str]]) -> "WordLists":
        """Lists of these words, by name."""
        made = cls({})
        made._build(words)
        return made

    def _build(self, words: Mapping[str, Collection[str]]) -> None:
        self.names = tuple(words)
        self.sha256: dict[str, str] = {}
        self._words: list[tuple[str, int]] = []  # as spelt, place in `names`
        patterns: list[tuple[str, int, int]] = []  # what the matcher looks for, place in `_words`, capitals
        for place, name in enumerate(self.names):
            known = {folded(word): word for word in sorted(words[name], reverse=True)}
            self.sha256[name] = sha256("\n".join(sorted(known)).encode()).hexdigest()
            for word in sorted(known):
                patterns.append((pattern(word)[0], len(self._words), pattern(word)[1]))
                if (other := in_other_kana(word)) and other not in known:
                    patterns.append((other, len(self._words), -1))
                self._words.append((known[word], place))
        spelt = [letters for letters, _, _ in patterns]
        self._codes = numbering(spelt)
        self._longest = max(map(len, spelt), default=1)
        self._word_of = np.array([word for _, word, _ in patterns], np.int64)
        self._capitals = np.array([capitals for _, _, capitals in patterns], np.int8)
        self._list_of = np.array([place for _, place in self._words], np.int64)
        small = sum(map(len, spelt)) <= _FAST_LETTERS
        kind = ahocorasick_rs.Implementation.DFA if small else ahocorasick_rs.Implementation.ContiguousNFA
        encoded = [self._codes[[ord(letter) for letter in letters]].tobytes() for letters in spelt]
        self._matcher = ahocorasick_rs.BytesAhoCorasick(encoded, implementation=kind)

    def hits(self, text: str) -> list[Hit]:
        """What counts, in the order of the text: why a rule fired. Hits of one list lie apart, those of two may overlap."""
        found = self._search(*codepoints(pa.array([text], pa.large_string())))
        picked = np.flatnonzero(found.chosen)
        return sorted(Hit(*self._span(found, i)) for i in picked.tolist())

    def refused(self, text: str) -> list[Refusal]:
        """What the plain search for substrings would have hit beside `hits`, and why that does not count."""
        found = self._search(*codepoints(pa.array([text], pa.large_string())))
        return sorted(
            Refusal(*self._span(found, i), WHY_NOT[found.verdict[i]] or _OVERLAPS) for i in np.flatnonzero(~found.chosen).tolist()
        )

    def count(self, texts: pa.Array | pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """(letters hit, different words hit), each int32[lists, texts]."""
        letters, distinct = np.zeros((2, len(self.names), len(texts)), np.int32)
        first = 0
        for block in blocks(texts):
            found = self._search(*codepoints(block))
            text, word = found.text[found.chosen] + first, found.word[found.chosen]
            np.add.at(letters, (self._list_of[word], text), (found.end - found.begin)[found.chosen])
            pairs = np.unique(text * len(self._words) + word)
            np.add.at(distinct, (self._list_of[pairs % len(self._words)], pairs // len(self._words)), 1)
            first += len(block)
        return letters, distinct

    def _span(self, found: _Found, i: int) -> tuple[int, int, str, str]:
        word, place = self._words[found.word[i]]
        return int(found.begin[i]), int(found.end[i]), word, self.names[place]

    def _search(self, points: npt.NDArray[np.uint32], offsets: Places) -> _Found:
        codes, joined = encode(points, offsets, self._codes)
        spelling, begin, end = self._matches(codes)
        begin, end = places_in_text(begin, joined), places_in_text(end, joined)
        text = np.searchsorted(offsets, begin, "right") - 1
        within = end <= offsets[text + 1]  # a match may run from one text into the next
        spelling, begin, end, text = spelling[within], begin[within], end[within], text[within]
        word = self._word_of[spelling]
        order = np.lexsort((spelling, -end, begin, self._list_of[word]))
        spelling, begin, end, text, word = spelling[order], begin[order], end[order], text[order], word[order]
        verdict = verdicts(points, begin, end, offsets[text], offsets[text + 1], self._capitals[spelling])
        chosen = _leftmost_longest(begin, end, self._list_of[word], verdict == COUNTS)
        return _Found(text, begin - offsets[text], end - offsets[text], word, verdict, chosen)

    def _matches(self, codes: npt.NDArray[np.uint16]) -> tuple[Places, Places, Places]:
        """(spelling, begin, end) of all matches, those that overlap among them; slice by slice, for their tuples take room."""
        data = memoryview(codes.view(np.uint8))  # type: ignore[arg-type]
        parts = [np.empty((0, 3), np.int64)]
        for first in range(0, len(codes), _SLICE):
            last = first + _SLICE
            matches = self._matcher.find_matches_as_indexes(data[2 * first : 2 * (last + self._longest - 1)], overlapping=True)
            if matches:
                part = np.fromiter(chain.from_iterable(matches), np.int64, 3 * len(matches)).reshape(-1, 3)
                part[:, 1:] //= 2
                part[:, 1:] += first
                parts.append(part[part[:, 1] < last])
        found = np.concatenate(parts)
        return found[:, 0], found[:, 1], found[:, 2]


def signals_of_lists(names: Collection[str]) -> tuple[Signal, ...]:
    """What `measure_lists` measures for lists of these names."""
    return tuple(
        signal
        for name in names
        for signal in (
            Signal(f"{name}_letters", "int", f"letters in words of the list {name}"),
            Signal(f"{name}_share", "float", f"letters in words of the list {name} / Japanese letters"),
            Signal(f"{name}_distinct", "int", f"different words of the list {name}"),
        )
    )


def measure_lists(texts: pa.Array | pa.ChunkedArray, japanese_letters: npt.NDArray[Any], lists: WordLists) -> Columns:
    """The signals of all lists, one value a text. Raises as `letters.codepoints` does."""
    letters, distinct = lists.count(texts)
    columns: Columns = {}
    for place, name in enumerate(lists.names):
        columns[f"{name}_letters"] = letters[place]
        columns[f"{name}_share"] = divide(letters[place], japanese_letters)
        columns[f"{name}_distinct"] = distinct[place]
    return columns


@nb.njit(cache=True, nogil=True)
def _leftmost_longest(begins: Places, ends: Places, lists: Places, counts: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which hits are taken, list by list: each that begins at or behind the end of the one before."""
    chosen = np.zeros(len(begins), np.bool_)
    last, here = np.int64(0), np.int64(-1)
    for i in range(len(begins)):
        if lists[i] != here:
            here, last = lists[i], np.int64(0)
        if counts[i] and begins[i] >= last:
            chosen[i] = True
            last = ends[i]
    return chosen
