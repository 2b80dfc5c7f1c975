"""Who may see the page, and what the page may do: a token, the names under which it is asked for, and a content security policy.

The token comes in the address once, becomes a cookie, and leaves the address. A page of somebody else can neither read this one (no
cookie goes along from another site), nor reach it by a name that was made to point here (`Host`), nor open its socket (`Origin`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from seiryu.filters.addresses.hosts import normal_host

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_POLICY = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'"
)
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"), (b"cache-control", b"private, no-store"),
    (b"cross-origin-opener-policy", b"same-origin"), (b"cross-origin-resource-policy", b"same-origin"),
)  # fmt: skip
_OPEN = ("/manifest.json",)  # of marimo, and without cookies whoever asks: nothing of a run is in it
_STATIC = re.compile(r"/assets/[\w.-]+")
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
_PLACE = re.compile(r"(\[[^\[\]/@\s]+\]|[^\[\]:/@\s]+)(?::([0-9]{1,5}))?", re.ASCII)


class Guard:
    """An ASGI application around another. `hosts`: names under which it may be asked for, as `plain_name` has them; "*" allows all."""

    def __init__(self, app: App, token: str, hosts: set[str], port: int) -> None:
        self._app, self._token, self._hosts, self._cookie = app, token, hosts, f"seiryu-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):  # lifespan
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        place, origin = _place(headers.get("host", "")), headers.get("origin", "")
        known = scope["path"] in _OPEN or hmac.compare_digest(
            _cookies(headers.get("cookie", "")).get(self._cookie, "").encode(), self._token.encode()
        )
        if not self._known(place) or (origin and _place(_SCHEME.sub("", origin, 1)) != place):
            await _refuse(scope, send, 403, "This name does not lead here. Open the address that seiryu inspect has printed.")
        elif scope["type"] == "http" and (rest := self._invited(scope)) is not None:
            await _redirect(send, rest, f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict")
        elif known:
            await self._app(scope, receive, self._with_policy(scope, send))
        else:
            await _refuse(scope, send, 403, "A token is wanted. Open the address that seiryu inspect has printed.")

    def _known(self, place: tuple[str, int] | None) -> bool:
        return place is not None and ("*" in self._hosts or place[0] in self._hosts)

    def _invited(self, scope: Scope) -> str | None:
        """Where to go on when the address holds the token: the same address without it."""
        pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in pairs if name == "token"]
        if not given or not hmac.compare_digest(given[-1].encode(), self._token.encode()):
            return None
        rest = urlencode([(name, value) for name, value in pairs if name != "token"])
        return "/" + (f"?{rest}" if rest else "")

    def _with_policy(self, scope: Scope, send: Send) -> Send:
        """Adds the policy; a page is held back until it is whole, so that the scripts in it can be named by their hashes."""
        begun: list[MutableMapping[str, Any]] = []
        page = bytearray()

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                kind = next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
                if kind.startswith(b"text/html"):
                    begun.append(message)
                    return
                message["headers"] = _headers(message["headers"], b"", cached=bool(_STATIC.fullmatch(scope["path"])))
            elif message["type"] == "http.response.body" and begun:
                page.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                begun[0]["headers"] = _headers(begun[0]["headers"], bytes(page))
                await send(begun.pop())
                message = {"type": "http.response.body", "body": bytes(page)}
            await send(message)

        return guarded


def _headers(given: list[tuple[bytes, bytes]], page: bytes, *, cached: bool = False) -> list[tuple[bytes, bytes]]:
    hashes = "".join(
        f" 'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in _SCRIPT.findall(page)
    )
    own = [(name, value) for name, value in _ALWAYS if not (cached and name == b"cache-control")]
    taken = {name for name, _ in own} | {b"content-security-policy"} | ({b"content-length"} if page else set())
    length = [(b"content-length", str(len(page)).encode())] if page else []
    policy = (b"content-security-policy", _POLICY.format(hashes=hashes).encode())
    return [(name, value) for name, value in given if name.lower() not in taken] + length + own + [policy]


def plain_name(host: str) -> str:
    """A host in the one form in which names are compared: lower case, an IPv6 address at its shortest, without brackets and zone."""
    return normal_host(host).partition("%")[0]


def _place(text: str) -> tuple[str, int] | None:
    """Name and port (0 where none is said) of a `Host`, or of what follows the scheme in an `Origin`; None if it is neither."""
    found = _PLACE.fullmatch(text)
    return (plain_name(found[1]), int(found[2] or 0)) if found else None


def _cookies(header: str) -> dict[str, str]:
    """By name. Other programs on this host may have left cookies that no standard knows; they hide nothing."""
    pairs = (part.partition("=") for part in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


async def _refuse(scope: Scope, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403, "reason": why})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-security-policy", b"default-src 'none'"), *_ALWAYS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": why.encode() + b"\n"})


async def _redirect(send: Send, to: str, cookie: str) -> None:
    headers = [(b"location", to.encode("latin-1")), (b"set-cookie", cookie.encode()), (b"content-length", b"0"), *_ALWAYS]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
