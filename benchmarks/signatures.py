"""MinHash signatures of texts of 1,700 letters, against datasketch's update_batch on the set of their shingles, in turn.

Both start from the text and have the same number of permutations; datasketch is called as its documentation does, once a text, with its
own hash. Beside them what else deduplication asks of a text: its normal form, its band keys, and its exact set of shingles.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from datasketch import MinHash

from benchmarks.inputs import Inputs
from benchmarks.timing import Figure, alternate, each
from seiryu.dedup.bands import FINEWEB, SWALLOW, band_keys
from seiryu.dedup.minhash import signatures
from seiryu.dedup.normal import normalised
from seiryu.dedup.shingles import shingle_sets

SHINGLE = 5


def figures(inputs: Inputs) -> Iterator[Figure]:
    texts = inputs.texts(1700, 50)
    few, many = pa.array(texts), pa.array(texts * 10)
    for banding in (SWALLOW, FINEWEB):
        number = banding.num_perm
        values = signatures(many, num_perm=number)
        tasks = {
            "signatures": lambda number=number: signatures(many, num_perm=number),
            "signatures, the same": lambda number=number: signatures(few, num_perm=number),
            "update_batch": lambda number=number: [datasketch(text, number) for text in texts],
            "keys": lambda values=values, banding=banding: band_keys(values, banding.bands, banding.rows),
        }
        rounds = alternate(tasks)
        yield rounds.figure(f"{number} permutations, {len(many):,} texts, a text", "signatures", "ms", each(len(many)))
        yield rounds.figure(
            f"{number} permutations, {len(few):,} texts, a text", "signatures, the same", "ms", each(len(few)), "update_batch"
        )
        yield rounds.figure(f"band_keys, {banding.bands} x {banding.rows}, a text", "keys", "µs", each(len(many), 1e6))
    rounds = alternate({"normal form": lambda: normalised(many), "sets": lambda: shingle_sets(many, SHINGLE)})
    yield rounds.figure("normal form, a text", "normal form", "ms", each(len(many)))
    yield rounds.figure("exact set of shingles, a text", "sets", "ms", each(len(many)))


def datasketch(text: str, permutations: int) -> MinHash:
    minhash = MinHash(num_perm=permutations)
    minhash.update_batch([shingle.encode() for shingle in {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)}])
    return minhash
