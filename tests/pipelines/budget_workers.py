"""Processes that ask a server within the budget of their cluster, and what tests do with them."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import ray
from commandline import ancestors
from counting_server import ask

from seiryu.corpus.remote.budget import Limits
from seiryu.pipelines.shared_budget import SharedBudget

RENEW, TERM = 0.2, 2.0  # seconds; as they are in use, tests would take minutes
LIMITS = Limits(20.0, 4)


@ray.remote(num_cpus=0)
class Worker:
    """A process that asks from several threads. An actor, so that it can be killed at a chosen time."""

    def join(self, limits: Limits) -> int:
        self.budget = SharedBudget(limits, renew=RENEW, term=TERM)
        return os.getpid()

    def ask(self, url: str, times: int, threads: int) -> None:
        left = list(range(times))
        failed: list[BaseException] = []

        def work() -> None:
            try:
                while left:
                    left.pop()
                    ask(self.budget, url)
            except IndexError:
                return
            except BaseException as error:  # noqa: BLE001
                failed.append(error)

        running = [threading.Thread(target=work) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        if failed:
            raise failed[0]

    def hold(self, count: int) -> None:
        self.held = [self.budget.begin() for _ in range(count)]
        for ticket in self.held:
            self.budget.answered(ticket, well=True)

    def give_back(self) -> None:
        for ticket in self.held:
            self.budget.end(ticket)

    def slow(self, seconds: float) -> None:
        self.budget.slow("a.example answered 503", seconds)

    def forbid(self) -> None:
        self.budget.forbid("a.example answered 403; stop and ask")


def joined(workers: list, limits: Limits = LIMITS) -> list:
    ray.get([worker.join.remote(limits) for worker in workers])
    return workers


def keepers_process() -> int:
    """Of the cluster that this process has started: other tests have theirs."""
    for folder in Path("/proc").iterdir():
        with suppress(OSError):  # a process that has just ended
            is_keeper = folder.name.isdigit() and (folder / "cmdline").read_bytes().startswith(b"ray::Keeper")
            if is_keeper and os.getpid() in ancestors(int(folder.name)):
                return int(folder.name)
    raise AssertionError("there is no keeper")


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def wait_for(condition, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


class Counting(SharedBudget):
    """A SharedBudget that counts what it asks of its keeper."""

    calls = -1  # the first one only joins

    def _ask(self, method: str, *arguments: object) -> object:
        self.calls += 1
        return super()._ask(method, *arguments)

    def _tell(self, method: str, *arguments: object) -> None:
        self.calls += 1
        super()._tell(method, *arguments)
