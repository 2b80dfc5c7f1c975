"""How fast a run goes and what remains, by its sidecars; clocks may say what they like."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from run_by_hand import NOW, RECORDS, Run, stamp


@pytest.fixture
def going(tmp_path: Path) -> Callable[..., Run]:
    """A run that began with extract some seconds ago and has planned so many units."""

    def make(ago: float, units: int, **told: object) -> Run:
        known = {"at": "extract", "planned": {"extract": units}, "begun": {"extract": stamp(NOW - timedelta(seconds=ago))}}
        return Run(tmp_path, **known | told)

    return make


def test_what_remains_follows_from_the_rate_of_the_last_minutes(going: Callable[..., Run]) -> None:
    run = going(ago=7200, units=1000)
    run.finished(*range(3600, 3700, 5))  # 20 units, an hour ago
    run.finished(*range(0, 600, 10))  # 60 in the last ten minutes
    found = run.extract()
    assert (found.planned, found.done, found.left) == (1000, 80, 920)
    assert found.now is not None
    assert (found.now.units, found.now.records) == (pytest.approx(0.1), pytest.approx(0.1 * RECORDS))
    assert found.remaining_seconds == pytest.approx(9200)
    assert found.overall is not None
    assert found.overall.units == pytest.approx(80 / 7200)
    assert found.last == NOW


def test_units_of_an_earlier_run_do_not_count_for_the_rate(going: Callable[..., Run]) -> None:
    run = going(ago=100, units=60)
    run.finished(*range(200, 240))  # before this run began
    run.finished(*range(0, 100, 10))
    found = run.extract()
    assert found.now is not None
    assert found.overall is not None
    assert (found.done, found.left, found.now.units, found.overall.units) == (50, 10, pytest.approx(0.1), pytest.approx(0.1))
    assert found.remaining_seconds == pytest.approx(100)


def test_the_window_grows_with_the_units(going: Callable[..., Run]) -> None:
    """Units of half an hour: in most stretches of ten minutes none ends."""
    run = going(ago=36_000, units=100)
    run.finished(*range(900, 36_000, 1800), seconds=1800)
    found = run.extract()
    assert found.now is not None
    assert (found.now.seconds, found.now.units) == (5400, pytest.approx(3 / 5400))
    assert found.remaining_seconds == pytest.approx(80 * 1800)


def test_one_unit_gives_a_rate_only_if_it_took_long_enough_to_tell(going: Callable[..., Run]) -> None:
    run = going(ago=60, units=10)
    run.finished(0)
    assert run.extract().remaining_seconds == pytest.approx(9 * 60)
    short = going(ago=5, units=10)
    assert (short.extract().now, short.extract().overall, short.extract().remaining_seconds) == (None, None, None)


def test_a_stage_that_is_through_has_nothing_left_and_one_that_is_not_begun_no_numbers(going: Callable[..., Run]) -> None:
    run = going(ago=1000, units=3)
    run.finished(0, 10)
    run.set_aside("unit-9999")
    found = run.extract(held=False)
    assert (found.left, found.remaining_seconds, found.now) == (0, 0.0, None)
    assert found.overall is not None
    assert found.overall.units == pytest.approx(2 / 1000)
    annotate, addresses = run.course().stages[1:3]
    assert (annotate.stage, annotate.planned, annotate.begun, annotate.remaining_seconds) == ("annotate", 2, False, None)
    assert (addresses.planned, addresses.left, addresses.overall) == (None, None, None)  # what will come of annotate is not known


def test_nobody_knows_what_remains_when_nothing_is_done(going: Callable[..., Run]) -> None:
    found = going(ago=500, units=30).extract()
    assert (found.left, found.begun, found.now, found.overall, found.remaining_seconds, found.last) == (
        30,
        True,
        None,
        None,
        None,
        None,
    )


def test_a_run_that_stands_still_has_no_remaining_time(going: Callable[..., Run]) -> None:
    run = going(ago=9000, units=30)
    run.finished(4000, 5000)
    assert run.extract().remaining_seconds is None
    run.finished(10)
    assert run.extract(held=False).remaining_seconds is None  # nobody is at work
    assert run.extract().remaining_seconds is not None


def test_what_is_tried_again_is_not_through(going: Callable[..., Run]) -> None:
    """Set aside by an earlier run, and not yet done by this one; or done by it once, under another config."""
    run = going(ago=100, units=12, to_make={"extract": 8})
    run.finished(500, 501, 502, 503, 504)
    run.finished(10, 20)
    run.set_aside("unit-9999")
    assert run.extract().left == 6  # 8 - 2, for of the 5 older ones some are made again
    assert run.extract(held=False).left == 4


@pytest.mark.parametrize("jump", [600, 86_400 * 365, 86_400 * 365 * 200])
def test_times_in_the_future_make_it_unknown(going: Callable[..., Run], jump: float) -> None:
    run = going(ago=1000, units=30)
    run.finished(0, 100, 200, -jump)
    found = run.extract()
    assert (found.now, found.overall, found.last, found.remaining_seconds, run.course().last) == (None, None, None, None, None)
    assert (found.done, found.left) == (4, 26)


def test_a_begin_in_the_future_makes_it_unknown(going: Callable[..., Run]) -> None:
    run = going(ago=-3600, units=30)
    run.finished(0, 100)
    assert (
        run.extract().to_json().items() >= {"units_a_second": None, "records_a_second": None, "remaining_seconds": None}.items()
    )


@pytest.mark.parametrize("back", [3600, 86_400 * 365 * 30])
def test_a_clock_that_went_back_makes_no_number_negative_or_endless(going: Callable[..., Run], back: float) -> None:
    """The workers' clock was put back after the run began: some units were finished before it did."""
    run = going(ago=100, units=30)
    run.finished(0, 50, back, back + 10)
    found = run.extract()
    for rate in (found.now, found.overall):
        assert rate is not None
        assert 0 < rate.units <= 4 / 100
    assert found.remaining_seconds is not None
    assert 0 < found.remaining_seconds <= 26 * 100


@pytest.mark.parametrize(
    "told", [{"planned": "many"}, {"planned": {"extract": "3"}}, {"begun": [1]}, {"at": 7}, {"planned": None}]
)
def test_what_run_json_says_wrongly_is_passed_over(going: Callable[..., Run], told: dict[str, object]) -> None:
    run = going(ago=100, units=30, **told)
    run.finished(0, 50)
    assert run.extract().done == 2
