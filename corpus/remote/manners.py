"""How servers are asked: who asks, and how long before they are given up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manners:
    """`user_agent` names the program and, in brackets, how to reach whoever runs it."""

    user_agent: str
    timeout: float = 60.0  # seconds to connect, and without a byte
    attempts: int = 8  # failures one after another without a byte of progress
    patience: float = 3600.0  # seconds of nothing but 429 and 503
    pause: float = 1.0  # seconds before the second attempt, doubled before each one after it
    signed: bool = False  # S3: with the credentials of the environment; else anonymous
    endpoint: str = ""  # S3: another server than AWS
