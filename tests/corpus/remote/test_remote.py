"""Asking a web server for exact bytes: what is accepted, what is asked again, and what is given up."""

import email.utils
import random
import time
from itertools import pairwise

import pytest
from faulty_server import answer, changed, cut, whole

from seiryu.corpus.errors import InputError
from seiryu.corpus.remote.asking import retry_after
from seiryu.corpus.remote.budget import Limits, LocalBudget
from seiryu.corpus.remote.errors import Forbidden, Unreachable
from seiryu.corpus.remote.manners import Manners
from seiryu.corpus.remote.remote import Remote, is_remote

DATA = random.Random(4).randbytes(300_000)


def test_a_range_is_one_request_that_says_who_asks_and_wants_no_coding(server, remote, budget):
    url = server.put(DATA)
    assert remote.read_range(url, 1000, 5000) == DATA[1000:6000]
    (asked,) = server.asked
    assert (asked.range, asked.agent, asked.encoding) == ("bytes=1000-5999", "seiryu-test/0 (+nobody)", "identity")
    assert (budget.given, budget.wells, budget.spent) == (1, [True], 5000)


def test_a_small_object_is_read_whole_without_a_range(server, remote):
    assert remote.read(server.put(DATA)) == DATA
    assert remote.read(server.put(b"", "/empty")) == b""
    assert server.ranges() == ["", ""]


def test_requests_one_after_another_use_one_connection(server, remote):
    url = server.put(DATA)
    for first in range(5):
        remote.read_range(url, first, 70_000)
        remote.identity(url)
        server.plan = [answer(503, b"busy"), answer(500, b"broken"), answer(302, Location="/a.bin")]
        remote.read(url)
        with pytest.raises(InputError):
            remote.read(server.url + "/none")
    assert len(server.asked) == 35
    assert len({asked.connection for asked in server.asked}) == 1


BAD = {
    "the whole instead of a part": whole,
    "another range": changed(Content_Range=lambda first, last, total: f"bytes {first + 1}-{last + 1}/{total}"),
    "a shorter range": changed(Content_Range=lambda first, last, total: f"bytes {first}-{last - 1}/{total}"),
    "no range": changed(Content_Range=None),
    "no sensible range": changed(Content_Range="bytes some"),
    "a range without a total": changed(Content_Range=lambda first, last, **_: f"bytes {first}-{last}/*"),
    "a length that differs from the range": changed(Content_Length=99_000),
    "a length that is no number": changed(Content_Length="10, 10"),
    "a reset before the head": cut(-1, "reset"),
    "nothing for too long": cut(-1, "stall"),
    "500": answer(500),
    "502": answer(502, b"<html>bad gateway"),
    "408": answer(408),
    "S3's own timeout": answer(400, b"<Error><Code>RequestTimeout</Code></Error>"),
    "a body of nothing": cut(0),
}
BROKEN = {
    "an early end": cut(40_000),
    "a reset": cut(40_000, "reset"),
    "a stall": cut(40_000, "stall"),
}


@pytest.mark.parametrize("fault", [*BAD.values(), *BROKEN.values()], ids=[*BAD, *BROKEN])
def test_an_answer_that_is_not_as_asked_is_asked_again_and_the_bytes_are_right(server, remote, budget, fault):
    url = server.put(DATA)
    server.plan = [fault, fault]
    assert remote.read_range(url, 7, 100_000) == DATA[7:100_007]
    assert budget.given == len(server.asked) == 3
    assert not budget.slowed


@pytest.mark.parametrize("fault", BAD.values(), ids=BAD)
def test_a_server_that_never_answers_as_asked_is_given_up_with_what_it_did(server, remote, fault, budget):
    url = server.put(DATA)
    server.always = fault
    with pytest.raises(Unreachable, match=rf"^{url} \(bytes 7-100,006\): .+; given up after 4 attempts$"):
        remote.read_range(url, 7, 100_000)
    assert budget.given == len(server.asked) == 4


def test_what_came_before_a_connection_broke_is_not_asked_again(server, remote):
    url = server.put(DATA)
    server.plan = [cut(1000), cut(500)]
    assert remote.read_range(url, 0, 10_000) == DATA[:10_000]
    assert server.ranges() == ["bytes=0-9999", "bytes=1000-9999", "bytes=1500-9999"]


def test_every_byte_of_progress_gives_all_attempts_again(server, remote):
    url = server.put(DATA)
    server.plan = [cut(100)] * 30
    assert remote.read_range(url, 0, 10_000) == DATA[:10_000]
    assert len(server.asked) == 31


def test_pauses_between_attempts_grow(server, budget):
    server.always = answer(500)
    with pytest.raises(Unreachable):
        Remote(Manners("a", pause=0.04, attempts=5), budget).read(server.put(DATA))
    times = [asked.at for asked in server.asked]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert all(pause >= 0.04 * 2**number / 2 for number, pause in enumerate(pauses))


def test_a_small_object_whose_server_knows_no_ranges_survives_a_broken_connection(server, remote):
    url = server.put(DATA)
    server.plan, server.always = [cut(200_000)], whole
    assert remote.read(url) == DATA


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_slows_everybody_by_what_it_asks_for(server, remote, budget, status):
    url = server.put(DATA)
    server.plan = [answer(status, Retry_After="7"), answer(status)]
    assert remote.read_range(url, 0, 10) == DATA[:10]
    host = server.url.removeprefix("http://")
    reason = "Too Many Requests" if status == 429 else "Service Unavailable"
    assert budget.slowed == [(f"{host} answered {status} {reason} to {url}", seconds) for seconds in (7.0, None)]
    assert budget.wells == [False, False, True]


def test_busy_answers_do_not_use_up_the_attempts_only_the_patience(server, remote):
    url = server.put(DATA)
    server.plan = [answer(503)] * 20
    assert remote.read(url) == DATA
    server.always = answer(503)
    with pytest.raises(Unreachable, match=r"answered 503 .* given up after 1 s in which it said nothing else"):
        remote.read(url)


def test_retry_after_is_a_number_of_seconds_or_a_date():
    assert retry_after("120") == 120
    assert 28 <= retry_after(email.utils.formatdate(time.time() + 30, usegmt=True)) <= 30
    assert retry_after(email.utils.formatdate(time.time() - 30, usegmt=True)) == 0
    assert [retry_after(value) for value in (None, "soon", "-3", "")] == [None] * 4


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_stops_everything_and_says_what_to_do(server, remote, status):
    url = server.put(DATA)
    server.always = answer(status, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
    with pytest.raises(
        Forbidden, match=rf"^{url}: .* answered {status} .*AccessDenied: Access Denied.*region.*credentials.*contact"
    ):
        remote.read(url)
    with pytest.raises(Forbidden, match=url):
        remote.identity(url)
    assert len(server.asked) == 1


@pytest.mark.parametrize("ask", [lambda remote, url: remote.read(url), lambda remote, url: remote.read_range(url, 0, 9),
                                 lambda remote, url: remote.open(url), lambda remote, url: remote.open_parts(url),
                                 lambda remote, url: remote.identity(url)])  # fmt: skip
def test_what_is_not_there_is_told_by_its_url_after_one_request(server, remote, ask):
    with pytest.raises(InputError, match=rf"^{server.url}/none does not exist"):
        ask(remote, server.url + "/none")
    assert len(server.asked) == 1


def test_bytes_behind_the_end_are_an_error_and_never_fewer_bytes(server, remote):
    url = server.put(b"0123456789")
    with pytest.raises(InputError, match=r"has 10 bytes; bytes 5-14 do not exist"):
        remote.read_range(url, 5, 10)
    with pytest.raises(InputError, match=r"has 10 bytes; bytes 10- do not exist"):
        remote.read_range(url, 10, 1)


def test_other_refusals_are_errors_that_say_what_came(server, remote):
    server.always = answer(405)
    with pytest.raises(InputError, match=r"cannot be read: the server answered 405 Method Not Allowed"):
        remote.read(server.url + "/a")


def test_a_redirect_is_followed_with_a_ticket_of_its_own_but_not_for_ever(server, remote, budget):
    server.put(DATA, "/b")
    server.plan = [answer(302, Location="/b")]
    assert remote.read_range(server.url + "/a", 0, 9) == DATA[:9]
    assert budget.given == 2
    server.always = answer(302, Location="/a")
    with pytest.raises(Unreachable, match="redirected more than 5 times"):
        remote.read(server.url + "/a")
    assert budget.given == 2 + 4 * 6


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://a/b"])
def test_a_redirect_to_anything_but_the_web_is_not_followed(server, remote, location):
    server.always = answer(302, Location=location)
    with pytest.raises(InputError, match="answered 302"):
        remote.read(server.url + "/a")


def test_the_identity_is_what_the_server_gives(server, remote):
    known = remote.identity(server.put(DATA))
    assert known.keys() == {"size", "ETag", "Last-Modified"}
    assert known["size"] == len(DATA)
    server.plan = [answer(500), changed(ETag=None, Last_Modified=None)]
    assert remote.identity(server.put(b"abc")) == {"size": 3}


def test_a_server_that_is_not_there_is_given_up(budget):
    with pytest.raises(Unreachable, match=r"^http://127\.0\.0\.1:9/a .*refused.*given up after 2 attempts"):
        Remote(Manners("a", attempts=2, pause=0.001), budget).read("http://127.0.0.1:9/a")
    assert budget.wells == [False, False]


@pytest.mark.parametrize("url", ["ftp://a/b", "/a/b", "http://a b:c/", "https://[1/"])
def test_what_is_no_url_is_refused(remote, url):
    with pytest.raises(InputError, match=r"no .*URL"):
        remote.read(url)


def test_urls_are_told_from_paths():
    assert all(map(is_remote, ["http://a/b", "https://a/b", "s3://a/b"]))
    assert not any(map(is_remote, ["/a", "a/http://b", "C:/a", "gs://a/b", "file:///a", "*.warc.gz"]))


def test_bytes_are_paid_before_they_are_read(server, remote, budget):
    url = server.put(DATA * 10)
    with remote.open(url) as file:
        assert 0 < budget.spent <= 1 << 20
        while file.read(10_000):
            assert budget.spent >= file.tell()
    assert budget.spent <= 2 * len(DATA * 10)


def test_the_budget_of_a_process_is_kept(server):
    """With the real one: two requests in any two seconds' window of one a second."""
    url = server.put(DATA)
    polite = Remote(Manners("a"), LocalBudget(Limits(requests_a_second=20, connections=2, bytes_a_second=None)))
    for first in range(30):
        polite.read_range(url, first, 10)
    times = [asked.at for asked in server.asked]
    assert all(later - earlier >= 0.95 for earlier, later in zip(times, times[20:], strict=False))


PAGE = b'<html><head><title>Index of /</title></head><body><a href="../">../</a>%s</body></html>'


def test_a_directory_page_and_those_below_it_name_all_files(server, remote):
    server.put(PAGE % b'<a href="b.gz">b</a><a href="sub/">s</a><a href="?C=N;O=D">Name</a><a href="/etc/x">x</a>', "/d/")
    server.put(PAGE % b'<a href="a%20b.gz">a</a><a href="http://elsewhere.jp/z.gz">z</a><a href="/d/sub/c.gz">c</a>', "/d/sub/")
    assert remote.list(server.url + "/d") == [f"{server.url}/d/{name}" for name in ("b.gz", "sub/a%20b.gz", "sub/c.gz")]


def test_a_listing_that_fails_is_an_error_and_an_empty_one_is_empty(server, remote):
    server.put(b"hello", "/no/")
    with pytest.raises(InputError, match=r"/no/ is no directory page: it begins with 'hello'"):
        remote.list(server.url + "/no")
    with pytest.raises(InputError, match="does not exist"):
        remote.list(server.url + "/none")
    server.put(PAGE % b"", "/empty/")
    assert remote.list(server.url + "/empty") == []
    server.put(PAGE % b'<a href="sub/">s</a>', "/d/")
    with pytest.raises(InputError, match="/d/sub/ does not exist"):
        remote.list(server.url + "/d")


def test_a_folder_that_holds_itself_ends(server, remote):
    server.always = lambda handler, _: (handler.head(200, {}, length=len(PAGE % b'<a href="a/">a</a>')),
                                        handler.body(PAGE % b'<a href="a/">a</a>'))  # fmt: skip
    with pytest.raises(InputError, match="seems to hold itself"):
        remote.list(server.url + "/a")
