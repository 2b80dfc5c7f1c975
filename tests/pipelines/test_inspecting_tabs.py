"""What the tabs of the live page ask for: each text and each table once, a database a window, and no more than what was drawn over."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from brute import documents as scanned
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.pipelines.facts.brush import BARS, Brush
from seiryu.pipelines.facts.documents import Wanted, how_many
from seiryu.pipelines.inspecting import controls, distributions, looking, tabs
from seiryu.pipelines.inspecting.looking import Looked
from seiryu.pipelines.inspecting.view import View
from seiryu.pipelines.state import State

SIGNALS = {"letters", "hiragana_share"}
ODD = ["", "nan", "inf", "-inf", "NaN", "Infinity", "1e999", "9" * 400, "1e308", "-0", "' OR 1=1 --", "5; DROP VIEW facts", "あ", "٣", "1_0", "0x10", "\x00"]  # fmt: skip


def marimo() -> Any:
    """As much of marimo as the tabs ask for: what they show is a text."""
    joined = lambda parts, **_: "".join(map(str, parts))  # noqa: E731
    return SimpleNamespace(Html=str, md=str, vstack=joined, hstack=joined, ui=SimpleNamespace(anywidget=lambda widget: widget))


@pytest.fixture(scope="module")
def looked(small_run: Path) -> Looked:
    return Looked(State.of_run(str(small_run / "run")))


@pytest.fixture(scope="module")
def rows(small_run: Path) -> list[dict[str, Any]]:
    return scanned(small_run / "run")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[duckdb.DuckDBPyConnection]:
    """All databases that are opened for the distributions."""
    found: list[duckdb.DuckDBPyConnection] = []

    def connect(path: str) -> duckdb.DuckDBPyConnection:
        found.append(looking.connect(path))
        return found[-1]

    monkeypatch.setattr(distributions, "connect", connect)
    return found


def alive(con: duckdb.DuckDBPyConnection) -> bool:
    try:
        con.execute("SELECT 1")
    except duckdb.ConnectionException:
        return False
    return True


def test_a_window_has_one_database_however_often_its_distributions_are_drawn(looked: Looked, opened: list, rows: list) -> None:
    def window() -> None:
        for low in range(0, 500, 100):
            view = View(brush=Brush({"letters": (low, 600.0)}))
            widget = distributions.mosaic(marimo(), looked, view)
            assert [alive(con) for con in opened] == [False] * (len(opened) - 1) + [True]
            assert widget.con is opened[-1]
            wanted = sum(low <= row["letters"] <= 600 for row in rows)
            assert widget.con.execute("SELECT count(*) FROM chosen").fetchall() == [(wanted,)]
            # What Mosaic adds up for one choice says nothing of another.
            widget.con.execute("CREATE SCHEMA IF NOT EXISTS mosaic")
            widget.con.execute("CREATE TABLE mosaic.added AS SELECT count(*) AS n FROM chosen")

    with ThreadPoolExecutor(1) as thread:
        thread.submit(window).result(60)
    assert len(opened) == 5
    assert not any(map(alive, opened))  # the window is closed


def test_windows_have_databases_of_their_own(looked: Looked, opened: list) -> None:
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        for window in (one, other):
            window.submit(distributions.mosaic, marimo(), looked, View()).result(60)
        assert len(opened) == 2
        assert all(map(alive, opened))
        one.shutdown()
        assert list(map(alive, opened)) == [False, True]


@pytest.mark.parametrize("rule", ["too_short", "few_hiragana"])
def test_the_texts_about_a_limit_are_read_at_once(rule: str, looked: Looked, rows: list, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read = looking.documents_at

    def counted(state: Any, places: Any, *more: Any) -> Any:
        asked.append(len(places))
        return read(state, places, *more)

    monkeypatch.setattr(looking, "documents_at", counted)
    shown = tabs.near(marimo(), looked, View(rule=rule, alone=False), looked.facts.rules, {"rule": "", "alone": ""})
    assert len(asked) == 1
    assert shown.count('<article class="sr card">') == asked[0] > 8
    texts = {row["doc_id"]: row["text"] for row in rows}
    for card in shown.split("<article")[1:]:
        mine = next(text for doc_id, text in texts.items() if doc_id in card)
        assert "".join(char for char in mine[:40] if char.isalnum())[:5] in "".join(char for char in card if char.isalnum())


def test_all_documents_with_the_words_are_counted_and_where_to_go_on_is_said(
    looked: Looked, rows: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = list(looked.state.completed("decide"))
    with_word = {unit: sorted(row["doc_id"] for row in rows if "の" in row["text"] and row["unit"] == unit) for unit in units}
    monkeypatch.setattr(tabs, "_HITS", 3)
    monkeypatch.setattr(tabs, "_SECONDS", 60.0)
    first = tabs.listed(looked, View(words="の"))
    assert f'<b id="total">{len(with_word[units[0]]):,}</b>' in first.note
    assert "archives 1 to 1 of 3 were searched; there may be more in the others: go on from 2" in first.note
    pages = [tabs.listed(looked, View(words="の", page=page)).rows for page in range(len(with_word[units[0]]) // 20 + 1)]
    assert [row["doc_id"] for page in pages for row in page] == with_word[units[0]]
    monkeypatch.setattr(tabs, "_HITS", 10**9)
    whole = tabs.listed(looked, View(words="の")).note
    assert f'<b id="total">{sum(map(len, with_word.values())):,}</b>' in whole
    assert "archives 1 to 3 of 3 were searched</p>" in whole


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from([*SIGNALS, *BARS, "nothing", '"', ""]),
    low=st.sampled_from(ODD) | st.floats().map(repr) | st.text(max_size=9),
    high=st.sampled_from(ODD) | st.floats().map(repr),
)
def test_whatever_is_said_to_be_drawn_over_is_numbers_and_names(name: str, low: str, high: str, looked: Looked) -> None:
    for found in (
        Brush.of_text(f"{name}:{low}:{high}~{name}:{low}", SIGNALS),
        Brush.of_predicate(f'"{name}" BETWEEN {low} AND {high}', SIGNALS),
        Brush.of_predicate(f"\"{name}\" IN ('{low}', '{high}')", SIGNALS),
        Brush.of_predicate(f'"{name}" IN ({low})', SIGNALS),
    ):
        assert Brush.of_text(found.text(), SIGNALS) == found
        wanted = how_many(looked.con(), looked.facts.rules, Wanted(brush=found))
        sql = f"SELECT count(*) FROM facts WHERE {distributions._where(found)}"
        assert looked.con().sql(sql).fetchall() == [(wanted,)]


@pytest.mark.parametrize(
    "text",
    ["letters:600:300", "letters:nan:5", "letters:-inf:inf", "letters:1", "letters:", "letters", ":::", "year", "nothing:1:2"],
)
def test_a_stretch_that_is_none_filters_nothing(text: str, looked: Looked) -> None:
    assert not View.of({"brush": text}, looked.facts).brush


def test_a_bar_without_a_name_can_be_chosen_and_stands_in_the_address(looked: Looked) -> None:
    drawn = Brush.of_predicate("(\"tld\" IN (''))", SIGNALS)
    assert drawn.values == {"tld": ("",)}
    assert View.of({"brush": drawn.text()}, looked.facts).brush == drawn


def test_a_long_number_is_read_in_no_time() -> None:
    assert not Brush.of_predicate('"year" IN (' + "1" * 40 + "x", SIGNALS)


@pytest.mark.parametrize(
    "said", [None, "", 5, [], {}, {"params": None}, {"params": []}, {"params": {"drawn": 3}}, {"params": {"drawn": {"predicate": None}}},
             {"params": {"drawn": {"predicate": [1]}}}, {"params": {"drawn": {"predicate": {"sql": "letters"}}}}],
    ids=repr,
)  # fmt: skip
def test_a_widget_that_says_something_else_draws_over_nothing(said: object, looked: Looked) -> None:
    params: dict[str, Any] = {"brush": "letters:1.0:2.0"}
    assert not controls.brushed(params, looked, Brush(), said)
    assert params == {}
    right = {"params": {"drawn": {"predicate": '("letters" BETWEEN 1 AND 2)'}}}
    assert controls.brushed(params, looked, Brush(), right) == Brush({"letters": (1.0, 2.0)})
    assert params == {"brush": "letters:1.0:2.0"}
