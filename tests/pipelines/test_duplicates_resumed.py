"""Going on under another config ends where a fresh run would: nothing that decides is forgotten, nothing old is taken for new."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from duplicates import Doc, Verdict, config_of, dealt, deduplicate, go_on, make_files, segments, under, verdicts
from page_tables import write

from seiryu.corpus import schema
from seiryu.pipelines.config import Config
from seiryu.pipelines.stages.deduplicating import members, numbering
from seiryu.pipelines.stages.deduplicating.earlier import EarlierRun
from seiryu.pipelines.state import State

PIECES = segments(60, 40, 4)
BASE_MEMORY = 1_200_000_000
BASE = {"bands": 20, "rows": 3, "threshold": 0.6}


def corpus() -> list[Doc]:
    """Chains of versions, copies, and pages crawled again, in which each setting decides between some."""
    docs = []
    for start in range(0, 48, 6):
        for step in range(4):
            text = "".join(PIECES[start + step : start + step + 8])
            page = f"http://a.jp/{start}" if step in (0, 3) else ""
            docs.append(Doc(f"{(start * 7 + step * 5) % 97:02d}-{start}-{step}", text + "。" * step, (start + step) % 5, page))
            docs.append(Doc(f"{step}c-{start}", text + "。" * step, (start + step) % 3))
    docs.append(Doc("short", "はい"))
    return docs


def fresh(folder: Path, config: Config, docs: list[Doc], files: int) -> dict[str, Verdict]:
    state = make_files(folder, dealt(docs, files), config)
    deduplicate(state)
    return verdicts(state)


@pytest.mark.parametrize(
    "change",
    [
        {"priority": "oldest"}, {"priority": "longest"}, {"priority": "best_score", "score": "letters"}, {"same_address": False},
        {"threshold": 0.8}, {"threshold": 0.3}, {"verify": "estimate"}, {"verify": "none"}, {"copies": 2}, {"partitions": 3}, {"shingle": 4},
        {"seed": 5}, {"bands": 12, "rows": 4}, {"memory": 10_000_000},
    ],
    ids=str,
)  # fmt: skip
def test_another_setting_there_and_back(change: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "FILES_A_BLOCK", 2)
    docs = corpus()
    first = config_of(tmp_path / "run", **BASE)
    made = make_files(tmp_path / "run", dealt(docs, 5), first)
    go_on(made)
    before = verdicts(made)
    assert before == fresh(tmp_path / "fresh", config_of(tmp_path / "fresh", **BASE), docs, 5)
    state = under(made, config_of(tmp_path / "run", **BASE | change))
    go_on(state)
    after = verdicts(state)
    assert after == fresh(tmp_path / "other", config_of(tmp_path / "other", **BASE | change), docs, 5)
    if not change.keys() & {"partitions", "memory", "seed", "bands", "shingle", "verify"}:
        assert after != before, "the setting decides nothing here"
    back = under(state, first)
    go_on(back)
    assert verdicts(back) == before
    assert sum(go_on(under(back, first)).values()) == 0


def test_blocks_of_other_files_are_other_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs, config = corpus(), config_of(tmp_path / "run", **BASE)
    made = make_files(tmp_path / "run", dealt(docs, 5), config)
    found = []
    for number in (1, 3, 256, 2):
        monkeypatch.setattr(numbering, "FILES_A_BLOCK", number)
        state = under(made, config)
        go_on(state)
        assert len(list((tmp_path / "run/dedup").iterdir())) == 5
        found.append(verdicts(state))
    assert all(each == found[0] for each in found)


def test_one_more_document_that_is_a_copy_shifts_all_numbers_behind_it(tmp_path: Path) -> None:
    docs, config = corpus(), config_of(tmp_path / "run", **BASE)
    files = dealt(docs, 3)
    go_on(make_files(tmp_path / "run", files, config))
    files["f0"] = [*files["f0"], Doc("zz", files["f0"][0].text, -1)]
    state = make_files(tmp_path / "run", files, config)
    go_on(state)
    other = make_files(tmp_path / "fresh", files, config_of(tmp_path / "fresh", **BASE))
    deduplicate(other)
    assert verdicts(state) == verdicts(other)


@pytest.mark.parametrize(
    ("stage", "stops"),
    [
        ("pages", "copies"),
        ("copies", "signatures"),
        ("signatures", "bands"),
        ("bands", "groups"),
        ("members", "choices"),
        ("choices", "select"),
    ],
)
def test_without_one_unit_of_a_stage_nothing_is_decided(
    stage: str, stops: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbering, "FILES_A_BLOCK", 1)
    config = config_of(tmp_path, **BASE, partitions=2)
    made = make_files(tmp_path, dealt(corpus(), 3), config)
    go_on(made)
    sorted((tmp_path / "units" / stage).iterdir())[-1].unlink()
    state = under(made, config)
    for each in go_on.__globals__["STAGES"]:
        standing = state.look(each)
        if each.name == stops:
            assert not standing.units
            return


def test_a_third_run_is_looked_at_as_it_was_made_when_the_others_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier runs of several blocks, that begin in the middle of files."""
    monkeypatch.setattr(members, "member_bytes", lambda *_: BASE_MEMORY // 7)
    docs, runs = corpus(), []
    for number, path in enumerate(("one", "two", "three")):
        against = [str(tmp_path / each) for each in ("one", "two")][:number]
        config = config_of(tmp_path / path, **BASE, against=against)
        mine = [Doc(f"{path}-{doc.doc_id}", doc.text, doc.day) for doc in docs[number * 10 : number * 10 + 40]]
        state = make_files(tmp_path / path, dealt(mine, 4), config)
        state.earlier = tuple(runs)
        go_on(state)
        found = verdicts(state)
        assert (sum(verdict.reason == "in_earlier_run" for verdict in found.values()) > 10) == (number > 0)
        runs.append(finish(state))
    assert {verdict.run for verdict in found.values()} == {0, 1, 2}
    assert sum(name.startswith("earlier-1") for name in state.store.names("units/members")) > 4
    shutil.rmtree(tmp_path / "one")
    looked = under(state, config)
    looked.as_made = True
    assert sum(go_on(looked).values()) == 0
    assert looked.counts("select").records == 40


def finish(state: State) -> EarlierRun:
    """What a run leaves behind selection for a later one: here all that was kept."""
    found = verdicts(state)
    for name in state.completed("fingerprints"):
        prints = schema.read_table(state.store, f"fingerprints/{name}.parquet", schema.FINGERPRINTS, ["doc_id"])
        held = [each for each in prints["doc_id"].to_pylist() if found[each].reason == "kept"]
        write(state.store, f"corpus/{name}.parquet", schema.CORPUS, {"doc_id": pa.array(held, pa.string())}, len(held))
    rows = {name: done.counts.records for name, done in state.completed("fingerprints").items()}
    return EarlierRun(tuple(rows.items()), "a hash")
