"""What a check finds, and how long it may take: a disk that hangs must not make the doctor hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from seiryu.corpus.errors import SeiryuError

# Longer than a tokenizer and a classifier of some GB take from a slow disk; a disk that is not there never answers.
PATIENCE = 60.0
DRIVER = "driver"


@dataclass(frozen=True, slots=True)
class Finding:
    """`node`: where; empty as long as the check runs there itself. `text`: what is so and, unless it is well, what to do."""

    check: str
    state: Literal["ok", "warn", "fail"]
    text: str
    node: str = ""

    def at(self, node: str) -> Finding:
        return replace(self, node=node)


def bounded(checks: Mapping[str, Callable[[], list[Finding]]], patience: float = PATIENCE) -> list[Finding]:
    """What checks find that are made at once; that one went wrong, or has not ended in time, is a finding too."""
    found: dict[str, list[Finding]] = {}
    threads = [
        threading.Thread(target=_run, args=(*each, found), daemon=True, name=f"doctor-{each[0]}") for each in checks.items()
    ]
    until = time.monotonic() + patience
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    late = f"no answer within {patience:.0f} s: a disk or a server that hangs"
    return [finding for check in checks for finding in found.get(check, [Finding(check, "fail", late)])]


def _run(check: str, look: Callable[[], list[Finding]], found: dict[str, list[Finding]]) -> None:
    try:
        found[check] = look()
    except (SeiryuError, OSError) as error:
        found[check] = [Finding(check, "fail", str(error))]
    except Exception as error:  # noqa: BLE001 - whatever it is, the other checks are wanted as well
        found[check] = [Finding(check, "fail", f"{type(error).__name__}: {error}")]
