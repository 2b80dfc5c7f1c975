"""ISO-2022-JP in all its dialects at once: the plain one, -1, -2, -3, -2004, half-width katakana, and what Windows writes.

The text is cut at its escape sequences, and each piece is read in the set that was called, by way of the EUC codec that holds the same
set with its eighth bits on. Python has six codecs for this, each of which stops at the escape sequences of another, and none that knows
half-width katakana between SO and SI or with the eighth bit on (CP50222, "JIS8"), or the letters of NEC and IBM (CP50220). A page in a
mail's style often mixes them. A broken pair costs one letter; line breaks, which broken pages have amid two-byte text, stay.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"(\x1b(?:\$[@AB]|\$\([@ABCDOPQ]|\([BHIJ]|\.[AF]|&@))")
_CUT = re.compile(rb"\x1b(?:\$\(?|\(|\.|&)?\Z")
STARTS = re.compile(rb"\x1b(?:\$[@AB]|\$\([@ABCDOPQ]|\([IJ])")
_HALF_WIDTH = re.compile(rb"[\x21-\x5f\xa1-\xdf]+")
_SHIFTED = re.compile(rb"\x0e([^\x0f]*)(?:\x0f|$)|([\xa1-\xdf]+)", re.DOTALL)
_WIDE = re.compile(rb"\x0e[^\x0f]*(?:\x0f|\Z)|[\x21-\x7e]+")
_TURNED = bytes(byte ^ 0x80 for byte in range(256))
# Final letter of an escape sequence after $ or $(: the codec, and what stands before each pair in it.
_SETS = {
    b"@": ("euc_jp", b""), b"B": ("euc_jp", b""), b"D": ("euc_jp", b"\x8f"), b"A": ("gb2312", b""), b"C": ("cp949", b""),
    b"O": ("euc_jisx0213", b""), b"Q": ("euc_jis_2004", b""), b"P": ("euc_jis_2004", b"\x8f"),
}  # fmt: skip


def decode_iso2022(payload: bytes, errors: str) -> str:
    """The text of an ISO-2022-JP payload; what no set holds goes to the error handler `errors`. A cut letter at the end is dropped."""
    first, *rest = _ESCAPE.split(_CUT.sub(b"", payload))
    pieces = [_narrow(first, errors)]
    for place in range(0, len(rest), 2):
        escape, piece = rest[place], rest[place + 1]
        if escape.startswith(b"\x1b$"):
            pieces.append(_pairs(piece, *_SETS[escape[-1:]], errors, place + 2 == len(rest)))
        elif escape == b"\x1b(I":
            pieces.append(_HALF_WIDTH.sub(_high, piece).decode("cp932", errors))
        else:
            text = _narrow(piece, errors)
            pieces.append(text.translate({0x5C: 0xA5, 0x7E: 0x203E}) if escape == b"\x1b(J" else text)
    return "".join(pieces)


def _narrow(piece: bytes, errors: str) -> str:
    """ASCII, with half-width katakana by SO and SI or by the eighth bit."""
    if piece.isascii() and b"\x0e" not in piece:
        return piece.decode("ascii")
    out, at = [], 0
    for run in _SHIFTED.finditer(piece):
        out.append(piece[at : run.start()].decode("ascii", errors))
        out.append(_HALF_WIDTH.sub(_high, run[1]).decode("cp932", errors) if run[1] is not None else run[2].decode("cp932"))
        at = run.end()
    return "".join([*out, piece[at:].decode("ascii", errors)])


def _pairs(piece: bytes, codec: str, before: bytes, errors: str, last: bool) -> str:
    """A piece in a set of two bytes a letter; control characters and spaces in it stand for themselves."""
    out, at = [], 0
    for run in _WIDE.finditer(piece):
        out.append(_narrow(piece[at : run.start()], errors))
        at = run.end()
        if run[0].startswith(b"\x0e"):
            out.append(_narrow(run[0], errors))
            continue
        letters = run[0].translate(_TURNED)
        odd = letters[-1:] if len(letters) % 2 else b""
        if before:
            pairs = (letters[k : k + 2] for k in range(0, len(letters) - 1, 2))
            letters = b"".join(before + pair for pair in pairs)
        elif odd:
            letters = letters[:-1]
        out.append(letters.decode(codec, errors))
        if odd and not (last and at == len(piece)):
            out.append(odd.decode("ascii", errors))
    return "".join([*out, _narrow(piece[at:], errors)])


def _high(run: re.Match[bytes]) -> bytes:
    return bytes(byte | 0x80 for byte in run[0])
