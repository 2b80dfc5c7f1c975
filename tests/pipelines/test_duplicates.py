"""Deduplication in pieces keeps what one pass over an in-memory LSH index keeps, however it is cut and whatever dies on the way."""

import gzip
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from commandline import SAMPLES, hashes
from duplicates import Doc, by_the_book, config_of, dealt, deduplicate, make_files, named, segments, under, verdicts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_disks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


PIECES = segments(40, 12, 1)
SMALL = {"bands": 12, "rows": 2, "threshold": 0.5}  # meets much: pairs of 0.3 with probability .68


@st.composite
def corpora(draw: st.DrawFn) -> list[Doc]:
    """Texts that overlap as chains, stars, cliques and copies of copies do, with ties in date and address."""
    texts: list[list[int]] = []
    for _ in range(draw(st.integers(1, 4))):
        start, length = draw(st.integers(0, 30)), draw(st.integers(2, 8))
        kind = draw(st.sampled_from(["chain", "star", "clique", "copies", "any"]))
        members = draw(st.integers(1, 6))
        window = [(start + i) % 40 for i in range(length)]
        if kind == "chain":
            texts += [[(piece + step) % 40 for piece in window] for step in range(members)]
        elif kind == "star":
            texts += [window, *([window[: 1 + i % length] for i in range(members)])]
        elif kind == "clique":
            texts += [[*window, (start + 20 + i) % 40] for i in range(members)]
        elif kind == "copies":
            texts += [window] * members
        else:
            texts += draw(st.lists(st.lists(st.integers(0, 39), max_size=6), max_size=6))
    width = st.sampled_from(["{}", " {}\n", "{}。"])  # the same text, and another
    docs = []
    for number, pieces in enumerate(texts):
        text = draw(width).format("".join(PIECES[piece] for piece in pieces))
        page = draw(st.sampled_from(["", "", "", "http://a.jp/1", "https://A.jp/1#x", "http://a.jp/2"]))
        docs.append(Doc(f"id{number:03d}", text, draw(st.integers(0, 2)), page))
    return draw(st.permutations(docs))


@given(corpora(), st.randoms(use_true_random=False), st.sampled_from([1, 2, 3]), st.sampled_from([1, 1, 2]))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_pieces_keep_what_one_pass_keeps(docs: list[Doc], draw: random.Random, files: int, copies: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bytes_of, run = [], Path(folder)
        made = make_files(run, dealt(docs, files), config_of(run, **SMALL))
        for partitions in (1, 2, 4):
            config = config_of(run, partitions=partitions, copies=copies, **SMALL)
            state = under(made, config)
            deduplicate(state, draw, kills=4 * (partitions > 1))
            found = verdicts(state)
            assert {doc: (v.reason, v.duplicate_of) for doc, v in found.items()} == named(by_the_book(docs, config))
            removed = Counter(v.duplicate_of for v in found.values() if v.duplicate_of)
            assert {doc: v.duplicates for doc, v in found.items() if v.duplicates} == dict(removed)
            bytes_of.append(hashes(run, "dedup"))
        assert bytes_of[0] == bytes_of[1] == bytes_of[2]


@pytest.mark.parametrize("preset", ["swallow", "fineweb"])
def test_real_pages_are_kept_as_one_pass_keeps_them(preset: str, tmp_path: Path) -> None:
    with gzip.open(SAMPLES / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        pages = [json.loads(line) for line in lines]
    texts = [page["gold_text"][:4000] for page in pages if page.get("gold_text")]
    changed = [text.replace("。", f"。第{number}版", 1 + number % 9) for number, text in enumerate(texts) if number % 4 == 0]
    docs = [Doc(f"id{number:05d}", text, number % 7) for number, text in enumerate([*texts, *changed])]
    config = config_of(tmp_path / "one", preset=preset)
    expected = named(by_the_book(docs, config))
    assert Counter(why for why, _ in expected.values())["near_duplicate"] > 100
    for partitions in (1, 4):
        config = config_of(tmp_path / str(partitions), preset=preset, partitions=partitions)
        state = make_files(tmp_path / str(partitions), dealt(docs, 5), config)
        deduplicate(state, random.Random(partitions), kills=5)
        assert {doc: (v.reason, v.duplicate_of) for doc, v in verdicts(state).items()} == expected


def test_a_copy_with_the_same_bytes_is_told_from_one_with_the_same_text(tmp_path: Path) -> None:
    text = "".join(PIECES[:9])
    docs = [Doc("a", text, 3, payload="sha1:A"), Doc("b", text, 2, payload="sha1:A"), Doc("c", text + "\n", 1, payload="sha1:B")]
    docs += [Doc("d", text, 0)]
    state = make_files(tmp_path, dealt(docs, 2), config_of(tmp_path))
    deduplicate(state)
    assert [verdict.reason for verdict in verdicts(state).values()] == ["kept", "same_text", "same_payload", "same_text"]
