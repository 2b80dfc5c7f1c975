"""Many pieces of one file, read in few requests and laid where they belong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store

Places = npt.NDArray[np.int64]
# Between two pieces so much is read and thrown away, bytes: cheaper than another request.
_GAP = 65_536
_READ = 16_777_216


def gather(store: Store, name: str, starts: Places, sizes: Places, target: npt.NDArray[np.uint8], targets: Places) -> None:
    """Read `sizes[i]` bytes at `starts[i]`, ascending, to `targets[i]` in `target`. InputError if the file ends before.

    Pieces that lie near each other are read at once, at most 16 MiB unless a piece is longer, so memory does not grow with them.
    """
    ends = starts + sizes
    with store.open(name) as file:
        begin = 0
        while begin < len(starts):
            end = begin + 1
            while end < len(starts) and starts[end] - ends[end - 1] <= _GAP and ends[end] - starts[begin] <= _READ:
                end += 1
            first, last = int(starts[begin]), int(ends[begin:end].max())
            file.seek(first)
            data = np.frombuffer(file.read(last - first), np.uint8)
            if len(data) < last - first:
                raise InputError(f"{store.path(name)} is shorter than its table says; delete it and run again")
            for i in range(begin, end):
                target[targets[i] : targets[i] + sizes[i]] = data[starts[i] - first : ends[i] - first]
            begin = end
