"""What lies on web servers, by http:// and https:// URLs."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from seiryu.corpus.remote.asking import Answer, Place

REDIRECTS = (301, 302, 303, 307, 308)


class WebPlace:
    """A URL, and where it leads by redirects: to web servers only, and never from https to http."""

    hint = ""

    def __init__(self, url: str, name: str = "") -> None:
        self._url, self.name = url.partition("#")[0], name or url

    def address(self, method: str) -> str:  # noqa: ARG002 - signed places need it
        return self._url

    def onward(self, answer: Answer) -> Place | None:
        location = answer.headers.get("Location")
        if answer.status not in REDIRECTS or not location:
            return None
        url = urljoin(self._url, location)
        scheme = urlsplit(url).scheme
        allowed = ("https",) if self._url.startswith("https:") else ("http", "https")
        return WebPlace(url, self.name) if scheme in allowed else None
