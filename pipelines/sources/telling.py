"""What servers ask of everybody, told while a command runs: it may wait for an hour, and nobody should wonder why."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from seiryu.pipelines.config import Config
from seiryu.pipelines.shared_budget import told
from seiryu.pipelines.sources.asking import asks_servers
from seiryu.pipelines.telling.screen import say

_EVERY = 2.0  # seconds


@contextmanager
def telling(config: Config) -> Iterator[None]:
    """Say on stderr what has happened to the budget, as it happens; nothing where no server is asked."""
    if not asks_servers(config):
        yield
        return
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(over,), daemon=True, name="seiryu-tell")
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join(_EVERY)


def _tell(over: threading.Event) -> None:
    while True:
        last = over.wait(_EVERY)
        with suppress(Exception):  # Ray may be starting or stopping just now
            for message in told():
                say(message)
        if last:
            return
