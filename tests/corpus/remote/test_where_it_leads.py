"""Where redirects and directory pages lead, and how long a server is borne with: what needs no server."""

from types import SimpleNamespace

import pytest

from seiryu.corpus.remote import trouble
from seiryu.corpus.remote.errors import Unreachable
from seiryu.corpus.remote.listing import links_below
from seiryu.corpus.remote.manners import Manners
from seiryu.corpus.remote.s3 import S3
from seiryu.corpus.remote.trouble import Fault, Throttled, Trouble
from seiryu.corpus.remote.web import WebPlace

MANNERS = Manners("seiryu-test/0 (+nobody)", attempts=9, patience=60, pause=0)


def moved(location: str) -> SimpleNamespace:
    return SimpleNamespace(status=302, text="", headers={"Location": location})


@pytest.mark.parametrize("start", [WebPlace("https://a.org/x"), S3(MANNERS).place("s3://corpus/x")], ids=["web", "s3"])
@pytest.mark.parametrize(
    ("location", "led"), [("https://b.org/x", True), ("/y", True), ("http://b.org/x", False), ("file:///etc/passwd", False)]
)
def test_from_https_a_redirect_leads_to_https_only(start, location, led):
    assert bool(start.onward(moved(location))) is led


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("http://h/x/", "a.warc.gz"),
        ("http://h/x/", "/x/a.warc.gz"),
        ("http://h/x/", "https://h/x/a.warc.gz"),
        ("http://h/日/", "/%E6%97%A5/a.warc.gz"),
        ("http://h/%e6%97%a5/", "/日/a.warc.gz"),
    ],
)
def test_a_link_below_a_page_is_one_however_it_is_written(page, link):
    assert [url.rsplit("/", 1)[1] for url in links_below(f"<a href='{link}'>".encode(), page)] == ["a.warc.gz"]


@pytest.mark.parametrize(
    "link", ["../", "%2e%2e/", "./", "/", "/y/a", "http://other/x/a", "b/a", "?C=N", "a#b", "mailto:a@b.org"]
)
def test_what_is_not_right_below_is_left_out(link):
    assert links_below(f"<a href='{link}'>".encode(), "http://h/x/") == []


def test_patience_is_for_complaints_with_nothing_between(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(trouble.time, "monotonic", lambda: now)
    met = Trouble("a", MANNERS).met
    met(Throttled("503"))
    now += 50
    met(Fault("reset"))
    now += 20
    met(Throttled("503"))
    now += 61
    with pytest.raises(Unreachable, match="61 s in which it said nothing else"):
        met(Throttled("503"))
