"""Who is the same to the letter: 128-bit digests of texts and of addresses.

BLAKE2b of 16 bytes. Among 10^10 texts two that differ share a digest with probability 10^-19, so equal digests are taken for
equal texts. What has no letters, or no address, has the digest NONE, and NONE equals nothing, not even itself.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SIZE = 16
NONE = b"\xff" * SIZE
DIGEST = pa.binary(SIZE)

_ADDRESS = re.compile(r"(?:https?:)?//(?:[^/?#@]*@)?([^/?#:]*)(?::(\d*))?([^#]*)", re.IGNORECASE)


def digests(texts: Iterable[str]) -> pa.FixedSizeBinaryArray:
    """A digest for each text."""
    return pa.array([blake2b(text.encode(), digest_size=SIZE).digest() if text else NONE for text in texts], DIGEST)


def address(url: str) -> str:
    """What is compared of an address: host in lower case, port if it is not the usual one, path and query; no scheme, no fragment.

    `http` and `https` are the same page, `www.` and an end in `/` may be another. What is no http address stays as it is.
    """
    found = _ADDRESS.match(url)
    if not found:
        return url
    host, port, path = found[1].lower().rstrip("."), found[2], found[3]
    port = f":{port}" if port and port not in ("80", "443") else ""
    return f"{host}{port}{path if path.startswith('/') else '/' + path}"


def words(digests: pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """Digests as two numbers each, [n, 2]; the first is a key for grouping."""
    whole = digests.combine_chunks() if isinstance(digests, pa.ChunkedArray) else digests
    if isinstance(whole, pa.ChunkedArray):  # no chunk at all
        return np.empty((0, 2), np.uint64)
    raw = np.frombuffer(whole.buffers()[1] or b"", np.uint8)[whole.offset * SIZE : (whole.offset + len(whole)) * SIZE]
    return raw.view("<u8").astype(np.uint64).reshape(-1, 2)
