"""The text of an HTML payload: what the bytes can be comes before what is said about them.

Order: byte order mark; valid UTF-8; escape sequences of ISO-2022-JP; then the declared charset and the Japanese ones, of which the
one that decodes without a fault and looks most like Japanese is taken. A label is often wrong or says Shift_JIS for cp932, so it
decides only between readings that are equally good. Which labels there are: `charset_labels`. A page cut amid a letter is not
thereby undecodable.

Candidates are compared on 8 KiB from the first byte beyond ASCII, and the best is decoded whole; only where it then does not fit
are all of them. So the choice costs as much again as decoding: 0.4 ms a page of cp932 of 74 KB, where comparing whole readings by
patterns of one letter took three times as long.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seiryu.corpus.decoding.charset_labels import codec_of
from seiryu.corpus.decoding.iso2022 import STARTS, decode_iso2022

_META = re.compile(
    # Blanks are never given back: a run of them after each of many <meta would take a minute.
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([\w.:-]+)|<meta[^>]{0,500}?charset\s*+=\s*+["']?\s*+([\w.:-]+)""",
    re.IGNORECASE,
)
_JIS = "iso2022_jp"
_GUESSES = ("cp932", "euc_jp", "utf-8")
_NO_LETTERS = "\uf8f0\uf8f1\uf8f2\uf8f3"  # what Python makes of the bytes A0, FD, FE and FF, which no letter of cp932 has
_WIDE_ASCII = re.compile(rb"(?:[\t\r\n -~]\0){6}")
_BYTE_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_COMPARED = 1 << 13  # bytes
# Codecs that decode any bytes at all: their success says nothing.
_WEAK = re.compile(r"cp125\d|iso8859|koi8|mac|cp8\d\d")
# Codecs whose gaps have a meaning on the web: letters of NEC and IBM; in Windows' tables, control characters.
_BY_HANDLER = re.compile(r"euc_jp$|iso2022_jp|cp125\d|cp874")


def _likeness() -> npt.NDArray[np.float32]:
    """What a letter of the BMP says for a reading: kana and 、。 1, hangul 0.8, kanji 1/3; -1 for what wrong codecs make of bytes."""
    table = np.zeros(0x10000, np.float32)
    for first, last, worth in (
        (0x3041, 0x3096, 1), (0x30A1, 0x30FC, 1), (0x3001, 0x3002, 1), (0xAC00, 0xD7A3, 0.8), (0x4E00, 0x9FFF, 1 / 3),
        (0xFF61, 0xFF9F, -1), (0xE000, 0xF8FF, -1), (0xFFFD, 0xFFFD, -1), (0x80, 0x9F, -1),
    ):  # fmt: skip
        table[first : last + 1] = worth
    return table


_LIKENESS = _likeness()


@dataclass(frozen=True, slots=True)
class Decoded:
    """`charset`: a Python codec's name, iso2022_jp for all its dialects. `source`: bom, bytes, header or meta.

    `replaced`: letters that had to be replaced.
    """

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
    shifted = b"\x1b" in payload and STARTS.search(payload) is not None
    if not (shifted and payload.isascii()) and (text := _strict(payload, "utf-8")) is not None:
        return Decoded(text, "utf-8", "bytes", 0)
    if shifted:
        found = _lenient(payload, _JIS, "bytes")
        # Where all bytes are ASCII, nothing else could have made the escape sequences.
        if found.replaced <= (0.5 if payload.isascii() else 0.1) * _beyond_ascii(found.text):
            return found
    return _best(payload, list(_candidates(payload, declared)))


def _candidates(payload: bytes, declared: str | None) -> Iterator[tuple[str, str]]:
    """Codecs worth trying, with what proposes them; the declared ones first, each once."""
    seen = set()
    label = _META.search(payload, 0, 8192)
    said = [(declared, "header"), ((label[1] or label[2]).decode("ascii", "replace") if label else None, "meta")]
    found = [(codec_of(name), source) for name, source in said]
    for codec, source in [*found, *((codec, "bytes") for codec in _GUESSES)]:
        if codec and codec not in seen and (codec != _JIS or b"\x1b" in payload or b"\x0e" in payload):
            seen.add(codec)
            yield codec, source


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a candidate fares on a part of the page. `faults`: share of its letters beyond ASCII; ordered best first by `key`."""

    codec: str
    source: str
    place: int
    faults: float
    score: float

    @property
    def key(self) -> tuple[bool, float, int]:
        return self.faults > 0.02, -self.score, self.place


def _best(payload: bytes, candidates: list[tuple[str, str]]) -> Decoded:
    """The candidate with few faults for each letter beyond ASCII, then the most Japanese (or Korean) look, then the first."""
    first = _BYTE_BEYOND_ASCII.search(payload)
    part = payload[first.start() :][:_COMPARED] if first else payload[:_COMPARED]
    readings = sorted((_read(part, *candidate, place) for place, candidate in enumerate(candidates)), key=lambda one: one.key)
    best = readings[0]
    if not best.faults and (text := _strict(payload, best.codec)) is not None:
        return Decoded(text, best.codec, best.source, 0)
    # It does not fit all of the page. Another that does may still be it: faults count four times what a look can.
    whole = {one.codec: _lenient(payload, one.codec, one.source) for one in readings}
    judged = (_judge(whole[one.codec], one) for one in readings)
    return whole[min(judged, key=lambda one: one.key).codec]


def _read(part: bytes, codec: str, source: str, place: int) -> _Reading:
    text = _strict(part, codec)
    if text is None and codec == "euc_jp":  # the handler for vendors' letters is Python, and slow where nearly all is amiss
        plain = codecs.getincrementaldecoder(codec)("replace").decode(part, False)
        if plain.count("\ufffd") > 0.2 * _beyond_ascii(plain):
            return _reading(plain, plain.count("\ufffd"), codec, source, place)
    if text is not None:
        return _reading(text, 0, codec, source, place)
    found = _lenient(part, codec, source)
    return _reading(found.text, max(found.replaced, 1), codec, source, place)


def _judge(found: Decoded, before: _Reading) -> _Reading:
    """A reading of the whole page, the look of its part standing."""
    faults = found.replaced / (_beyond_ascii(found.text) or 1)
    score = before.score + 4 * (before.faults - faults)
    return _Reading(before.codec, before.source, before.place, faults, score)


def _reading(text: str, replaced: int, codec: str, source: str, place: int) -> _Reading:
    beyond, look = _look(text)
    faults = replaced / (beyond or 1)
    # A declared codec that fits outweighs a chance likeness; one that takes any bytes proves nothing.
    trust = 0.25 * (source != "bytes" and not _WEAK.match(codec))
    return _Reading(codec, source, place, faults, look + trust - 4 * faults)


def _look(text: str) -> tuple[int, float]:
    """(letters beyond ASCII, how much they look like a text in the mean)."""
    points = _points(text)
    beyond = points[points > 0x7F]
    return len(beyond), float(_LIKENESS[np.minimum(beyond, 0xFFFF)].sum()) / (len(beyond) or 1)


def _beyond_ascii(text: str) -> int:
    return 0 if text.isascii() else int((_points(text) > 0x7F).sum())


def _points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _strict(payload: bytes, codec: str) -> str | None:
    """The text if every byte fits; an unfinished letter at the very end does not count."""
    try:
        text = _decode(payload, codec, "seiryu.vendor" if _BY_HANDLER.match(codec) else "strict")
    except (UnicodeDecodeError, ValueError):
        return None
    return None if codec == "cp932" and any(letter in text for letter in _NO_LETTERS) else text


def _lenient(payload: bytes, codec: str, source: str) -> Decoded:
    text = _decode(payload, codec, "seiryu.vendor.replace" if _BY_HANDLER.match(codec) else "replace")
    if codec == "cp932":
        for letter in _NO_LETTERS:
            text = text.replace(letter, "\ufffd")
    own = payload.count("\ufffd".encode()) if codec == "utf-8" else 0
    return Decoded(text, codec, source, max(0, text.count("\ufffd") - own))


def _decode(payload: bytes, codec: str, errors: str) -> str:
    if codec == _JIS:
        for fast in () if b"\x0e" in payload else ("iso2022_jp", "iso2022_jp_ext"):  # in C, and right as far as they go
            with suppress(UnicodeDecodeError):
                return codecs.getincrementaldecoder(fast)("strict").decode(payload, False)
        return decode_iso2022(payload, errors)
    return codecs.getincrementaldecoder(codec)(errors).decode(payload, False)


def _vendor_letters() -> dict[bytes, str]:
    """Pairs of bytes that JIS X 0208 does not hold and Microsoft's CP51932 and CP50221 do: rows of NEC and IBM (①, 髙)."""
    letters = {}
    for row in (13, 89, 90, 91, 92):
        for cell in range(1, 95):
            lead = (row - 1) // 2 + (0x81 if row <= 62 else 0xC1)
            trail = cell + (0x9E if row % 2 == 0 else 0x3F if cell <= 63 else 0x40)
            if letter := bytes([lead, trail]).decode("cp932", "ignore"):
                letters[bytes([row + 0xA0, cell + 0xA0])] = letter
    return letters


_VENDOR = _vendor_letters()


def _meant(error: UnicodeError) -> tuple[str, int] | None:
    """The letter that the web has in a gap of Python's codec, and where it ends."""
    if not isinstance(error, UnicodeDecodeError):
        return None
    if error.encoding == "euc_jp":
        letter = _VENDOR.get(error.object[error.start : error.start + 2])
        return (letter, error.start + 2) if letter else None
    if error.encoding == "charmap" and 0x80 <= (byte := error.object[error.start]) <= 0x9F:
        return chr(byte), error.start + 1
    return None


def _vendor_or_fail(error: UnicodeError) -> tuple[str, int]:
    if found := _meant(error):
        return found
    raise error


def _vendor_or_replaced(error: UnicodeError) -> tuple[str, int]:
    if found := _meant(error):
        return found
    if isinstance(error, UnicodeDecodeError):
        return "\ufffd", error.end
    raise error


codecs.register_error("seiryu.vendor", _vendor_or_fail)
codecs.register_error("seiryu.vendor.replace", _vendor_or_replaced)
