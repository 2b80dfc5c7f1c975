"""The cost of a snapshot: what must be linear is, nothing is faster than its one unit or its download, and the interval holds the truth."""

from pathlib import Path

import numpy as np
import pytest
from duplicates import config_of

from seiryu.pipelines.config import Config
from seiryu.pipelines.dedup_plan import LETTERS, MEETING, steps
from seiryu.pipelines.profiling.assumptions import assumptions
from seiryu.pipelines.profiling.cost import Cluster, Cost, cost
from seiryu.pipelines.profiling.fitting import cold, fit
from seiryu.pipelines.profiling.profile import Profile, Spent, StageProfile
from seiryu.pipelines.profiling.snapshot import COMMON_CRAWL

# CPU seconds of a byte that is read, of a byte that is extracted, of a document that is measured, of a file of them.
READING, EXTRACTING, DOCUMENT, FILE = 2e-8, 1e-6, 0.003, 0.01
TRUTH = 90_000 / 3600 * (READING * COMMON_CRAWL.bytes + EXTRACTING * COMMON_CRAWL.extracted_bytes)


def unit(name: str, cpu: float, records: int, **more: object) -> Spent:
    plain = {"seconds": cpu, "kept": records, "pages": 0, "extracted": 0, "letters": 0, "tokens": 0, "requests": 0, "bytes_in": None,
             "bytes_out": 10 * records, "memory": 1000, "ended": 0.0, "times": {}}  # fmt: skip
    return Spent(unit=name, cpu_seconds=cpu, records=records, **(plain | more))


def made_up(archives: int, seed: int = 0, noise: float = 0.0, start: float = 0.0) -> Profile:
    """A profile whose rates are known; `noise`: by which the time of an archive wanders, `start`: of the first one."""
    draw = np.random.default_rng(seed)
    extracted, annotated, decided = [], [], []
    for number in range(archives):
        name, size, pages = f"{number:03d}", int(draw.integers(1, 9)) * 1_000_000, 100
        asked, wander = int(draw.integers(10, 60)), float(np.exp(noise * draw.normal() - noise**2 / 2))
        reading, text = wander * READING * size, wander * EXTRACTING * size * asked / pages
        times = {"records": reading, "wait": 9.0, "child.text": text, "child.start": 0.0 if number else start}
        extracted.append(unit(name, reading + text + times["child.start"], 300, kept=asked, pages=pages, extracted=asked, bytes_in=size,
                              times=times, memory=5000))  # fmt: skip
        annotated.append(unit(name, FILE + DOCUMENT * asked * wander + (0 if number else start), asked))
        decided.append(unit(name, 0.001, asked, kept=asked // 2))
    splits = unit("all", 2.0, 1000)
    stages = {
        "extract": extracted,
        "annotate": annotated,
        "decide": decided,
        "fingerprints": decided,
        "select": decided,
        "splits": [splits],
    }
    return Profile("made-up", tuple(StageProfile(name, "documents", tuple(units)) for name, units in stages.items()))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(tmp_path)


def changed(config: Config, **sections: dict) -> Config:
    return Config.model_validate_json(config.model_copy(update={}).model_dump_json()).model_copy(
        update={name: getattr(config, name).model_copy(update=fields) for name, fields in sections.items()}
    )


def by_stage(found: Cost) -> dict:
    return {stage.stage: stage for stage in found.stages}


def test_known_rates_are_found_again(config: Config) -> None:
    found = cost(made_up(12), config, 90_000, Cluster(10, 8), draws=20)
    assert by_stage(found)["extract"].cpu_hours.value == pytest.approx(TRUTH, rel=1e-6)
    annotate = 90_000 / 3600 * (FILE + DOCUMENT * COMMON_CRAWL.documents)
    assert by_stage(found)["annotate"].cpu_hours.value == pytest.approx(annotate, rel=1e-6)
    assert (found.sample, found.archives, found.nodes, found.cores) == (12, 90_000, 10, 8)
    assert found.node_memory == 8 * found.memory


def test_what_a_worker_takes_to_start_is_paid_once_a_core_and_not_once_an_archive(config: Config) -> None:
    without, with_start = (
        by_stage(cost(made_up(12, start=seconds), config, 90_000, Cluster(10, 8), draws=5)) for seconds in (0.0, 4.0)
    )
    for stage in ("extract", "annotate"):
        more = with_start[stage].cpu_hours.value - without[stage].cpu_hours.value
        assert more == pytest.approx(80 * 4 / 3600, rel=0.1), stage


def test_twice_the_archives_take_twice_the_time_disk_and_money(config: Config) -> None:
    priced = changed(config, prices={"core_hour": 0.05, "gigabyte": 0.01})
    one, two = (cost(made_up(12), priced, archives, Cluster(10, 8), draws=20) for archives in (45_000, 90_000))
    for stage in ("extract", "annotate", "decide", "splits"):
        small, large = by_stage(one)[stage], by_stage(two)[stage]
        assert large.cpu_hours.value == pytest.approx(2 * small.cpu_hours.value, rel=0.001)
        assert large.disk == pytest.approx(2 * small.disk, rel=0.001)
    assert one.money
    assert two.money
    assert two.money.value == pytest.approx(2 * one.money.value, rel=0.01)
    assert two.download_hours == 2 * one.download_hours


def test_twice_the_nodes_take_half_the_time_but_for_what_is_one_unit(config: Config) -> None:
    config = changed(config, fetch={"connections": 80})
    few, many = (cost(made_up(12), config, 90_000, Cluster(nodes, 8), draws=20) for nodes in (5, 10))
    assert many.cpu_hours.value == pytest.approx(few.cpu_hours.value)
    for stage in ("extract", "annotate", "decide"):
        assert by_stage(many)[stage].wall_hours == pytest.approx(by_stage(few)[stage].wall_hours / 2)
    assert by_stage(many)["splits"].wall_hours == by_stage(few)["splits"].wall_hours == by_stage(few)["splits"].cpu_hours.value
    assert few.wall_hours.value / 2 < many.wall_hours.value < few.wall_hours.value


def test_no_more_archives_are_extracted_at_once_than_there_are_connections(config: Config) -> None:
    few, many = (cost(made_up(12), config, 90_000, Cluster(nodes, 8), draws=5) for nodes in (8, 10))
    assert config.fetch.connections == 64
    assert by_stage(many)["extract"].wall_hours == by_stage(few)["extract"].wall_hours
    assert "64 archives are extracted at once, each over one of fetch.connections; 16 cores idle" in assumptions(
        many, made_up(12), config
    )
    assert not any("at once" in sentence for sentence in assumptions(few, made_up(12), config))


def test_nothing_is_extracted_faster_than_it_is_fetched(config: Config) -> None:
    slow = changed(config, fetch={"bytes_a_second": 50_000_000})
    found = cost(made_up(12), slow, 90_000, Cluster(1000, 64), draws=5)
    assert found.download_hours == pytest.approx(90_000 * 1e9 / 50e6 / 3600)
    assert by_stage(found)["extract"].wall_hours == found.download_hours


def test_money_is_for_all_cores_as_long_as_it_lasts_and_none_without_a_price(config: Config) -> None:
    profile = made_up(12)
    free = cost(profile, config, 90_000, Cluster(10, 8), draws=5)
    assert free.money is None
    assert any("prices.core_hour is 0" in said for said in assumptions(free, profile, config))
    paid = cost(profile, changed(config, prices={"core_hour": 0.05}), 90_000, Cluster(10, 8), draws=5)
    assert paid.money
    assert paid.money.value == pytest.approx(0.05 * 80 * paid.wall_hours.value)


def test_deduplication_is_that_of_the_plan(config: Config) -> None:
    found = by_stage(cost(made_up(12), config, 90_000, Cluster(10, 8), draws=5))
    planned = {step.stage: step for step in steps(config, 27_000_000, 90_000, LETTERS, MEETING)}
    for stage in ("fingerprints", "select"):
        assert (found[stage].memory, found[stage].units, found[stage].measured) == (
            planned[stage].memory,
            planned[stage].units,
            0,
        )
    assert found["select"].cpu_hours.value == planned["select"].seconds / 3600


def test_the_interval_holds_the_truth_nearly_as_often_as_it_says(config: Config) -> None:
    held = 0
    for seed in range(40):
        found = by_stage(cost(made_up(40, seed, noise=0.3), config, 90_000, Cluster(10, 8), draws=100))["extract"].cpu_hours
        assert found.low < found.value < found.high
        held += found.low <= TRUTH <= found.high
    assert held >= 33  # of 38 that 95 % promise; 33 or fewer of them come with 1 % or so


def test_the_same_profile_has_the_same_interval_and_more_archives_a_narrower_one(config: Config) -> None:
    once, again = (cost(made_up(20, noise=0.3), config, 90_000, Cluster(10, 8)) for _ in range(2))
    assert once == again
    many = cost(made_up(200, noise=0.3), config, 90_000, Cluster(10, 8))
    assert many.cpu_hours.high - many.cpu_hours.low < 0.6 * (once.cpu_hours.high - once.cpu_hours.low)


def test_a_profile_that_tells_too_little_is_refused_with_what_it_lacks(config: Config) -> None:
    profile = made_up(3)
    old = StageProfile("annotate", "documents", (Spent(**{**_fields(profile.stages[1].units[0]), "cpu_seconds": None}),))
    with pytest.raises(ValueError, match="CPU seconds of annotate were not recorded"):
        cost(Profile("x", (profile.stages[0], old)), config, 10, Cluster(1, 1))
    with pytest.raises(ValueError, match="no document was extracted"):
        cost(Profile("x", (profile.stages[1],)), config, 10, Cluster(1, 1))


def _fields(spent: Spent) -> dict:
    return {name: getattr(spent, name) for name in Spent.__slots__}


def test_no_rate_is_below_zero_where_a_line_would_go_there() -> None:
    held = np.array([[1.0, 10], [1, 20], [1, 30]])
    assert fit(held, np.array([5.0, 25, 45])).min() >= 0  # the line is -15 + 2 a record
    assert fit(held, np.array([7.0, 27, 47]) + 15) == pytest.approx([2, 2])
    assert fit(held, np.array([7.0, 7, 7])) == pytest.approx([7, 0])
    twice = np.array([2.0, 0, 1])
    assert fit(held, np.array([5.0, 25, 45]), twice) == pytest.approx(fit(held[[0, 0, 2]], np.array([5.0, 5, 45])))


def test_cold_units_are_those_that_take_far_longer_than_the_others_say() -> None:
    held = np.stack([np.ones(9), np.arange(1, 10)], 1)
    even = held @ [0.5, 0.2] + np.tile([0.01, -0.01, 0.0], 3)
    assert not cold(held, even).any()
    first = even.copy()
    first[[0, 4]] += [3, 4]
    assert np.flatnonzero(cold(held, first)).tolist() == [0, 4]
    assert not cold(held[:2], first[:2]).any()  # of two units nobody can tell
