"""Personal data in a text: e-mail addresses, phone numbers, My Number, credit cards, postal codes with their address.

Each is replaced by what it was, in angle brackets: <メールアドレス>, <電話番号>, <個人番号>, <カード番号>, <住所>. What is found stands
next to kana, in full-width letters and with any of a dozen hyphens as well as in ASCII, so no pattern asks for a word boundary:
what may not stand beside is said. What counts as one of a kind is told in `emails`, `postal_addresses` and `personal_numbers`;
where in doubt a text stays as it is. Examples in manuals are masked too: a mask is a mask.

They are looked for one kind after another, addresses before numbers, and what has been found is out of sight for the next: the
digits of an e-mail address are no phone number. So a kind's count does not depend on which kinds are asked for. The masks hold
nothing that would be found again, nor a word that tells a number, so masking twice is masking once.

Linear in the length of the text, whatever it holds; 25 M letters a second in manuals, 4 where a fifth of the text is such data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seiryu.filters.cleaning.emails import emails
from seiryu.filters.cleaning.personal_numbers import MASKED, numbers
from seiryu.filters.cleaning.postal_addresses import postal_addresses
from seiryu.filters.signals.signal import Signal

MASKS = {
    "email": "<メールアドレス>", "phone": "<電話番号>", "my_number": "<個人番号>", "credit_card": "<カード番号>", "address": "<住所>",
}  # fmt: skip
KINDS = tuple(MASKS)
SIGNALS = (
    Signal("emails", "int", "e-mail addresses"),
    Signal("phones", "int", "Japanese phone numbers"),
    Signal("my_numbers", "int", "numbers like a My Number, with its check digit"),
    Signal("credit_cards", "int", "numbers like a credit card's, with its check digit"),
    Signal("postal_addresses", "int", "postal codes with an address"),
)

Hit = tuple[int, int, str]


def find(text: str, kinds: Collection[str] = KINDS) -> list[Hit]:
    """(begin, end, kind) of what is found, in order and apart from each other. ValueError for a kind that is none of KINDS."""
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise ValueError(f"{unknown[0]}: there is no such kind of personal data; known: {', '.join(KINDS)}")
    hits: list[Hit] = []
    left = text
    for look in (emails, postal_addresses, numbers):
        found = look(left)
        if found:
            hits += found
            left = _replaced(left, sorted(found), dict.fromkeys(KINDS, MASKED), keep_length=True)
    return sorted(hit for hit in hits if hit[2] in kinds)


def mask(text: str, kinds: Collection[str] = KINDS) -> tuple[str, Counter[str]]:
    """The text with MASKS in place of what is found, and how many of each kind that is."""
    hits = find(text, kinds)
    return _replaced(text, hits, MASKS) if hits else text, Counter(kind for _, _, kind in hits)


def measure_personal_data(texts: Iterable[str] | pa.Array | pa.ChunkedArray) -> dict[str, npt.NDArray[Any]]:
    """SIGNALS of the texts: how many of each kind, int32."""
    if isinstance(texts, pa.Array | pa.ChunkedArray):
        texts = texts.to_pylist()
    counts = [Counter(kind for _, _, kind in find(text)) for text in texts]
    return {
        signal.name: np.fromiter((count[kind] for count in counts), np.int32, len(counts))
        for kind, signal in zip(KINDS, SIGNALS, strict=True)
    }


def _replaced(text: str, hits: list[Hit], by: dict[str, str], *, keep_length: bool = False) -> str:
    pieces, last = [], 0
    for begin, end, kind in hits:
        pieces += [text[last:begin], by[kind] * (end - begin) if keep_length else by[kind]]
        last = end
    return "".join([*pieces, text[last:]])
