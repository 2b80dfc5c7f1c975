"""A little HTTP server on loopback that knows when each request arrived and how many it had open at once."""

import math
import random
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class CountingServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, slowest: float) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.slowest, self.random, self.lock = slowest, random.Random(1), threading.Lock()
        self.arrivals: list[tuple[float, str]] = []
        self.open = self.most = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def times(self, path: str = "") -> list[float]:
        with self.lock:
            return sorted(at for at, asked in self.arrivals if asked.startswith("/" + path))

    def closest(self, count: int) -> float:
        """The shortest time in which more than `count` requests arrived."""
        times = self.times()
        return min((later - first for first, later in zip(times, times[count:], strict=False)), default=math.inf)


class Answer(BaseHTTPRequestHandler):
    server: CountingServer

    def do_GET(self) -> None:
        server = self.server
        with server.lock:
            server.arrivals.append((time.monotonic(), self.path))
            server.open += 1
            server.most = max(server.most, server.open)
            before, after = server.random.random() * server.slowest, server.random.random() * server.slowest
        try:
            time.sleep(before)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"o")
            time.sleep(after)
            with server.lock:
                server.open -= 1
            self.wfile.write(b"k")
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def counting_server(slowest: float = 0.05) -> Iterator[CountingServer]:
    server = CountingServer(slowest)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(budget, url: str) -> None:
    """One request within a budget, as a fetcher makes it."""
    ticket = budget.begin()
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            budget.answered(ticket, well=True)
            assert answer.read() == b"ok"
    finally:
        budget.end(ticket)
