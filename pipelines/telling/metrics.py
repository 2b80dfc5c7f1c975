"""Metrics for Prometheus: what a run is doing now. How much there is in all is asked of sidecars, never of these.

The driver sets them by ray.util.metrics from the events of the run. Ray's agents export them at `--metrics-export-port`, some ten
seconds late, where `ray[default]` is installed; without it nothing is exported and nothing is amiss. Labels are the stage, and an
outcome or a reason: as many series as a config has stages and rules, however many units there are. Ray adds labels of its own, such
as the driver's WorkerId, so every question sums by ours.

Two things that Ray 2.60 does with them: a histogram's `_sum` is made of the middles of its buckets, so a mean from it is rough
(`seiryu_worker_seconds` is exact); and a gauge goes when it was not set for twenty seconds, as after the end of its driver, so gauges
are set again and again. Counters of a driver that has ended stay as they are.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from seiryu.pipelines.counts import Counts
from seiryu.pipelines.telling.events import Event, Progress, Tell
from seiryu.pipelines.telling.screen import say


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as it is handed to Ray. `buckets`: upper ends, of a histogram."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    labels: tuple[str, ...] = ("stage",)
    buckets: tuple[float, ...] = ()

    @property
    def exported(self) -> tuple[str, ...]:
        """What Prometheus sees it called."""
        endings = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
        return tuple(f"ray_{self.name}{ending}" for ending in endings[self.kind])


UNITS = Metric(
    "seiryu_units", "counter", "What became of units: done, set_aside; retry, node_lost, copied are followed by more.",
    ("stage", "outcome"),
)  # fmt: skip
RECORDS = Metric(
    "seiryu_records", "counter", "Records of units that were done: kept, or what rejected them or failed.", ("stage", "reason")
)
BYTES = Metric("seiryu_bytes_fetched", "counter", "Bytes that servers sent for units that were done.")
REQUESTS = Metric("seiryu_requests", "counter", "Requests to servers for units that were done.")
SECONDS = Metric(
    "seiryu_unit_seconds",
    "histogram",
    "Seconds that a unit's work took.",
    buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000),
)
WORK = Metric("seiryu_worker_seconds", "counter", "Seconds that the work of units took, added up over workers.")
PLANNED = Metric("seiryu_units_planned", "gauge", "Units that this run has to make.")
FINISHED = Metric("seiryu_units_finished", "gauge", "Units of these that are done or set aside.")
RUNNING = Metric("seiryu_units_running", "gauge", "Units that a worker has taken up.")
METRICS = (UNITS, RECORDS, BYTES, REQUESTS, SECONDS, WORK, PLANNED, FINISHED, RUNNING)

_OUTCOMES = ("done", "retry", "node_lost", "copied", "set_aside")


def metered() -> Tell:
    """Sets the metrics by what it is told, where Ray is connected. Never raises: a run does not end for its metrics."""
    broken = False

    def tell(event: Event | None, progress: Progress) -> None:
        nonlocal broken
        if broken or not _connected():
            return
        try:
            _count(event)
            for metric, value in _standing(event, progress):
                _ray(metric).set(value, {"stage": progress.stage})
        except Exception as error:  # noqa: BLE001 - see above
            broken = True
            say(f"no metrics from here on: {type(error).__name__}: {error}")

    return tell


def _count(event: Event | None) -> None:
    if event is None or event.what not in _OUTCOMES:
        return
    _ray(UNITS).inc(1, {"stage": event.stage, "outcome": event.what})
    if event.what != "done":
        return
    _ray(SECONDS).observe(event.seconds, {"stage": event.stage})
    _add(WORK, event.seconds, {"stage": event.stage})
    counts = event.counts or Counts()
    for reason, records in _reasons(counts).items():
        _add(RECORDS, records, {"stage": event.stage, "reason": reason})
    _add(BYTES, counts.extra["bytes_fetched"], {"stage": event.stage})
    _add(REQUESTS, counts.extra["requests"], {"stage": event.stage})


def _standing(event: Event | None, progress: Progress) -> Iterator[tuple[Metric, float]]:
    over = event is not None and event.what == "stage_ended"
    yield PLANNED, progress.total
    yield FINISHED, progress.done + len(progress.set_aside)
    yield RUNNING, 0 if over else progress.running


def _reasons(counts: Counts) -> Counter[str]:
    return counts.rejected + counts.failed + Counter(kept=counts.kept)


def _add(metric: Metric, number: float, labels: dict[str, str]) -> None:
    if number > 0:  # Ray refuses to add nothing
        _ray(metric).inc(number, labels)


_made: dict[str, Any] = {}  # by name: Ray wants each made once in a process


def _ray(metric: Metric) -> Any:
    """Ray's own object for a metric."""
    if metric.name not in _made:
        from ray.util import metrics

        if metric.kind == "histogram":
            _made[metric.name] = metrics.Histogram(metric.name, metric.about, list(metric.buckets), metric.labels)
        else:
            make = metrics.Counter if metric.kind == "counter" else metrics.Gauge
            _made[metric.name] = make(metric.name, metric.about, metric.labels)
    return _made[metric.name]


def _connected() -> bool:
    if "ray" not in sys.modules:
        return False
    import ray

    return bool(ray.is_initialized())
