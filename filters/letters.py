"""Which letters are Japanese, and texts as arrays of code points.

`CLASSES` holds one byte of flags for each code point of Unicode: 1.1 MB, of which a text touches a few cache
lines. One load tells everything the kernels ask about a letter, where comparing ranges costs up to fifteen
branches. The ranges are written out and not taken from `unicodedata`, so that another Python with another
Unicode counts the same letters.

`codepoints` decodes a whole Arrow string array in one kernel, 500 to 800 MB of UTF-8 a second, without a
Python string in between.
"""

from collections.abc import Iterator

import numba as nb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

HIRAGANA, KATAKANA, KANJI, PUNCTUATION = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)
SPACE, TERMINATOR, DIGIT, BREAK = np.uint8(16), np.uint8(32), np.uint8(64), np.uint8(128)
JAPANESE = HIRAGANA | KATAKANA | KANJI | PUNCTUATION

RANGES: dict[np.uint8, tuple[tuple[int, int], ...]] = {
    # ぁ-ゖ, ゝゞゟ; beyond the BMP the hentaigana and the small letters of old texts
    HIRAGANA: ((0x3041, 0x3096), (0x309D, 0x309F), (0x1B001, 0x1B11F), (0x1B132, 0x1B132), (0x1B150, 0x1B152)),
    # ァ-ヺ, ーヽヾヿ (not ・), phonetic extensions, half-width ｦ-ﾟ; archaic and small letters beyond the BMP
    KATAKANA: (
        (0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F),
        (0x1B000, 0x1B000), (0x1B120, 0x1B122), (0x1B155, 0x1B155), (0x1B164, 0x1B167),
    ),
    # 々, 〇, 〻, the BMP's blocks, and the two planes that hold nothing but ideographs
    KANJI: (
        (0x3005, 0x3005), (0x3007, 0x3007), (0x303B, 0x303B), (0x3400, 0x9FFF), (0xF900, 0xFAFF),
        (0x20000, 0x2FFFD), (0x30000, 0x3FFFD),
    ),
    PUNCTUATION: tuple((ord(c), ord(c)) for c in "。．！？、，"),
    # what str.strip() takes away
    SPACE: (
        (0x9, 0xD), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
        (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
    ),
    TERMINATOR: tuple((ord(c), ord(c)) for c in "。．！？!?"),
    DIGIT: ((0x30, 0x39), (0xFF10, 0xFF19)),
    BREAK: ((0xA, 0xA), (0xD, 0xD)),
}  # fmt: skip


def _classes() -> npt.NDArray[np.uint8]:
    table = np.zeros(0x110000, np.uint8)
    for flag, ranges in RANGES.items():
        for first, last in ranges:
            table[first : last + 1] |= flag
    table.setflags(write=False)
    return table


CLASSES = _classes()


def codepoints(texts: pa.Array | pa.ChunkedArray) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """(code points of all texts, offsets): text i is `points[offsets[i]:offsets[i + 1]]`.

    Takes string and large_string arrays, whole, sliced or chunked. Raises TypeError for another type,
    ValueError for a null or for bytes that are not UTF-8. Four bytes a letter; `blocks` bounds that for big
    arrays.
    """
    if isinstance(texts, pa.ChunkedArray):
        parts = [codepoints(chunk) for chunk in texts.chunks] or [codepoints(pa.array([], texts.type))]
        starts = np.cumsum([0, *(len(points) for points, _ in parts)])
        ends = [offsets[1:] + start for (_, offsets), start in zip(parts, starts, strict=False)]
        return np.concatenate([points for points, _ in parts]), np.concatenate([np.zeros(1, np.int64), *ends])
    bounds, data = _utf8(texts)
    offsets = _lengths(data, bounds)
    points = np.empty(offsets[-1], np.uint32)
    _decode(data, bounds, points)
    return points, offsets


def blocks(texts: pa.Array | pa.ChunkedArray, size: int = 1 << 22) -> Iterator[pa.Array]:
    """The texts in order, cut into arrays of at most `size` bytes of UTF-8, or of one text that is longer."""
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        bounds, _ = _utf8(chunk)
        first = 0
        while first < len(chunk):
            last = int(np.searchsorted(bounds, bounds[first] + size, side="right")) - 1
            last = min(max(last, first + 1), len(chunk))
            yield chunk.slice(first, last - first)
            first = last


def _utf8(texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """(byte offsets, bytes) of an Arrow string array; text i is `data[bounds[i]:bounds[i + 1]]`."""
    if not isinstance(texts, pa.StringArray | pa.LargeStringArray):
        kind = getattr(texts, "type", type(texts).__name__)
        raise TypeError(f"texts must be an Arrow array of string or large_string, not {kind}")
    if texts.null_count:
        raise ValueError(f"{texts.null_count} of {len(texts)} texts are null; drop them or make them empty first")
    if not len(texts):
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    try:
        texts.validate(full=True)  # the decoder trusts lead bytes; Parquet readers do not check them
    except pa.ArrowInvalid as error:
        raise ValueError(f"a text is not UTF-8: {error}") from error
    _, bounds, data = texts.buffers()
    width = np.int32 if pa.types.is_string(texts.type) else np.int64
    ends = np.frombuffer(bounds, width)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    return ends, np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)


@nb.njit(cache=True, nogil=True)
def _lengths(data: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    offsets = np.zeros(len(bounds), np.int64)
    for i in range(len(bounds) - 1):
        letters = 0
        for byte in data[bounds[i] : bounds[i + 1]]:
            letters += (byte & 0xC0) != 0x80
        offsets[i + 1] = offsets[i] + letters
    return offsets


@nb.njit(cache=True, nogil=True)
def _decode(data: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int64], points: npt.NDArray[np.uint32]) -> None:
    i, end, k = bounds[0], bounds[-1], 0
    while i < end:
        byte = np.uint32(data[i])
        if byte < 0x80:
            points[k] = byte
            i += 1
        elif byte < 0xE0:
            points[k] = (byte & 0x1F) << 6 | data[i + 1] & 0x3F
            i += 2
        elif byte < 0xF0:
            points[k] = (byte & 0xF) << 12 | (data[i + 1] & 0x3F) << 6 | data[i + 2] & 0x3F
            i += 3
        else:
            head = (byte & 7) << 18 | np.uint32(data[i + 1] & 0x3F) << 12
            points[k] = head | np.uint32(data[i + 2] & 0x3F) << 6 | data[i + 3] & 0x3F
            i += 4
        k += 1
