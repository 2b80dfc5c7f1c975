"""The rule of decontamination as one would write it down, over Python strings: the oracle of the kernels."""

import unicodedata

from seiryu.dedup.contamination import Rule
from seiryu.dedup.contamination.grams import COMMON

JOINING = "\u3099\u309a\uff9e\uff9f\u0301\u1161\u11a8"  # of the letters that the tests' texts are made of


def plain_letters(text: str) -> str:
    """NFKC, each letter in lower case, letters and digits alone."""
    lower = "".join(letter.lower() for letter in unicodedata.normalize("NFKC", text))
    return "".join(letter for letter in lower if unicodedata.category(letter)[0] in "LN")


def placed(text: str) -> list[tuple[str, int, int, bool]]:
    """(letter, begin and end of what it comes from, whether something ended before it)."""
    clusters: list[tuple[int, int]] = []
    for at, letter in enumerate(text):
        if clusters and letter in JOINING:
            clusters[-1] = clusters[-1][0], at + 1
        else:
            clusters.append((at, at + 1))
    found, ended = [], True
    for begin, end in clusters:
        letters = plain_letters(text[begin:end])
        for letter in letters:
            found.append((letter, begin, end, ended))
            ended = False
        if not letters:
            marks = (letter for letter in text[begin:end] if unicodedata.category(letter)[0] not in "ZM" and letter not in "\t゛")
            ended = ended or any(marks)
    return found


def plain_find(items: list[list[str]], text: str, rule: Rule) -> dict[int, tuple[float, list[tuple[int, int]]]]:
    """item -> (share, spans), of one benchmark."""
    where = placed(text)
    letters = "".join(letter for letter, *_ in where)
    alone = [ended for *_, ended in where] + [True]
    texts = [list(dict.fromkeys(filter(None, map(plain_letters, mine)))) for mine in items]
    different = {each for mine in texts for each in mine}
    in_texts: dict[str, int] = {}
    for each in different:
        for run in {each[i : i + rule.ngram] for i in range(len(each) - rule.ngram + 1)}:
            in_texts[run] = in_texts.get(run, 0) + 1
    found = {}
    for item, mine in enumerate(texts):
        total, covered, spans = 0, 0, set()
        for each in mine:
            runs = [(i, each[i : i + rule.ngram]) for i in range(len(each) - rule.ngram + 1)]
            runs = [(i, run) for i, run in runs if in_texts[run] <= COMMON]
            if len(mine) == 1 and rule.min_letters <= len(each) < rule.ngram:
                runs = [(0, each)]
            there = {}
            for _, run in runs:
                at = [k for k in range(len(letters) - len(run) + 1) if letters.startswith(run, k)]
                there[run] = [k for k in at if len(run) == rule.ngram or (alone[k] and alone[k + len(run)])]
                spans |= {k + n for k in there[run] for n in range(len(run))}
            total += len({i + n for i, run in runs for n in range(len(run))})
            covered += len({i + n for i, run in runs if there[run] for n in range(len(run))})
        if total and covered / total >= rule.min_share - 1e-6:
            found[item] = covered / total, stretches(spans, where)
    return found


def stretches(places: set[int], where: list[tuple[str, int, int, bool]]) -> list[tuple[int, int]]:
    """Letters that lie side by side as stretches of the text."""
    runs: list[tuple[int, int]] = []
    for place in sorted(places):
        if runs and runs[-1][1] == place:
            runs[-1] = runs[-1][0], place + 1
        else:
            runs.append((place, place + 1))
    return [(where[first][1], where[last - 1][2]) for first, last in runs]
