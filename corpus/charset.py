"""The text of an HTML payload: what the bytes can be comes before what is said about them.

Order: byte order mark; escape sequences of ISO-2022-JP; valid UTF-8; then the declared charset and the Japanese ones,
of which the one that decodes without a fault and looks most like Japanese is taken. A label is often wrong or says Shift_JIS for
cp932, so it decides only between readings that are equally good. Names of labels: WHATWG Encoding Standard, section 4.2.
A page cut in the middle of a letter is not thereby undecodable.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

_META = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([\w.:-]+)|<meta[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
_ESCAPE = re.compile(rb"\x1b(?:\$[@BAC]|\$\([CDOPQ]|\([JI])")
_JIS = ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004")
_GUESSES = ("cp932", "euc_jp", "utf-8")
_HAVE_VENDOR = frozenset({"euc_jp", "iso2022_jp", "iso2022_jp_ext"})
_NO_LETTER = re.compile("[\uf8f0-\uf8f3]")  # what Python makes of the bytes A0, FD, FE and FF, which no letter of cp932 has
_WIDE_ASCII = re.compile(rb"(?:[\t\r\n -~]\0){12}")
_BYTE_BEYOND_ASCII = re.compile(rb"[\x1b\x80-\xff]")
_ASCII = re.compile("[\0-\x7f]+")
_KANA_OR_STOP = re.compile("[\u3041-\u3096\u30a1-\u30fc、。]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_KANJI = re.compile("[\u4e00-\u9fff]")
_ODD = re.compile("[\uff61-\uff9f\ue000-\uf8ff\ufffd\u0080-\u009f]")
_TRIED = 1 << 15  # bytes, of a reading with faults
_LOOKED_AT = 1 << 13  # letters beyond ASCII

# WHATWG labels that Python does not know, and Python's codecs for which the web means another one.
_LABELS = {
    "x-sjis": "cp932", "x-euc-jp": "euc_jp", "cseucpkdfmtjapanese": "euc_jp", "x-gbk": "gb18030", "x-x-big5": "big5hkscs",
    "windows-949": "cp949", "ks_c_5601": "cp949", "unicode-1-1-utf-8": "utf-8", "x-mac-roman": "mac-roman", "windows-874": "cp874",
}  # fmt: skip
_MEANT = {
    "shift_jis": "cp932", "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "tis-620": "cp874", "iso8859-11": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "euc_kr": "cp949",
}  # fmt: skip
_KNOWN = re.compile(
    r"utf-8|gb18030|big5hkscs|cp949|johab|hz|cp932|shift_jis\w+|euc_ji?[ps]\w*|iso2022_\w+|koi8-\w|mac-\w+|iso8859-\d+|cp\d+"
)
# Codecs that decode any bytes at all: their success says nothing.
_WEAK = re.compile(r"cp125\d|iso8859|koi8|mac|cp8\d\d|cp437")


@dataclass(frozen=True, slots=True)
class Decoded:
    """`charset`: a Python codec's name. `source`: bom, bytes, header or meta. `replaced`: letters that had to be replaced."""

    text: str
    charset: str
    source: str
    replaced: int


def decode(payload: bytes, declared: str | None = None) -> Decoded:
    """Text of an HTML payload, and how it was decoded.

    `declared` is the charset of the HTTP header. Never raises: what no candidate decodes cleanly comes back in the best
    one with replacement characters, counted in `Decoded.replaced`.
    """
    for mark, codec in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if payload.startswith(mark):
            return _lenient(payload[len(mark) :], codec, "bom")
    if wide := _WIDE_ASCII.search(payload, 0, 512):
        return _lenient(payload, "utf-16-be" if wide.start() % 2 else "utf-16-le", "bytes")
    if _ESCAPE.search(payload):
        for codec in _JIS:
            if (text := _strict(payload, codec)) is not None:
                return Decoded(text, codec, "bytes", 0)
    if (text := _strict(payload, "utf-8")) is not None:
        return Decoded(text, "utf-8", "bytes", 0)
    return _best(payload, list(_candidates(payload, declared)))


def _candidates(payload: bytes, declared: str | None) -> Iterator[tuple[str, str]]:
    """Codecs worth trying, with what proposes them; the declared ones first, each once."""
    seen = set()
    label = _META.search(payload, 0, 8192)
    said = [(declared, "header"), ((label[1] or label[2]).decode("ascii", "replace") if label else None, "meta")]
    for name, source in [*said, *((codec, "bytes") for codec in (*_GUESSES, *(_JIS[1:2] if b"\x1b" in payload else ())))]:
        codec = _codec(name)
        if codec and codec not in seen:
            seen.add(codec)
            yield codec, source


def _codec(label: str | None) -> str | None:
    """The Python codec of a WHATWG label, or None."""
    name = (label or "").strip().lower()
    try:
        found = codecs.lookup(_LABELS.get(name, name)).name
    except (LookupError, ValueError):
        return None
    found = _MEANT.get(found, found)
    return found if _KNOWN.fullmatch(found) else None


def _best(payload: bytes, candidates: list[tuple[str, str]]) -> Decoded:
    """The candidate with few faults for each letter beyond ASCII, then the most Japanese (or Korean) look, then the first."""
    first = _BYTE_BEYOND_ASCII.search(payload)
    sample = payload[first.start() :][:_TRIED] if first else payload
    readings = []
    for place, (codec, source) in enumerate(candidates):
        text, faults = _strict(payload, codec), 0.0
        if text is None:
            tried = _lenient(sample, codec, source)
            faults = max(tried.replaced, 1) / (len(_ASCII.sub("", tried.text)) or 1)
        # A declared codec that fits outweighs a chance likeness; one that takes any bytes proves nothing.
        trust = 0.25 * (source != "bytes" and not _WEAK.match(codec))
        score = _look(tried.text if text is None else text) + trust - 4 * faults
        if text is not None and trust and score > 0.75:
            return Decoded(text, codec, source, 0)
        readings.append((faults > 0.02, -score, place, codec, source, text))
    _, _, _, codec, source, text = min(readings, key=lambda item: item[:3])
    return _lenient(payload, codec, source) if text is None else Decoded(text, codec, source, 0)


def _look(text: str) -> float:
    """How much the letters beyond ASCII look like a text: 1 for kana, 0.8 for hangul, 1/3 for kanji, -1 for what wrong codecs make."""
    sample = (_ASCII.sub("", text[: 8 * _LOOKED_AT]) or _ASCII.sub("", text))[:_LOOKED_AT]
    good = len(_KANA_OR_STOP.findall(sample)) + 0.8 * len(_HANGUL.findall(sample)) + len(_KANJI.findall(sample)) / 3
    return (good - len(_ODD.findall(sample))) / (len(sample) or 1)


def _strict(payload: bytes, codec: str) -> str | None:
    """The text if every byte fits; an unfinished letter at the very end does not count."""
    try:
        text = codecs.getincrementaldecoder(codec)("seiryu.vendor" if codec in _HAVE_VENDOR else "strict").decode(payload, False)
    except (UnicodeDecodeError, ValueError):
        return None
    return None if codec == "cp932" and _NO_LETTER.search(text) else text


def _lenient(payload: bytes, codec: str, source: str) -> Decoded:
    text = codecs.getincrementaldecoder(codec)("seiryu.vendor.replace" if codec in _HAVE_VENDOR else "replace").decode(
        payload, False
    )
    if codec == "cp932":
        text = _NO_LETTER.sub("\ufffd", text)
    own = payload.count("\ufffd".encode()) if codec == "utf-8" else 0
    return Decoded(text, codec, source, max(0, text.count("\ufffd") - own))


def _vendor_letters() -> dict[bytes, str]:
    """Pairs of bytes that JIS X 0208 does not hold and Microsoft's CP51932 and CP50221 do: rows of NEC and IBM (①, 髙)."""
    letters = {}
    for row in (13, 89, 90, 91, 92):
        for cell in range(1, 95):
            lead = (row - 1) // 2 + (0x81 if row <= 62 else 0xC1)
            trail = cell + (0x9E if row % 2 == 0 else 0x3F if cell <= 63 else 0x40)
            letter = bytes([lead, trail]).decode("cp932", "ignore")
            if letter:
                letters[bytes([row + 0xA0, cell + 0xA0])] = letters[bytes([row + 0x20, cell + 0x20])] = letter
    return letters


_VENDOR = _vendor_letters()


def _vendor_or_fail(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError) and (letter := _VENDOR.get(error.object[error.start : error.start + 2])):
        return letter, error.start + 2
    raise error


def _vendor_or_replaced(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        letter = _VENDOR.get(error.object[error.start : error.start + 2]) if error.encoding in _HAVE_VENDOR else None
        return (letter, error.start + 2) if letter else ("\ufffd", error.end)
    raise error


codecs.register_error("seiryu.vendor", _vendor_or_fail)
codecs.register_error("seiryu.vendor.replace", _vendor_or_replaced)
