"""Each fault reaches a plain client as what it is called, and a plan is the same whatever the order of the requests."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import urllib3
from faults import (
    Request,
    always,
    changed,
    corrupt,
    cut,
    first,
    first_each,
    garbage,
    grown,
    never,
    one_after_another,
    only,
    other_bytes,
    other_range,
    redirect,
    refuse,
    reset,
    seeded,
    short,
    slow,
    stall,
    storm,
    trickle,
    whole,
)
from mini_crawl import MiniCrawl
from proxy import FaultProxy
from servers import Server, at_once, busiest

FIRST, SIZE = 2_000, 60_000


@pytest.fixture
def proxy(nginx_server: Server) -> Iterator[FaultProxy]:
    with FaultProxy(nginx_server.url) as started:
        yield started


@pytest.fixture
def client() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(20), headers={"User-Agent": "me/1"}) as pool:
        yield pool


@pytest.fixture(scope="module")
def name(mini_crawl: MiniCrawl) -> str:
    return mini_crawl.listed("CC-MAIN-2025-05")[0]


@pytest.fixture(scope="module")
def data(mini_crawl: MiniCrawl, name: str) -> bytes:
    return (mini_crawl.root / name).read_bytes()


def ask(client: urllib3.PoolManager, proxy: FaultProxy, name: str, **options: object) -> urllib3.BaseHTTPResponse:
    return client.request(
        "GET",
        proxy.url + name,
        headers={"Range": f"bytes={FIRST}-{FIRST + SIZE - 1}", "User-Agent": "me/1"},
        redirect=False,
        **options,
    )


def raw(proxy: FaultProxy, name: str) -> tuple[bytes, BaseException | None]:
    """All bytes that a bare socket gets for the range, and how it ended: None for an orderly end."""
    port = int(proxy.url.rstrip("/").rpartition(":")[2])
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"GET /{name} HTTP/1.1\r\nHost: x\r\nRange: bytes={FIRST}-{FIRST + SIZE - 1}\r\n\r\n".encode())
        try:
            while block := connection.recv(1 << 16):
                got += block
        except OSError as why:
            return got, why
    return got, None


def body(got: bytes) -> bytes:
    return got.partition(b"\r\n\r\n")[2]


def test_without_a_fault_all_passes_unchanged(proxy: FaultProxy, client: urllib3.PoolManager, name: str, data: bytes) -> None:
    answers = [ask(client, proxy, name), client.request("GET", proxy.url + name), client.request("HEAD", proxy.url + name)]
    assert [answer.status for answer in answers] == [206, 200, 200]
    assert answers[0].headers["Content-Range"] == f"bytes {FIRST}-{FIRST + SIZE - 1}/{len(data)}"
    assert [answer.data for answer in answers] == [data[FIRST : FIRST + SIZE], data, b""]
    assert int(answers[2].headers["Content-Length"]) == len(data)
    assert b'<a href="' in client.request("GET", proxy.url + "crawl-data/").data
    log = proxy.log()
    assert [(seen.method, seen.range, seen.status, seen.bytes) for seen in log[:3]] == [
        ("GET", f"bytes={FIRST}-{FIRST + SIZE - 1}", 206, SIZE), ("GET", "", 200, len(data)), ("HEAD", "", 200, 0)]  # fmt: skip
    assert {(seen.user_agent, seen.fault, seen.connection) for seen in log} == {("me/1", "", 1)}  # one connection for all


def test_what_it_stands_before_can_be_an_object_store(
    s3_server: Server, client: urllib3.PoolManager, name: str, data: bytes
) -> None:
    with FaultProxy(s3_server.url, first(1, refuse(503))) as proxy:
        answers = [ask(client, proxy, f"commoncrawl/{name}") for _ in range(2)]
    assert [answer.status for answer in answers] == [503, 206]
    assert b"<Code>SlowDown</Code>" in answers[0].data
    assert answers[1].data == data[FIRST : FIRST + SIZE]


def test_a_reset_comes_instead_of_an_answer_or_after_some_bytes(proxy: FaultProxy, name: str, data: bytes) -> None:
    proxy.misbehave(always(reset()))
    got, why = raw(proxy, name)
    assert (got, type(why)) == (b"", ConnectionResetError)
    proxy.misbehave(always(reset(1_000)))
    got, why = raw(proxy, name)
    assert isinstance(why, ConnectionResetError)
    assert body(got) == data[FIRST : FIRST + 1_000]
    assert [(seen.fault, seen.status, seen.bytes) for seen in proxy.log()] == [("reset", 0, 0), ("reset", 206, 1_000)]


def test_a_stall_is_silence(proxy: FaultProxy, client: urllib3.PoolManager, name: str) -> None:
    for fault in (stall(5), stall(5, 1_000)):
        proxy.misbehave(always(fault))
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            ask(client, proxy, name, timeout=urllib3.Timeout(0.2))
    proxy.misbehave(always(stall(0.1, 500)))
    got, why = raw(proxy, name)
    assert (len(body(got)), type(why)) == (500, ConnectionResetError)


def test_a_connection_is_cut_in_good_order_at_half(
    proxy: FaultProxy, client: urllib3.PoolManager, name: str, data: bytes
) -> None:
    proxy.misbehave(always(cut()))
    got, why = raw(proxy, name)
    assert (body(got), why) == (data[FIRST : FIRST + SIZE // 2], None)
    with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
        ask(client, proxy, name)
    proxy.misbehave(always(cut(10)))
    assert body(raw(proxy, name)[0]) == data[FIRST : FIRST + 10]


def test_the_whole_file_comes_for_a_range(proxy: FaultProxy, client: urllib3.PoolManager, name: str, data: bytes) -> None:
    proxy.misbehave(always(whole()))
    answer = ask(client, proxy, name)
    assert (answer.status, answer.data, answer.headers.get("Content-Range")) == (200, data, None)


def test_headers_that_do_not_fit(proxy: FaultProxy, client: urllib3.PoolManager, name: str, data: bytes) -> None:
    last, total = FIRST + SIZE - 1, len(data)
    true = ask(client, proxy, name).headers["ETag"]
    for fault, expected in {
        other_range(): f"bytes {FIRST + 1}-{last + 1}/{total}",
        grown(): f"bytes {FIRST}-{last}/{total + 1000}",
        changed(): f"bytes {FIRST}-{last}/{total}",
    }.items():
        proxy.misbehave(always(fault))
        answer = ask(client, proxy, name)
        assert (answer.status, answer.headers["Content-Range"], answer.data) == (206, expected, data[FIRST : FIRST + SIZE])
        assert (answer.headers["ETag"] == true) == (fault != changed())


def test_bytes_that_are_not_those_asked_for(proxy: FaultProxy, client: urllib3.PoolManager, name: str, data: bytes) -> None:
    proxy.misbehave(always(other_bytes(50)))
    answer = ask(client, proxy, name)
    assert answer.headers["Content-Range"] == f"bytes {FIRST}-{FIRST + SIZE - 1}/{len(data)}"
    assert answer.data == data[FIRST + 50 : FIRST + SIZE + 50]
    end = {"Range": f"bytes={len(data) - 80}-{len(data) - 1}"}
    assert client.request("GET", proxy.url + name, headers=end).data == data[-30:] + bytes(50)
    proxy.misbehave(always(corrupt(100)))
    answer = ask(client, proxy, name)
    differing = [at for at, (got, true) in enumerate(zip(answer.data, data[FIRST : FIRST + SIZE], strict=True)) if got != true]
    assert differing == list(range(100, 116))


def test_a_short_answer_looks_complete(proxy: FaultProxy, client: urllib3.PoolManager, name: str, data: bytes) -> None:
    proxy.misbehave(always(short(5)))
    answer = ask(client, proxy, name)
    assert answer.headers["Content-Range"] == f"bytes {FIRST}-{FIRST + SIZE - 1}/{len(data)}"
    assert answer.data == data[FIRST : FIRST + SIZE - 5]


def test_refusals_say_how_long_to_wait_if_they_are_told_to(proxy: FaultProxy, client: urllib3.PoolManager, name: str) -> None:
    for status, retry_after in ((503, "7"), (503, ""), (429, "1"), (403, ""), (500, "")):
        proxy.misbehave(always(refuse(status, retry_after)))
        answer = ask(client, proxy, name)
        assert (answer.status, answer.headers.get("Retry-After", "")) == (status, retry_after)
        assert answer.data.startswith(b"<?xml")
    assert client.request("HEAD", proxy.url + name).data == b""
    assert [seen.status for seen in proxy.log()] == [503, 503, 429, 403, 500, 500]


def test_slow_answers_are_right_but_late(proxy: FaultProxy, client: urllib3.PoolManager, name: str, data: bytes) -> None:
    for fault in (slow(0.3), trickle(SIZE * 3)):
        proxy.misbehave(always(fault))
        began = time.monotonic()
        assert ask(client, proxy, name).data == data[FIRST : FIRST + SIZE]
        assert 0.25 < time.monotonic() - began < 5


def test_a_redirect_and_what_is_no_http(proxy: FaultProxy, client: urllib3.PoolManager, name: str) -> None:
    proxy.misbehave(always(redirect("http://127.0.0.1:1/elsewhere{path}")))
    answer = ask(client, proxy, name)
    assert (answer.status, answer.headers["Location"]) == (302, f"http://127.0.0.1:1/elsewhere/{name}")
    proxy.misbehave(always(garbage()))
    with pytest.raises(urllib3.exceptions.ProtocolError) as caught:
        ask(client, proxy, name)
    assert isinstance(caught.value.args[1], http.client.BadStatusLine)


def test_a_storm_is_over_after_its_time(proxy: FaultProxy, client: urllib3.PoolManager, name: str) -> None:
    proxy.misbehave(storm(0.3, refuse(503)))
    statuses, began = [], time.monotonic()
    while time.monotonic() - began < 0.6:
        statuses.append(ask(client, proxy, name).status)
        time.sleep(0.02)
    assert statuses == sorted(statuses, reverse=True)
    assert set(statuses) == {503, 206}


def test_plans_can_be_changed_while_it_runs(proxy: FaultProxy, client: urllib3.PoolManager, name: str) -> None:
    def statuses(count: int) -> list[int]:
        return [ask(client, proxy, name).status for _ in range(count)]

    proxy.misbehave(first(2, refuse(500)))
    assert statuses(3) == [500, 500, 206]
    proxy.misbehave(one_after_another([None, refuse(403), refuse(429)]))
    assert statuses(4) == [206, 403, 429, 206]
    proxy.misbehave(only("/warc/", first_each(1, refuse(500))))
    assert client.request("GET", proxy.url + "collinfo.json").status == 200
    assert statuses(2) == [500, 206]
    proxy.misbehave(never)
    assert statuses(1) == [206]
    proxy.forget()
    assert proxy.log() == []


def test_a_seeded_plan_does_not_depend_on_the_order_of_requests() -> None:
    requests = [Request(number, number % 3, "GET", f"/{number // 3}", "") for number in range(900)]
    plan = seeded(5, 0.3, [reset(), cut()])
    here = {(request.path, request.again): plan(request) for request in requests}
    there = {
        (request.path, request.again): plan(Request(0, request.again, "GET", request.path, "")) for request in reversed(requests)
    }
    assert here == there
    happened = [fault.kind for fault in here.values() if fault]
    assert 200 < len(happened) < 340
    assert 0.35 < happened.count("cut") / len(happened) < 0.65
    assert [seeded(6, 0.3, [reset(), cut()])(request) for request in requests] != list(here.values())


def test_the_log_has_the_time_of_every_request_and_how_many_were_open(proxy: FaultProxy, name: str) -> None:
    proxy.misbehave(always(slow(0.3)))
    threads = [threading.Thread(target=lambda: raw_and_close(proxy, name)) for _ in range(4)]
    began = time.time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = proxy.log()
    assert all(began <= seen.time < began + 2 for seen in log)
    assert (at_once(log), busiest(log, 60)) == (4, 4)
    assert all(seen.seconds >= 0.3 for seen in log)


def raw_and_close(proxy: FaultProxy, name: str) -> None:
    with urllib3.PoolManager(retries=False) as pool:
        ask(pool, proxy, name)


def test_leaving_ends_what_is_still_open(nginx_server: Server, name: str) -> None:
    with FaultProxy(nginx_server.url, always(stall(60, 100))) as proxy:
        port = int(proxy.url.rstrip("/").rpartition(":")[2])
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        connection.sendall(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(100)
        assert proxy.log()[0].seconds == 0  # it is in the log before it has ended
    with connection:
        try:
            while connection.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
