"""Strings from outside, such as names of archives and hosts, as text of a Markdown page: never as markup."""

from __future__ import annotations

import re
import unicodedata

_PLAIN = re.compile(r"[A-Za-z0-9_.,/@+:=<>≥-](?:[A-Za-z0-9_.,/@+:=<>≥ -]*[A-Za-z0-9_.,/@+:=<>≥-])?")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_MARKS = frozenset("\\`*_{}[]()#+-.!~$:@")
_MOST = 200  # characters of one string


class Safe(str):
    """Markdown that was made here."""

    __slots__ = ()


def one_line(text: str, most: int = _MOST) -> str:
    """A string without controls, line breaks and signs that turn the direction of writing; cut at `most` characters."""
    kept = "".join(" " if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter for letter in text)
    line = " ".join(kept.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def text(value: str) -> Safe:
    """As text: every mark that Markdown, HTML or a link could begin with is escaped."""
    return Safe("".join(_ENTITIES.get(letter) or (f"\\{letter}" if letter in _MARKS else letter) for letter in one_line(value)))


def code(value: str) -> Safe:
    """In backticks if it is made of plain letters, which mean nothing there; else as text."""
    line = one_line(value)
    return Safe(f"`{line}`") if _PLAIN.fullmatch(line) else text(value)
