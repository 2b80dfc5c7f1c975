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
_LOOKED_AT = 1 << 16
_KANA_OR_STOP = re.compile("[\u3041-\u3096\u30a1-\u30fc、。]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_KANJI = re.compile("[\u4e00-\u9fff]")
_ODD = re.compile("[\uff61-\uff9f\ue000-\uf8ff\ufffd\u0080-\u009f]")
_BEYOND_ASCII = re.compile("[^\0-\x7f]")

# WHATWG labels whose meaning differs from Python's codec of that name.
_LABELS = {
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms_kanji": "cp932", "windows-31j": "cp932",
    "ms932": "cp932", "csshiftjis": "cp932", "euc-jp": "euc_jp", "x-euc-jp": "euc_jp", "cseucpkdfmtjapanese": "euc_jp",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-9": "cp1254", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "big5": "big5hkscs", "x-x-big5": "big5hkscs",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "ksc5601": "cp949", "windows-949": "cp949",
    "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8", "unicode": "utf-16-le", "utf-16": "utf-16-le",
}  # fmt: skip
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
    if wide := _utf16(payload):
        return _lenient(payload, wide, "bytes")
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
        if codec and codec not in seen and not codec.startswith("utf-16"):
            seen.add(codec)
            yield codec, source


def _codec(label: str | None) -> str | None:
    """The Python codec of a WHATWG label, or None."""
    name = (label or "").strip().lower()
    if not name:
        return None
    try:
        found = codecs.lookup(_LABELS.get(name, name))
    except (LookupError, ValueError):
        return None
    return _LABELS.get(name) or (found.name if found._is_text_encoding else None)


def _best(payload: bytes, candidates: list[tuple[str, str]]) -> Decoded:
    """The candidate with few faults for each letter beyond ASCII, then the most Japanese (or Korean) look, then the first."""
    readings = []
    for place, (codec, source) in enumerate(candidates):
        text = _strict(payload, codec)
        reading = Decoded(text, codec, source, 0) if text is not None else _lenient(payload, codec, source)
        beyond = len(_BEYOND_ASCII.findall(reading.text)) or 1
        faults = reading.replaced / beyond
        # A declared codec that fits outweighs a chance likeness; one that takes any bytes proves nothing.
        trust = 0.25 * (source != "bytes" and not _WEAK.match(codec))
        score = _look(reading.text) + trust - 4 * faults
        if not reading.replaced and trust and score > 0.75:
            return reading
        readings.append((faults > 0.02, -score, place, reading))
    return min(readings, key=lambda item: item[:3])[3]


def _look(text: str) -> float:
    """How much the letters beyond ASCII look like a text: 1 for kana, 0.8 for hangul, 1/3 for kanji, -1 for what wrong codecs make."""
    sample = "".join(_BEYOND_ASCII.findall(text[:_LOOKED_AT])) or "".join(_BEYOND_ASCII.findall(text))[:_LOOKED_AT]
    good = len(_KANA_OR_STOP.findall(sample)) + 0.8 * len(_HANGUL.findall(sample)) + len(_KANJI.findall(sample)) / 3
    return (good - len(_ODD.findall(sample))) / (len(sample) or 1)


def _strict(payload: bytes, codec: str) -> str | None:
    """The text if every byte fits; an unfinished letter at the very end does not count."""
    try:
        return codecs.getincrementaldecoder(codec)("seiryu.cp51932" if codec == "euc_jp" else "strict").decode(payload, False)
    except (UnicodeDecodeError, ValueError):
        return None


def _lenient(payload: bytes, codec: str, source: str) -> Decoded:
    text = codecs.getincrementaldecoder(codec)("replace").decode(payload, False)
    own = payload.count("\ufffd".encode()) if codec == "utf-8" else 0
    return Decoded(text, codec, source, max(0, text.count("\ufffd") - own))


def _utf16(payload: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of the markup's ASCII is zero."""
    head = payload[:512]
    if head.count(0) < len(head) // 4:
        return None
    return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"


def _cp51932(error: UnicodeError) -> tuple[str, int]:
    """Two bytes that JIS X 0208 does not hold, read as Microsoft's extension of EUC-JP does (NEC and IBM letters: ①, 髙)."""
    if isinstance(error, UnicodeDecodeError):
        pair = error.object[error.start : error.start + 2]
        if len(pair) == 2 and min(pair) >= 0xA1:
            row, cell = pair[0] - 0xA0, pair[1] - 0xA0
            lead = (row - 1) // 2 + (0x81 if row <= 62 else 0xC1)
            trail = cell + (0x9E if row % 2 == 0 else 0x3F if cell <= 63 else 0x40)
            try:
                return bytes([lead, trail]).decode("cp932"), error.start + 2
            except (UnicodeDecodeError, ValueError):
                raise error from None
    raise error


codecs.register_error("seiryu.cp51932", _cp51932)
