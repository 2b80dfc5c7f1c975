"""The floors themselves: a figure below one is told, and none is lowered by accident."""

import pytest
from floors import broken, moved, other_data

FLOOR = {"trafilatura B ja": {"f1": 0.8, "recall": 0.7}}


def test_a_figure_below_its_floor_is_told_with_both():
    assert broken(FLOOR, FLOOR) == []
    assert broken(FLOOR, {"trafilatura B ja": {"f1": 0.79, "recall": 0.9}}) == ["trafilatura B ja: f1 is 0.79, its floor 0.8"]


def test_a_figure_that_is_missing_or_has_no_floor_is_no_success():
    assert len(broken(FLOOR, {})) == 2
    assert len(broken({}, FLOOR)) == 2


def test_other_data_is_told_by_name_and_with_what_to_do():
    assert other_data({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == ""
    message = other_data({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"})
    assert "(b, c)" in message
    assert "SEIRYU_UPDATE_FLOORS=1" in message


def test_floors_are_raised_and_rounded_down():
    assert moved(FLOOR, {"trafilatura B ja": {"f1": 0.85679, "recall": 0.7}}, False) == {
        "trafilatura B ja": {"f1": 0.856, "recall": 0.7}
    }


@pytest.mark.parametrize("lower", [{"trafilatura B ja": {"f1": 0.9, "recall": 0.69}}, {"trafilatura B ja": {"f1": 0.9}}, {}])
def test_a_floor_is_lowered_or_dropped_only_when_that_is_asked_for(lower):
    with pytest.raises(PermissionError, match="SEIRYU_LOWER_FLOORS"):
        moved(FLOOR, lower, False)
    assert moved(FLOOR, lower, True) == lower
