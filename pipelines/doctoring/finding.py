"""What a check finds, and how long it may take: a disk that hangs must not make the doctor hang."""

from __future__ import annotations

import threading
from collections.abc import Callable
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


def bounded(check: str, look: Callable[[], list[Finding]], patience: float = PATIENCE) -> list[Finding]:
    """What a check finds; that it went wrong, or has not ended in time, is a finding too."""
    found: list[Finding] = []

    def run() -> None:
        try:
            found.extend(look())
        except (SeiryuError, OSError) as error:
            found.append(Finding(check, "fail", str(error)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other checks are wanted as well
            found.append(Finding(check, "fail", f"{type(error).__name__}: {error}"))

    thread = threading.Thread(target=run, daemon=True, name=f"seiryu-doctor-{check}")
    thread.start()
    thread.join(patience)
    if thread.is_alive():
        return [Finding(check, "fail", f"no answer within {patience:.0f} s: a disk or a server that hangs")]
    return found
