"""The promise of the request budget holds whatever network, servers and holders do, and nobody waits longer than it needs."""

import heapq
import math
import random
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seiryu.corpus.remote.allowance import RENEW, SLOWEST, STEP, TERM, State
from seiryu.corpus.remote.budget import Allowance, Limits, LocalBudget
from seiryu.corpus.remote.errors import Forbidden


class World:
    """A keeper, holders and a server in made-up time. What lies between grant, arrival and answer takes as long as it likes."""

    def __init__(self, limits: Limits, seed: int, slowest: float) -> None:
        self.limits, self.slowest, self.random = limits, slowest, random.Random(seed)
        self.allowance = Allowance(limits, 0.0, term=TERM)
        self.now, self.events, self.count, self.look = 0.0, [], 0, math.inf
        self.waiting: set[str] = set()
        self.open: dict[str, str] = {}  # what living holders know
        self.arrivals: list[float] = []
        self.most = 0

    def later(self, delay: float, what: str, ticket: str = "") -> None:
        self.count += 1
        heapq.heappush(self.events, (self.now + delay, self.count, what, ticket))

    def run(self, wanted: int, *, dying: float = 0.0, complaints: float = 0.0, keepers: int = 1) -> None:
        for number in range(wanted):
            self.later(self.random.random() * wanted / self.limits.requests_a_second, "begin", str(number))
        for _ in range(keepers - 1):
            self.later(self.random.random() * 2 * wanted / self.limits.requests_a_second, "keeper dies")
        self.later(RENEW, "renew")
        while self.events:
            self.now, _, what, ticket = heapq.heappop(self.events)
            self.step(what, ticket, complaints)
            for granted in self.allowance.grant(self.now):
                self.granted(granted, dying)
            self.most = max(self.most, len(self.open))
            if what == "look":
                self.look = math.inf
            if self.now + (wait := self.allowance.next(self.now)) < self.look:
                self.look = self.now + wait
                self.later(wait, "look")

    def granted(self, ticket: str, dying: float) -> None:
        assert self.allowance.holds(ticket)
        self.waiting.remove(ticket)
        latency = self.random.random() ** 4 * self.slowest
        self.later(self.random.random() * latency, "arrive", ticket)
        if self.random.random() >= dying:  # else its holder dies, sooner or later after the request is sent
            self.open[ticket] = "sent"
            self.later(latency, "answer", ticket)

    def step(self, what: str, ticket: str, complaints: float) -> None:
        if what == "begin":
            self.waiting.add(ticket)
            self.allowance.begin(ticket, self.now)
        elif what == "arrive":
            self.arrivals.append(self.now)
        elif what == "answer":
            self.open[ticket] = "answered"
            self.allowance.answered(ticket, self.now, well=True)
            if self.random.random() < complaints:
                self.allowance.slow("a server answered 503", self.random.choice([None, 0.1, 3.0]), self.now)
            self.later(self.random.random() * self.slowest, "end", ticket)
        elif what == "end":
            del self.open[ticket]
            self.allowance.end(ticket, self.now)
        elif what == "renew":
            self.allowance.renew([*self.open.items(), *((ticket, "waiting") for ticket in self.waiting)], self.now)
            if self.events:
                self.later(RENEW, "renew")
        elif what == "keeper dies":
            self.allowance = Allowance(self.limits, self.now, term=TERM, heir=True)
            for other in sorted(self.waiting):  # Ray asks again for those who wait
                self.allowance.begin(other, self.now)


def closest(arrivals: list[float], count: int) -> float:
    """The shortest time in which more than `count` requests arrived."""
    times = sorted(arrivals)
    return min((later - first for first, later in zip(times, times[count:], strict=False)), default=math.inf)


RATES = st.sampled_from([0.3, 1.0, 1.5, 2.9, 3.0, 10.0, 57.3])
SEEDS = st.integers(0, 10**6)


@given(RATES, st.integers(1, 20), SEEDS, st.sampled_from([0.0, 0.3, 3.0, 40.0]))
def test_no_server_sees_more_requests_in_any_window_than_allowed(
    rate: float, connections: int, seed: int, slowest: float
) -> None:
    world = World(Limits(rate, connections), seed, slowest)
    world.run(60)
    assert len(world.arrivals) == 60
    assert closest(world.arrivals, world.limits.count) >= world.limits.span - 1e-6
    assert world.most <= connections


@settings(max_examples=200)
@given(RATES, st.integers(1, 20), SEEDS, st.sampled_from([0.3, 3.0, 20.0]))
def test_nor_when_servers_complain_and_holders_and_keepers_die(rate: float, connections: int, seed: int, slowest: float) -> None:
    world = World(Limits(rate, connections), seed, slowest)
    world.run(60, dying=0.1, complaints=0.05, keepers=3)
    assert len(world.arrivals) == 60
    assert closest(world.arrivals, world.limits.count) >= world.limits.span - 1e-6
    assert world.most <= connections


def test_requests_are_granted_as_soon_as_the_promise_allows() -> None:
    allowance = Allowance(Limits(2.5, 10), 0.0)
    for ticket in "abc":
        allowance.begin(ticket, 0.0)
    assert allowance.grant(0.0) == ["a", "b"]
    assert allowance.next(0.0) == math.inf  # only an answer can help
    allowance.answered("a", 0.5, well=True)
    assert allowance.next(0.5) == pytest.approx(0.8)
    assert allowance.grant(1.29) == []
    assert allowance.grant(1.31) == ["c"]


def test_an_ended_connection_is_free_at_once_and_one_of_a_dead_holder_after_the_term() -> None:
    allowance = Allowance(Limits(100.0, 2), 0.0, term=TERM)
    for ticket in "abcd":
        allowance.begin(ticket, 0.0)
    assert allowance.grant(0.0) == ["a", "b"]
    allowance.end("a", 1.0)
    assert allowance.grant(1.0) == ["c"]
    for now in (5.0, 15.0, 25.0):
        allowance.renew([("c", "sent"), ("d", "waiting"), ("a", "answered")], now)  # that of a is late, and changes nothing
    assert allowance.grant(29.0) == []
    assert allowance.grant(TERM + 4.0) == ["d"]
    assert allowance.tickets() == {"c": "sent", "d": "sent"}


def test_a_request_of_a_dead_holder_counts_until_its_burial_and_a_window_longer() -> None:
    allowance = Allowance(Limits(0.1, 5), 0.0, term=TERM)
    allowance.begin("dead", 0.0)
    assert allowance.grant(0.0) == ["dead"]
    allowance.begin("next", 10.0)
    assert allowance.grant(31.0) == []
    assert allowance.grant(39.0) == []
    allowance.renew([("next", "waiting")], 39.0)
    assert allowance.grant(41.1) == ["next"]


def test_an_heir_waits_and_learns_what_is_under_way() -> None:
    allowance = Allowance(Limits(1.0, 10), 100.0, term=TERM, heir=True)
    allowance.begin("new", 100.0)
    for now in (104.0, 128.0):
        allowance.renew([("old", "sent"), ("older", "answered"), ("new", "waiting")], now)
    assert allowance.grant(130.9) == []
    assert allowance.tickets() == {"old": "sent", "older": "answered"}
    assert allowance.grant(131.1) == []  # the old one is not answered
    allowance.answered("old", 135.0, well=True)
    assert allowance.grant(135.9) == []
    assert allowance.grant(136.1) == ["new"]
    assert "the keeper of the request budget was lost: all requests wait 31 s" in allowance.messages


def complaints(allowance: Allowance, times: int, now: float) -> list[float]:
    """How long each of several complaints makes all wait, when the next request always meets the next one."""
    waits = []
    for number in range(times):
        allowance.begin(f"{now}-{number}", now)
        allowance.grant(now)
        allowance.end(f"{now}-{number}", now)
        allowance.slow("x answered 503", None, now)
        waits.append(allowance.state(now).wait)
        now += waits[-1] + 1000
    return waits


def test_waits_double_up_to_five_minutes_and_the_rate_halves_down_to_one_a_minute() -> None:
    allowance = Allowance(Limits(8.0, 10), 0.0)
    waits = complaints(allowance, 12, 0.0)
    for number, wait in enumerate(waits):
        assert min(2.0**number, 300.0) <= wait <= 1.25 * min(2.0**number, 300.0)
    assert allowance.rate == SLOWEST
    assert len({round(wait / 2.0**number, 3) for number, wait in enumerate(waits[:8])}) > 4  # jitter
    assert allowance.messages[0] == f"x answered 503: all requests wait {waits[0]:.0f} s and then go on at 4 a second"
    assert allowance.messages[-1].endswith("go on at one in 60 s")


def test_a_burst_of_complaints_is_one_and_the_longest_retry_after_holds() -> None:
    allowance = Allowance(Limits(8.0, 10), 0.0)
    for _ in range(5):
        allowance.slow("x answered 429", None, 0.0)
    assert allowance.rate == 4.0
    allowance.slow("x answered 429", 60.0, 0.5)
    allowance.slow("x answered 429", 7.0, 0.5)
    assert allowance.rate == 4.0
    assert 60.0 <= allowance.state(0.5).wait <= 75.0
    assert [message.split(": ")[1].split(" and")[0][:17] for message in allowance.messages] == ["all requests wait"] * 2
    allowance.slow("a clock that is wrong", 1e12, 1.0)
    assert allowance.state(1.0).wait <= 4500.0
    allowance.slow("a date that is over", -5.0, 1.0)
    allowance.slow("no number", math.nan, 1.0)
    assert 3600.0 <= allowance.state(1.0).wait <= 4500.0


def test_the_rate_comes_back_step_by_step_with_good_answers() -> None:
    allowance, now = Allowance(Limits(8.0, 10), 0.0), 0.0
    complaints(allowance, 3, 0.0)
    now, rates = 5000.0, [allowance.rate]
    for number in range(400):
        allowance.begin(str(number), now)
        if allowance.grant(now):
            allowance.answered(str(number), now, well=True)
        allowance.end(str(number), now)
        if allowance.rate != rates[-1]:
            rates.append(allowance.rate)
        now += 1.0
    assert rates == [1.0, 1.5, 2.25, 3.375, 5.0625, 7.59375, 8.0]
    assert STEP * 5 < 400
    assert allowance.messages[-1] == "all is well again: requests go on at 8 a second"
    assert complaints(allowance, 1, now)[0] < 2.0  # the earlier ones are forgotten


def test_the_stricter_of_two_limits_holds() -> None:
    allowance = Allowance(Limits(10.0, 8, None), 0.0)
    allowance.learn(State(Limits(0.5, 20, 1000), 0.5), 0.0)
    assert allowance.limits == Limits(0.5, 8, 1000)
    allowance.begin("a", 0.0)
    assert allowance.grant(1.9) == []  # what was answered before still counts, after the longer window
    assert allowance.grant(2.1) == ["a"]


@pytest.mark.parametrize("limits", [(0.0, 1, None), (math.inf, 1, None), (math.nan, 1, None), (1.0, 0, None), (1.0, 1, -1)])
def test_limits_that_allow_nothing_or_all_are_refused(limits: tuple) -> None:
    with pytest.raises(ValueError, match="limits must be above nothing"):
        Limits(*limits)


def in_threads(count: int, work) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_threads_share_a_budget() -> None:
    budget, times, busy, most = LocalBudget(Limits(20.0, 3)), [], [], []

    def work() -> None:
        for _ in range(6):
            ticket = budget.begin()
            busy.append(ticket)
            most.append(len(busy))
            times.append(time.monotonic())
            budget.answered(ticket, well=True)
            busy.remove(ticket)
            budget.end(ticket)

    in_threads(8, work)
    assert len(times) == 48
    assert closest(times, 20) >= 1.0
    assert max(times) - min(times) < 4.0
    assert max(most) <= 3


def test_a_thread_that_waits_is_let_go_by_an_end_and_by_a_ban() -> None:
    budget = LocalBudget(Limits(100.0, 1))
    ticket, got = budget.begin(), []
    waiting = threading.Thread(target=lambda: got.append(budget.begin()))
    waiting.start()
    time.sleep(0.1)
    assert not got
    budget.end(ticket)
    waiting.join(5)
    assert len(got) == 1
    threading.Timer(0.1, lambda: budget.forbid("x answered 403; stop and ask")).start()
    with pytest.raises(Forbidden, match="x answered 403; stop and ask"):
        budget.begin()
    with pytest.raises(Forbidden):
        budget.begin()
    assert budget.told() == ["x answered 403; stop and ask: nothing is asked any more"]
    assert budget.told() == []
