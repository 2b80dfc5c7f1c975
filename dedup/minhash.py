"""MinHash signatures of texts.

A text is the set of its shingles (shingles.py). The empty text has none: every value is EMPTY, as in datasketch, and `bands` sees to
it that nothing matches it.

To a shingle's hash h datasketch's scheme affine32 is applied, with datasketch's own permutations: mix h by the MurmurHash3
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
from numpy.typing import NDArray

from seiryu.dedup.kernel import kernel
from seiryu.dedup.shingles import code_points, finalised, letters_of, shingle_hashes, text_chunks

EMPTY = np.uint32(0xFFFFFFFF)

_TOGETHER = 8


def signatures(texts: pa.Array | pa.ChunkedArray, *, num_perm: int, shingle: int = 5, seed: int = 1) -> NDArray[np.uint32]:
    """MinHash values, [len(texts), num_perm], row for row.

    `texts` is string or large_string, chunked or not; TypeError for another type, ValueError for nulls.
    `shingle` counts code points. Bytes that are not UTF-8 give some signature, always the same one, and no
    error.
    """
    chunks = text_chunks(texts)
    if num_perm < 1 or shingle < 1:
        raise ValueError(f"num_perm and shingle must be positive: {num_perm}, {shingle}")
    a, b = _permutations(num_perm, seed)
    values = np.full((len(texts), num_perm), EMPTY)
    row = 0
    for chunk in chunks:
        if len(chunk):
            _fill(*letters_of(chunk), shingle, a, b, values[row : row + len(chunk)])
        row += len(chunk)
    return values


@lru_cache(maxsize=8)
def _permutations(num_perm: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    from datasketch import MinHash  # which imports scipy, in 0.3 s

    a, b = MinHash(num_perm=num_perm, seed=seed, scheme="affine32").permutations
    return np.ascontiguousarray(a, np.uint32), np.ascontiguousarray(b, np.uint32)


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
        count = code_points(letters, starts[row], starts[row + 1], points)
        if count:
            shingles = shingle_hashes(points, count, shingle, hashes)
            for i in range(shingles):
                hashes[i] = finalised(hashes[i])
            _lower(hashes, shingles, a, b, values[row])


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
