"""What comes from the web, as text and nothing else: letters that would steer a page are written by their number.

Escaping keeps a text from being markup. It does not keep U+202E from turning round what stands behind it, so controls, marks of
direction and invisible letters are shown as ‹U+202E›. JSON that stands in the page holds no letter that could end its element.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

_ROUND, _MOST, _LONGEST = 60, 4, 420  # letters around a marked span, spans with surroundings, letters of one excerpt
_STEERING = (
    *(code for code in range(0x20) if code not in (0x09, 0x0A)),
    *range(0x7F, 0xA0), 0xAD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF,
    *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080),
)  # fmt: skip
_VISIBLE = {code: f"‹U+{code:04X}›" for code in _STEERING}
_IN_JSON = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def visible(text: str) -> str:
    """A text with controls, marks of direction and invisible letters written out; line breaks and tabs stay."""
    return text.translate(_VISIBLE)


def json_block(value: Any) -> Markup:
    """A value as JSON that can stand in a script element: <, >, &, U+2028 and U+2029 as escapes."""
    return Markup(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_IN_JSON))


def excerpt(text: str, spans: Sequence[tuple[int, int]]) -> Markup:
    """The first of the spans (begin, end in code points) marked, with what stands around them; the beginning of the text if none is."""
    if not spans:
        return _piece(text[:_LONGEST], text[_LONGEST:])
    out, at, left = Markup(), 0, _LONGEST
    for begin, end in spans[:_MOST]:
        if left <= 0 and at:
            break
        start = max(at, begin - _ROUND)
        out += Markup("<i>…</i> ") if start > at else Markup()
        shown = min(end, begin + max(left, _ROUND))
        out += escape(visible(text[start:begin])) + Markup("<mark>") + escape(visible(text[begin:shown])) + Markup("</mark>")
        out += Markup("<i>…</i>") if shown < end else Markup()
        at, left = end, left - (shown - start)
    tail = text[at : at + _ROUND]
    return out + _piece(tail, text[at + _ROUND :])


def _piece(text: str, rest: str) -> Markup:
    return Markup(escape(visible(text))) + (Markup(" <i>…</i>") if rest else Markup())
