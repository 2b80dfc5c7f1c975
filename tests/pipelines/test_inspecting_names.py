"""Under which names the live page is asked for: those of `--host`, however a browser and a person write them, and no other."""

import asyncio
import socket
from typing import Any

import pytest

from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.inspecting.guard import Guard, plain_name
from seiryu.pipelines.inspecting.server import address, bound, is_loopback, names

TOKEN = "a-token-of-the-tests"


async def page(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the page"})


def status(listens_on: str, host: str, origin: str = "") -> int:
    """What is answered to somebody with the cookie who asks for the page by a name."""
    headers = [(b"host", host.encode()), (b"cookie", f"seiryu-8000={TOKEN}".encode())]
    headers += [(b"origin", origin.encode())] if origin else []
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("a request without a body")

    scope = {"type": "http", "path": "/", "query_string": b"", "headers": headers}
    asyncio.run(Guard(page, TOKEN, names(listens_on), 8000)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    ("listens_on", "host", "origin"),
    [
        ("127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("127.0.0.1", "LOCALHOST:8000", "http://localhost:8000"),
        ("LocalHost", "localhost:8000", "http://localhost:8000"),
        ("LOCALHOST", "[::1]:8000", "http://[::1]:8000"),
        ("::1", "[::1]:8000", "http://[::1]:8000"),
        ("::1", "[0:0:0:0:0:0:0:1]:8000", "http://[::1]:8000"),
        ("0:0:0:0:0:0:0:1", "[::1]:8000", "http://[::1]:8000"),
        ("[::1]", "localhost:8000", "HTTP://LOCALHOST:8000"),
        ("FE80::ABCD", "[fe80::abcd]:8000", "http://[fe80::abcd]:8000"),
        ("fe80::1%eth0", "[fe80::1]:8000", "http://[fe80::1]:8000"),
        ("Node-7.Example.JP", "node-7.example.jp:8000", "http://node-7.example.jp:8000"),
        ("node-7.example.jp", "node-7.example.jp", "https://node-7.example.jp"),
        ("::", "whatever.example:8000", "http://whatever.example:8000"),
    ],
)
def test_a_name_is_the_same_however_it_is_written(listens_on: str, host: str, origin: str) -> None:
    assert status(listens_on, host) == status(listens_on, host, origin) == 200


@pytest.mark.parametrize(
    ("listens_on", "host", "origin"),
    [
        ("LOCALHOST", "evil.example:8000", ""),
        ("LOCALHOST", "localhost.evil.example:8000", ""),
        ("127.0.0.1", "evil@localhost:8000", ""),
        ("127.0.0.1", "localhost:8000:8000", ""),
        ("::1", "[::2]:8000", ""),
        ("::1", "[::", ""),
        ("::1", "::1", ""),
        ("::1", "", ""),
        ("::1", "[::1]:8000", "http://[::1]:8001"),
        ("::1", "[::1]:8000", "http://[::2]:8000"),
        ("LOCALHOST", "localhost:8000", "http://localhost.evil.example:8000"),
        ("LOCALHOST", "localhost:8000", "null"),
        ("LOCALHOST", "localhost:8000", "http://localhost:8000/"),
        ("::", "whatever.example:8000", "http://evil.example:8000"),
        ("::", "no name", ""),
    ],
)
def test_any_other_name_is_refused(listens_on: str, host: str, origin: str) -> None:
    assert status(listens_on, host, origin) == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "LOCALHOST", "::1", "[::1]", "0:0:0:0:0:0:0:1"])
def test_loopback_is_known_by_all_its_names(host: str) -> None:
    assert is_loopback(host)
    assert plain_name(plain_name(host)) == plain_name(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "node-7.example.jp"])
def test_what_others_reach_is_no_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_an_address_in_brackets_is_bound_and_printed_in_brackets() -> None:
    assert address("[::1]", 8000, "t") == address("::1", 8000, "t") == "http://[::1]:8000/?token=t"
    try:
        with bound("::1", 0):
            pass
    except ConfigError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with bound("[::1]", 0) as found:
        assert found.family == socket.AF_INET6
