"""The short form of `make chaos`: one run on disk and one in an object store, by seeds that kill workers, nodes and the driver."""

from pathlib import Path

from stories import told

SEEDS = (4, 6)  # 4: the head and the driver of a run on disk; 6: one in the store


def test_runs_under_chaos_end_with_the_bytes_of_one_in_peace(tmp_path: Path) -> None:
    stories = list(told(SEEDS, tmp_path))
    print("\n".join(story.line() for story in stories))
    assert [story.line() for story in stories if story.wrong] == []
    assert {story.store for story in stories} == {"disk", "s3"}
    assert sum(story.events.total() for story in stories) > 0
