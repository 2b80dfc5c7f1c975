"""Many questions to the table of a run at once: a connection for each core, answers in the order of the questions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import duckdb

from seiryu.pipelines.facts import Facts

Answer = TypeVar("Answer")


def answers(facts: Facts, questions: Sequence[Callable[[duckdb.DuckDBPyConnection], Answer]]) -> list[Answer]:
    """What each question says. Small tables are a matter of planning queries, large ones of reading: both go on all cores."""
    lanes = max(1, min(len(os.sched_getaffinity(0)), len(questions)))

    def lane(first: int) -> list[Answer]:
        with facts.cursor() as con:
            return [question(con) for question in questions[first::lanes]]

    with ThreadPoolExecutor(lanes) as pool:
        found = list(pool.map(lane, range(lanes)))
    return [found[place % lanes][place // lanes] for place in range(len(questions))]
