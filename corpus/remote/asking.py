"""One request, and what its status says.

Every request, also the one a redirect asks for, is one of urllib3's with a ticket of the budget; nothing is sent again in here.
The ticket is kept as long as the connection is. What comes back is an answer whose body can be read, a `Fault` (worth another
request), or an error that no other request would change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from types import TracebackType
from typing import Any, NoReturn, Protocol
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, LocationValueError, ProtocolError, ReadTimeoutError

from seiryu.corpus.errors import InputError
from seiryu.corpus.remote.budget import Budget
from seiryu.corpus.remote.errors import Forbidden, NotThere
from seiryu.corpus.remote.manners import Manners
from seiryu.corpus.remote.trouble import Fault, Throttled

_MAX_REDIRECTS = 5
_MAX_ERROR_TEXT = 1 << 16
_KEPT_CONNECTIONS = 4  # of a process, open for the next request
_CODE = re.compile(r"<Code>([A-Za-z.]{1,60})</Code>")  # of S3 and those who speak its protocol
_MESSAGE = re.compile(r"<Message>([^<]{1,300})")
# S3 says these with other statuses than the usual ones.
_BUSY = {"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable"}
_AGAIN = {"RequestTimeout", "InternalError"}
_REFUSED = {"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "RequestTimeTooSkewed"}


class Place(Protocol):
    """Where something lies. `name`: the URL that people know it by, without signatures."""

    name: str
    hint: str  # what else a 403 may mean here

    def address(self, method: str) -> str:
        """Where the next request goes."""

    def onward(self, answer: Answer) -> Place | None:
        """Where to ask instead, if the answer says so."""


class Answer:
    """The head of an answer; the body is read piece by piece. To be closed: that ends the ticket."""

    def __init__(self, response: urllib3.BaseHTTPResponse, asker: Asker, ticket: str) -> None:
        self._response, self._asker, self._ticket = response, asker, ticket
        self._budget, self._manners = asker.budget, asker.manners
        self._paid = 0
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        self.text = ""

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def read(self, size: int) -> bytes:
        """At most `size` of the bytes that come next, as soon as some are there; none at the end. Fault when they break off."""
        if self._paid <= 0:
            self._budget.spend(size)
            self._paid = size
        try:
            data = self._response.read1(min(size, self._paid))
        except (HTTPError, OSError) as error:
            raise Fault(told(error, self._manners)) from error
        self._paid -= len(data)
        self._asker.count(0, len(data))
        return data

    def read_error(self) -> None:
        """Keep what the server says about its refusal; a short text, or none."""
        try:
            self.text = self._response.read(_MAX_ERROR_TEXT).decode("utf-8", "replace")
        except (HTTPError, OSError):
            self.text = ""

    @property
    def code(self) -> str:
        found = _CODE.search(self.text)
        return found[1] if found else ""

    def __str__(self) -> str:
        message = _MESSAGE.search(self.text)
        said = f" ({self.code}{': ' + message[1].strip() if message else ''})" if self.code else ""
        return f"answered {self.status} {self._response.reason or ''}".rstrip() + said

    @property
    def length(self) -> int | None:
        """Bytes of the body; None if it is not said, or not in digits."""
        said = self.headers.get("Content-Length", "")
        return int(said) if said.isascii() and said.isdecimal() else None

    def close(self) -> None:
        # A body that was read to its end has given its connection back already; any other cannot be used again.
        try:
            self._response.close()
            self._response.release_conn()
        finally:
            self._budget.end(self._ticket)


class Asker:
    """Sends requests; usable from several threads, which share its connections."""

    def __init__(self, manners: Manners, budget: Budget) -> None:
        self.manners, self.budget = manners, budget
        self._pool = urllib3.PoolManager(num_pools=_KEPT_CONNECTIONS, maxsize=_KEPT_CONNECTIONS, block=False)
        self._timeout = urllib3.Timeout(connect=manners.timeout, read=manners.timeout)
        self._headers = {"User-Agent": manners.user_agent, "Accept-Encoding": "identity"}
        self._lock = Lock()
        self.requests = self.bytes = 0  # so far: sent, and read

    def count(self, requests: int, size: int) -> None:
        with self._lock:
            self.requests += requests
            self.bytes += size

    def ask(self, place: Place, method: str, headers: Mapping[str, str] | None = None) -> Answer:
        """An answer of status 2xx or 416. Fault, Forbidden, or InputError."""
        name, hint = place.name, place.hint
        for _ in range(1 + _MAX_REDIRECTS):
            answer = self._send(place, method, headers or {})
            try:
                onward = place.onward(answer) if answer.status >= 300 else None
                if answer.status < 300 or (answer.status == 416 and not onward):
                    return answer
                if not onward:
                    self._refuse(answer, name, hint)
            except BaseException:
                answer.close()
                raise
            answer.close()
            place = onward
        raise Fault(f"was redirected more than {_MAX_REDIRECTS} times, last to {place.name}")

    def _send(self, place: Place, method: str, headers: Mapping[str, str]) -> Answer:
        ticket = self.budget.begin()
        self.count(1, 0)
        try:
            response: Any = self._pool.request(
                method,
                place.address(method),  # after the wait for the ticket: a signature grows old
                headers={**self._headers, **headers},
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except BaseException as error:
            self.budget.answered(ticket, well=False)
            self.budget.end(ticket)
            if isinstance(error, LocationValueError | UnicodeError):
                raise InputError(f"{place.name} is no URL that can be asked: {error}") from error
            if isinstance(error, HTTPError | OSError):
                raise Fault(told(error, self.manners)) from error
            raise
        answer = Answer(response, self, ticket)
        try:
            self.budget.answered(ticket, well=answer.status < 500 and answer.status != 429)
            if answer.status >= 300 or method == "HEAD":  # also so that the connection can be used again
                answer.read_error()
        except BaseException:
            answer.close()
            raise
        return answer

    def _refuse(self, answer: Answer, name: str, hint: str) -> NoReturn:
        """What a status that is no success means."""
        if answer.status in (429, 503) or answer.code in _BUSY:
            why, seconds = f"{urlsplit(name).netloc} {answer} to {name}", retry_after(answer.headers.get("Retry-After"))
            self.budget.slow(why, seconds)  # before the connection is free, or the next one who waits would have it at once
            raise Throttled(why)
        if answer.status in (401, 403) or answer.code in _REFUSED:
            why = (
                f"{name}: {urlsplit(name).netloc} {answer}. No further request is sent: the server may have been asked more than it "
                f"bears, may not serve this network or region, or may want credentials{hint}. Find out which before another run, and "
                "ask those who run the server if you cannot (Common Crawl: https://commoncrawl.org/contact-us, its state: "
                "https://status.commoncrawl.org)"
            )
            self.budget.forbid(why)
            raise Forbidden(why)
        if answer.status in (404, 410):
            raise NotThere(f"{name} does not exist: the server {answer}")
        if answer.status == 408 or answer.status >= 500 or answer.code in _AGAIN:
            raise Fault(str(answer))
        raise InputError(f"{name} cannot be read: the server {answer}")


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After asks for, which may be a number or a date; None when it is neither."""
    if value is None:
        return None
    if re.fullmatch(r"\s*\d{1,9}\s*", value):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def told(error: Exception, manners: Manners) -> str:
    """What urllib3 met, in plain words where it is common."""
    if isinstance(error, ReadTimeoutError | TimeoutError):
        return f"nothing came for {manners.timeout:g} s"
    cause = error.args[1] if isinstance(error, ProtocolError) and len(error.args) > 1 else error
    if isinstance(cause, ConnectionResetError):
        return "the connection was reset"
    return f"the connection failed ({type(cause).__name__}: {cause})"
