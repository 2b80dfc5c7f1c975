"""Several people judge the same run at once, from several processes, and one of them is cut off: no judgement is lost by that."""

import json
import multiprocessing
from pathlib import Path

import pytest

from seiryu.corpus.errors import InputError, NotWritable
from seiryu.corpus.storage import Store
from seiryu.pipelines.inspecting import labels
from seiryu.pipelines.inspecting.labels import Label
from seiryu.pipelines.inspecting.view import KEPT

PEOPLE, EACH = 4, 25


def judged(doc_id: str, label: str = "good") -> Label:
    return Label(doc_id, KEPT, label, 0.0, "", "本文。" * 400)


def judge_many(root: str, person: int) -> None:
    store = Store(root)
    for number in range(EACH):
        labels.judge(store, judged(f"{person}-{number}"))
        if number % 5 == 0:
            labels.take_back(store, KEPT, f"{person}-{number}")


def test_processes_that_judge_at_once_keep_each_others_judgements(tmp_path: Path) -> None:
    spawned = multiprocessing.get_context("spawn")
    people = [spawned.Process(target=judge_many, args=(str(tmp_path), person)) for person in range(PEOPLE)]
    for each in people:
        each.start()
    for each in people:
        each.join(120)
    assert [each.exitcode for each in people] == [0] * PEOPLE
    known = labels.read_labels(Store(str(tmp_path)))
    wanted = {f"{person}-{number}" for person in range(PEOPLE) for number in range(EACH) if number % 5}
    assert sorted(label.doc_id for label in known) == sorted(wanted)


@pytest.mark.parametrize("left", [1, 40, -1], ids=["a letter", "half a line", "all but its end"])
def test_a_last_line_that_was_not_written_to_its_end_hides_none_before_it(left: int, tmp_path: Path) -> None:
    store, file = Store(str(tmp_path)), tmp_path / labels.NAME
    labels.judge(store, judged("a"))
    whole = file.read_bytes()
    torn = json.dumps(
        {"doc_id": "b", "rule": KEPT, "label": "bad", "value": 0.0, "url": "", "text": "文"}, ensure_ascii=False
    ).encode()
    file.write_bytes(whole + torn[:left])
    assert [label.doc_id for label in labels.read_labels(store)] == ["a"]
    labels.judge(store, judged("c"))
    assert [label.doc_id for label in labels.read_labels(store)] == ["a", "c"]
    file.write_bytes(whole + b"no judgement")
    with pytest.raises(InputError, match="line 2"):
        labels.read_labels(store)
    file.write_bytes(whole + torn)  # all of it is there
    assert [label.doc_id for label in labels.read_labels(store)] == ["a", "b"]


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run/labels").mkdir(parents=True)
    (tmp_path / "run/labels/judged.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotWritable, match=r"judged\.lock"):
        labels.judge(Store(str(tmp_path / "run")), judged("a"))
    assert not (tmp_path / "elsewhere").exists()


def test_in_an_object_store_there_is_no_lock(tmp_path: Path) -> None:
    store = Store(f"memory://{tmp_path.name}")
    labels.judge(store, judged("a"))
    labels.judge(store, judged("a", "bad"))
    assert [label.label for label in labels.read_labels(store)] == ["bad"]
