"""How often n-grams of letters come back, for n from 1 to 10: counted exactly, by splitting groups of equal ones.

At first all places of a text form one group. Each step reads the next letter at every place and splits each group by it; a
place whose n-gram no other shares is left out for good, so that each length looks only at what the one before left over: on
Japanese manuals half of the letters for n = 5, a fifth for n = 10. Two places that are a group are compared to the end at
once, for half of all groups are of two. Linear in the letters, and nothing is hashed that could collide.

Not taken: hash tables keyed by (number of the first n - 1 letters, last letter) take half as long again and twice the memory;
so does one loop over all places with the numbers of their groups beside them. A suffix array is slower to build.

Memory: 16 bytes a letter, and a table of all code points of which only those pages are touched whose letters occur.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from typing import Any

import numba as nb
import numpy as np

LONGEST_GRAM = 10
GRAM_COUNTS = tuple(
    name.format(n=n)
    for name in ("all_{n}grams", "top_{n}gram", "duplicate_{n}grams", "duplicate_{n}gram_types")
    for n in range(1, LONGEST_GRAM + 1)
)
(ALL, TOP, DUPLICATES, TYPES) = range(4)
GAP = np.uint32(0x110000)  # no code point, and part of no n-gram


def tally_of_letters() -> Any:
    """The `tally` of count_ngrams: all zero before and after. Made here, where pages that are not touched cost nothing."""
    return np.zeros(int(GAP) + 1, np.int32)


@nb.njit(cache=True, nogil=True)
def room_for_ngrams(longest):
    """The `room` of count_ngrams, for bodies of at most `longest` letters and gaps."""
    places = np.empty((2, longest + 1), np.int32)
    starts = np.empty((2, longest // 2 + 2), np.int32)  # in a group are two at least
    return places, starts, np.empty(longest + 1, np.uint32)


@nb.njit(cache=True, nogil=True)
def count_ngrams(body, tally, room, counts):
    """Fills counts[4, 10], the GRAM_COUNTS of a body that ends in a GAP: a row for each kind, a column for each n.

    `all`: occurrences of all n-grams; `top`: of the most frequent one; `duplicate`: of those that occur twice or more, and how
    many n-grams these are.
    """
    counts[:] = 0
    here, there = room[0][0], room[0][1]
    starts, next_starts = room[1][0], room[1][1]
    letters = room[2]
    dropped = len(there) - 1  # where a place is written that nobody reads
    starts[0], starts[1], groups = 0, _places(body, here, counts), 1
    for n in range(LONGEST_GRAM):
        kept = made = most = 0
        for g in range(groups):
            first, last = starts[g], starts[g + 1]
            if last - first == 2:
                _pair(body, here[first], here[first + 1], n, counts)
                continue
            seen = 0
            for k in range(first, last):
                letter = body[here[k] + n]
                letters[seen] = letter
                seen += tally[letter] == 0
                tally[letter] += 1
            tally[GAP] = min(tally[GAP], 1)
            for s in range(seen):  # without branches from here on: whether a letter came twice is anybody's guess
                times = tally[letters[s]]
                twice = times > 1
                next_starts[made] = kept
                made += twice
                most = max(most, times)
                tally[letters[s]] = kept if twice else dropped
                kept += times * twice
            for k in range(first, last):
                letter = body[here[k] + n]
                place = tally[letter]
                there[place] = here[k]
                tally[letter] = place + (place != dropped)
            for s in range(seen):
                tally[letters[s]] = 0
        next_starts[made] = kept
        counts[TOP, n] = min(counts[ALL, n], max(1, most, counts[TOP, n]))  # a GAP was counted too, once
        counts[DUPLICATES, n] += kept
        counts[TYPES, n] += made
        here, there = there, here
        starts, next_starts, groups = next_starts, starts, made


@nb.njit(cache=True, nogil=True)
def _places(body, places, counts):
    """Where letters stand, and how many n-grams there are; returns how many places."""
    left, run = 0, 0
    for i in range(len(body)):
        places[left] = i
        if body[i] != GAP:
            left += 1
            run += 1
            continue
        for n in range(min(run, LONGEST_GRAM)):
            counts[ALL, n] += run - n
        run = 0
    return left


@nb.njit(cache=True, nogil=True)
def _pair(body, one, other, n, counts):
    """The n-grams that two places share, when the first n letters are the same and no third place has them."""
    while n < LONGEST_GRAM and body[one + n] == body[other + n] and body[one + n] != GAP:
        counts[TOP, n] = max(counts[TOP, n], 2)
        counts[DUPLICATES, n] += 2
        counts[TYPES, n] += 1
        n += 1
