"""What the live page says of itself: its state in the address, the patch for a config, judgements and what follows from them."""

import json
from math import sqrt
from pathlib import Path

import pytest
import yaml
from commandline import seiryu
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.corpus.errors import InputError
from seiryu.corpus.storage import Store
from seiryu.pipelines.facts import Facts, facts_of
from seiryu.pipelines.facts.brush import Brush
from seiryu.pipelines.inspecting import labels
from seiryu.pipelines.inspecting.distributions import harmless
from seiryu.pipelines.inspecting.guard import _cookies
from seiryu.pipelines.inspecting.labels import Label, precision
from seiryu.pipelines.inspecting.pieces import changes, marked, said
from seiryu.pipelines.inspecting.view import KEPT, TABS, View, patch
from seiryu.pipelines.state import State


@pytest.fixture(scope="module")
def facts(small_run: Path) -> Facts:
    return facts_of(State.of_run(str(small_run / "run")))


words = st.text(max_size=20)
limits = st.floats(allow_nan=False, allow_infinity=False, width=64)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_state_comes_back_from_its_address(data: st.DataObject, facts: Facts) -> None:
    draw, rules, signals = data.draw, [rule.name for rule in facts.rules], [signal.name for signal in facts.signals]
    known = {
        f"{rule.name}.{side}" for rule in facts.rules for side in ("low", "high", "below") if abs(getattr(rule, side)) < 1e300
    }
    now = {f"{rule.name}.{side}": getattr(rule, side) for rule in facts.rules for side in ("low", "high", "below")}
    moves = {
        name: value
        for name, value in draw(st.dictionaries(st.sampled_from(sorted(known)), limits, max_size=4)).items()
        if value != now[name]
    }
    low, high = sorted((draw(limits), draw(limits)))
    view = View(
        tab=draw(st.sampled_from(TABS)), moves=moves, drops=tuple(draw(st.lists(st.sampled_from(rules), unique=True, max_size=3))),
        rule=draw(st.sampled_from(["", KEPT, *rules])), way=draw(st.sampled_from(["gained", "lost"])), alone=draw(st.booleans()),
        fate=draw(words), host=draw(words), cluster=draw(words), find=draw(words), doc=draw(words), words=draw(words),
        signal=draw(st.sampled_from(["", *signals])), low=draw(st.none() | limits), high=draw(st.none() | limits),
        sort=draw(st.sampled_from(["", "value", "-value"])), page=draw(st.integers(0, 999_999)), seed=draw(st.integers(0, 999_999)),
        archive=draw(st.integers(0, 999_999)), draws=tuple(draw(st.lists(st.sampled_from(signals), unique=True, max_size=3))),
        brush=Brush({draw(st.sampled_from(signals)): (low, high)}, {"year": ("2021", "2024")}),
    )  # fmt: skip
    assert View.of(view.params(), facts) == view


@settings(max_examples=300, deadline=None)
@given(
    params=st.dictionaries(
        st.sampled_from([*View().__dataclass_fields__, "set", "token"]), st.text(max_size=30) | st.lists(words, max_size=2)
    )
)
def test_whatever_stands_in_an_address_opens_the_page(params: dict, facts: Facts) -> None:
    view = View.of(params, facts)
    assert View.of(view.params(), facts) == view
    assert len(view.rules(facts)) + len(set(view.drops)) == len(facts.rules)


def test_the_patch_is_what_a_config_takes_and_counts_the_same(facts: Facts, small_run: Path) -> None:
    view = View.of({"set": "too_short.low=300,few_hiragana.low=0.1,ellipses=null,ng_words.below=0.07"}, facts)
    changed = yaml.safe_load(patch(view, facts))["rules"]["change"]
    assert changed == {"too_short": {"low": 300}, "few_hiragana": {"low": 0.1}, "ellipses": None, "ng_words": {"below": 0.07}}
    sets = [f"--set={name}={json.dumps(value)}" for name, value in changed.items()]
    said = json.loads(seiryu("rules", small_run / "run", "--json", *sets).out)
    assert [rule["rejected_if"] for rule in said["rules"]] == [rule.limits() for rule in view.rules(facts)]
    assert patch(View(), facts) == ""


@pytest.mark.parametrize(
    ("sql", "ranges", "values"),
    [
        ('("letters" BETWEEN 12.5 AND 400)', {"letters": (12.5, 400.0)}, {}),
        ('(("hiragana_share" BETWEEN 1e-7 AND 0.6)) AND (("year" IN (2024)))', {"hiragana_share": (1e-7, 0.6)}, {"year": ("2024",)}),
        ("(\"fate\" IN ('final', 'rejected'))", {}, {"fate": ("final", "rejected")}),
        ("(\"fate\" IN ('final'); DROP VIEW facts --'))", {}, {"fate": ("final",)}),
        ('("nothing" BETWEEN 1 AND 2)', {}, {}),
        ('("letters" BETWEEN 5 AND 2)', {}, {}),
        ("", {}, {}),
    ],
    ids=["range", "two", "bars", "more than a bar", "no signal", "backwards", "nothing"],
)  # fmt: skip
def test_what_is_drawn_over_is_read_and_never_run(sql: str, ranges: dict, values: dict) -> None:
    found = Brush.of_predicate(sql, {"letters", "hiragana_share"})
    assert (dict(found.ranges), dict(found.values)) == (ranges, values)
    assert Brush.of_text(found.text(), {"letters", "hiragana_share"}) == found


@pytest.mark.parametrize(
    ("right", "judged", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 100, 0.7222, 0.8749)],
)
def test_the_interval_is_wilsons(right: int, judged: int, low: float, high: float) -> None:
    found = precision(right, judged)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    for edge in (found.low, found.high):  # where the score test has just 5 %
        assert abs(right / judged - edge) == pytest.approx(1.959963984540054 * sqrt(edge * (1 - edge) / judged), abs=1e-7)
    assert precision(0, 0) == labels.Precision(0, 0, 0.0, 0.0, 1.0)


def test_judgements_are_kept_replaced_and_taken_back(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    text = "一行目\n\u2028二\x85三\ud800"
    for label in ("good", "bad"):
        labels.judge(store, Label("a", "too_short", label, 12.0, "http://x/", text))
    labels.judge(store, Label("a", KEPT, "good", 0.0, "http://x/", text))
    known = labels.read_labels(store)
    assert [(label.rule, label.label) for label in known] == [("too_short", "bad"), (KEPT, "good")]
    assert known[0].text == text.replace("\ud800", "?")
    assert labels.of_rule(known, "too_short").right == labels.of_rule(known, KEPT).right == 1
    labels.take_back(store, "too_short", "a")
    assert [label.rule for label in labels.read_labels(store)] == [KEPT]


def test_the_labels_train_a_classifier(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    for i in range(40):
        good = i % 2 == 0
        labels.judge(
            store, Label(f"{i}", KEPT, "good" if good else "bad", 0.0, "", f"{'良い文章です。' if good else '悪い'}{i}" * 5)
        )
    ended = seiryu(
        "classifier",
        "train",
        tmp_path / labels.NAME,
        "--out",
        tmp_path / "m.bin",
        "--epoch",
        "5",
        "--dim",
        "8",
        "--bucket",
        "1000",
    )
    assert ended.code == 0, ended.err


@pytest.mark.parametrize("line", ["{", "[]", '{"doc_id": "a"}', json.dumps({"doc_id": "a", "rule": "r", "label": "perhaps", "value": 1, "url": "", "text": ""})],
                         ids=["no json", "no object", "fields", "label"])  # fmt: skip
def test_labels_that_somebody_spoilt_are_named_by_their_line(line: str, tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    labels.judge(store, Label("a", KEPT, "good", 0.0, "", ""))
    file = tmp_path / labels.NAME
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(InputError, match="line 2"):
        labels.read_labels(store)


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(alphabet="a<>&\"'\u202e\x00\nあ😀", max_size=40),
    after=st.text(alphabet="a<&あ\n", max_size=30),
    spans=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))),
)
def test_pieces_are_text_whatever_the_page_says(text: str, after: str, spans: list) -> None:
    for piece in (
        marked(text, sorted(span for span in spans if span[0] < span[1])),
        changes(text, after, ("gone", "new")),
        said(text),
    ):
        bare = piece
        for tag in (
            '<div class="sr text" lang="ja">',
            "</div>",
            "<mark>",
            "</mark>",
            "<del>",
            "</del>",
            "<ins>",
            "</ins>",
            '<p class="sr soft">',
            "</p>",
            '<span class="soft">',
            "</span>",
        ):
            bare = bare.replace(tag, "")
        assert "<" not in bare
        assert "\u202e" not in bare
        assert "\x00" not in bare


@pytest.mark.parametrize(
    ("kind", "sql", "answered"),
    [
        ("arrow", "SELECT count(*) FROM facts", True),
        ("arrow", 'DESC SELECT "letters" AS "column" FROM "facts"', True),
        ("exec", "CREATE SCHEMA IF NOT EXISTS m; CREATE TABLE m.t AS SELECT 1 AS x", True),
        ("arrow", "COPY facts TO 'x.parquet'", False),
        ("exec", "COPY facts TO 'x.parquet'", False),
        ("exec", "CREATE TABLE t AS SELECT 1; COPY facts TO 'x.parquet'", False),
        ("arrow", "SELECT 1; SELECT 2", False),
        ("exec", "", False),
        ("exec", "no sql", False),
        ("exec", "DROP VIEW facts", False),
    ],
)
def test_a_page_may_ask_and_add_up_and_nothing_else(kind: str, sql: str, answered: bool, facts: Facts) -> None:
    with facts.cursor() as con:
        assert harmless(con, sql, kind) is answered


@pytest.mark.parametrize("before", ['theme={"a":1}; ', "a=b c; ", "flag; ", "a[b]=1; ", ""])
def test_cookies_of_other_programs_hide_nothing(before: str) -> None:
    assert _cookies(f"{before}seiryu-1=abc; last")["seiryu-1"] == "abc"


def test_what_an_address_asks_too_much_of_opens_the_page(facts: Facts) -> None:
    draws = ",".join(signal.name for signal in facts.signals)
    view = View.of({"page": "1000000", "seed": "999999999", "archive": "99999999", "draws": draws}, facts)
    assert (view.page, view.seed, view.archive, len(view.draws)) == (0, 0, 0, 8)
