"""E-mail addresses: with @ or ＠, or one in brackets as people write it who do not want to be found, info[at]example.jp.

The part before is at most 64 letters; the part after is a domain whose last label is letters. Names such as icon@2x.png are none,
for their last label is a kind of file. TEL or FAX may follow without a space, as it does where a page had a line break.
"""

from __future__ import annotations

import re

_LATIN, _DIGIT, _SPACE = "A-Za-zＡ-Ｚａ-ｚ", "0-9０-９", " \u00a0　"
_BEFORE = "".join(chr(first + k) for first, many in ((0x30, 10), (0x41, 26), (0x61, 26)) for k in range(many)) + "._%+-"
_BEFORE += "".join(chr(ord(letter) + 0xFEE0) for letter in _BEFORE)  # the same in full width
_MOST_BEFORE = 64
_AT = re.compile(
    f"[@＠]|[\\[(（［{{<〈【][{_SPACE}]?(?:[@＠]|[AａＡa][TｔＴt]|アットマーク|アット)[{_SPACE}]?[\\])）］}}>〉】][{_SPACE}]?"
)
_BRACKETS = re.compile("[\\[(（［{<〈【]")
_LABEL = f"[{_LATIN}{_DIGIT}][{_LATIN}{_DIGIT}－-]{{0,62}}"
_DOMAIN = re.compile(
    f"(?:{_LABEL}[.．]){{1,8}}([{_LATIN}]{{2,24}})(?:(?![{_LATIN}{_DIGIT}_＿@＠－-])|(?=(?i:tel|fax|phone|mobile|ｔｅｌ|ｆａｘ)))"
)
_FILES = frozenset(
    ("png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "css", "js", "html", "htm", "php", "txt", "pdf", "tar", "gz", "zip",
     "service", "socket", "timer", "target")
)  # fmt: skip


def emails(text: str) -> list[tuple[int, int, str]]:
    """(begin, end, "email") of the addresses in a text."""
    if "@" not in text and "＠" not in text and not _BRACKETS.search(text):
        return []
    hits = []
    last = 0
    for sign in _AT.finditer(text):
        domain = _DOMAIN.match(text, sign.end())
        if not domain or domain[1].lower() in _FILES:
            continue
        end = sign.start()
        if end and text[end - 1] in _SPACE and len(sign[0]) > 1:
            end -= 1
        window = text[max(last, end - _MOST_BEFORE) : end]
        name = window[len(window.rstrip(_BEFORE)) :].lstrip("._%+-．＿％＋－")
        if not name or name[-1] in ".．":
            continue
        hits.append((end - len(name), domain.end(), "email"))
        last = domain.end()
    return hits
