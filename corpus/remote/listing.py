"""What a directory page of a web server names, as nginx, Apache and others write them."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

from seiryu.corpus.errors import InputError


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def _place(url: str) -> tuple[str, str]:
    """Host and path, whether it is asked for by http or https, and however its letters are written."""
    parts = urlsplit(url)
    return parts.netloc.lower(), unquote(parts.path)


def links_below(data: bytes, url: str) -> list[str]:
    """Whole URLs of the links that lie directly below a page, in its order; folders end in /. InputError if it is no such page."""
    page = data.decode("utf-8", "replace")
    links = _Links()
    links.feed(page)
    # An empty folder may have no link at all, but says what it is.
    if not links.found and not any(sign in page for sign in ("Index of", "Directory listing")):
        raise InputError(f"{url} is no directory page: it begins with {page[:80]!r} and has no link")
    below, (server, folder) = [], _place(url)
    for link in links.found:
        whole = urljoin(url, link)
        parts, (host, path) = urlsplit(whole), _place(whole)
        name = path.removeprefix(folder).removesuffix("/")
        if (host, path.startswith(folder)) != (server, True) or parts.query or parts.fragment:
            continue
        if "/" not in name and name not in ("", ".", ".."):
            below.append(whole)
    return list(dict.fromkeys(below))
