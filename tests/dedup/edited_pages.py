"""Real pages, and versions of them as the web makes them: what deduplication is measured on.

`versions` makes one version of each page by one or two edits, each of which is told how similar the result should
be. The aim of seven in ten versions lies in .75 .. .98, where the choice is decided, of the others in .45 .. 1. An edit counts
letters and not distinct shingles, so it comes near its aim only; what the similarity is, `all_pairs` says. A
page's version depends on the seed, on its number and on the pages beside it, from which foreign text is taken.
"""

import bisect
import gzip
import json
import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SHORTEST, LONGEST = 200, 30_000  # letters of a page
SPREAD = 40  # foreign text comes from one of so many pages of about the length that is wanted


@dataclass(frozen=True, slots=True)
class Version:
    """An edited page; `edits` are names of EDITS, in the order in which they were made."""

    text: str
    edits: tuple[str, ...]


class Pages:
    """Texts, and where to take foreign text from."""

    def __init__(self, texts: list[str]) -> None:
        self.by_length = sorted(texts, key=len)
        self.lengths = list(map(len, self.by_length))

    def of_length(self, letters: int, rng: random.Random) -> str:
        """A page of about so many letters."""
        at = bisect.bisect(self.lengths, letters) + rng.randrange(SPREAD)
        return self.by_length[min(at, len(self.by_length) - 1 - rng.randrange(min(SPREAD, len(self.by_length))))]


Edit = Callable[[str, float, Pages, random.Random], str]


def real_pages(folder: Path) -> list[str]:
    """The main texts of labels.jsonl.gz in the order of the file, none twice, of SHORTEST to LONGEST letters."""
    with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line).get("gold_text") or "" for line in lines]
    return list(dict.fromkeys(text for text in texts if SHORTEST <= len(text) <= LONGEST))


def versions(texts: list[str], seed: int = 1) -> list[Version]:
    """One edited version of each text, row for row."""
    pages, names = Pages(texts), list(EDITS)
    made = []
    for number, text in enumerate(texts):
        rng = random.Random(f"{seed} {number}")
        aim = rng.uniform(0.75, 0.98) if rng.random() < 0.7 else rng.uniform(0.45, 1)
        edits = rng.sample(names, rng.choice((1, 1, 2)))
        for name in edits:
            text = EDITS[name](text, aim ** (1 / len(edits)), pages, rng)
        made.append(Version(text, tuple(edits)))
    return made


def dates(text: str, _: float, __: Pages, rng: random.Random) -> str:
    """Every year is another one, and the page says when it was renewed. Nearly the same page."""
    year, month, day = rng.randrange(2000, 2026), rng.randrange(1, 13), rng.randrange(1, 29)
    return f"最終更新日: {year}年{month}月{day}日\n" + re.sub(r"(?<!\d)(?:19|20)\d\d(?!\d)", str(year), text)


def dropped(text: str, aim: float, _: Pages, rng: random.Random) -> str:
    """Whole lines are missing."""
    lines, surplus = text.split("\n"), (1 - aim) * len(text)
    for at in rng.sample(range(len(lines)), len(lines)):
        if len(lines[at]) <= surplus:
            surplus -= len(lines[at])
            lines[at] = ""
    return "\n".join(filter(None, lines))


def added(text: str, aim: float, pages: Pages, rng: random.Random) -> str:
    """Lines of another page stand between its own."""
    lines = text.split("\n")
    for line in foreign(text, aim, pages, rng).split("\n"):
        lines.insert(rng.randrange(len(lines) + 1), line)
    return "\n".join(lines)


def menu(text: str, aim: float, pages: Pages, rng: random.Random) -> str:
    """Beginnings of many pages' lines before the text and after it, as menus are."""
    items, letters = [], foreign_letters(text, aim)
    while letters > 0:
        line = rng.choice(pages.of_length(rng.randrange(pages.lengths[-1]), rng).split("\n"))[: min(14, letters)]
        items.append(line)
        letters -= max(1, len(line))
    cut = rng.randrange(len(items) + 1)
    return "\n".join([*items[:cut], text, *items[cut:]])


def shuffled(text: str, aim: float, _: Pages, rng: random.Random) -> str:
    """Sections change places. Each seam costs four shingles, so sections are as long as the aim demands."""
    letters = 4 / max(replaced_share(aim), 1e-3)
    sections = [""]
    for piece in re.findall(r"[^。\n]*[。\n]?", text):
        if len(sections[-1]) >= letters:
            sections.append("")
        sections[-1] += piece
    rng.shuffle(sections)
    return "\n".join(sections)


def width(text: str, _: float, __: Pages, rng: random.Random) -> str:
    """Half of the words of Latin letters and digits become full-width, half of those of katakana half-width."""
    return re.sub(r"[!-~]+|[ァ-ヴー]+", lambda run: run[0].translate(OTHER_WIDTH) if rng.random() < 0.5 else run[0], text)


def typos(text: str, aim: float, _: Pages, rng: random.Random) -> str:
    """Every n-th letter is another letter of the page. Each costs five shingles."""
    every = max(5, round(5 / max(replaced_share(aim), 1e-3)))
    letters = list(text)
    for at in range(rng.randrange(every), len(letters), every):
        letters[at] = rng.choice(text)
    return "".join(letters)


def truncated(text: str, aim: float, _: Pages, __: random.Random) -> str:
    """The end is missing."""
    return text[: round(aim * len(text))]


def joined(text: str, aim: float, pages: Pages, rng: random.Random) -> str:
    """Another page follows."""
    return text + "\n" + foreign(text, aim, pages, rng)


def quoted(text: str, aim: float, pages: Pages, rng: random.Random) -> str:
    """A stretch of another page stands in the middle, marked as quoted."""
    lines = text.split("\n")
    at = rng.randrange(len(lines) + 1)
    return "\n".join([*lines[:at], *(f"> {line}" for line in foreign(text, aim, pages, rng).split("\n")), *lines[at:]])


EDITS: dict[str, Edit] = {
    edit.__name__: edit for edit in (dates, dropped, added, menu, shuffled, width, typos, truncated, joined, quoted)
}


def replaced_share(aim: float) -> float:
    """Which share of one text's shingles may be replaced by as many others."""
    return (1 - aim) / (1 + aim)


def foreign_letters(text: str, aim: float) -> int:
    return round((1 / aim - 1) * len(text))


def foreign(text: str, aim: float, pages: Pages, rng: random.Random) -> str:
    """As many letters of another page as may be added."""
    letters = foreign_letters(text, aim)
    return pages.of_length(letters, rng)[:letters]


def _half_width() -> dict[int, str]:
    """Half-width forms of katakana, voiced ones in two letters."""
    single = {unicodedata.normalize("NFKC", chr(half)): chr(half) for half in range(0xFF66, 0xFF9E)}
    marks = {"\u3099": "ﾞ", "\u309a": "ﾟ"}
    table = {}
    for code in range(0x30A1, 0x30FD):
        base, *mark = unicodedata.normalize("NFD", chr(code))
        if base in single:
            table[code] = single[base] + "".join(marks[one] for one in mark)
    return table


OTHER_WIDTH = {code: chr(code + 0xFEE0) for code in range(0x21, 0x7F)} | _half_width()
