"""Lists of documents: each is what a plain scan of the narrow tables would list, in the order that is said."""

import dataclasses
import gc
from pathlib import Path
from typing import Any

import pytest
from brute import documents as scanned

from seiryu.pipelines.facts import Facts, documents, facts_of
from seiryu.pipelines.facts.brush import Brush
from seiryu.pipelines.facts.documents import Wanted
from seiryu.pipelines.facts.texts import search_texts
from seiryu.pipelines.state import State


@pytest.fixture(scope="module")
def state(small_run: Path) -> State:
    return State.of_run(str(small_run / "run"))


@pytest.fixture(scope="module")
def facts(state: State) -> Facts:
    return facts_of(state)


@pytest.fixture(scope="module")
def rows(small_run: Path) -> list[dict[str, Any]]:
    return scanned(small_run / "run")


@pytest.fixture
def con(facts: Facts):
    with facts.cursor() as con:
        yield con


def rejected(row: dict[str, Any], rules: Any) -> bool:
    return any(row[rule.signal] < rule.low or row[rule.signal] > rule.high or row[rule.signal] >= rule.below for rule in rules)


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (Wanted(rule="too_short"), lambda row: row["letters"] < 400),
        (Wanted(host="docs.gimp.org", signal="hiragana_share", low=0.3, high=0.4),
         lambda row: row["host"] == "docs.gimp.org" and 0.3 <= row["hiragana_share"] <= 0.4),
        (Wanted(fate="duplicate"), lambda row: row["decision"].get("verdict", "kept") != "kept"),
        (Wanted(text="GIMP-filter"), lambda row: "gimp-filter" in row["url"].lower() or "gimp-filter" in row["title"].lower()),
        (Wanted(text="の"), lambda row: "の" in row["title"] or "の" in row["url"]),
        (Wanted(brush=Brush({"letters": (300, 600)}, {"charset": ("utf-8", "cp932")})),
         lambda row: 300 <= row["letters"] <= 600 and row["charset"] in ("utf-8", "cp932")),
        (Wanted(brush=Brush({}, {"year": ("2021",)})), lambda row: row["crawl_date"].year == 2021),
        (Wanted(text="' OR true --"), lambda _: False),
        (Wanted(kept=True), lambda row: row["passes"]),
        (Wanted(ids=()), lambda _: False),
        (Wanted(ids=tuple(f"'{number}" for number in range(100_000))), lambda _: False),
    ],
    ids=["rule", "host and values", "fate", "part of an address", "part of a title", "drawn over", "a year", "quotes", "kept", "no ids", "many ids"],
)  # fmt: skip
def test_what_is_asked_for_is_listed(wanted: Wanted, holds: Any, facts: Facts, con: Any, rows: list) -> None:
    mine = sorted(row["doc_id"] for row in rows if holds(row))
    found = documents.listed(con, facts.rules, wanted, 1000).to_pylist()
    assert [line["doc_id"] for line in found] == mine
    assert documents.how_many(con, facts.rules, wanted) == len(mine)
    assert documents.listed(con, facts.rules, wanted, 2, 1).to_pylist() == found[1:3]


@pytest.mark.parametrize(("sort", "backwards"), [("value", False), ("-value", True)])
def test_a_list_by_value(sort: str, backwards: bool, facts: Facts, con: Any, rows: list) -> None:
    found = documents.listed(con, facts.rules, Wanted(rule="too_short", sort=sort), 1000).to_pylist()
    values = [line["value"] for line in found]
    assert values == sorted((row["letters"] for row in rows if row["letters"] < 400), reverse=backwards)


def test_a_cluster_is_the_one_kept_with_all_that_were_removed_for_it(facts: Facts, con: Any, rows: list) -> None:
    kept = {row["doc_id"]: row["decision"]["duplicates"] for row in rows if row["decision"].get("duplicates")}
    assert kept
    for name, removed in kept.items():
        found = documents.listed(con, facts.rules, Wanted(cluster=name), 1000).to_pylist()
        assert len(found) == removed + 1
        assert all(name in (line["doc_id"], line["duplicate_of"]) for line in found)


def test_what_flips_is_what_two_scans_differ_in(facts: Facts, con: Any, rows: list) -> None:
    other = [
        dataclasses.replace(rule, low=300) if rule.name == "too_short" else rule
        for rule in facts.rules
        if rule.name != "few_japanese_letters"
    ]
    other = [dataclasses.replace(rule, high=120) if rule.name == "sentence_too_long" else rule for rule in other]
    for way, holds in (("gained", lambda row: not row["passes"] and not row["blocked"] and not rejected(row, other)),
                       ("lost", lambda row: row["passes"] and rejected(row, other))):  # fmt: skip
        wanted = sorted(row["doc_id"] for row in rows if holds(row))
        found = documents.flipped(con, facts.rules, other, way, 1000).to_pylist()
        assert wanted
        assert [line["doc_id"] for line in found] == wanted
        names = [rule.name for rule in other]
        for line in found:
            row = next(row for row in rows if row["doc_id"] == line["doc_id"])
            assert [name for i, name in enumerate(names) if line["mask"] >> i & 1] == [
                rule.name for rule in other if rejected(row, [rule])
            ]


@pytest.mark.parametrize("alone", [True, False])
def test_the_nearest_on_both_sides_of_a_limit(alone: bool, facts: Facts, con: Any, rows: list) -> None:
    other = [dataclasses.replace(rule, high=150) if rule.name == "sentence_too_long" else rule for rule in facts.rules]
    rest = [rule for rule in other if rule.name != "sentence_too_long"]
    free = [row for row in rows if not alone or not (row["blocked"] or rejected(row, rest))]
    found = documents.about(con, facts.rules, other, "sentence_too_long", "high", 5, alone=alone)
    for side, table in zip((True, False), found, strict=True):
        mine = [row for row in free if (row["longest_sentence_letters"] > 150) is side]
        nearest = sorted(mine, key=lambda row: (abs(row["longest_sentence_letters"] - 150), row["doc_id"]))[:5]
        assert [line["doc_id"] for line in table.to_pylist()] == [row["doc_id"] for row in nearest]
        assert len(nearest) == 5


def test_words_are_looked_for_in_the_texts_archive_by_archive(state: State, rows: list) -> None:
    units = list(state.completed("decide"))
    assert len(units) == 3
    mine = [row["doc_id"] for row in rows if "フォント" in row["text"]]
    assert search_texts(state, "フォント", 0, 1000, 60) == (mine, len(units), len(units))
    later = [row["doc_id"] for row in rows if "フォント" in row["text"] and row["unit"] != units[0]]
    assert search_texts(state, "フォント", 1, 1000, 60) == (later, len(units) - 1, len(units))
    assert search_texts(state, "フォント", 0, 1000, 0.0)[1] == 1  # one archive at least, whatever the time
    every = [row["doc_id"] for row in rows if "の" in row["text"] and row["unit"] == units[0]]
    assert len(every) > 3
    assert search_texts(state, "の", 0, 3, 60) == (every, 1, len(units))  # enough, and none of those read is left out
    assert search_texts(state, "フォント", 99, 3, 60) == ([], 0, len(units))


def test_a_document_that_is_not_there_is_none(con: Any, rows: list) -> None:
    assert documents.one(con, rows[0]["doc_id"])["title"] == rows[0]["title"]
    assert documents.one(con, rows[0]["doc_id"][:8]) is None
    assert documents.one(con, "' OR 1=1 --") is None


def test_a_table_is_open_for_as_long_as_somebody_has_it(state: State) -> None:
    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.collect()
    before = files()
    for _ in range(5):
        mine = facts_of(state)
        with mine.cursor() as con:
            assert documents.how_many(con, mine.rules, Wanted()) == mine.documents
    assert files() == before + 1
    path = Path(mine.path)
    assert path.exists()
    del mine
    assert files() == before


def test_a_table_stays_open_under_a_cursor_whose_facts_nobody_else_has(state: State) -> None:
    with facts_of(state).cursor() as con:
        gc.collect()
        assert con.sql("SELECT count(*) FROM facts").fetchall()[0][0] > 200
