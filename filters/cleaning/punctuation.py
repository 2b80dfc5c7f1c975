"""Japanese punctuation in its common form, 、。.

Horizontal texts of offices and schools write ，． instead. What a document mostly does is made the common form, for commas and
full stops apart; mostly is told by those that stand after a Japanese letter or a closing bracket. Those after a full-width
letter or digit (３．１４, Ｎｏ．３) or between digits are part of a name or number and stay.
"""

import re

from seiryu.filters.letters import HIRAGANA, KANJI, KATAKANA, RANGES

_JAPANESE = "）」』］〕】〉》" + "".join(
    f"{chr(first)}-{chr(last)}" for kind in (HIRAGANA, KATAKANA, KANJI) for first, last in RANGES[kind]
)
_MARKS = tuple(  # the mark first and what precedes it second: re then looks for the mark alone
    (
        re.compile(f"{old}(?<=[{_JAPANESE}]{old})"),
        re.compile(f"{new}(?<=[{_JAPANESE}]{new})"),
        re.compile(f"{old}(?<![０-９Ａ-Ｚａ-ｚ]{old})(?!(?<=[0-9]{old})[0-9０-９])"),
        new,
    )
    for old, new in ("，、", "．。")
)


def common_punctuation(text: str) -> tuple[str, int]:
    """The text in the common form, of the same length, and how many marks that changed."""
    changed = 0
    for old_use, new_use, to_change, new in _MARKS:
        if sum(1 for _ in old_use.finditer(text)) > sum(1 for _ in new_use.finditer(text)):
            text, times = to_change.subn(new, text)
            changed += times
    return text, changed
