"""Pieces of a file lie where they belong, in few reads, and a file that is too short is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seiryu.corpus import gathering
from seiryu.corpus.errors import InputError
from seiryu.corpus.gathering import gather
from seiryu.corpus.storage import Store

DATA = np.random.default_rng(7).integers(0, 256, 400_000, dtype=np.uint8)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(str(tmp_path_factory.mktemp("pieces")))
    made.write("a.ids", DATA.tobytes())
    return made


@given(pieces=st.lists(st.tuples(st.integers(0, 399_000), st.integers(0, 1000)), max_size=30), seed=st.integers(0, 9))
def test_every_piece_lies_in_its_place(store: Store, pieces: list[tuple[int, int]], seed: int) -> None:
    pieces.sort()
    starts = np.array([start for start, _ in pieces], np.int64)
    sizes = np.array([size for _, size in pieces], np.int64)
    order = np.random.default_rng(seed).permutation(len(pieces))
    targets = np.zeros(len(pieces), np.int64)
    targets[order] = np.cumsum(sizes[order]) - sizes[order]
    target = np.zeros(int(sizes.sum()), np.uint8)
    gather(store, "a.ids", starts, sizes, target, targets)
    expected = b"".join(DATA[starts[i] : starts[i] + sizes[i]].tobytes() for i in order)
    assert target.tobytes() == expected


def test_near_pieces_are_one_read_and_far_ones_are_not(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    opened = store.open("a.ids")

    class Counted:
        def __enter__(self) -> "Counted":
            return self

        def __exit__(self, *_: object) -> None:
            opened.close()

        def seek(self, place: int) -> int:
            return opened.seek(place)

        def read(self, size: int) -> bytes:
            reads.append(size)
            return opened.read(size)

    monkeypatch.setattr(store, "open", lambda _: Counted())
    starts = np.array([0, 100, 60_000, 300_000])
    sizes = np.full(4, 10)
    gather(store, "a.ids", starts, sizes, np.zeros(40, np.uint8), np.arange(4) * 10)
    assert reads == [60_010, 10]


def test_what_is_read_at_once_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_READ", 1000)
    target = np.zeros(400_000, np.uint8)
    starts = np.arange(0, 400_000, 100)
    gather(store, "a.ids", starts, np.full(4000, 100), target, starts)
    assert target.tobytes() == DATA.tobytes()


def test_a_file_that_ends_too_early_is_named(store: Store) -> None:
    with pytest.raises(InputError, match=r"a\.ids is shorter than its table says"):
        gather(store, "a.ids", np.array([399_990]), np.array([11]), np.zeros(11, np.uint8), np.array([0]))
