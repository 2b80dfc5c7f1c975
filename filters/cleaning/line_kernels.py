"""The 64 bits by which a line is known on its site, and sums by some of them.

A letter at a time: a multiplication by 2^64 over the golden ratio, and the upper half folded onto the lower; at the end the
finaliser of MurmurHash3, which lets each bit change half of the others. The site's letters come first, then a mark that is no
letter, then the line's.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
import numba as nb
import numpy as np

_START, _STEP, _AFTER_SITE = np.uint64(0x5EE12C1EA2573EA9), np.uint64(0x9E3779B97F4A7C15), np.uint32(0xFFFFFFFF)
_C1, _C2, _HALF, _MIXED = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(32), np.uint64(33)


@nb.njit(cache=True, nogil=True)
def site_states(points, offsets):
    """uint64 for each site: the hash before the first letter of a line."""
    states = np.empty(len(offsets) - 1, np.uint64)
    for i in range(len(states)):
        state = _START
        for point in points[offsets[i] : offsets[i + 1]]:
            state = _stepped(state, point)
        states[i] = _stepped(state, _AFTER_SITE)
    return states


@nb.njit(cache=True, nogil=True)
def line_hashes(points, offsets, states):
    """uint64 for each line, given the state of its site."""
    hashes = np.empty(len(states), np.uint64)
    for i in range(len(states)):
        state = states[i]
        for point in points[offsets[i] : offsets[i + 1]]:
            state = _stepped(state, point)
        hashes[i] = _final(state)
    return hashes


@nb.njit(cache=True, nogil=True)
def add_to_slots(slots, hashes, pages):
    """Adds pages to uint32 slots, of which there are a power of two, by the lower bits of their hashes."""
    inside = np.uint64(len(slots) - 1)
    for i in range(len(hashes)):
        slots[hashes[i] & inside] += np.uint32(pages[i])


@nb.njit(cache=True, nogil=True)
def _stepped(state, point):
    state = (state ^ np.uint64(point)) * _STEP
    return state ^ state >> _HALF


@nb.njit(cache=True, nogil=True)
def _final(state):
    state = (state ^ state >> _MIXED) * _C1
    state = (state ^ state >> _MIXED) * _C2
    return state ^ state >> _MIXED
