"""A server that does to the answers of a real one what networks and busy servers do.

    with FaultProxy(server.url) as proxy:
        proxy.misbehave(seeded(7, 0.3, [reset(1000), refuse(503, "1"), corrupt()]))
        ...
        assert busiest(proxy.log(), 1.0) <= 5

A thread a connection, one request of its own to the real server for each that comes; bodies are held in memory, so this is for files
of some megabytes.
"""

import contextlib
import fcntl
import http.client
import re
import socket
import struct
import termios
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import IO, Self
from urllib.parse import urlsplit

from faults import Fault, Plan, Request, never
from servers import Asked

_CODES = {403: "AccessDenied", 404: "NoSuchKey", 429: "TooManyRequests", 500: "InternalError", 503: "SlowDown"}
# Of one connection, not of the answer.
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})
_CHUNK = 1 << 16


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = b""
    length: int = 0  # what Content-Length promises

    def bytes(self) -> bytes:
        fields = {**self.headers, "Content-Length": str(self.length)}
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            *(f"{name}: {value}" for name, value in fields.items()),
        ]
        return "".join(line + "\r\n" for line in [*lines, ""]).encode("latin-1")


@dataclass(slots=True)
class _Seen:
    """A request while it is answered."""

    asked: Asked
    ended: bool = False


@dataclass(slots=True)
class _Incoming:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes = field(default=b"", repr=False)


class FaultProxy:
    def __init__(self, upstream: str, plan: Plan = never) -> None:
        self._upstream = urlsplit(upstream)
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._seen: list[_Seen] = []
        self._open: set[socket.socket] = set()
        self._connections = 0
        self.misbehave(plan)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def misbehave(self, plan: Plan) -> None:
        """From the next request on; `never` ends it."""
        with self._lock:
            self._plan, self._number, self._again = plan, 0, Counter[tuple[str, str, str]]()

    def log(self) -> list[Asked]:
        """All requests so far, in the order in which they came; one that is still answered has status 0 until it has one."""
        patience = time.monotonic() + 0.2  # who has read an answer's last byte may be faster than the line that says so
        while not all(seen.ended for seen in self._seen) and time.monotonic() < patience:
            time.sleep(0.002)
        return [seen.asked for seen in self._seen]

    def forget(self) -> None:
        self.log()
        with self._lock:
            self._seen = []

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                self._connections += 1
                number = self._connections
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            with connection.makefile("rb") as requests:
                while not self._closing.is_set() and (incoming := _read_request(requests, connection)):
                    if not self._answer(connection, incoming, number):
                        break
        except (OSError, ValueError):
            pass  # gone, or no HTTP: nobody is there to be told
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, incoming: _Incoming, number: int) -> bool:
        """Whether the connection can go on."""
        asked_range = incoming.headers.get("range", "")
        key = (incoming.method, incoming.path, asked_range)
        agent, signed = incoming.headers.get("user-agent", ""), "authorization" in incoming.headers
        began, asked = time.monotonic(), Asked(time.time(), 0.0, *key, 0, 0, agent, signed, number)
        with self._lock:
            fault = self._plan(Request(self._number, self._again[key], *key))
            self._number += 1
            self._again[key] += 1
            seen = _Seen(replace(asked, fault=fault.kind if fault else ""))
            self._seen.append(seen)
        sent = [0, 0]  # status, bytes of the body
        try:
            return self._send(connection, incoming, fault or Fault(""), sent)
        finally:
            seen.asked = replace(seen.asked, seconds=time.monotonic() - began, status=sent[0], bytes=sent[1])
            seen.ended = True

    def _send(self, connection: socket.socket, incoming: _Incoming, fault: Fault, sent: list[int]) -> bool:
        ends_early = fault.kind in ("reset", "stall", "cut")
        if fault.kind in ("slow", "stall") and fault.after is None:
            self._closing.wait(fault.seconds)
        if fault.kind in ("reset", "stall") and fault.after is None:
            return _reset(connection)
        if fault.kind == "garbage":
            connection.sendall(b"\x00\x01\x02 no such protocol\r\n\r\n")
            return False
        answer = self._changed(incoming, fault)
        connection.sendall(answer.bytes())
        sent[0] = answer.status
        body = memoryview(answer.body)
        if ends_early:
            body = body[: len(body) // 2 if fault.after is None else fault.after]
        chunk = max(1, fault.after // 20) if fault.kind == "trickle" and fault.after else _CHUNK
        for at in range(0, len(body), chunk):
            connection.sendall(body[at : at + chunk])
            sent[1] += len(body[at : at + chunk])
            if fault.kind == "trickle" and self._closing.wait(1 / 20):
                return False
        if fault.kind == "stall":
            self._closing.wait(fault.seconds)
        if fault.kind in ("reset", "stall"):
            return _reset(connection)
        return not ends_early and incoming.headers.get("connection", "").lower() != "close"

    def _changed(self, incoming: _Incoming, fault: Fault) -> Answer:
        """The real server's answer with what the fault does to it."""
        if fault.kind == "refuse":
            body = f'<?xml version="1.0"?>\n<Error><Code>{_CODES.get(fault.status, "Error")}</Code></Error>'.encode()
            after = {"Retry-After": fault.text} if fault.text else {}
            body = b"" if incoming.method == "HEAD" else body
            return Answer(fault.status, {"Content-Type": "application/xml", **after}, body, len(body))
        if fault.kind == "redirect":
            return Answer(302, {"Location": fault.text.format(path=incoming.path)})
        answer = self._ask(incoming, without_range=fault.kind == "whole")
        places = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("content-range", ""))
        first, last, total = map(int, places.groups()) if places else (0, len(answer.body) - 1, len(answer.body))
        by = fault.after or 0
        if fault.kind == "corrupt":
            turned = bytes(byte ^ 0xFF for byte in answer.body[by : by + 16])
            answer.body = answer.body[:by] + turned + answer.body[by + 16 :]
        elif fault.kind == "short":
            answer.body, answer.length = answer.body[:-by], answer.length - by
        elif fault.kind == "other_bytes":
            behind = self._ask(replace(incoming, headers=incoming.headers | {"range": f"bytes={first + by}-{last + by}"}))
            found = behind.body if behind.status == 206 else b""
            answer.body = found[: len(answer.body)].ljust(len(answer.body), b"\0")
        elif fault.kind == "other_range" and places:
            answer.headers["content-range"] = f"bytes {first + 1}-{last + 1}/{total}"
        elif fault.kind == "grown" and places:
            answer.headers["content-range"] = f"bytes {first}-{last}/{total + 1000}"
        elif fault.kind == "changed":
            answer.headers["etag"] = '"another"'
        return answer

    def _ask(self, incoming: _Incoming, *, without_range: bool = False) -> Answer:
        server = http.client.HTTPConnection(self._upstream.hostname or "", self._upstream.port or 80, timeout=60)
        try:
            server.putrequest(incoming.method, incoming.path, skip_host=True, skip_accept_encoding=True)
            for name, value in incoming.headers.items():
                if name not in _HOP and not (without_range and name == "range"):
                    server.putheader(name, value)
            server.endheaders(incoming.body or None)
            response = server.getresponse()
            body = response.read()
            headers = {name.lower(): value for name, value in response.getheaders() if name.lower() not in _HOP}
            length = int(headers.pop("content-length", len(body)))
            return Answer(response.status, headers, body, length)
        finally:
            server.close()


def _read_request(requests: IO[bytes], connection: socket.socket) -> _Incoming | None:
    line = requests.readline(_CHUNK).decode("latin-1").split()
    if len(line) != 3:
        return None
    headers: dict[str, str] = {}
    while (text := requests.readline(_CHUNK).decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.pop("expect", "").lower() == "100-continue":  # the body comes when it is asked for
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return _Incoming(line[0], line[1], headers, requests.read(int(headers.get("content-length", 0))))


def _reset(connection: socket.socket) -> bool:
    """RST, once what was sent before has arrived."""
    patience = time.monotonic() + 2
    while struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))[0] and time.monotonic() < patience:
        time.sleep(0.001)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False
