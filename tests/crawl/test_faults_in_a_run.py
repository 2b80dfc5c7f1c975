"""Runs over a bad network and a moody server: the same documents as over a good one, and never more requests than allowed."""

from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import faults
import pytest
import servers
from faults import Fault, Plan, Request, refuse, seeded
from proxy import FaultProxy
from servers import Asked, Server
from whole_runs import BY_INDEX, NAMED, Run, new_run

ANYWHERE = [
    faults.reset(), faults.reset(300), faults.stall(2.0), faults.stall(2.0, 200), faults.cut(), faults.short(),
    faults.other_range(), faults.grown(), faults.garbage(), refuse(500), faults.slow(0.3),
]  # fmt: skip
# What only a reader of records notices. A list or a table of the index that is damaged ends a run, or sets a unit aside.
IN_ARCHIVES = [
    faults.corrupt(), faults.corrupt(700), faults.other_bytes(), faults.whole(), faults.reset(1000), faults.cut(2000),
]  # fmt: skip
# A server that has had enough at the requests of these numbers, and how long it is to be left alone then.
MOODS = {2: (refuse(503), 1.0), 8: (refuse(429, "1"), 1.0), 9: (refuse(503, "2"), 2.0)}


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


@pytest.fixture
def proxy(few_server: Server) -> Iterator[FaultProxy]:
    with FaultProxy(few_server.url) as made:
        yield made


def test_whole_archives_come_as_they_are_and_a_server_that_has_enough_is_left_alone(
    proxy: FaultProxy, tmp_path: Path, whole_run: Run
) -> None:
    run = new_run(tmp_path, proxy.url, fetch={"connections": 1, "timeout": 1, "attempts": 5}, engine={"workers": 1})
    proxy.misbehave(moody(bad_network(3, 0.4)))
    ended = run.make()
    asked = proxy.log()
    assert ended.code == 0, ended.err
    assert run.hashes("documents", "ledger") == whole_run.hashes("documents", "ledger")
    assert servers.at_once(asked) == 1
    for number, (before, after) in enumerate(pairwise(asked)):
        if number in MOODS:
            assert (before.status, before.fault) == (MOODS[number][0].status, "refuse")
            assert after.time - before.time >= MOODS[number][1]
            assert f"answered {before.status}" in ended.err
    archives = [row.path for row in asked if "/segments/" in row.path]
    assert len(list(groupby(archives))) == len(set(archives))  # a worker that waits does not begin with another one
    check_worth(asked, 5)


def test_records_of_the_index_come_as_they_are_within_the_budget_of_four_workers(
    proxy: FaultProxy, tmp_path: Path, index_run: Run
) -> None:
    fetch = {"requests_a_second": 10, "connections": 2, "timeout": 1, "attempts": 5}
    run = new_run(tmp_path, proxy.url, source=BY_INDEX, fetch=fetch, engine={"workers": 4})
    proxy.misbehave(bad_network(1, 0.3))
    ended = run.make()
    asked = proxy.log()
    assert ended.code == 0, ended.err
    assert run.hashes("documents", "ledger") == index_run.hashes("documents", "ledger")
    assert servers.busiest(asked, 1.0) <= 10
    assert servers.at_once(asked) == 2  # so many were possible, and never more
    check_worth(asked, 6)


def check_worth(asked: list[Asked], kinds: int) -> None:
    """Enough went wrong for a run to mean something, and every request said who asks."""
    assert len({row.fault for row in asked}) > kinds
    assert {row.user_agent for row in asked} == {NAMED}
