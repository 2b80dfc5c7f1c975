import io

import pytest
from archive_bytes import SAMPLES
from fastwarc.warc import WarcRecord
from hypothesis import given, settings
from hypothesis import strategies as st
from page_bytes import FIELDS, micro, record, response
from warcio.archiveiterator import ArchiveIterator

from seiryu.corpus.archive.page import BodyError, payload, read_irregular, read_page, target_uri
from seiryu.corpus.archive.warc import raw_records


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_response_is_read_as_warcio_and_fastwarc_read_it(path):
    data = path.read_bytes()
    raw = {item.offset: item for item in raw_records(io.BytesIO(data), path.name, 1 << 24) if item.kind == "response"}
    reader = ArchiveIterator(io.BytesIO(data))
    for other in reader:
        body = other.raw_stream.read()
        if other.rec_type != "response":
            continue
        item = raw.pop(reader.get_record_offset())
        page = read_page(item)
        http, warc = other.http_headers, other.rec_headers
        assert str(page.status) == http.get_statuscode()
        assert page.body == body
        assert page.url == target_uri(item) == warc.get_header("WARC-Target-URI")
        assert page.record_id == warc.get_header("WARC-Record-ID")
        assert page.payload_digest == (warc.get_header("WARC-Payload-Digest") or "")
        assert page.crawl_date == micro(warc.get_header("WARC-Date"))
        sent = http.get_header("Content-Type") or ""
        assert page.content_type == sent.split(";")[0].strip().lower()
        assert page.language == (http.get_header("Content-Language") or "")
        assert page.content_coding == (http.get_header("Content-Encoding") or "")
        assert page.transfer_coding == (http.get_header("Transfer-Encoding") or "")
        assert page.robots == "\n".join(value for name, value in http.headers if name.lower() == "x-robots-tag")
        assert page.tdm_reservation == (http.get_header("TDM-Reservation") or "")
        fast = WarcRecord.from_bytes(item.header + item.content)
        fast.parse_http(auto_decode="none")
        assert fast.http_charset == (page.charset and page.charset.lower())
        assert (fast.http_headers.status_code, fast.reader.read()) == (page.status, page.body)
    assert not raw


@pytest.mark.parametrize(
    ("sent", "kind", "charset"),
    [
        ('text/html; charset="shift_jis"; foo', "text/html", "shift_jis"),
        ("Text/HTML;CHARSET=EUC-JP", "text/html", "EUC-JP"),
        ("text/html; foo; charset = 'utf-8'", "text/html", "utf-8"),
        ("text/html;\n charset=euc-jp", "text/html", "euc-jp"),
        ("text/html, text/html; charset=utf-8", "text/html", "utf-8"),
        ("text/html; charset=", "text/html", None),
        ("text/html; x-charset=utf-8", "text/html", None),
        ("; charset=utf-8", "", "utf-8"),
        ("", "", None),
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_content_type_is_a_type_and_a_charset(sent, kind, charset, end):
    page = response(f"Content-Type: {sent}\nX-Other: 1", end=end)
    assert (page.content_type, page.charset, page.status, page.body) == (kind, charset, 200, b"body")


def test_a_page_without_content_type_is_html_by_its_first_tag():
    assert response(body=b"<!DOCTYPE html>\n<HTML lang=ja>").html
    assert not response(body=b"%PDF-1.4").html
    assert response("Content-Type: application/xhtml+xml").html
    assert not response("Content-Type: text/plain", b"<html>").html
    found = FIELDS + b"WARC-Identified-Payload-Type: text/html\r\n"
    assert read_page(record(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nx", found)).html
    found = FIELDS + b"WARC-Identified-Payload-Type: image/png\r\n"
    assert not read_page(record(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nx", found)).html


@pytest.mark.parametrize(
    ("line", "status"),
    [("HTTP/1.1 200 OK", 200), ("HTTP/2 404", 404), ("HTTP/1.0 301", 301), ("HTTP/1.1 abc", None), ("HTTP/1.1", None)],
)
def test_the_status_line_gives_the_status(line, status):
    assert response("Content-Type: text/html", status=line).status == status


def test_broken_bytes_in_a_header_harm_nothing_else():
    content = b"HTTP/1.1 200 \xff\xfe\r\nX-\xff: \x93\xfa\r\nno colon\r\n: no name\r\nContent-Type: text/html; charset=\x93\xfa\r\n\r\nbody"
    page = read_page(record(content))
    assert (page.status, page.content_type, page.body) == (200, "text/html", b"body")
    page.charset.encode()


def test_the_first_of_two_fields_counts():
    page = response("Content-Type: text/html\nContent-Type: text/plain")
    assert page.content_type == "text/html"


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_every_robots_tag_counts_and_stands_on_a_line_of_its_own(end):
    fields = "X-Robots-Tag: googlebot: noindex\nContent-Type: text/html\nx-robots-tag:noai, noimageai \nX-ROBOTS-TAG:"
    page = response(f"{fields}\nTDM-Reservation: 1\ntdm-policy: https://a.jp/tdm.json\nTdm-Reservation: 0", end=end)
    assert page.robots == "googlebot: noindex\nnoai, noimageai\n"
    assert (page.content_type, page.tdm_reservation, page.tdm_policy) == ("text/html", "1", "https://a.jp/tdm.json")


def test_a_page_that_asks_for_nothing_says_so():
    page = response("X-Robots: noai\nTDM-Reservations: 1\nX-TDM-Policy: x")
    assert (page.robots, page.tdm_reservation, page.tdm_policy) == ("", "", "")


def test_a_header_without_end_has_no_body():
    page = read_page(record(b"HTTP/1.1 200 OK\r\nContent-Type: text/html"))
    assert (page.status, page.content_type, page.body) == (200, "text/html", b"")


@pytest.mark.parametrize("content", [b"", b"<html><body>no header</body></html>", b"ICY 200 OK\r\n\r\nx", b"\0" * 100])
def test_what_should_be_http_and_is_not_is_bad_http(content):
    with pytest.raises(BodyError, match="no HTTP response") as error:
        read_page(record(content))
    assert error.value.reason == "bad_http"


def test_what_was_not_fetched_by_http_has_no_status():
    page = read_page(record(b"20231211 a.jp 1.2.3.4", b"WARC-Target-URI: dns:a.jp\r\nContent-Type: text/dns\r\n"))
    assert (page.status, page.url, page.body) == (None, "dns:a.jp", b"20231211 a.jp 1.2.3.4")


def test_a_record_that_does_not_say_that_it_is_http_is_read_by_its_content():
    page = read_page(record(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nbody", b"warc-target-uri: <http://a.jp/>\r\n"))
    assert (page.status, page.url, page.body) == (200, "http://a.jp/", b"body")


def test_a_record_may_lack_url_id_and_digest():
    page = read_page(record(b"HTTP/1.1 200 OK\r\n\r\nx", b""))
    assert (page.url, page.record_id, page.payload_digest, page.crawl_date, page.identified) == ("", "", "", None, "")
    assert target_uri(record(b"", b"")) == ""


def test_the_url_of_a_record_is_known_without_its_content():
    big = record(b"", b"WARC-Target-URI: http://a.jp/\xe3\x81\x82\xff\r\n")
    big.content = None
    assert target_uri(big) == "http://a.jp/あ\ufffd"


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2023-12-11T08:53:07Z", 1702284787000000),
        ("2023-12-11T08:53:07.123456Z", 1702284787123456),
        ("2023-12-11T08:53:07.123456789Z", 1702284787123456),
        ("2023-12-11T17:53:07+09:00", 1702284787000000),
        ("1969-12-31T23:59:59Z", -1000000),
        ("2023-13-45T99:00:00Z", None),
        ("20231211085307", None),
        ("99999-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_microseconds_or_nothing(date, expected):
    assert read_page(record(b"HTTP/1.1 200 OK\r\n\r\n", f"WARC-Date: {date}\r\n".encode())).crawl_date == expected


@settings(deadline=None)
@given(st.binary(), st.binary())
def test_no_header_makes_it_fail_otherwise(fields, content):
    try:
        page = read_page(record(b"HTTP/1.1 " + content, fields))
    except BodyError:
        return
    "".join([page.url, page.content_type, page.charset or "", page.language]).encode()
    payload(page, 1000)


def same_as_fastwarc(item):
    try:
        expected = read_irregular(item.header, item.content)
    except BodyError as error:
        with pytest.raises(BodyError, match=error.reason or ""):
            read_page(item)
        return
    page = read_page(item)
    names = ("status", "content_type", "charset", "language", "identified", "transfer_coding", "content_coding", "body", "url",
             "robots", "tdm_reservation", "tdm_policy")  # fmt: skip
    assert [getattr(page, name) for name in names] == [getattr(expected, name) for name in names]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_regular_headers_are_read_as_fastwarc_reads_them(path):
    for item in raw_records(io.BytesIO(path.read_bytes()), path.name, 1 << 24):
        if item.kind == "response":
            same_as_fastwarc(item)


NAMES = st.sampled_from(
    ["Content-Type", "content-type", "Content-Encoding", "Content-Language", "X-A", "WARC-Identified-Payload-Type", "X-Robots-Tag",
     "x-robots-tag", "TDM-Reservation", "tdm-policy"]
)  # fmt: skip
LINES = st.lists(st.tuples(NAMES, st.sampled_from([": ", ":", " : ", ":\t"]), st.text(" abc;=/,\t\r\n\x00é-", max_size=12),
                           st.sampled_from(["\r\n", "\r\n", "\n"])), max_size=5)  # fmt: skip


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(["HTTP/1.1 200 OK", "HTTP/1.0 404", "HTTP/2 200", "HTTP/1.1 20", "HTTP/1.1 200 \x7f"]), LINES, LINES,
       st.sampled_from(["\r\n", "\n", ""]), st.binary(max_size=20))  # fmt: skip
def test_any_headers_are_read_as_fastwarc_reads_them(status, fields, warc, end, body):
    head = status + "\r\n" + "".join("".join(line) for line in fields) + end
    same_as_fastwarc(record(head.encode() + body, "".join("".join(line) for line in warc).encode()))


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Type: text/html; charset={};",
        "Content-Type: a{}b",
        "Content-Type: text/html; charset{}x",
        "Content-Language:{}\x7f",
    ],
)
def test_blanks_without_end_in_a_header_take_linear_work(fields):
    """A million of them, read or refused at once; a pattern that goes back for each would take hours."""
    content = f"HTTP/1.1 200 OK\r\n{fields.format(' ' * 1_000_000)}\r\n\r\nbody".encode()
    warc = b"WARC-Identified-Payload-Type:" + b" " * 1_000_000 + b"\xe3\r\n"
    for fields_of_record in (FIELDS, FIELDS + warc):
        try:
            assert read_page(record(content, fields_of_record)).body == b"body"
        except BodyError as error:
            assert error.reason == "bad_http"


@pytest.mark.parametrize("said", ["text/html;charset=utf-8", "text/html; charset=utf-8", "Text/HTML , x"])
def test_a_type_found_in_the_bytes_may_have_parameters(said):
    page = read_page(record(b"HTTP/1.1 200 OK\r\n\r\nx", FIELDS + f"WARC-Identified-Payload-Type: {said}\r\n".encode()))
    assert (page.identified, page.html) == ("text/html", True)


def test_a_type_behind_a_bare_line_feed_is_left_to_fastwarc():
    same_as_fastwarc(record(b"HTTP/1.1 200 OK\r\n\r\nx", b"X: a\nWARC-Identified-Payload-Type: text/html\r\n"))


def test_a_header_of_millions_of_fields_is_left_to_fastwarc():
    with pytest.raises(BodyError, match="Maximum header length"):
        read_page(record(b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * 1_000_000 + b"\r\nbody"))
