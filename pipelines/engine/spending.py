"""What a unit spends: processor time and memory of the worker that makes it, and of the child that it keeps for pages."""

from __future__ import annotations

import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from seiryu.pipelines.isolation.isolated import kept_cpu_seconds, kept_peak_memory

_STATUS, _REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5), /proc/pid/clear_refs: the peak of the resident set begins anew


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent before a unit began."""

    before: float

    def cpu_seconds(self) -> float:
        """User and system time since."""
        return _cpu() - self.before

    def peak_memory(self) -> int:
        """Bytes held in memory at most since."""
        return _peak() + kept_peak_memory()


def spending() -> Spending:
    """From now on."""
    with suppress(OSError):  # where it is not allowed, the peak is that of the process's whole life
        _REFERENCES.write_text(_RESET_PEAK)
    return Spending(_cpu())


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime + kept_cpu_seconds()


def _peak() -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
