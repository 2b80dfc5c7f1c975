"""The server of the page: marimo's, behind the guard, on a socket that was bound before anything is printed."""

from __future__ import annotations

import importlib
import ipaddress
import secrets
import socket
import threading
from pathlib import Path

from seiryu.pipelines.config_file import ConfigError
from seiryu.pipelines.inspecting.guard import App, Guard, plain_name

_PAGE = Path(__file__).with_name("app.py")


def bound(host: str, port: int) -> socket.socket:
    """A socket to listen on; port 0 takes a free one. ConfigError if it cannot be had."""
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        raise ConfigError(
            f"--host {host} --port {port}: {error.strerror or error}; choose another, or --port 0 for any"
        ) from error
    return found


def names(host: str) -> set[str]:
    """Under which names the page may be asked for."""
    name = plain_name(host)
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return {name, *(("127.0.0.1", "::1") if name == "localhost" else ())}
    if address.is_unspecified:  # asked for by whatever name this machine has
        return {"*"}
    return {name, *(("localhost",) if address.is_loopback else ())}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    return "localhost" in names(host)


def address(host: str, port: int, token: str) -> str:
    """What a person opens."""
    shown = f"[{host.strip('[]')}]" if ":" in host else host
    return f"http://{shown}:{port}/?token={token}"


def application(token: str, hosts: set[str], port: int) -> App:
    """The page as an ASGI application. ConfigError if the extra is not installed."""
    try:
        import marimo
        import mosaic_widget  # noqa: F401 - asked for by the page, and better missed now
    except ImportError as error:
        raise ConfigError(f"inspect needs the extra: pip install 'seiryu[inspect]' ({error})") from error
    page: App = marimo.create_asgi_app(quiet=True, include_code=False).with_app(path="", root=str(_PAGE)).build()
    return Guard(page, token, hosts, port)


def serve(listening: socket.socket, app: App) -> None:
    """Answer until it is interrupted."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on", ws_max_size=1 << 26))
    server.run(sockets=[listening])


def new_token() -> str:
    """192 bits."""
    return secrets.token_urlsafe(24)


def warm() -> None:
    """Import beside other work what the page needs, so that the first who opens it does not wait for that."""

    def load() -> None:
        for name in (
            "marimo._runtime.runtime",
            "mosaic_widget",
            "seiryu.pipelines.inspecting.tabs",
            "seiryu.pipelines.inspecting.judging",
        ):
            importlib.import_module(name)

    threading.Thread(target=load, daemon=True).start()
