"""A server that can be told to misbehave, and who asks it."""

from dataclasses import replace

import pytest
from faulty_server import CountingBudget, faulty_server

from seiryu.corpus.remote.remote import Manners, Remote

MANNERS = Manners("seiryu-test/0 (+nobody)", timeout=0.3, attempts=4, patience=0.5, pause=0.002)


@pytest.fixture
def server():
    with faulty_server() as running:
        yield running


@pytest.fixture
def budget():
    """Every request of a test has had its ticket, and given it back."""
    counting = CountingBudget()
    yield counting
    assert not counting.open


@pytest.fixture
def remote(budget):
    return Remote(MANNERS, budget)


@pytest.fixture
def unhurried(budget):
    """Who asks once more only for what the server did, and not because the machine was busy."""
    return Remote(replace(MANNERS, timeout=30), budget)
