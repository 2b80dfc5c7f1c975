"""Words that should not be: how many letters of a text lie in NG words.

A word list hits innocent words: セックス in エセックス, マゾ in アマゾン, 性的 in 理性的. So a hit counts
only when it begins and ends where words do. For Japanese these are the boundaries of Sudachi's longest units
(mode C), looked for only in the lines that hold a hit; a Latin end needs no Latin letter or digit beside it.
Among the hits that count the leftmost is taken, and of those that begin there the longest. The choice comes
after the boundaries: a longer word that is refused must not hide the shorter one inside it, so the matcher
reports all matches and not the leftmost longest only.

Cost: matching takes 30 ms a million letters; Sudachi would take 2 s for them, which only lines with a hit
pay. Sudachi cannot tell what it does not know: セックス in ミドルセックス still counts, for it splits the
word there.

The default is hojichar's list of Japanese words for pornography alone. Its other lists hold ordinary words
that would throw out news, law and textbooks: 死, 破壊, 犯罪 (violence), 八百屋, 保母, 中共 (discrimination),
piston, breast, Adult (English).
"""

import functools
import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import ahocorasick_rs
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.morphology import boundaries
from seiryu.filters.signals.signal import divide


class NgWords:
    """A matcher for a list of words, `sha256` the identity of that list.

    Not for use by two threads at once: Sudachi's tokenizer is not.
    """

    def __init__(self, words: Sequence[str]) -> None:
        distinct = sorted(set(words))
        self.sha256 = hashlib.sha256("\n".join(distinct).encode()).hexdigest()
        self._matcher = ahocorasick_rs.AhoCorasick(distinct, ahocorasick_rs.MatchKind.Standard)

    def hits(self, text: str) -> list[tuple[int, int]]:
        """(begin, end) of the words that count, in order and apart from each other: why a rule fired."""
        found = self._matcher.find_matches_as_indexes(text, overlapping=True)
        spans = sorted(((begin, end) for _, begin, end in found), key=lambda span: (span[0], -span[1]))
        spans = [span for span in spans if _latin_edges_are_free(text, *span)]
        begins = [begin for begin, _ in spans]
        counted: list[tuple[int, int]] = []
        inside: set[int] = set()
        line_end = last = -1
        for k, (begin, end) in enumerate(spans):
            if begin < last:
                continue
            if not text[begin:end].isascii():
                if begin >= line_end:
                    line_begin = text.rfind("\n", 0, begin) + 1
                    line_end = text.find("\n", begin) % (len(text) + 1)  # -1, no break, becomes the end
                    in_line = spans[k : bisect_left(begins, line_end, k)]
                    inside = boundaries(text, line_begin, line_end, in_line)
                if begin not in inside and not _is_latin(text[begin]):
                    continue
                if end not in inside and not _is_latin(text[end - 1]):
                    continue
            counted.append((begin, end))
            last = end
        return counted

    def letters(self, text: str) -> int:
        """Letters of the text that lie in words that count."""
        return sum(end - begin for begin, end in self.hits(text))


@functools.cache
def matcher(paths: tuple[str, ...] = ()) -> NgWords:
    """The matcher for these lists, built once a process; without paths hojichar's Japanese list, see above.

    A list is UTF-8, one word a line, blank lines passed over. Raises ValueError with file and line for one
    that is not.
    """
    files: list[Any] = [Path(path) for path in paths] or [packaged_list("adult_keywords_ja")]
    return NgWords([word for file in files for word in read_words(file)])


def packaged_list(name: str) -> Any:
    """One of hojichar's lists, such as `violence_keywords_ja`, as something to read from."""
    file = resources.files("hojichar") / "dict" / f"{name}.txt"
    if not file.is_file():
        raise ValueError(f"{file}: hojichar has no such word list; give the path of a list of your own")
    return file


def read_words(file: Any) -> list[str]:
    """The words of a list in its order; `file` has `read_bytes`, as paths and packaged resources do."""
    try:
        lines = file.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise ValueError(f"{file}: the word list cannot be read: {error.strerror or error}") from error
    words = []
    for number, line in enumerate(lines, 1):
        try:
            words.append(line.decode().strip())
        except UnicodeDecodeError as error:
            raise ValueError(f"{file}, line {number}: not UTF-8, a word list must be: {line[:40]!r}") from error
    if not any(words):
        raise ValueError(f"{file}, line 1: the word list holds no word")
    return [word for word in words if word]


def measure_ng_words(
    texts: pa.Array | pa.ChunkedArray, japanese_letters: npt.NDArray[Any], paths: tuple[str, ...] = ()
) -> dict[str, npt.NDArray[Any]]:
    """The signals ng_letters (int32) and ng_share (float64, of `japanese_letters`; 0 where there are none)."""
    words = matcher(paths)
    letters = np.fromiter((words.letters(text.as_py()) for text in texts), np.int32, len(texts))
    return {"ng_letters": letters, "ng_share": divide(letters, japanese_letters)}


def _is_latin(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter == "_")


def _latin_edges_are_free(text: str, begin: int, end: int) -> bool:
    before = begin > 0 and _is_latin(text[begin]) and _is_latin(text[begin - 1])
    after = end < len(text) and _is_latin(text[end - 1]) and _is_latin(text[end])
    return not before and not after
