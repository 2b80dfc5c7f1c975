"""MinHash signatures of texts.

A text is the set of its shingles, the runs of `shingle` code points, nothing normalised. A shorter text has one
shingle, itself, so short texts are equal only when they are the same text. The empty text has none: every value
is EMPTY, as in datasketch, and `bands` sees to it that nothing matches it.

A shingle's hash is MurmurHash3_x86_32 with seed 0 of its UTF-32 little-endian bytes, one code point being one
block. What follows is datasketch's scheme affine32 with datasketch's own permutations: mix h by the MurmurHash3
finaliser, then value k is the minimum of a[k] * h + b[k] mod 2^32. So `MinHash(num_perm, seed, hashfunc=...)`
over the same shingles has the same values, which tests/dedup/test_minhash.py holds us to.

Price: 0.054 ms a document of 1,700 letters and 800 permutations on one core with AVX-512, 0.015 ms with 112;
datasketch's update_batch takes 2 to 5 ms. Eight hashes go through the permutations
together, so that a, b and the minima are loaded once for eight. Not taken: to leave out repeated shingles, a
quarter to a half of a page. Sorting the hashes doubles the time; a table of those met last saves 9 % of it with
800 permutations and costs 10 % with 112.
"""

from functools import lru_cache

import numpy as np
import pyarrow as pa
from datasketch import MinHash
from numpy.typing import NDArray

from seiryu.dedup.kernel import kernel

EMPTY = np.uint32(0xFFFFFFFF)

_C1, _C2, _C3 = np.uint32(0xCC9E2D51), np.uint32(0x1B873593), np.uint32(0xE6546B64)
_F1, _F2 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_TOGETHER = 8


def signatures(texts: pa.Array | pa.ChunkedArray, *, num_perm: int, shingle: int = 5, seed: int = 1) -> NDArray[np.uint32]:
    """MinHash values, [len(texts), num_perm], row for row.

    `texts` is string or large_string, chunked or not; TypeError for another type, ValueError for nulls.
    `shingle` counts code points. Bytes that are not UTF-8 give some signature, always the same one, and no
    error.
    """
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        raise TypeError(f"texts must be string or large_string, not {texts.type}")
    if texts.null_count:
        raise ValueError(f"{texts.null_count} of {len(texts)} texts are null")
    if num_perm < 1 or shingle < 1:
        raise ValueError(f"num_perm and shingle must be positive: {num_perm}, {shingle}")
    a, b = _permutations(num_perm, seed)
    values = np.full((len(texts), num_perm), EMPTY)
    row = 0
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        if len(chunk):
            _fill(*_letters(chunk), shingle, a, b, values[row : row + len(chunk)])
        row += len(chunk)
    return values


@lru_cache(maxsize=8)
def _permutations(num_perm: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    a, b = MinHash(num_perm=num_perm, seed=seed, scheme="affine32").permutations
    return np.ascontiguousarray(a, np.uint32), np.ascontiguousarray(b, np.uint32)


def _letters(chunk: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """UTF-8 of all texts, and where each begins, without copying the letters."""
    _, offsets, letters = chunk.buffers()
    width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
    starts = np.frombuffer(offsets, width)[chunk.offset : chunk.offset + len(chunk) + 1]
    return np.frombuffer(letters or b"", np.uint8), starts.astype(np.int64)


@kernel
def _fill(
    letters: NDArray[np.uint8],
    starts: NDArray[np.int64],
    shingle: int,
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    values: NDArray[np.uint32],
) -> None:
    room = np.int64(0)
    for row in range(len(values)):
        room = max(room, starts[row + 1] - starts[row])
    points, hashes = np.empty(room, np.uint32), np.empty(room + _TOGETHER, np.uint32)
    for row in range(len(values)):
        count = _code_points(letters, starts[row], starts[row + 1], points)
        if count:
            _lower(hashes, _shingle_hashes(points, count, shingle, hashes), a, b, values[row])


@kernel
def _code_points(letters: NDArray[np.uint8], start: int, end: int, points: NDArray[np.uint32]) -> int:
    # By single bytes and not by the length a first byte promises: damaged UTF-8 must not lead beyond `end`.
    count = 0
    for at in range(start, end):
        byte = np.uint32(letters[at])
        if byte & 0xC0 == 0x80 and count:
            points[count - 1] = points[count - 1] << np.uint32(6) | byte & np.uint32(0x3F)
            continue
        if byte >= 0xE0:
            byte &= np.uint32(0x0F)  # of four bytes too: their bit 3 is 0
        elif byte >= 0xC0:
            byte &= np.uint32(0x1F)
        points[count] = byte
        count += 1
    return count


@kernel
def _finalised(h: np.uint32) -> np.uint32:
    h = np.uint32((h ^ h >> np.uint32(16)) * _F1)
    h = np.uint32((h ^ h >> np.uint32(13)) * _F2)
    return h ^ h >> np.uint32(16)


@kernel
def _shingle_hashes(points: NDArray[np.uint32], count: int, shingle: int, hashes: NDArray[np.uint32]) -> int:
    """Hashes of the shingles, mixed for the permutations; how many. The code points are overwritten."""
    for i in range(count):
        block = np.uint32(points[i] * _C1)
        points[i] = np.uint32((block << np.uint32(15) | block >> np.uint32(17)) * _C2)
    width = min(shingle, count)
    shingles = count - width + 1
    hashes[:shingles] = 0
    for j in range(width):
        for i in range(shingles):
            h = hashes[i] ^ points[i + j]
            hashes[i] = np.uint32((h << np.uint32(13) | h >> np.uint32(19)) * np.uint32(5) + _C3)
    for i in range(shingles):
        hashes[i] = _finalised(_finalised(hashes[i] ^ np.uint32(4 * width)))
    return shingles


@kernel
def _lower(
    hashes: NDArray[np.uint32],
    count: int,
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    low: NDArray[np.uint32],
) -> None:
    for i in range(count, (count + _TOGETHER - 1) // _TOGETHER * _TOGETHER):
        hashes[i] = hashes[0]  # a hash more than once changes no minimum
    for i in range(0, count, _TOGETHER):
        h0, h1, h2, h3 = hashes[i], hashes[i + 1], hashes[i + 2], hashes[i + 3]
        h4, h5, h6, h7 = hashes[i + 4], hashes[i + 5], hashes[i + 6], hashes[i + 7]
        for k in range(len(low)):
            x, y = a[k], b[k]
            v = min(np.uint32(x * h0 + y), np.uint32(x * h1 + y))
            w = min(np.uint32(x * h2 + y), np.uint32(x * h3 + y))
            s = min(np.uint32(x * h4 + y), np.uint32(x * h5 + y))
            t = min(np.uint32(x * h6 + y), np.uint32(x * h7 + y))
            low[k] = min(low[k], min(min(v, w), min(s, t)))
