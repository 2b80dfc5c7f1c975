"""Corpora that deduplication was not made for: one page a million times over, one huge document, nothing at all."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from commandline import SMALL, seiryu, write_config
from duplicates import STAGES, Doc, by_the_book, config_of, dealt, deduplicate, make_files, named, segments, verdicts

from seiryu.pipelines.state import State

PIECES = segments(30, 30, 1)
PAGE = "".join(PIECES[:12])


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_disks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def decided(run: Path, files: dict[str, Sequence[Doc]], **dedup: object) -> tuple[State, dict[str, tuple[str, str]]]:
    """The state after all stages, and (verdict, doc_id of the kept one) of each document."""
    state = make_files(run, files, config_of(run, **dedup))
    deduplicate(state)
    return state, {doc: (verdict.reason, verdict.duplicate_of) for doc, verdict in verdicts(state).items()}


def seconds(run: Path, docs: Sequence[Doc], files: int = 4) -> tuple[float, State]:
    """Time of all stages together."""
    state = make_files(run, dealt(docs, files), config_of(run))
    begin = time.process_time()
    deduplicate(state)
    return time.process_time() - begin, state


def test_four_hundred_thousand_copies_of_one_page_leave_the_best_in_linear_time(tmp_path: Path) -> None:
    """A million: `python -m benchmarks planner`."""
    docs = [Doc(f"id{number:07d}", PAGE[:80], number % 7) for number in range(400_000)]
    seconds(tmp_path / "first", docs[:100])  # the kernels are compiled, or read from the cache
    half, _ = seconds(tmp_path / "half", docs[:200_000])
    whole, state = seconds(tmp_path / "whole", docs)
    found = verdicts(state)
    assert Counter(verdict.reason for verdict in found.values()) == {"kept": 1, "same_text": 399_999}
    assert {verdict.duplicate_of for verdict in found.values()} == {"", "id0000006"}
    assert found["id0000006"].duplicates == 399_999
    assert state.counts("signatures").records == 1
    assert whole < 4 * half + 1, "four times the time for twice as many"


def test_pages_that_differ_in_a_date_all_meet_in_one_bucket_in_linear_time(tmp_path: Path) -> None:
    docs = [Doc(f"id{number:07d}", f"{PAGE}{number:08d}", number % 7) for number in range(60_000)]
    seconds(tmp_path / "first", docs[:100])
    half, _ = seconds(tmp_path / "half", docs[:30_000])
    whole, state = seconds(tmp_path / "whole", docs)
    found = verdicts(state)
    assert Counter(verdict.reason for verdict in found.values()) == {"kept": 1, "near_duplicate": 59_999}
    assert {verdict.duplicate_of for verdict in found.values()} == {"", "id0000006"}
    assert min(verdict.similarity for verdict in found.values() if verdict.duplicate_of) > 0.9
    assert state.counts("groups").extra["largest_group"] == 60_000
    assert whole < 4 * half + 1, "four times the time for twice as many"


def test_a_document_of_ten_megabytes_stands_beside_small_ones(tmp_path: Path) -> None:
    large = "".join(map(chr, np.random.default_rng(1).integers(0x4E00, 0x9FA0, 3_400_000)))
    assert len(large.encode()) > 10_000_000
    files = {
        "a": [Doc("large", large), Doc("small", PAGE), Doc("like", PAGE + "ア")],
        "b": [Doc("larger", large + "ア"), Doc("x", "は")],
    }
    _, found = decided(tmp_path, files)
    assert found == {
        "large": ("kept", ""), "larger": ("near_duplicate", "large"),
        "like": ("kept", ""), "small": ("near_duplicate", "like"), "x": ("kept", ""),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a": [Doc("one", PAGE)]}, {"kept": 1}),
        ({"a": [Doc("one", PAGE)], "b": [], "c": []}, {"kept": 1}),
        ({"a": [Doc("one", ""), Doc("two", " \n")]}, {"kept": 2}),
        ({name: [Doc(f"{name}{day}", PAGE, day) for day in range(5)] for name in "abc"}, {"kept": 1, "same_text": 14}),
    ],
    ids=["one document", "files without documents", "two empty texts", "all the same in three files"],
)
def test_where_next_to_nothing_is_to_be_done_the_verdicts_are_those_of_one_pass(
    files: dict[str, list[Doc]], expected: dict[str, int], tmp_path: Path
) -> None:
    state, found = decided(tmp_path, files)
    docs = [doc for some in files.values() for doc in some]
    assert found == named(by_the_book(docs, state.config))
    assert Counter(reason for reason, _ in found.values()) == expected


@pytest.mark.parametrize("dedup", [{"partitions": 64, "bands": 4, "rows": 4}, {"memory": 10_000_000}])
def test_far_more_units_than_documents_change_nothing(dedup: dict, tmp_path: Path) -> None:
    docs = [Doc(f"id{number}", "".join(PIECES[number // 2 : number // 2 + 20]) + "ア" * number) for number in range(5)]
    state, found = decided(tmp_path, dealt(docs, 2), **dedup)
    assert found == named(by_the_book(docs, state.config))
    assert Counter(reason for reason, _ in found.values())["near_duplicate"] > 0


def test_a_corpus_of_which_nothing_passes_ends_with_one_line(small_archives: Path, tmp_path: Path) -> None:
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / SMALL[0]).symlink_to(small_archives / SMALL[0])
    config = write_config(tmp_path, tmp_path / "archives")
    ended = seiryu("run", config, "--set", "rules.change.too_short.low=10000000")
    assert ended.code == 1
    *progress, last = ended.err.strip().splitlines()
    assert last.startswith("seiryu: decide: ")
    assert "documents went in, none was kept (too_short " in last
    assert "Traceback" not in ended.err
    assert progress[-1].startswith("decide: 1 units")
    made = {folder.name for folder in (tmp_path / "run/units").iterdir()}
    assert made.isdisjoint({stage.name for stage in STAGES} | {"clean", "tokenize", "shards"})
    assert seiryu("status", tmp_path / "run").code == 0
