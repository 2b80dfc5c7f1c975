"""What happens in a run, told as it happens: to the screen, to logs, to metrics. Totals never come from here but from sidecars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from seiryu.pipelines.counts import Counts

if TYPE_CHECKING:
    from seiryu.pipelines.engine.attempt import Outcome

What = Literal["stage_begun", "done", "retry", "node_lost", "copied", "set_aside", "waiting", "stage_ended"]


@dataclass
class Progress:
    """What a stage has come to. `running`: units that a worker has taken up; `copies`: started a second time since they took long;
    `doubtful`: units of which another copy may still have been at work when they were done.
    """

    stage: str
    total: int
    done: int = 0
    running: int = 0
    retries: int = 0
    copies: int = 0
    records: int = 0
    set_aside: dict[str, Outcome] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    attempts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """`done`: a unit is committed (`counts` are its own, `seconds` its work's); `retry`: an attempt failed, another follows;
    `node_lost`: it costs no attempt; `copied`: a straggler was started once more; `set_aside`: given up; `waiting`: nothing can be
    started, for the `reason`. `unit` is empty where it is of the stage.
    """

    what: What
    stage: str
    unit: str = ""
    reason: str = ""
    seconds: float = 0.0
    node: str = ""
    counts: Counts | None = None


Tell = Callable[[Event | None, Progress], None]  # None: nothing new but the time
