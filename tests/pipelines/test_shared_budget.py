"""One budget for all processes of a cluster: its promise outlives workers, keepers and those who made them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from budget_workers import LIMITS, RENEW, TERM, Counting, Worker, gone, joined, keepers_process, wait_for
from counting_server import CountingServer, counting_server

from seiryu.corpus.remote.budget import Limits
from seiryu.corpus.remote.errors import Forbidden
from seiryu.pipelines.budget_keeper import keeper, present_keeper
from seiryu.pipelines.shared_budget import told


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "RAY_USAGE_STATS_ENABLED", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"):
            environment.setenv(name, "0")
        environment.setenv("PYTHONPATH", str(Path(__file__).parent))  # workers find what this file imports
        ray.init(num_cpus=4, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        yield
        ray.shutdown()


@pytest.fixture
def fresh(cluster: None) -> Iterator[None]:  # noqa: ARG001
    """A cluster that has never had a keeper."""
    from ray.experimental.internal_kv import _internal_kv_del

    yield
    if (handle := present_keeper()) is not None:
        ray.kill(handle)
        wait_for(lambda: present_keeper() is None)
    _internal_kv_del(b"seiryu:request-budget")


@pytest.fixture
def kept(fresh: None) -> Iterator[None]:  # noqa: ARG001
    """A cluster with a keeper that this driver has made; its limits are wide."""
    made = keeper(Limits(1000.0, 50), TERM)
    yield
    del made


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with counting_server() as running:
        yield running


@pytest.fixture(scope="module")
def pool(cluster: None) -> list:  # noqa: ARG001
    """Processes that no test kills or bans."""
    return [Worker.remote() for _ in range(3)]


@pytest.mark.usefixtures("kept")
def test_many_threads_of_many_processes_keep_the_promise_together(pool: list, server: CountingServer) -> None:
    ray.get([worker.ask.remote(server.url, 20, 4) for worker in joined(pool)])
    times = server.times()
    assert len(times) == 60
    assert server.closest(20) >= 1.0
    assert 1 < server.most <= 4
    assert times[-1] - times[0] < 6.0


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("death", ["killed by the system", "killed by Ray"])
def test_a_keeper_that_dies_is_followed_by_one_that_keeps_the_promise(death: str, pool: list, server: CountingServer) -> None:
    server.slowest = 0.3
    running = [worker.ask.remote(server.url, 30, 3) for worker in joined(pool[:2])]
    wait_for(lambda: len(server.times()) > 15)
    if death == "killed by Ray":
        ray.kill(present_keeper(), no_restart=False)
    else:
        os.kill(keepers_process(), signal.SIGKILL)
    died = time.monotonic()
    ray.get(running)
    times = server.times()
    assert len(times) == 60
    assert server.closest(20) >= 1.0
    assert server.most <= 4
    # An heir waits until it knows all that is under way; until then those come that were granted before, one a connection.
    assert len([at for at in times if died < at < died + TERM + 1.0]) <= 4
    assert times[-1] > died + TERM + 1.0
    assert any(message.startswith("the keeper of the request budget was lost: all requests wait") for message in told())


@pytest.mark.usefixtures("fresh")
def test_a_worker_that_made_the_keeper_takes_it_along_and_the_others_go_on(pool: list, server: CountingServer) -> None:
    (maker,), (other, *_) = joined([Worker.remote()]), joined(pool[:1])
    running = other.ask.remote(server.url, 40, 3)
    wait_for(lambda: len(server.times()) > 5)
    ray.kill(maker)
    ray.get(running)
    assert len(server.times()) == 40
    assert server.closest(20) >= 1.0
    assert server.most <= 4


@pytest.mark.usefixtures("kept")
def test_a_killed_worker_gives_its_connections_back_after_the_term(pool: list) -> None:
    holder, other = joined([Worker.remote(), pool[0]])
    ray.get(holder.hold.remote(4))
    waiting = other.hold.remote(1)
    assert ray.wait([waiting], timeout=TERM + 1.0)[1] == [waiting]  # its holder lives
    os.kill(ray.get(holder.join.remote(LIMITS)), signal.SIGKILL)
    killed = time.monotonic()
    ray.get(waiting, timeout=20)
    assert TERM - RENEW - 0.1 <= time.monotonic() - killed < TERM + 3.0
    ray.get(other.give_back.remote())


@pytest.mark.usefixtures("kept")
def test_one_complaint_stops_all_and_the_driver_is_told(pool: list, server: CountingServer) -> None:
    asking = joined(pool)
    running = [worker.ask.remote(server.url, 20, 2) for worker in asking[:2]]
    wait_for(lambda: len(server.times()) > 5)
    began = time.monotonic()
    ray.get(asking[2].slow.remote(2.0))
    said = time.monotonic()
    ray.get(running)
    assert len(server.times()) == 40
    assert len([at for at in server.times() if said < at < began + 2.0]) <= 4  # what had its ticket already
    (message,) = told()
    assert message.startswith("a.example answered 503: all requests wait 2 s and then go on at 10 a second")
    assert told() == []


@pytest.mark.usefixtures("kept")
def test_a_ban_ends_all(server: CountingServer) -> None:
    asking = [Worker.remote() for _ in range(5)]
    processes = ray.get([worker.join.remote(LIMITS) for worker in asking])
    running = [worker.ask.remote(server.url, 10_000, 2) for worker in asking[:2]]
    wait_for(lambda: len(server.times()) > 5)
    ray.get(asking[2].forbid.remote())
    for reference in running:
        with pytest.raises(Forbidden, match=r"a\.example answered 403; stop and ask"):
            ray.get(reference, timeout=20)
    count = len(server.times())
    with pytest.raises(Forbidden):
        ray.get(asking[3].hold.remote(1))
    ray.kill(present_keeper(), no_restart=False)
    with pytest.raises(Forbidden):  # who knows of it tells the next keeper
        ray.get(asking[4].hold.remote(1))
    assert len(server.times()) == count
    for worker, process in zip(asking, processes, strict=True):  # as long as one lives, it tells every keeper
        ray.kill(worker)
        wait_for(lambda process=process: gone(process))


@pytest.mark.usefixtures("kept")
def test_the_strictest_limits_of_all_hold(pool: list, server: CountingServer) -> None:
    free, strict = joined(pool[:1], Limits(1000.0, 50)), joined(pool[1:2], Limits(10.0, 2, 1_000_000))
    ray.get([worker.ask.remote(server.url, 12, 4) for worker in free + strict])
    assert server.closest(10) >= 1.0
    assert server.most <= 2


@pytest.mark.usefixtures("kept")
def test_bytes_are_shared_and_cost_few_calls() -> None:
    first, second = (Counting(Limits(100.0, 4, 400_000), renew=RENEW, term=TERM) for _ in range(2))
    begin = time.monotonic()
    threads = [
        threading.Thread(target=lambda budget=budget: [budget.spend(2000) for _ in range(100)]) for budget in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert 0.99 <= time.monotonic() - begin < 3.0
    assert first.calls + second.calls < 10


@pytest.mark.usefixtures("kept")
def test_a_request_costs_three_calls_and_a_sign_of_life_one_for_all_tickets() -> None:
    budget = Counting(Limits(1000.0, 50), renew=60.0, term=600.0)
    for _ in range(5):
        ticket = budget.begin()
        budget.answered(ticket, well=True)
        budget.end(ticket)
        budget.end(ticket)
    assert budget.calls == 15
    lively = Counting(Limits(1000.0, 50), renew=0.1, term=10.0)
    tickets = [lively.begin() for _ in range(10)]
    before = lively.calls
    time.sleep(1.05)
    assert 3 <= lively.calls - before <= 11
    for ticket in tickets:
        lively.end(ticket)


@pytest.mark.usefixtures("kept")
def test_a_grant_that_comes_too_late_is_given_back_and_asked_for_again() -> None:
    class Starved(Counting):
        """Its process gets no processor for half a term just when the first grant comes."""

        def _ask(self, method: str, *arguments: object) -> object:
            answer = super()._ask(method, *arguments)
            if method == "begin" and not hasattr(self, "slept"):
                self.slept = arguments[0]
                time.sleep(0.6)
            return answer

    budget = Starved(Limits(1000.0, 1), renew=60.0, term=1.0)
    ticket = budget.begin()
    assert ticket != budget.slept
    budget.end(ticket)


SCRIPT = """
import sys, time, ray
sys.path.insert(0, {here!r})
from counting_server import ask
from seiryu.corpus.remote.budget import Limits
from seiryu.pipelines.shared_budget import budget_for
ray.init(address={address!r}, log_to_driver=False, logging_level="ERROR")
budget = budget_for(Limits(20.0, 4), renew={renew}, term={term})
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    ask(budget, {url!r} + "/" + sys.argv[1])
print("done", flush=True)
sys.stdin.read()
"""


@pytest.mark.usefixtures("fresh")
def test_a_second_run_goes_on_when_the_run_that_made_the_keeper_ends(server: CountingServer) -> None:
    address = ray.get_runtime_context().gcs_address
    script = SCRIPT.format(here=str(Path(__file__).parent), address=address, renew=RENEW, term=TERM, url=server.url)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", script, "first", "3"], **pipes) as first:
        assert [first.stdout.readline(), first.stdout.readline()] == ["ready\n", "done\n"]
        with subprocess.Popen([sys.executable, "-c", script, "second", "60"], **pipes) as second:
            wait_for(lambda: len(server.times("second")) > 10)
            first.communicate("")
            ended = time.monotonic()
            assert second.stdout.readline() == "ready\n"
            assert second.stdout.readline() == "done\n"
            second.communicate("")
    assert len(server.times("second")) == 60
    assert server.closest(20) >= 1.0
    assert max(server.times()) > ended + TERM
