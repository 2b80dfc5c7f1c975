"""Word lists: where they come from and how they are read.

A source is the path of a list of one's own, `hojichar:NAME` or `seiryu:NAME`. hojichar brings adult_keywords_ja (1,471 words), the
default for NG words, and some 400 more in six lists; those hold ordinary words that would throw out news, law and textbooks:
死, 破壊, 犯罪 (violence), 八百屋, 保母, 中共 (discrimination), piston, breast (adult, English). seiryu has dating_sites, the names
of dating services, and footer_words, which `cleaning` goes by.

A list is UTF-8, one word a line; blank lines and those that begin with "# " are passed over. #裏垢 is a word: no blank follows its #.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

_FOLDERS = {"hojichar": ("hojichar", "dict"), "seiryu": ("seiryu.filters", "words", "lists")}
_ENCODINGS = ("cp932", "euc_jp", "iso2022_jp")


def words_of(sources: Sequence[str]) -> list[str]:
    """The words of these sources in order. Raises ValueError with file and line for one that cannot be used."""
    return [word for source in sources for word in read_words(find_list(source))]


def find_list(source: str) -> Any:
    """Something with `read_bytes` for a path or the name of a packaged list. ValueError, with the nearest name, if there is none."""
    owner, _, name = source.partition(":")
    if owner not in _FOLDERS:
        return Path(source)
    package, *folders = _FOLDERS[owner]
    folder = resources.files(package).joinpath(*folders)
    known = sorted(file.name.removesuffix(".txt") for file in folder.iterdir() if file.name.endswith(".txt"))
    if name in known:
        return folder / f"{name}.txt"
    near = get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {owner}:{near[0]}?" if near else f"there are {', '.join(known)}"
    raise ValueError(f"{source}: {owner} has no such word list; {hint}")


def read_words(file: Any) -> list[str]:
    """The words of one list in its order; `file` has `read_bytes`, as paths and packaged resources do.

    Raises ValueError in one line, with file and line, for one that cannot be read, is not UTF-8 or holds no word.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file}: the word list cannot be read: {error.strerror or error}") from error
    words = [word for number, line in enumerate(_lines(data), 1) if (word := _word(file, number, line, data))]
    if not words:
        raise ValueError(f"{file}, line 1: the word list holds no word")
    return words


def _lines(data: bytes) -> Iterator[bytes]:
    return iter(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"))


def _word(file: Any, number: int, line: bytes, data: bytes) -> str:
    """The word on a line, "" if there is none."""
    try:
        word = line.decode().strip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}, line {number}: not UTF-8, as a word list must be{_encoding(data)}: {line[:40]!r}") from error
    if "\0" in word:
        raise ValueError(f"{file}, line {number}: a NUL is no part of a word{_encoding(data)}: {line[:40]!r}")
    return "" if word.startswith("# ") or word == "#" else word


def _encoding(data: bytes) -> str:
    """What the whole file is likely to be instead, for the reader of an error."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data:
        return ", perhaps UTF-16"
    for encoding in _ENCODINGS:
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if not any("\uff61" <= letter <= "\uff9f" or "\ue000" <= letter <= "\uf8ff" for letter in text):
                return f", perhaps {encoding}"  # EUC-JP read as cp932 is full of half-width kana
    return ""
