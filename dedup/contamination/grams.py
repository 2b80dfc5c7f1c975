"""The n-grams of many items, made ready to be looked up.

A gram is a run of `ngram` letters of one text of an item; runs do not cross from one text into the next. A shorter text is a gram
as a whole if it is all that an item has, and long enough; beside others it is an answer or a choice, such as
スーパーマーケット, which says nothing. A run that stands in more than `COMMON` different texts of a benchmark is left out: it is the
benchmark's own wording (choose one of ...). GPT-3 did so with n-grams of more than ten training documents (Brown et al. 2020,
appendix C). What is found of one benchmark is the same whatever others there are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seiryu.dedup.contamination.lookup import Lookup, hashes_of, lookup_of, numbered
from seiryu.dedup.kernel import kernel

COMMON = 10  # texts of a benchmark


class Grams(NamedTuple):
    """Gram g is letters[places[g]:places[g] + lengths[g]] and belongs to items[item_starts[g]:item_starts[g + 1]], of each of which it
    covers at most `weights` letters.

    Item i is looked for by texts[text_starts[i]:text_starts[i + 1]], and text t is covered by the grams
    windows[window_starts[t]:window_starts[t + 1]], one a letter, -1 where it is common. `totals`: letters that an item's grams cover,
    0 if it is not looked for; `needed`: those that make it found.
    """

    letters: NDArray[np.uint32]
    places: NDArray[np.int64]
    lengths: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    item_starts: NDArray[np.int64]
    items: NDArray[np.int32]
    weights: NDArray[np.int32]
    text_starts: NDArray[np.int64]
    texts: NDArray[np.int32]
    window_starts: NDArray[np.int64]
    windows: NDArray[np.int32]
    totals: NDArray[np.int32]
    needed: NDArray[np.int32]
    runs: Lookup
    whole: Lookup


class Texts(NamedTuple):
    """Different normalised texts: text t is letters[starts[t]:starts[t + 1]] and stands in the items of items[t], a benchmark's."""

    letters: NDArray[np.uint32]
    starts: NDArray[np.int64]
    items: list[list[int]]
    benchmarks: NDArray[np.int32]


def grams_of(texts: Texts, items: int, ngram: int, min_letters: int, min_share: float) -> Grams:
    """The grams of `items` items. Texts of different benchmarks are different texts, even if their letters are the same."""
    sizes = np.diff(texts.starts)
    of_item = _looked_for(texts, items, ngram, min_letters)
    text_starts = np.concatenate([[0], np.cumsum([len(mine) for mine in of_item], dtype=np.int64)])
    used = np.array([text for mine in of_item for text in mine], np.int64)
    asked = np.zeros(len(sizes), np.bool_)
    asked[used] = True
    counts = np.where(asked, np.where(sizes >= ngram, sizes - ngram + 1, 1), 0)
    window_starts = np.concatenate([[0], np.cumsum(counts)])
    text_of = np.repeat(np.arange(len(sizes)), counts)
    firsts = texts.starts[text_of] + np.arange(len(text_of)) - window_starts[text_of]
    lengths = np.minimum(sizes[text_of], ngram)
    run = lengths == ngram
    number = np.empty(len(firsts), np.int64)
    number[run] = numbered(texts.letters, firsts[run], lengths[run], ngram)
    number[run & _common(number, run, text_of, texts)] = -1
    number[~run] = numbered(texts.letters, firsts[~run], lengths[~run], min_letters) + number[run].max(initial=-1) + 1
    kinds, first, dense = np.unique(number, return_index=True, return_inverse=True)
    missing = int(len(kinds) > 0 and kinds[0] < 0)
    windows, first = (dense - missing).astype(np.int32), first[missing:]
    pairs, times = _with_items(windows, window_starts, text_starts, used)
    place, length = firsts[first], lengths[first].astype(np.int32)
    runs, whole = np.flatnonzero(length == ngram), np.flatnonzero(length < ngram)
    hashes = np.empty(len(first), np.uint64)
    hashes[runs], hashes[whole] = (
        hashes_of(texts.letters, place[runs], ngram),
        hashes_of(texts.letters, place[whole], min_letters),
    )
    totals, chosen = np.zeros(items, np.int32), used.astype(np.int32)
    every = np.zeros(len(first), np.int64)
    for item in range(items):
        totals[item] = covered(item, 0, every, text_starts, chosen, window_starts, windows, length)
    needed = np.maximum(np.ceil(totals * min_share - 1e-6), 1).astype(np.int32)
    return Grams(
        texts.letters, place, length, hashes, np.searchsorted(pairs[:, 0], np.arange(len(first) + 1)), pairs[:, 1].astype(np.int32),
        (times * length[pairs[:, 0]]).astype(np.int32), text_starts, chosen, window_starts, windows, totals, needed,
        lookup_of(hashes, runs, ngram), lookup_of(hashes, whole, min_letters),
    )  # fmt: skip


def _looked_for(texts: Texts, items: int, ngram: int, min_letters: int) -> list[list[int]]:
    """The texts by which each item is looked for: those with an n-gram, or the only one if it is long enough."""
    found: list[list[int]] = [[] for _ in range(items)]
    have = np.zeros(items, np.int64)
    sizes = np.diff(texts.starts).tolist()
    for mine, size in zip(texts.items, sizes, strict=True):
        have[mine] += size > 0
    for text, (mine, size) in enumerate(zip(texts.items, sizes, strict=True)):
        for item in mine:
            if size >= ngram or (size >= min_letters and have[item] == 1):
                found[item].append(text)
    return found


def _common(number: NDArray[np.int64], run: NDArray[np.bool_], text_of: NDArray[np.int64], texts: Texts) -> NDArray[np.bool_]:
    """Which windows hold a gram that stands in too many texts of their benchmark."""
    common = np.zeros(len(number), np.bool_)
    if run.any():
        grams = int(number[run].max()) + 1
        pairs, inverse = np.unique(text_of[run] * grams + number[run], return_inverse=True)
        mine = texts.benchmarks[pairs // grams] * np.int64(grams) + pairs % grams
        _, kind, times = np.unique(mine, return_inverse=True, return_counts=True)
        common[run] = (times[kind] > COMMON)[inverse]
    return common


def _with_items(
    windows: NDArray[np.int32], window_starts: NDArray[np.int64], text_starts: NDArray[np.int64], used: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sorted pairs (gram, item), and how often the one stands in the other."""
    sizes = window_starts[used + 1] - window_starts[used]
    item = np.repeat(np.repeat(np.arange(len(text_starts) - 1), np.diff(text_starts)), sizes)
    at = np.repeat(window_starts[used] - np.concatenate([[0], np.cumsum(sizes)[:-1]])[: len(used)], sizes) + np.arange(
        sizes.sum()
    )
    gram = windows[at].astype(np.int64)
    items = len(text_starts)
    pairs, times = np.unique((gram * items + item)[gram >= 0], return_counts=True)
    return np.stack([pairs // items, pairs % items], axis=1), times


@kernel
def covered(
    item: int,
    row: int,
    seen: NDArray[np.int64],
    text_starts: NDArray[np.int64],
    texts: NDArray[np.int32],
    window_starts: NDArray[np.int64],
    windows: NDArray[np.int32],
    lengths: NDArray[np.int32],
) -> int:
    """How many letters of an item its grams cover that were last seen in this row."""
    letters = 0
    for k in range(text_starts[item], text_starts[item + 1]):
        first, reach = window_starts[texts[k]], np.int64(0)
        for window in range(first, window_starts[texts[k] + 1]):
            gram = windows[window]
            if gram >= 0 and seen[gram] == row:
                begin, end = window - first, window - first + lengths[gram]
                letters += end - max(begin, reach)
                reach = end
    return letters
