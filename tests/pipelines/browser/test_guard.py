"""Who may open the live page: the token, the names it is asked by, other sites, and what the policy allows."""

import base64
import hashlib
import http.client
import re
import socket
from pathlib import Path

import pytest
from commandline import seiryu
from serving import Page, inspected


def ask(page: Page, path: str = "/", **headers: str) -> http.client.HTTPResponse:
    host = page.root.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    return connection.getresponse()


def cookie(page: Page) -> str:
    found = ask(page, "/" + page.address.removeprefix(page.root)).getheader("Set-Cookie") or ""
    return found.partition(";")[0]


@pytest.mark.parametrize(
    "path", ["/", "/?token=wrong", "/?token=", "/api/status", "/assets/index.js", "/health", "/?token=%E3%81%82"]
)
def test_without_the_token_nothing_is_shown(path: str, page: Page) -> None:
    answer = ask(page, path)
    assert answer.status == 403
    assert b"Open the address that seiryu inspect has printed" in answer.read()


def test_the_token_leaves_the_address_and_the_rest_of_the_state_stays(page: Page) -> None:
    answer = ask(page, f"/{page.address.removeprefix(page.root)}&tab=judge&rule=too_short")
    assert (answer.status, answer.getheader("Location")) == (303, "/?tab=judge&rule=too_short")
    said = answer.getheader("Set-Cookie") or ""
    assert "HttpOnly" in said
    assert "SameSite=Strict" in said


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "[::"}],
    ids=["name", "name and port", "origin", "no origin", "no name at all"],
)  # fmt: skip
def test_another_name_or_another_site_gets_nothing_even_with_the_token(headers: dict[str, str], page: Page) -> None:
    assert ask(page, "/", Cookie=cookie(page), **headers).status == 403


def test_the_socket_is_closed_to_other_sites_and_without_a_token(page: Page) -> None:
    for extra in ({}, {"Cookie": cookie(page), "Origin": "http://evil.example"}):
        answer = ask(page, "/ws?session_id=s", Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Version="13",
                     Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", **extra)  # fmt: skip
        assert answer.status == 403


def test_the_policy_allows_the_scripts_of_the_page_by_their_hashes_alone(page: Page) -> None:
    answer = ask(page, "/", Cookie=cookie(page))
    policy, text = answer.getheader("Content-Security-Policy") or "", answer.read()
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["object-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert "http" not in policy
    scripts = re.findall(rb"<script(?![^>]*src=)[^>]*>(.*?)</script>", text, re.DOTALL)
    assert scripts
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts}
    assert set(rules["script-src"].split()) == {"'self'", *hashes}


def test_a_port_that_is_taken_is_one_line(looked_run: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = seiryu("inspect", looked_run, "--port", str(taken.getsockname()[1]))
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert "choose another" in ended.err


def test_it_listens_on_loopback_unless_told_otherwise_and_says_what_that_means(looked_run: Path) -> None:
    with inspected(looked_run) as found:
        assert found.root.startswith("http://127.0.0.1:")
    with inspected(looked_run, "--host", "0.0.0.0") as found:
        assert found.process.stderr is not None
        found.process.terminate()
        assert "everybody who reaches this address and has its token sees the run" in found.process.stderr.read()


@pytest.mark.parametrize("token", ["short", "sixteen letters; and more", "日本語日本語日本語日本語日本語"])
def test_a_token_of_ones_own_must_be_long_and_plain(token: str, looked_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEIRYU_INSPECT_TOKEN", token)
    ended = seiryu("inspect", looked_run)
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    monkeypatch.setenv("SEIRYU_INSPECT_TOKEN", "my-own_token-0123")
    with inspected(looked_run) as found:
        assert found.address.endswith("?token=my-own_token-0123")
