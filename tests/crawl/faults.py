"""What can go wrong between a server and us, and plans of when it does. proxy.py does it to real answers.

A plan is asked once for each request and is the same for the same requests, whatever their order: `seeded` decides by what is asked
and how often it was asked before, not by a random state.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """`number`: of all since the plan was set, from 0; `again`: how often the very same was asked before in that time."""

    number: int
    again: int
    method: str
    path: str
    range: str


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` is the name of the function that made it; `after` counts bytes of the body that go out first (None: see there)."""

    kind: str
    after: int | None = None
    seconds: float = 0.0
    status: int = 0
    text: str = ""


Plan = Callable[[Request], Fault | None]


def reset(after: int | None = None) -> Fault:
    """The connection is reset; without `after`, instead of an answer."""
    return Fault("reset", after)


def stall(seconds: float, after: int | None = None) -> Fault:
    """Nothing more comes for so long, then the connection is reset; without `after`, not even a header comes."""
    return Fault("stall", after, seconds)


def cut(after: int | None = None) -> Fault:
    """The connection is closed in good order before the promised length is reached; without `after`, at half of it."""
    return Fault("cut", after)


def whole() -> Fault:
    """200 with the whole file, whatever range was asked for."""
    return Fault("whole")


def other_range() -> Fault:
    """The bytes that were asked for, under a Content-Range that says others."""
    return Fault("other_range")


def other_bytes(by: int = 7) -> Fault:
    """Bytes that stand so far behind those that were asked for, under the right headers (zeros where the file ends)."""
    return Fault("other_bytes", by)


def corrupt(after: int = 0) -> Fault:
    """Sixteen bytes of the body are turned over."""
    return Fault("corrupt", after)


def short(by: int = 1) -> Fault:
    """The last bytes are missing and Content-Length agrees, only Content-Range does not."""
    return Fault("short", by)


def slow(seconds: float) -> Fault:
    """The answer begins late and is right."""
    return Fault("slow", None, seconds)


def trickle(bytes_a_second: int) -> Fault:
    """The answer is right and comes at this rate."""
    return Fault("trickle", bytes_a_second)


def changed() -> Fault:
    """Another ETag, as if the file had been replaced."""
    return Fault("changed")


def grown() -> Fault:
    """Another total in Content-Range, as if the file had grown."""
    return Fault("grown")


def garbage() -> Fault:
    """What comes is not HTTP."""
    return Fault("garbage")


def redirect(to: str) -> Fault:
    """302 to another URL; `to` may hold {path}."""
    return Fault("redirect", status=302, text=to)


def refuse(status: int, retry_after: str = "") -> Fault:
    """An error of the server's own, such as 403, 429, 500 or 503, with an error document as S3 sends it."""
    return Fault("refuse", status=status, text=retry_after)


def never(_request: Request) -> None:
    """The plan in which all is well."""


def always(fault: Fault) -> Plan:
    return lambda _request: fault


def first(count: int, fault: Fault) -> Plan:
    """The first requests of all."""
    return lambda request: fault if request.number < count else None


def first_each(count: int, fault: Fault) -> Plan:
    """The first times that one and the same thing is asked."""
    return lambda request: fault if request.again < count else None


def only(part: str, plan: Plan) -> Plan:
    """Only for what has `part` in its path."""
    return lambda request: plan(request) if part in request.path else None


def seeded(seed: int, share: float, faults: Sequence[Fault]) -> Plan:
    """One of the faults for about this share of the requests."""

    def plan(request: Request) -> Fault | None:
        asked = f"{seed} {request.method} {request.path} {request.range} {request.again}"
        digest = hashlib.blake2b(asked.encode(), digest_size=16).digest()
        happens = int.from_bytes(digest[:8], "big") < share * 2**64
        return faults[int.from_bytes(digest[8:], "big") % len(faults)] if happens else None

    return plan


def storm(seconds: float, fault: Fault) -> Plan:
    """Everybody, for so long from the first request on."""
    began: list[float] = []
    lock = threading.Lock()

    def plan(_request: Request) -> Fault | None:
        with lock:
            began.append(time.monotonic())
            return fault if began[-1] - began[0] < seconds else None

    return plan


def one_after_another(faults: Sequence[Fault | None]) -> Plan:
    """The first request gets the first fault, and so on; then all is well."""
    return lambda request: faults[request.number] if request.number < len(faults) else None
