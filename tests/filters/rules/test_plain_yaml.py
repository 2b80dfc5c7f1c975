"""YAML that says one thing, held against PyYAML's own reading where both take a text."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seiryu.filters.rules.plain_yaml import YamlError, read_yaml

words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=5)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words | st.dates()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))


@given(values)
def test_what_was_written_is_read_back(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    assert read_yaml(text)[0] == yaml.safe_load(text) == value


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "'c' stands there twice"),
        ("a: 1\n'a': 2\n", 2, "'a' stands there twice"),
        ("- x\n- &a {b: [*a]}\n", 2, "an alias stands for what it lies in"),
        ("[" * 101 + "]" * 101, 1, "nested too deep"),
        ("[" * 5000 + "]" * 5000, 0, "nested too deep"),
        ("a: 1\nb: 2024-99-99", 2, "'2024-99-99' cannot be read as timestamp"),
        ("a: !!float x", 1, "'x' cannot be read as float"),
        ("a: !!timestamp x", 1, "'x' cannot be read as timestamp"),
        ("a: !!bool x", 1, "'x' cannot be read as bool"),
        ("a: !!int ''", 1, "'' cannot be read as int"),
        ("a: " + "9" * 5000, 1, f"'{'9' * 40}' cannot be read as int"),
        ("a: 0x" + "f" * 5000, 1, f"'0x{'f' * 38}' cannot be read as int"),
        ("? [a]\n: 1", 1, "not YAML: found unhashable key"),
        ("a: [", 1, "not YAML: expected the node content"),
        ("a: *b", 1, "not YAML: found undefined alias"),
        ("a: \0", 0, "not YAML: unacceptable character #x0000"),
    ],
)
def test_what_is_refused_is_told_in_one_line_with_its_place(text: str, line: int, said: str) -> None:
    with pytest.raises(YamlError) as error:
        read_yaml(text)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
    assert error.value.at("c.yaml").startswith(f"c.yaml:{line}: {said}" if line else f"c.yaml: {said}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "[" * 100 + "]" * 100,
        "a: &a [1]\nb: *a\nc: [*a, *a]",
        "top: {<<: &x {a: 1, b: 2}, a: 3}\nlow:\n  deep: &y {<<: *x, b: 4}\nlast: {<<: *y}",
        "later: {in: &x {<<: &y {a: 1}, a: 2}}\nat_once: {<<: *x, a: 3}",
    ],
)
def test_aliases_and_merged_keys_mean_what_they_mean_to_pyyaml(text: str) -> None:
    assert read_yaml(text)[0] == yaml.safe_load(text)
