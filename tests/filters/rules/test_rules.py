import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.filters.instruments import possible
from seiryu.filters.rules import Rule, RuleError, first_reason, judge
from seiryu.filters.rules import presets as reading

NAMES = [signal.name for signal in possible(("ng",))]

FIELD = """
letters < 400; japanese_letters < 400; hiragana_share < 0.2; katakana_share > 0.5; japanese_share < 0.5
repeated_paragraph_share > 0.3; repeated_sentence_share > 0.3
repeated_paragraph_letter_share > 0.2; repeated_sentence_letter_share > 0.2
top_2gram_share > 0.2; top_3gram_share > 0.18; top_4gram_share > 0.16
duplicate_5gram_share > 0.15; duplicate_6gram_share > 0.14; duplicate_7gram_share > 0.13
duplicate_8gram_share > 0.12; duplicate_9gram_share > 0.11; duplicate_10gram_share > 0.1
mean_sentence_letters < 20; mean_sentence_letters > 90; longest_sentence_letters > 200; ellipsis_share > 0.2
ng_share >= 0.05
"""


def load_preset(preset, signals=NAMES):
    return reading.load_preset(preset, signals)


def change(rules, changes, where="rules"):
    return reading.change(rules, changes, where, NAMES)


def preset(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text, "utf-8")
    return path


def fails(call, *parts):
    with pytest.raises(RuleError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_the_swallow_preset_is_the_table_of_the_paper():
    limits = set()
    for rule in load_preset("swallow"):
        for sign, limit in (("<", rule.low), (">", rule.high), (">=", rule.below)):
            if math.isfinite(limit):
                limits.add(f"{rule.signal} {sign} {limit:g}")
    assert limits == {entry.strip() for entry in FIELD.replace("\n", ";").split(";") if entry.strip()}
    assert all(rule.why and rule.source for rule in load_preset("swallow"))


@pytest.mark.parametrize(
    ("rule", "values", "rejected"),
    [
        (Rule("r", "s", low=400), [399, 400, 401], [1, 0, 0]),
        (Rule("r", "s", high=0.3), [0.2, 3 / 10, 0.1 + 0.2], [0, 0, 1]),
        (Rule("r", "s", below=0.05), [0.049, 1 / 20, 0.051], [0, 1, 1]),
        (Rule("r", "s", low=20, high=90), [19.9, 20, 90, 90.1], [1, 0, 0, 1]),
        (Rule("r", "s", low=0), [math.inf, -math.inf], [0, 1]),
    ],
)
def test_limits_themselves_pass_except_below(rule, values, rejected):
    assert judge([rule], {"s": np.array(values)}).tolist() == rejected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=64, max_size=64), max_size=5), st.integers(1, 64))
def test_every_rule_has_its_own_bit_and_the_lowest_is_the_first_reason(rows, number):
    rules = [Rule(f"r{i}", f"s{i}", high=4) for i in range(number)]
    columns = {f"s{i}": np.array([row[i] for row in rows], np.int32) for i in range(64)}
    mask = judge(rules, columns)
    assert mask.dtype == np.uint64
    assert mask.tolist() == [sum((row[i] > 4) << i for i in range(number)) for row in rows]
    firsts = [next((i for i in range(number) if row[i] > 4), -1) for row in rows]
    assert first_reason(rules, mask).tolist() == firsts


def test_a_change_moves_a_limit_drops_a_rule_adds_one_and_keeps_the_order():
    swallow = load_preset("swallow")
    rules = change(
        swallow,
        {"few_hiragana": {"low": 0.1}, "ng_words": None, "huge": {"signal": "letters", "high": 1_000_000}},
    )
    assert [rule.name for rule in rules] == [r.name for r in swallow if r.name != "ng_words"] + ["huge"]
    by_name = {rule.name: rule for rule in rules}
    assert (by_name["few_hiragana"].low, by_name["few_hiragana"].signal) == (0.1, "hiragana_share")
    assert by_name["huge"].high == 1_000_000
    assert change(swallow, {}) == swallow


def test_an_infinite_limit_that_rejects_nothing_takes_a_limit_away():
    both = (Rule("r", "letters", low=1, high=9),)
    assert change(both, {"r": {"high": math.inf}}) == (Rule("r", "letters", low=1),)
    assert change(both, {"r": {"low": -math.inf}}) == (Rule("r", "letters", high=9),)


def test_a_limit_is_the_same_number_from_a_preset_and_from_a_change():
    (before,) = (rule for rule in load_preset("swallow") if rule.name == "too_short")
    (after,) = (rule for rule in change(load_preset("swallow"), {"too_short": {"low": 400.0}}) if rule.name == "too_short")
    assert str(before) == str(after)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule("r", "s", low=1234567), "< 1234567"),
        (Rule("r", "s", low=400.0, high=0.1 + 0.2), "< 400, > 0.30000000000000004"),
        (Rule("r", "s", low=-1e15, below=1e-5), "< -1000000000000000, ≥ 1e-05"),
        (Rule("r", "s"), ""),
    ],
)
def test_limits_are_told_with_all_their_digits(rule, said):
    assert rule.limits() == said
    assert [float(part.split()[1]) for part in said.split(", ") if part] == [
        limit for limit in (rule.low, rule.high, rule.below) if math.isfinite(limit)
    ]


def test_an_own_file_is_a_preset(tmp_path):
    path = preset(tmp_path, "rules:\n- {name: short, signal: letters, low: 10}\n")
    assert load_preset(path) == load_preset(str(path)) == (Rule("short", "letters", low=10),)
    foreign = preset(tmp_path, "rules:\n- {name: educational, signal: edu, low: 0.9}\n")
    assert load_preset(foreign, (*NAMES, "edu"))[0].signal == "edu"


def test_an_unknown_preset_names_those_there_are():
    fails(lambda: load_preset("swalow"), "swalow", "did you mean 'swallow'?", "there are fineweb2-ja, swallow, swallow-v1")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("rules:\n- {name: a, signal: leters, low: 1}", ["own.yaml:2: rule 'a'", "unknown signal 'leters'", "'letters'"]),
        ("rules:\n- {name: a, signal: letters, low: 2, high: 1}", ["own.yaml:2: rule 'a'", "low 2 against high 1"]),
        ("rules:\n- {name: a, signal: letters, low: 1, below: 1}", ["rule 'a'", "low 1 against below 1"]),
        ("rules:\n- {name: a, signal: letters, lo: 1}", ["rule 'a'", "unknown key 'lo'", "'low'"]),
        ("rules:\n- {name: a, signal: letters, low: '1'}", ["rule 'a'", "low must be a number, not str '1'"]),
        ("rules:\n- {name: a, signal: letters, low: true}", ["rule 'a'", "low must be a number, not bool"]),
        ("rules:\n- {name: a, signal: letters, low: .nan}", ["rule 'a'", "low must be a number"]),
        ("rules:\n- {name: a, signal: letters, low: }", ["rule 'a'", "low must be a number, not nothing"]),
        ("rules:\n- {name: a, signal: letters, low: .inf}", ["own.yaml:2: rule 'a': low must be finite"]),
        ("rules:\n- {name: a, signal: letters, high: -.inf}", ["own.yaml:2: rule 'a': high must be finite"]),
        ("rules:\n- {name: a, signal: letters, low: 2000000, high: 1234567}", ["low 2000000 against high 1234567"]),
        (
            "rules:\n- {name: a, signal: letters, low: 1" + "0" * 16 + "}",
            ["own.yaml:2: rule 'a': low must lie between -1e+15 and 1e+15"],
        ),
        (
            "rules:\n- {name: a, signal: letters, below: -1" + "0" * 400 + "}",
            ["rule 'a': below must lie between -1e+15 and 1e+15"],
        ),
        ("rules: &a [*a]", ["own.yaml:1: an alias stands for what it lies in"]),
        ("rules: " + "[" * 3000 + "]" * 3000, ["own.yaml", "nested too deep"]),
        ("rules:\n- {name: a, signal: letters, low: 2024-99-99}", ["own.yaml:2: '2024-99-99' cannot be read as timestamp"]),
        ("rules:\n- {name: a, signal: letters, low: 1, why: 2}", ["rule 'a'", "why must be text, not int '2'"]),
        ("rules:\n- {name: a, signal: letters}", ["rule 'a'", "rejects nothing"]),
        ("rules:\n- {name: a, low: 1}", ["rule 'a'", "signal is missing"]),
        ("rules:\n- {signal: letters, low: 1}", ["own.yaml:2: rule 1", "name is missing"]),
        ("rules:\n- {name: 3, signal: letters, low: 1}", ["rule 1", "name must be text"]),
        ("rules:\n- {name: blocked_host, signal: letters, low: 1}", ["own.yaml:2", "none of kept, cut"]),
        ("rules:\n- {name: 'a b', signal: letters, low: 1}", ["own.yaml:2", "a name is of a-z"]),
        ("rules:\n- too_short", ["rule 1", "must be a mapping", "str 'too_short'"]),
        ("rules:\n" + "- {name: a, signal: letters, low: 1}\n" * 2, ["own.yaml:3: rule 'a'", "twice, first in line 2"]),
        ("rules:\n- {name: a, signal: letters, low: 1, low: 2}", ["own.yaml:2: 'low' stands there twice"]),
        ("rules:\n" + "".join(f"- {{name: r{i}, signal: letters, low: 1}}\n" for i in range(65)), ["65", "64"]),
        ("rules: []", ["no rules"]),
        ("rules: {a: {low: 1}}", ["a list `rules`"]),
        ("ruls: []", ["a list `rules`"]),
        ("rules:\n- {name: a, signal: letters, low: 1}\nabuot: x", ["unknown key 'abuot'", "'about'"]),
        ("", ["a list `rules`", "nothing"]),
        ("rules: [", ["own.yaml:1: not YAML"]),
        (
            "about: 水\nrules:\n- {name: a, signal: letters, low: 1}\n# a word\n- name: b\n  signal: leters\n  low: 1",
            ["own.yaml:5: rule 'b'", "unknown signal 'leters'"],
        ),
    ],
)
def test_a_wrong_preset_says_in_one_line_where_and_what_was_meant(tmp_path, text, parts):
    path = preset(tmp_path, text)
    fails(lambda: load_preset(path), str(path), *parts)


def test_a_preset_that_cannot_be_read_says_so(tmp_path):
    fails(lambda: load_preset(tmp_path / "none.yaml"), "none.yaml", "No such file")
    (tmp_path / "sjis.yaml").write_bytes("# 規則".encode("cp932"))
    fails(lambda: load_preset(tmp_path / "sjis.yaml"), "sjis.yaml", "cannot be read", "utf-8")


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"few_hirgana": {"low": 0.1}}, ["no such rule", "few_hirgana", "'few_hiragana'"]),
        ({"nothing_like_it": None}, ["no such rule"]),
        ({"few_hiragana": 0.1}, ["few_hiragana", "must be a mapping"]),
        ({"few_hiragana": {"hihg": 0.1}}, ["few_hiragana", "unknown key 'hihg'", "'high'"]),
        ({"few_hiragana": {"low": None}}, ["few_hiragana", "low must be a number, not nothing"]),
        ({"few_hiragana": {"low": 2, "high": 1}}, ["few_hiragana", "low 2 against high 1"]),
        ({"few_hiragana": {"low": math.inf}}, ["rule 'few_hiragana': low must be finite"]),
        ({"few_hiragana": {"below": 10**400}}, ["rule 'few_hiragana': below must lie between -1e+15 and 1e+15"]),
        ({"few_hiragana": {"name": "too_short"}}, ["'too_short'", "twice"]),
        ({rule.name: None for rule in load_preset("swallow")}, ["no rules"]),
    ],
)
def test_a_wrong_change_says_in_one_line_where_and_what_was_meant(changes, parts):
    fails(
        lambda: change(load_preset("swallow"), changes, "my.yaml: rules.change"),
        "my.yaml: rules.change",
        *parts,
    )


def test_what_cannot_be_judged_raises():
    rules = [Rule("a", "s", low=1), Rule("b", "t", low=1)]
    one = np.ones(2)
    fails(lambda: judge(rules, {"s": one, "tt": one}), "'b'", "'t' was not measured", "'tt'")
    fails(lambda: judge(rules, {"s": one, "t": np.ones(3)}), "'b'", "3 values", "2 documents")
    fails(lambda: judge(rules, {"s": one, "t": np.array([1, np.nan])}), "'b'", "document 1 is NaN")
    fails(lambda: judge([], {"s": one}), "no rules")
    fails(lambda: judge([rules[0]] * 65, {"s": one}), "65 rules")
    fails(lambda: judge([rules[0]] * 2, {"s": one}), "'a'", "twice")
    fails(lambda: first_reason(rules, np.array([4], np.uint64)), "bits beyond the 2 rules")


def test_the_example_in_the_preset_names_its_rules():
    names = {rule.name for rule in load_preset("swallow")}
    assert {"too_short", "few_hiragana", "top_2gram", "duplicate_5gram", "ng_words"} <= names
    assert inspect.signature(Rule).parameters.keys() == {
        "name",
        "signal",
        "low",
        "high",
        "below",
        "why",
        "source",
    }
