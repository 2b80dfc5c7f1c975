"""Runs over a bad network and a moody server: the same documents as over a good one, and never more requests than allowed."""

from collections.abc import Iterator
from itertools import groupby

import faults
import pytest
import servers
from faults import Fault, Plan, Request, refuse, seeded
from proxy import FaultProxy
from servers import Asked, Server
from whole_runs import BY_INDEX, NAMED, Ended, Run, new_run, together

Suffered = tuple[Run, Ended, list[Asked]]
ANYWHERE = [
    faults.reset(), faults.reset(300), faults.stall(2.0), faults.stall(2.0, 200), faults.cut(), faults.short(),
    faults.other_range(), faults.grown(), faults.garbage(), refuse(500), faults.slow(0.3),
]  # fmt: skip
# What only a reader of records notices. A list or a table of the index that is damaged ends a run, or sets a unit aside.
IN_ARCHIVES = [
    faults.corrupt(), faults.corrupt(700), faults.other_bytes(), faults.whole(), faults.reset(1000), faults.cut(2000),
]  # fmt: skip
# A server that has had enough at the requests of these numbers, and how long it is to be left alone then.
MOODS = {2: (refuse(503), 1.0), 8: (refuse(429, "2"), 2.0)}


def bad_network(seed: int, share: float) -> Plan:
    """Of the requests a share goes wrong, of those for archives more; none goes wrong a third time."""
    anywhere, in_archives = seeded(seed, share, ANYWHERE), seeded(seed + 1, share, IN_ARCHIVES)

    def plan(request: Request) -> Fault | None:
        if request.again > 1:
            return None
        return (in_archives(request) if "/segments/" in request.path else None) or anywhere(request)

    return plan


def moody(plan: Plan) -> Plan:
    return lambda request: MOODS[request.number][0] if request.number in MOODS else plan(request)


@pytest.fixture(scope="module")
def suffered(few_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Suffered, Suffered]]:
    """A run over whole archives by one worker and one by the index by four, at the same time, with what their servers saw."""
    folder = tmp_path_factory.mktemp("suffered")
    patient = {"timeout": 1, "attempts": 5}
    with (
        FaultProxy(few_server.url, moody(bad_network(3, 0.4))) as one,
        FaultProxy(few_server.url, bad_network(1, 0.3)) as other,
    ):
        whole = new_run(folder / "whole", one.url, fetch={"connections": 1, **patient})
        slowly = {"requests_a_second": 10, "connections": 2, **patient}
        index = new_run(folder / "index", other.url, source=BY_INDEX, fetch=slowly, engine={"workers": 4})
        ended = together(whole, index)
        yield (whole, ended[0], one.log()), (index, ended[1], other.log())


def test_whole_archives_come_as_they_are_over_a_bad_network(suffered: tuple[Suffered, Suffered], whole_run: Run) -> None:
    run, ended, asked = suffered[0]
    assert ended.code == 0, ended.err
    assert run.hashes("documents", "ledger") == whole_run.hashes("documents", "ledger")
    check_worth(asked, 5)


def test_a_server_that_has_had_enough_is_left_alone(suffered: tuple[Suffered, Suffered]) -> None:
    _, ended, asked = suffered[0]
    for number, (refusal, seconds) in MOODS.items():
        before, after = asked[number : number + 2]
        assert (before.status, before.fault) == (refusal.status, "refuse")
        assert after.time - before.time >= seconds
        assert f"answered {before.status}" in ended.err


def test_a_worker_that_waits_for_a_server_does_not_begin_with_another_archive(suffered: tuple[Suffered, Suffered]) -> None:
    asked = suffered[0][2]
    archives = [row.path for row in asked if "/segments/" in row.path]
    assert len(list(groupby(archives))) == len(set(archives)) == 8
    assert servers.at_once(asked) == 1


def test_records_of_the_index_come_as_they_are_over_a_bad_network(suffered: tuple[Suffered, Suffered], index_run: Run) -> None:
    run, ended, asked = suffered[1]
    assert ended.code == 0, ended.err
    assert run.hashes("documents", "ledger") == index_run.hashes("documents", "ledger")
    check_worth(asked, 6)


def test_four_workers_together_keep_the_budget_though_much_is_asked_again(suffered: tuple[Suffered, Suffered]) -> None:
    asked = suffered[1][2]
    assert servers.busiest(asked, 1.0) <= 10
    assert servers.at_once(asked) <= 2


def check_worth(asked: list[Asked], kinds: int) -> None:
    """Enough went wrong for a run to mean something, and every request said who asks."""
    assert len({row.fault for row in asked}) > kinds
    assert {row.user_agent for row in asked} == {NAMED}
