"""A web server in a thread that answers as it should, or as a plan of faults says, and remembers what it was asked; and a budget that counts."""

import email.utils
import hashlib
import re
import socket
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from seiryu.corpus.remote.errors import Forbidden


@dataclass
class Asked:
    method: str
    path: str
    range: str
    agent: str
    encoding: str
    at: float
    connection: int


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        server, headers = self.server, self.headers
        asked = Asked(
            self.command, self.path, headers.get("Range", ""), headers.get("User-Agent", ""), headers.get("Accept-Encoding", ""),
            time.monotonic(), self.client_address[1],
        )  # fmt: skip
        with server.lock:
            server.asked.append(asked)
            fault = server.plan.pop(0) if server.plan else server.always
        data = server.objects.get(self.path)
        (fault or good)(self, data)

    do_HEAD = do_GET  # noqa: N815

    def head(self, status, fields, *, length=None):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def body(self, data):
        if self.command != "HEAD":
            self.wfile.write(data)

    def part(self, data):
        """First and stop of what was asked of an object, and the fields that say so."""
        fields = {"ETag": f'"{hashlib.md5(data).hexdigest()}"', "Last-Modified": email.utils.formatdate(1e9, usegmt=True)}
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not found:
            return 0, len(data), fields
        if not found[1]:
            first, stop = max(0, len(data) - int(found[2])), len(data)
        else:
            first, stop = int(found[1]), min(len(data), int(found[2]) + 1 if found[2] else len(data))
        return first, stop, fields | {"Content-Range": f"bytes {first}-{stop - 1}/{len(data)}"}

    def log_message(self, *arguments):
        pass


def good(handler, data):
    if data is None:
        return answer(404)(handler, data)
    first, stop, fields = handler.part(data)
    if "Content-Range" in fields and first >= len(data):
        handler.head(416, {"Content-Range": f"bytes */{len(data)}"}, length=0)
        return None
    handler.head(206 if "Content-Range" in fields else 200, fields, length=stop - first)
    handler.body(data[first:stop])
    return None


def answer(status, body=b"", **fields):
    """A status with a short body."""

    def fault(handler, _):
        handler.head(status, {name.replace("_", "-"): value for name, value in fields.items()}, length=len(body))
        handler.body(body)

    return fault


def cut(size, how="close"):
    """The right head, and `size` bytes of the body; then the end of the connection, a reset, or nothing for a while."""

    def fault(handler, data):
        first, stop, fields = handler.part(data)
        if size >= 0:
            handler.head(206 if "Content-Range" in fields else 200, fields, length=stop - first)
            handler.body(data[first : min(stop, first + size)])
        handler.wfile.flush()
        if how == "stall":
            handler.server.ended.wait(3)
        if how == "reset":
            time.sleep(0.02)  # a reset overtakes bytes that were not taken yet
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
        handler.close_connection = True

    return fault


def whole(handler, data):
    """200 and everything, whatever was asked."""
    _, _, fields = handler.part(data)
    fields.pop("Content-Range", None)
    handler.head(200, fields, length=len(data))
    handler.body(data)


def changed(**new):
    """A right answer but for some fields, with {first}, {last} and {total} of it; None leaves one out."""

    def fault(handler, data):
        first, stop, fields = handler.part(data)
        values = {"first": first, "last": stop - 1, "total": len(data)}
        for name, value in new.items():
            key = name.replace("_", "-")
            fields[key] = value(**values) if callable(value) else value
        length = fields.pop("Content-Length", stop - first)
        fields = {name: value for name, value in fields.items() if value is not None}
        handler.head(206 if handler.headers.get("Range") else 200, fields, length=length)
        handler.body(data[first:stop])
        handler.close_connection = True

    return fault


def corrupted(*places):
    """Other bytes than there are at these places of the object, where they are asked for."""

    def fault(handler, data):
        data, (first, stop, fields) = bytearray(data), handler.part(data)
        for place in places:
            data[place] ^= 0x55
        handler.head(206, fields, length=stop - first)
        handler.body(data[first:stop])

    return fault


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.plan, self.always, self.asked = {}, [], None, []
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """Clients that hang up are what is tested."""

    def put(self, data, name="/a.bin"):
        self.objects[name] = data
        return self.url + name

    def ranges(self):
        return [asked.range for asked in self.asked]


@contextmanager
def faulty_server():
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()


class CountingBudget:
    """Gives every ticket at once and keeps account of all that it is told."""

    def __init__(self):
        self.given, self.open, self.wells, self.slowed, self.spent, self.forbidden = 0, set(), [], [], 0, None
        self._unanswered = set()

    def begin(self):
        if self.forbidden:
            raise Forbidden(self.forbidden)
        self.given += 1
        ticket = str(self.given)
        self.open.add(ticket)
        self._unanswered.add(ticket)
        return ticket

    def answered(self, ticket, *, well):
        self._unanswered.remove(ticket)
        self.wells.append(well)

    def spend(self, size):
        assert size > 0
        self.spent += size

    def end(self, ticket):
        assert ticket not in self._unanswered
        self.open.remove(ticket)

    def slow(self, why, seconds):
        self.slowed.append((why, seconds))

    def forbid(self, why):
        self.forbidden = why
